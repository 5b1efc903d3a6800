import Testing

@testable import MQTT

@Suite("MQTT 5.0: what we must not send")
struct Version5ProhibitionTests {
    private let topic: TopicName

    init() throws { topic = try TopicName("a") }

    @Test(
        "What goes again on the next connection keeps to its limits too [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15]",
        arguments: ["24 01", "25 00", "27 00000020"])
    func limitsAgain(properties: String) throws {
        var harness = try connectedVersion5(sessionPresent: true)
        _ = harness.session.publish(topic: topic, payload: [UInt8](repeating: 0, count: 40), qos: .exactlyOnce, isRetained: true)
        harness.close()
        harness.session.connectionOpened(now: harness.now)
        _ = harness.takeOutput()
        let block = bytes(properties)
        _ = harness.receive([0x20, UInt8(3 + block.count), 0, 0, UInt8(block.count)] + block)
        let output = harness.takeOutput()
        switch properties {
        case "24 01": #expect((output.first ?? 0) & 0b0110 < 0b0100)
        case "25 00": #expect((output.first ?? 0) & 0b0001 == 0)
        default: #expect(output.count <= 32)
        }
    }

    @Test("Every reason that DISCONNECT of ours can give is one that a client may give [MQTT-3.14.2-1]")
    func ownReasons() {
        let errors: [MQTTError] = [
            .reservedPacketType(0), .packetTypeNotForClients(.connect), .reservedFlags(.disconnect, flags: 1), .remainingLengthTooLong,
            .paddedRemainingLength, .packetTooLarge(packetBytes: 1, maximumBytes: 0), .wrongRemainingLength(.publish, remainingBytes: 0),
            .zeroPacketIdentifier(.publish), .packetBeforeConnectionAcknowledgement(.publish), .secondConnectionAcknowledgement,
            .reservedConnectionAcknowledgementFlags(2), .reservedConnectReturnCode(6), .sessionPresentAfterCleanSession,
            .connectionRefused(.notAuthorized, ServerStatement()), .invalidQoS, .duplicateAtQoS0, .truncatedPublish,
            .malformedTopicName(.empty), .malformedTopicName(.malformedUTF8), .malformedTopicName(.wildcardInName), .unknownTopicAlias(1),
            .topicAliasTooLarge(1, maximum: 0), .malformedProperties(.publish, .truncated), .malformedProperties(.publish, .unknown(0)),
            .malformedProperties(.publish, .repeated(.topicAlias)), .malformedProperties(.publish, .invalidNumber(.topicAlias, 0)),
            .unknownReasonCode(.publishAcknowledgement, 3), .misplacedReasonCode(.publishAcknowledgement, .banned),
            .disconnected(.success, ServerStatement()), .unexpectedAuthentication, .reservedSubscribeReturnCode(3),
            .wrongReasonCodeCount(.subscribeAcknowledgement, expected: 1, received: 0),
            .unexpectedAcknowledgement(.publishAcknowledgement, packetIdentifier: 1), .packetIdentifierInUse(1), .releaseBeforeReceipt(1),
            .tooManyUnacknowledged(maximum: 1), .receiveMaximumExceeded(maximum: 1), .connectTimedOut, .subscribeTimedOut(filters: []),
            .unsubscribeTimedOut(filters: []), .pingTimedOut,
        ]
        let ofClients: [UInt8] = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]
        for error in errors {
            guard let code = error.reasonCode else { continue }
            #expect(ofClients.contains(code.rawValue), "\(error): \(code)")
        }
    }

    @Test("A response topic has no wildcards [MQTT-3.3.2-14]", arguments: ["+", "a/+/b", "#", "a/#", ""])
    func responseTopic(topic: String) {
        var properties = PublishPropertiesWriter()
        #expect(properties.responseTopic(topic) == false)
        #expect(properties.bytes.isEmpty)
    }

    @Test("A filter that alone makes SUBSCRIBE larger than the server takes is not sent [MQTT-3.2.2-15]")
    func longFilter() throws {
        var harness = try connectedVersion5(properties: "27 00000020")
        let filter = try TopicFilter(String(repeating: "x", count: 40))
        harness.session.subscribe([Subscription(filter: filter, qos: .atLeastOnce)], now: harness.now)
        harness.session.unsubscribe([filter], now: harness.now)
        #expect(harness.takeOutput().count <= 32)
    }

    @Test("One filter twice, with and without an identifier: each keeps its own")
    func sameFilterTwice() throws {
        var harness = try connectedVersion5()
        let filter = try TopicFilter("a")
        var second = Subscription(filter: filter, qos: .atLeastOnce)
        second.identifier = 7
        harness.session.subscribe([Subscription(filter: filter, qos: .atLeastOnce), second], now: harness.now)
        #expect(harness.takeOutput() == bytes("82 07 0001 00 0001 61 01  82 09 0002 02 0B 07 0001 61 01"))
    }
}
