import NIOCore
import Testing

@testable import MQTT

/// A session of MQTT 5.0 that is connected.
func connectedVersion5(
    sessionPresent: Bool = false, properties: String = "", _ change: (inout SessionConfiguration) -> Void = { _ in }
) throws -> SessionHarness {
    var harness = try SessionHarness {
        $0.version = .v5
        change(&$0)
    }
    harness.session.connectionOpened(now: harness.now)
    _ = harness.takeOutput()
    let block = bytes(properties)
    let events = harness.receive([0x20] + remainingLength(3 + block.count) + [sessionPresent ? 1 : 0, 0, UInt8(block.count)] + block)
    #expect(events == [.connected(sessionPresent ? .present : .absent)])
    return harness
}

@Suite("MQTT 5.0: connecting")
struct Version5ConnectTests {
    private func connectPacket(_ change: (inout SessionConfiguration) -> Void) throws -> [UInt8] {
        var harness = try SessionHarness {
            $0.version = .v5
            change(&$0)
        }
        harness.session.connectionOpened(now: harness.now)
        return harness.takeOutput()
    }

    @Test("CONNECT keeps the session with Clean Start 0 and a session expiry, and says what we take")
    func connect() throws {
        let packet = try connectPacket {
            $0.sessionExpirySeconds = 604_800
            $0.receiveMaximum = 1000
            $0.maximumPacketBytes = 16 * 1024 * 1024
            $0.topicAliasMaximum = 32
        }
        #expect(packet == bytes("10 1E 0004 4D515454 05 00 001E 10 11 00093A80 21 03E8 27 01000000 22 0020 0001 63"))
    }

    @Test("A clean session is Clean Start without a session expiry, and what is usual goes unsaid")
    func clean() throws {
        let packet = try connectPacket {
            $0.cleanSession = true
            $0.maximumPacketBytes = 268_435_460
            $0.topicAliasMaximum = 0
        }
        #expect(packet == bytes("10 0E 0004 4D515454 05 02 001E 00 0001 63"))
    }

    @Test("The will has properties of its own, and user name and password follow it")
    func will() throws {
        let topic = try TopicName("w")
        let packet = try connectPacket {
            $0.cleanSession = true
            $0.maximumPacketBytes = 268_435_460
            $0.topicAliasMaximum = 0
            var will = Will(topic: topic, payload: [0x21], isRetained: true)
            will.delaySeconds = 5
            $0.will = will
            $0.credentials = Credentials(username: "u", password: [0x70])
        }
        #expect(packet == bytes("10 20 0004 4D515454 05 EE 001E 00 0001 63 05 18 00000005 0001 77 0001 21 0001 75 0001 70"))
    }

    @Test("A password may come without a user name, whose flag is 0 then (MQTT 5.0 §3.1.2.9)")
    func passwordAlone() throws {
        let packet = try connectPacket {
            $0.cleanSession = true
            $0.maximumPacketBytes = 268_435_460
            $0.topicAliasMaximum = 0
            $0.credentials = Credentials(username: nil, password: [0x70])
        }
        #expect(packet == bytes("10 11 0004 4D515454 05 42 001E 00 0001 63 0001 70"))
    }

    @Test("CONNACK says what the server allows")
    func capabilities() throws {
        let harness = try connectedVersion5(
            sessionPresent: true,
            properties: "11 0000000A 21 0005 24 01 25 00 27 00001000 12 0002 6964 22 0003 28 00 29 00 2A 00 13 0007 26 0001 61 0001 62")
        let capabilities = harness.session.capabilities
        #expect(capabilities.sessionExpirySeconds == 10)
        #expect(capabilities.receiveMaximum == 5)
        #expect(capabilities.maximumQoS == .atLeastOnce)
        #expect(!capabilities.isRetainAvailable)
        #expect(capabilities.maximumPacketBytes == 4096)
        #expect(!capabilities.areWildcardSubscriptionsAvailable)
        #expect(!capabilities.areSubscriptionIdentifiersAvailable)
        #expect(capabilities.areSharedSubscriptionsAvailable == false)
        #expect(capabilities.serverKeepAliveSeconds == 7)
    }

    @Test("What one server allowed means nothing on the next connection")
    func capabilitiesEndWithTheConnection() throws {
        var harness = try connectedVersion5(properties: "21 0005 24 00")
        harness.reconnect(sessionPresent: true)
        #expect(harness.session.capabilities == ServerCapabilities(version: .v5))
    }

    @Test("The keep alive of the server takes the place of ours")
    func serverKeepAlive() throws {
        var harness = try connectedVersion5(properties: "13 0004")
        let next = try harness.session.tick(now: harness.now)
        #expect(next == harness.now + .seconds(3))
        harness.now = next
        _ = try harness.session.tick(now: harness.now)
        #expect(harness.takeOutput() == bytes("C000"))
    }

    @Test("A server keep alive of 0 turns keep alive off")
    func noKeepAlive() throws {
        var harness = try connectedVersion5(properties: "13 0000")
        #expect(try harness.session.tick(now: harness.now) == .distantFuture)
    }

    @Test(
        "A refusal is told with the server's words, whether it speaks 5.0 or not",
        arguments: [
            ("20 03 00 87 00", ReasonCode.notAuthorized, ServerStatement()),
            ("20 07 00 9D 04 1C 0001 78", .serverMoved, ServerStatement(serverReference: "x")),
            ("20 07 00 97 04 1F 0001 0A", .quotaExceeded, ServerStatement(reason: "\\u{a}")),
            ("20 02 00 01", .unsupportedProtocolVersion, ServerStatement()),
            ("20 02 00 05", .notAuthorized, ServerStatement()),
        ])
    func refused(hex: String, code: ReasonCode, statement: ServerStatement) throws {
        var harness = try SessionHarness { $0.version = .v5 }
        harness.session.connectionOpened(now: harness.now)
        _ = harness.takeOutput()
        #expect(harness.receive(hex: hex) == [.failed(.connectionRefused(code, statement))])
        #expect(harness.takeOutput() == [])
    }

    @Test(
        "A CONNACK that the standard does not know ends the connection",
        arguments: [
            ("20 03 02 00 00", MQTTError.reservedConnectionAcknowledgementFlags(2)),
            ("20 02 00 00", .wrongRemainingLength(.connectionAcknowledgement, remainingBytes: 2)),
            ("20 03 00 03 00", .unknownReasonCode(.connectionAcknowledgement, 3)),
            ("20 03 00 8D 00", .misplacedReasonCode(.connectionAcknowledgement, .keepAliveTimeout)),
            ("20 03 00 00 01", .malformedProperties(.connectionAcknowledgement, .truncated)),
            ("20 04 00 00 00 00", .malformedProperties(.connectionAcknowledgement, .truncated)),
            ("20 06 00 00 03 21 0000", .malformedProperties(.connectionAcknowledgement, .invalidNumber(.receiveMaximum, 0))),
            ("20 05 00 00 02 24 02", .malformedProperties(.connectionAcknowledgement, .invalidNumber(.maximumQoS, 2))),
            ("20 05 00 00 02 01 01", .malformedProperties(.connectionAcknowledgement, .notAllowed(.payloadFormatIndicator))),
            ("20 05 00 00 02 7F 01", .malformedProperties(.connectionAcknowledgement, .unknown(0x7F))),
            ("20 07 00 00 04 25 00 25 00", .malformedProperties(.connectionAcknowledgement, .repeated(.retainAvailable))),
            ("20 07 00 00 04 1F 0001 FF", .malformedProperties(.connectionAcknowledgement, .malformedText(.reasonString))),
            ("20 07 00 00 04 1F 0001 00", .malformedProperties(.connectionAcknowledgement, .malformedText(.reasonString))),
        ])
    func malformed(hex: String, expected: MQTTError) throws {
        var harness = try SessionHarness { $0.version = .v5 }
        harness.session.connectionOpened(now: harness.now)
        #expect(harness.receive(hex: hex) == [.failed(expected)])
    }

    @Test("A session cannot be present where a clean one was asked for")
    func presentAfterClean() throws {
        var harness = try SessionHarness {
            $0.version = .v5
            $0.cleanSession = true
        }
        harness.session.connectionOpened(now: harness.now)
        #expect(harness.receive(hex: "20 03 01 00 00") == [.failed(.sessionPresentAfterCleanSession)])
    }

    @Test("AUTH is refused: no authentication method was named", arguments: ["F0 00", "F0 07 18 05 15 0002 6D31"])
    func authentication(hex: String) throws {
        var early = try SessionHarness { $0.version = .v5 }
        early.session.connectionOpened(now: early.now)
        #expect(early.receive(hex: hex) == [.failed(.unexpectedAuthentication)])
        var late = try connectedVersion5()
        #expect(late.receive(hex: hex) == [.failed(.unexpectedAuthentication)])
        #expect(late.takeOutput() == bytes("E0 01 82"))
    }

    @Test("Before 5.0 AUTH and a DISCONNECT of the server do not exist")
    func olderVersions() throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(hex: "F0 00") == [.failed(.reservedPacketType(15))])
        harness.reconnect(sessionPresent: true)
        #expect(harness.receive(hex: "E0 00") == [.failed(.packetTypeNotForClients(.disconnect))])
        #expect(harness.takeOutput() == [])
    }

    @Test("The next connection may be of another version, with other credentials")
    func reconfigured() throws {
        var harness = try connectedVersion5()
        harness.close()
        var configuration = harness.session.configuration
        configuration.version = .v3_1_1
        configuration.credentials = Credentials(username: "u")
        try harness.session.reconfigure(configuration)
        harness.session.connectionOpened(now: harness.now)
        #expect(harness.takeOutput() == bytes("10 10 0004 4D515454 04 80 001E 0001 63 0001 75"))
        #expect(harness.receive(hex: "20 02 0100") == [.connected(.present)])
    }
}
