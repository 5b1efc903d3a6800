import NIOCore
import Testing

@testable import MQTT

@Suite("What a client sends, byte by byte")
struct PacketWritingTests {
    private func written(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
        var buffer = ByteBuffer()
        write(&buffer)
        return Array(buffer.readableBytesView)
    }

    private func connect(_ change: (inout SessionConfiguration) throws -> Void) throws -> [UInt8] {
        var configuration = SessionConfiguration(clientIdentifier: "a")
        try change(&configuration)
        try configuration.validate()
        return written { Connect(configuration: configuration).write(to: &$0) }
    }

    @Test("CONNECT of 3.1.1 keeps the session and says its keep alive")
    func connectPlain() throws {
        #expect(try connect { $0.keepAliveSeconds = 60 } == bytes("10 0D 0004 4D515454 04 00 003C 0001 61"))
    }

    @Test("CONNECT of 3.1 says MQIsdp and level 3")
    func connectOld() throws {
        #expect(
            try connect {
                $0.version = .v3_1
                $0.cleanSession = true
            } == bytes("10 0F 0006 4D5149736470 03 02 001E 0001 61"))
    }

    @Test("CONNECT carries will, user name and password in this order, with their flags")
    func connectFull() throws {
        let packet = try connect {
            $0.will = Will(topic: try TopicName("w/t"), payload: [0xFF, 0x00], qos: .exactlyOnce, isRetained: true)
            $0.credentials = Credentials(username: "u", password: [0x70, 0x00])
            $0.cleanSession = true
            $0.keepAliveSeconds = 0xFFFF
        }
        #expect(packet == bytes("10 1D 0004 4D515454 04 F6 FFFF 0001 61 0003 772F74 0002 FF00 0001 75 0002 7000"))
    }

    @Test("CONNECT may carry a user name without a password, and an empty client identifier with a clean session")
    func connectSparse() throws {
        let packet = try connect {
            $0.clientIdentifier = ""
            $0.cleanSession = true
            $0.credentials = Credentials(username: "u")
        }
        #expect(packet == bytes("10 0F 0004 4D515454 04 82 001E 0000 0001 75"))
    }

    @Test(
        "PUBLISH of each QoS",
        arguments: [
            (QoS.atMostOnce, false, "30 06 0003 612F62 2A"),
            (QoS.atLeastOnce, true, "33 08 0003 612F62 1234 2A"),
            (QoS.exactlyOnce, false, "34 08 0003 612F62 1234 2A"),
        ])
    func publish(qos: QoS, isRetained: Bool, expected: String) throws {
        let topic = try TopicName("a/b")
        let packet = written { buffer in
            [UInt8(0x2A)].withUnsafeBytes {
                OutgoingPublish(
                    topic: topic, payload: $0, qos: qos, isRetained: isRetained, packetIdentifier: 0x1234, properties: [], version: .v3_1_1
                ).write(to: &buffer)
            }
        }
        #expect(packet == bytes(expected))
    }

    @Test(
        "The remaining length takes its shortest form",
        arguments: [
            (0, "00"), (127, "7F"), (128, "8001"), (16_383, "FF7F"), (16_384, "808001"), (2_097_151, "FFFF7F"), (2_097_152, "80808001"),
            (268_435_455, "FFFFFF7F"),
        ])
    func remainingLength(count: Int, expected: String) {
        #expect(written { $0.writeFixedHeader(firstByte: 0x30, remainingBytes: count) } == [0x30] + bytes(expected))
    }

    @Test(
        "Acknowledgements are four bytes",
        arguments: [
            (PacketType.publishAcknowledgement, "40 02 ABCD"), (.publishReceived, "50 02 ABCD"), (.publishRelease, "62 02 ABCD"),
            (.publishComplete, "70 02 ABCD"),
        ])
    func acknowledgement(type: PacketType, expected: String) {
        #expect(written { $0.writeAcknowledgement(type, packetIdentifier: 0xABCD) } == bytes(expected))
    }

    @Test("SUBSCRIBE lists filters and QoS, UNSUBSCRIBE filters")
    func subscribe() throws {
        let filters = [try TopicFilter("a/+"), try TopicFilter("#")]
        let subscriptions = [Subscription(filter: filters[0], qos: .exactlyOnce), Subscription(filter: filters[1], qos: .atMostOnce)]
        #expect(
            written { Subscribe(packetIdentifier: 0x0102, subscriptions: subscriptions[...], version: .v3_1_1).write(to: &$0) }
                == bytes("82 0C 0102 0003 612F2B 02 0001 23 00"))
        #expect(
            written { Unsubscribe(packetIdentifier: 0x0102, filters: filters[...], version: .v3_1_1).write(to: &$0) }
                == bytes("A2 0A 0102 0003 612F2B 0001 23"))
    }

    @Test("PINGREQ and DISCONNECT are two bytes")
    func empty() {
        #expect(written { $0.writeEmptyPacket(.pingRequest) } == bytes("C000"))
        #expect(written { $0.writeEmptyPacket(.disconnect) } == bytes("E000"))
    }
}

@Suite("What CONNECT cannot carry is refused before it is sent")
struct SessionConfigurationTests {
    private func fault(_ change: (inout SessionConfiguration) throws -> Void) throws -> MQTTError? {
        var configuration = SessionConfiguration(clientIdentifier: "a")
        try change(&configuration)
        do throws(MQTTError) {
            _ = try ClientSession(configuration: configuration)
            return nil
        } catch {
            return error
        }
    }

    @Test("An empty client identifier needs a clean session, and 3.1.1")
    func emptyClientIdentifier() throws {
        #expect(try fault { $0.clientIdentifier = "" } == .invalidConfiguration(.emptyClientIdentifier))
        #expect(
            try fault {
                $0.clientIdentifier = ""
                $0.cleanSession = true
                $0.version = .v3_1
            } == .invalidConfiguration(.emptyClientIdentifier))
        #expect(
            try fault {
                $0.clientIdentifier = ""
                $0.cleanSession = true
            } == nil)
    }

    @Test("Fields are at most 65,535 bytes")
    func longFields() throws {
        let long = String(repeating: "x", count: 65_536)
        #expect(
            try fault { $0.clientIdentifier = long } == .invalidConfiguration(.fieldTooLong(field: "the client identifier", bytes: 65_536)))
        #expect(
            try fault { $0.credentials = Credentials(username: long) }
                == .invalidConfiguration(.fieldTooLong(field: "the user name", bytes: 65_536)))
        #expect(
            try fault { $0.credentials = Credentials(username: "u", password: Array(long.utf8)) }
                == .invalidConfiguration(.fieldTooLong(field: "the password", bytes: 65_536)))
        #expect(
            try fault { $0.will = Will(topic: try TopicName("w"), payload: Array(long.utf8)) }
                == .invalidConfiguration(.fieldTooLong(field: "the will's payload", bytes: 65_536)))
        #expect(try fault { $0.clientIdentifier = String(long.dropLast()) } == nil)
    }

    @Test("Before 5.0 a password needs a user name [MQTT-3.1.2-22]", arguments: [ProtocolVersion.v3_1, .v3_1_1, .v5])
    func passwordAlone(version: ProtocolVersion) throws {
        let met = try fault {
            $0.version = version
            $0.credentials = Credentials(username: nil, password: [0x70])
        }
        #expect(met == (version == .v5 ? nil : .invalidConfiguration(.passwordWithoutUserName(version))))
    }

    @Test("Text holds no null character, and bounds are in their range")
    func nullAndBounds() throws {
        #expect(
            try fault { $0.clientIdentifier = "a\0b" } == .invalidConfiguration(.nullCharacter(field: "the client identifier")))
        #expect(
            try fault { $0.filtersPerPacket = 0 }
                == .invalidConfiguration(.outOfRange(field: "the number of filters per packet", value: 0, allowed: 1...1024)))
        #expect(try fault { $0.maximumPublishesInFlight = 40_000 } != nil)
        #expect(try fault { $0.maximumPacketBytes = 1 } != nil)
    }
}
