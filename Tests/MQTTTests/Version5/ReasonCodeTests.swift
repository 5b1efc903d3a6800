import Testing

@testable import MQTT

@Suite("What a server is told when it is left (MQTT 5.0 §4.13)")
struct ReasonCodeTests {
    /// Bytes that cannot be parsed are a malformed packet; packets that can be, and must not be there, are a protocol error; some have a code of their own.
    static let reasons: [(error: MQTTError, code: UInt8)] = [
        (.reservedPacketType(0), 0x81), (.reservedFlags(.disconnect, flags: 1), 0x81), (.remainingLengthTooLong, 0x81),
        (.paddedRemainingLength, 0x81), (.wrongRemainingLength(.publish, remainingBytes: 0), 0x81), (.truncatedPublish, 0x81),
        (.invalidQoS, 0x81), (.malformedTopicName(.malformedUTF8), 0x81), (.malformedTopicName(.nullCharacter), 0x81),
        (.unknownReasonCode(.publishAcknowledgement, 3), 0x81), (.reservedSubscribeReturnCode(3), 0x81),
        (.malformedProperties(.publish, .truncated), 0x81), (.malformedProperties(.publish, .malformedLength), 0x81),
        (.malformedProperties(.publish, .unknown(0)), 0x81), (.malformedProperties(.publish, .notAllowed(.serverKeepAlive)), 0x81),
        (.malformedProperties(.publish, .malformedText(.contentType)), 0x81),
        (.malformedProperties(.publish, .repeated(.topicAlias)), 0x82),
        (.malformedProperties(.publish, .invalidNumber(.topicAlias, 0)), 0x82), (.malformedTopicName(.empty), 0x82),
        (.packetTypeNotForClients(.connect), 0x82), (.zeroPacketIdentifier(.publish), 0x82), (.secondConnectionAcknowledgement, 0x82),
        (.duplicateAtQoS0, 0x82), (.unknownTopicAlias(1), 0x82), (.unexpectedAuthentication, 0x82),
        (.misplacedReasonCode(.publishAcknowledgement, .banned), 0x82), (.packetIdentifierInUse(1), 0x82), (.releaseBeforeReceipt(1), 0x82),
        (.unexpectedAcknowledgement(.publishAcknowledgement, packetIdentifier: 1), 0x82),
        (.wrongReasonCodeCount(.subscribeAcknowledgement, expected: 1, received: 0), 0x82), (.malformedTopicName(.wildcardInName), 0x90),
        (.receiveMaximumExceeded(maximum: 1), 0x93), (.topicAliasTooLarge(1, maximum: 0), 0x94),
        (.packetTooLarge(packetBytes: 2, maximumBytes: 1), 0x95), (.pingTimedOut, 0x80), (.subscribeTimedOut(filters: []), 0x80),
        (.unsubscribeTimedOut(filters: []), 0x80),
    ]

    @Test("every rule that a server breaks has its reason code", arguments: reasons.indices)
    func codes(_ index: Int) {
        let (error, code) = Self.reasons[index]
        #expect(error.reasonCode?.rawValue == code, "\(error)")
    }

    @Test("a server that has ended the connection by itself, or never began it, is told nothing")
    func nothing() {
        let silent: [MQTTError] = [
            .disconnected(.serverBusy, ServerStatement()), .connectionRefused(.banned, ServerStatement()), .connectTimedOut,
        ]
        for error in silent { #expect(error.reasonCode == nil, "\(error)") }
    }
}
