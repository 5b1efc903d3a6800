import Testing

@testable import MQTT

@Suite("What a server must not send ends the connection")
struct StrictnessTests {
    @Test(
        "Packets that a client cannot receive",
        arguments: [
            ("00 00", MQTTError.reservedPacketType(0)),
            ("F0 00", .reservedPacketType(15)),
            ("10 00", .packetTypeNotForClients(.connect)),
            ("82 00", .packetTypeNotForClients(.subscribe)),
            ("A2 00", .packetTypeNotForClients(.unsubscribe)),
            ("C0 00", .packetTypeNotForClients(.pingRequest)),
            ("E0 00", .packetTypeNotForClients(.disconnect)),
            ("20 02 0000", .secondConnectionAcknowledgement),
        ])
    func wrongType(hex: String, expected: MQTTError) throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(hex: hex) == [.failed(expected)])
    }

    @Test(
        "Reserved flag bits [MQTT-2.2.2-1], seen at the first byte",
        arguments: [
            (UInt8(0x41), PacketType.publishAcknowledgement), (0x52, .publishReceived), (0x60, .publishRelease), (0x6A, .publishRelease),
            (0x78, .publishComplete), (0x91, .subscribeAcknowledgement), (0xB4, .unsubscribeAcknowledgement), (0xD1, .pingResponse),
        ])
    func reservedFlags(firstByte: UInt8, type: PacketType) throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive([firstByte]) == [.failed(.reservedFlags(type, flags: firstByte & 0x0F))])
    }

    @Test("3.1 leaves those bits unused: a PUBREL with DUP is taken")
    func unusedFlagsOf3_1() throws {
        var harness = try SessionHarness.connected { $0.version = .v3_1 }
        #expect(harness.receive(hex: "6A 02 0007") == [])
        #expect(harness.flush() == bytes("70 02 0007"))
    }

    @Test("A remaining length of five bytes, seen at the fourth")
    func remainingLengthTooLong() throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(hex: "30 FF FF FF") == [])
        #expect(harness.receive(hex: "FF") == [.failed(.remainingLengthTooLong)])
    }

    @Test("A remaining length that is longer than needed is legal in 3.1.1")
    func paddedRemainingLength() throws {
        var harness = try SessionHarness.connected()
        let events = harness.receive(hex: "30 84 80 00 0001 61 2A")
        #expect(
            events == [
                .publish(
                    topic: "a", payload: [0x2A], identifier: 0, qos: .atMostOnce, retained: false, duplicate: false, sequence: nil)
            ])
    }

    @Test(
        "Remaining lengths that a packet cannot have, seen before its body",
        arguments: [
            ("40 03", PacketType.publishAcknowledgement, 3), ("40 00", .publishAcknowledgement, 0), ("50 01", .publishReceived, 1),
            ("62 04", .publishRelease, 4), ("70 03", .publishComplete, 3), ("90 02", .subscribeAcknowledgement, 2),
            ("B0 03", .unsubscribeAcknowledgement, 3), ("D0 01", .pingResponse, 1), ("30 01", .publish, 1),
        ])
    func wrongRemainingLength(hex: String, type: PacketType, count: Int) throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(hex: hex) == [.failed(.wrongRemainingLength(type, remainingBytes: count))])
    }

    @Test("A packet above the maximum is refused as soon as its length is known")
    func packetTooLarge() throws {
        var harness = try SessionHarness.connected { $0.maximumPacketBytes = 129 }
        #expect(harness.receive(publishPacket(topic: [0x61], payload: [UInt8](repeating: 0, count: 124))).count == 1)
        #expect(harness.receive(hex: "30 80 01") == [.failed(.packetTooLarge(packetBytes: 131, maximumBytes: 129))])
    }

    @Test(
        "PUBLISH flags [MQTT-3.3.1-4] [MQTT-3.3.1-2], seen at the first byte",
        arguments: [(UInt8(0x36), MQTTError.invalidQoS), (0x3E, .invalidQoS), (0x38, .duplicateAtQoS0), (0x39, .duplicateAtQoS0)])
    func publishFlags(firstByte: UInt8, expected: MQTTError) throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive([firstByte]) == [.failed(expected)])
    }

    @Test(
        "A PUBLISH that ends within its topic name or packet identifier",
        arguments: ["30 02 0001", "30 03 0002 61", "32 03 0001 61", "32 04 0001 61 00", "34 04 0001 61 00"])
    func truncatedPublish(hex: String) throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(hex: hex) == [.failed(.truncatedPublish)])
    }

    @Test(
        "Packet identifier 0 [MQTT-2.3.1-1]",
        arguments: [
            ("32 05 0001 61 0000", PacketType.publish), ("34 05 0001 61 0000", .publish), ("40 02 0000", .publishAcknowledgement),
            ("50 02 0000", .publishReceived), ("62 02 0000", .publishRelease), ("70 02 0000", .publishComplete),
            ("90 03 0000 00", .subscribeAcknowledgement), ("B0 02 0000", .unsubscribeAcknowledgement),
        ])
    func zeroPacketIdentifier(hex: String, type: PacketType) throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(hex: hex) == [.failed(.zeroPacketIdentifier(type))])
    }

    @Test(
        "Topic names that are none",
        arguments: [
            ("30 02 0000", TopicFault.empty), ("30 05 0003 612F23", .wildcardInName), ("30 05 0003 2B2F61", .wildcardInName),
            ("30 05 0003 610062", .nullCharacter), ("30 04 0002 C328", .malformedUTF8),
        ])
    func topicName(hex: String, fault: TopicFault) throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(hex: hex) == [.failed(.malformedTopicName(fault))])
    }

    @Test("Before CONNACK nothing else comes [MQTT-3.2.0-1]", arguments: ["30 04 0001 61 2A", "D0 00", "90 03 0001 00", "40 02 0001"])
    func beforeConnectionAcknowledgement(hex: String) throws {
        var harness = try SessionHarness()
        harness.session.connectionOpened(now: harness.now)
        let type = try #require(PacketType(rawValue: bytes(hex)[0] >> 4))
        #expect(harness.receive(hex: hex) == [.failed(.packetBeforeConnectionAcknowledgement(type))])
    }

    @Test(
        "CONNACK",
        arguments: [
            ("20 02 0200", false, MQTTError.reservedConnectionAcknowledgementFlags(2)),
            ("20 02 FF00", false, .reservedConnectionAcknowledgementFlags(0xFF)),
            ("20 02 0006", false, .reservedConnectReturnCode(6)),
            ("20 02 00FF", false, .reservedConnectReturnCode(255)),
            ("20 02 0100", true, .sessionPresentAfterCleanSession),
            ("20 03", false, .wrongRemainingLength(.connectionAcknowledgement, remainingBytes: 3)),
            ("20 02 0001", false, .connectionRefused(.unsupportedProtocolVersion, ServerStatement())),
            ("20 02 0002", false, .connectionRefused(.clientIdentifierNotValid, ServerStatement())),
            ("20 02 0003", false, .connectionRefused(.serverUnavailable, ServerStatement())),
            ("20 02 0004", false, .connectionRefused(.badUserNameOrPassword, ServerStatement())),
            ("20 02 0005", false, .connectionRefused(.notAuthorized, ServerStatement())),
            ("20 02 0105", false, .connectionRefused(.notAuthorized, ServerStatement())),
        ])
    func connectionAcknowledgement(hex: String, cleanSession: Bool, expected: MQTTError) throws {
        var harness = try SessionHarness { $0.cleanSession = cleanSession }
        harness.session.connectionOpened(now: harness.now)
        #expect(harness.receive(hex: hex) == [.failed(expected)])
        #expect(!harness.session.isConnected)
    }

    @Test("After an error the rest of the bytes is passed over")
    func afterError() throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(bytes("F0 00") + publishPacket("a")).count == 1)
        #expect(harness.receive(publishPacket("a")) == [])
        #expect(try harness.session.tick(now: harness.now) == .distantFuture)
    }

    @Test(
        "Acknowledgements of what was never sent",
        arguments: [
            ("40 02 0001", PacketType.publishAcknowledgement), ("90 03 0001 00", .subscribeAcknowledgement),
            ("B0 02 0001", .unsubscribeAcknowledgement),
        ])
    func unexpected(hex: String, type: PacketType) throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(hex: hex) == [.failed(.unexpectedAcknowledgement(type, packetIdentifier: 1))])
    }

    @Test("Every error says what happened, in one line")
    func descriptions() throws {
        let filter = try TopicFilter("a/#")
        let errors: [MQTTError] = [
            .reservedFlags(.publishRelease, flags: 0), .invalidQoS, .subscribeTimedOut(filters: [filter]),
            .connectionRefused(.notAuthorized, ServerStatement()),
            .malformedTopicName(.malformedUTF8), .invalidTopicFilter("a#", .wildcardWithinLevel),
            .invalidConfiguration(.emptyClientIdentifier),
        ]
        #expect(
            errors.map(\.description) == [
                "the server sent PUBREL with flag bits 0, which must be 2 [MQTT-2.2.2-1] [MQTT-2.2.2-2]",
                "the server sent PUBLISH with both QoS bits set [MQTT-3.3.1-4]",
                "the server sent no SUBACK within the time allowed; it may lack the QoS asked for: \"a/#\" [MQTT-3.8.4-1]",
                "the server refused the connection: not authorized",
                "the server sent PUBLISH with a topic name that is not well-formed UTF-8 [MQTT-1.5.3-1]",
                "topic filter \"a#\" has a wildcard that does not fill its level [MQTT-4.7.1-2] [MQTT-4.7.1-3]",
                "cannot connect: an empty client identifier needs a clean session [MQTT-3.1.3-7], and MQTT 3.1 allows none",
            ])
    }
}
