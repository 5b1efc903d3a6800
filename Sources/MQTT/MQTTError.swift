/// What ends a connection or refuses a topic: a rule that the peer broke, a time limit that passed, or input that MQTT cannot carry.
public enum MQTTError: Error, Equatable, Sendable {
    // The fixed header.
    case reservedPacketType(UInt8)
    case packetTypeNotForClients(PacketType)
    case reservedFlags(PacketType, flags: UInt8)
    case remainingLengthTooLong
    case paddedRemainingLength
    case packetTooLarge(packetBytes: Int, maximumBytes: Int)
    case wrongRemainingLength(PacketType, remainingBytes: Int)
    case zeroPacketIdentifier(PacketType)

    // CONNACK.
    case packetBeforeConnectionAcknowledgement(PacketType)
    case secondConnectionAcknowledgement
    case reservedConnectionAcknowledgementFlags(UInt8)
    case reservedConnectReturnCode(UInt8)
    case sessionPresentAfterCleanSession
    case connectionRefused(ReasonCode, ServerStatement)

    // PUBLISH.
    case invalidQoS
    case duplicateAtQoS0
    case truncatedPublish
    case malformedTopicName(TopicFault)
    case unknownTopicAlias(UInt16)
    case topicAliasTooLarge(UInt16, maximum: UInt16)

    // Properties and reason codes (5.0).
    case malformedProperties(PacketType, PropertyFault)
    case unknownReasonCode(PacketType, UInt8)
    case misplacedReasonCode(PacketType, ReasonCode)

    // The server ends the connection (5.0).
    case disconnected(ReasonCode, ServerStatement)
    case unexpectedAuthentication

    // Acknowledgements.
    case reservedSubscribeReturnCode(UInt8)
    case wrongReasonCodeCount(PacketType, expected: Int, received: Int)
    case unexpectedAcknowledgement(PacketType, packetIdentifier: UInt16)
    case packetIdentifierInUse(UInt16)
    case releaseBeforeReceipt(UInt16)
    case tooManyUnacknowledged(maximum: Int)
    case receiveMaximumExceeded(maximum: Int)

    // Time limits.
    case connectTimedOut
    case subscribeTimedOut(filters: [TopicFilter])
    case unsubscribeTimedOut(filters: [TopicFilter])
    case pingTimedOut

    // What the user gave us.
    case invalidConfiguration(ConfigurationFault)
    case invalidTopicName(String, TopicFault)
    case invalidTopicFilter(String, TopicFault)
}

/// What is wrong with a topic name or a topic filter.
public enum TopicFault: Error, Equatable, Sendable {
    case empty
    case tooLong(bytes: Int)
    case nullCharacter
    case malformedUTF8
    case wildcardInName
    case wildcardWithinLevel
    case multiLevelWildcardNotLast
    case malformedSharedSubscription
}

/// What CONNECT cannot carry, or MQTT forbids it to.
public enum ConfigurationFault: Error, Equatable, Sendable {
    case emptyClientIdentifier
    case nullCharacter(field: String)
    case fieldTooLong(field: String, bytes: Int)
    case outOfRange(field: String, value: Int, allowed: ClosedRange<Int>)
    case clientIdentifierTooLong(characters: Int, maximum: Int, ProtocolVersion)
    case passwordWithoutUserName(ProtocolVersion)
}

extension MQTTError {
    /// What DISCONNECT tells the server, where the version has words for it (MQTT 5.0 §4.13); nil when it is not the server's doing, or it is the
    /// server that ended the connection.
    var reasonCode: ReasonCode? {
        switch self {
        case .malformedProperties(_, let fault): fault.reasonCode
        case .reservedFlags, .remainingLengthTooLong, .paddedRemainingLength, .wrongRemainingLength, .reservedPacketType, .truncatedPublish,
            .malformedTopicName(.malformedUTF8), .malformedTopicName(.nullCharacter), .invalidQoS, .reservedConnectionAcknowledgementFlags,
            .reservedConnectReturnCode, .reservedSubscribeReturnCode, .unknownReasonCode:
            .malformedPacket
        case .malformedTopicName(.empty): .protocolError
        case .malformedTopicName: .topicNameInvalid
        case .unknownTopicAlias: .protocolError
        case .topicAliasTooLarge: .topicAliasInvalid
        case .packetTooLarge: .packetTooLarge
        case .receiveMaximumExceeded, .tooManyUnacknowledged: .receiveMaximumExceeded
        case .packetTypeNotForClients, .zeroPacketIdentifier, .packetBeforeConnectionAcknowledgement, .secondConnectionAcknowledgement,
            .sessionPresentAfterCleanSession, .duplicateAtQoS0, .wrongReasonCodeCount, .unexpectedAcknowledgement, .packetIdentifierInUse,
            .releaseBeforeReceipt, .misplacedReasonCode, .unexpectedAuthentication:
            .protocolError
        // "Keep alive timeout" is a server's to say.
        case .pingTimedOut, .subscribeTimedOut, .unsubscribeTimedOut: .unspecifiedError
        case .connectionRefused, .disconnected, .connectTimedOut, .invalidConfiguration, .invalidTopicName, .invalidTopicFilter: nil
        }
    }
}

extension MQTTError: CustomStringConvertible {
    /// The rule that was broken, with its number in MQTT 3.1.1 where it has one.
    public var description: String {
        switch self {
        case .reservedPacketType(let type):
            "the server sent a packet of the reserved type \(type) (MQTT 3.1.1 §2.2.1)"
        case .packetTypeNotForClients(let type):
            "the server sent \(type), which only a client may send (MQTT 3.1.1 §2.2.1)"
        case .reservedFlags(let type, let flags):
            "the server sent \(type) with flag bits \(flags), which must be \(type.reservedFlags) [MQTT-2.2.2-1] [MQTT-2.2.2-2]"
        case .remainingLengthTooLong:
            "the server sent a remaining length of more than 4 bytes (MQTT 3.1.1 §2.2.3)"
        case .paddedRemainingLength:
            "the server sent a remaining length that is not in its shortest form [MQTT-1.5.5-1]"
        case .packetTooLarge(let packetBytes, let maximumBytes):
            "the server sent a packet of \(packetBytes) bytes, which is more than the \(maximumBytes) that are allowed here: "
                + "raise the maximum packet size or make the publisher send less"
        case .wrongRemainingLength(let type, let remainingBytes):
            "the server sent \(type) with a remaining length of \(remainingBytes), which that packet cannot have (MQTT 3.1.1 §3)"
        case .zeroPacketIdentifier(let type):
            "the server sent \(type) with packet identifier 0 [MQTT-2.3.1-1]"
        case .packetBeforeConnectionAcknowledgement(let type):
            "the server sent \(type) before CONNACK [MQTT-3.2.0-1]"
        case .secondConnectionAcknowledgement:
            "the server sent a second CONNACK (MQTT 3.1.1 §3.2)"
        case .reservedConnectionAcknowledgementFlags(let flags):
            "the server sent CONNACK with flags \(flags), of which only bit 0 may be set (MQTT 3.1.1 §3.2.2.1)"
        case .reservedConnectReturnCode(let code):
            "the server sent CONNACK with the reserved return code \(code) (MQTT 3.1.1 §3.2.2.3)"
        case .sessionPresentAfterCleanSession:
            "the server says it kept a session though a clean one was asked for [MQTT-3.2.2-1]"
        case .connectionRefused(let code, let statement):
            "the server refused the connection: \(code)\(statement.inWords)"
        case .invalidQoS:
            "the server sent PUBLISH with both QoS bits set [MQTT-3.3.1-4]"
        case .duplicateAtQoS0:
            "the server sent PUBLISH with DUP at QoS 0 [MQTT-3.3.1-2]"
        case .truncatedPublish:
            "the server sent a PUBLISH that ends within its topic name or packet identifier (MQTT 3.1.1 §3.3.2)"
        case .malformedTopicName(let fault):
            "the server sent PUBLISH with a topic name that \(fault)"
        case .unknownTopicAlias(let alias):
            "the server sent PUBLISH with the topic alias \(alias), for which it has set no topic (MQTT 5.0 §3.3.2.3.4)"
        case .topicAliasTooLarge(let alias, let maximum):
            "the server sent PUBLISH with the topic alias \(alias), of which only 1 to \(maximum) are allowed here [MQTT-3.1.2-26]"
        case .malformedProperties(let type, let fault):
            "the server sent \(type) with \(fault)"
        case .unknownReasonCode(let type, let code):
            "the server sent \(type) with the unknown reason code \(code) (MQTT 5.0 §2.4)"
        case .misplacedReasonCode(let type, let code):
            "the server sent \(type) with the reason code '\(code)', which belongs to other packets (MQTT 5.0 §2.4)"
        case .disconnected(let code, let statement):
            "the server ended the connection: \(code)\(statement.inWords)"
        case .unexpectedAuthentication:
            "the server sent AUTH, though no enhanced authentication was asked for [MQTT-4.12.0-6]"
        case .reservedSubscribeReturnCode(let code):
            "the server sent SUBACK with the reserved return code \(code) [MQTT-3.9.3-2]"
        case .wrongReasonCodeCount(let type, let expected, let received):
            "the server sent \(type) with \(received) return codes for \(expected) topic filters [MQTT-3.8.4-5]"
        case .unexpectedAcknowledgement(let type, let packetIdentifier):
            "the server sent \(type) for packet identifier \(packetIdentifier), for which nothing waits [MQTT-2.3.1-6] [MQTT-2.3.1-7]"
        case .packetIdentifierInUse(let packetIdentifier):
            "the server sent a new PUBLISH with packet identifier \(packetIdentifier), which is still in use [MQTT-2.3.1-4]"
        case .releaseBeforeReceipt(let packetIdentifier):
            "the server sent PUBREL for packet identifier \(packetIdentifier) before PUBREC went out [MQTT-4.3.3-1]"
        case .tooManyUnacknowledged(let maximum):
            "the server left more than \(maximum) packets unacknowledged at once (MQTT 3.1.1 §2.3.1)"
        case .receiveMaximumExceeded(let maximum):
            "the server sent more than the \(maximum) messages at once that are allowed here [MQTT-3.3.4-7]"
        case .connectTimedOut:
            "the server sent no CONNACK within the time allowed"
        case .subscribeTimedOut(let filters):
            "the server sent no SUBACK within the time allowed; it may lack the QoS asked for: \(Self.list(filters)) [MQTT-3.8.4-1]"
        case .unsubscribeTimedOut(let filters):
            "the server sent no UNSUBACK within the time allowed: \(Self.list(filters)) [MQTT-3.10.4-4]"
        case .pingTimedOut:
            "the server did not answer PINGREQ, nor send anything else, within the time allowed [MQTT-3.12.4-1]"
        case .invalidConfiguration(let fault):
            "cannot connect: \(fault)"
        case .invalidTopicName(let name, let fault):
            "topic name \(name.debugDescription) \(fault)"
        case .invalidTopicFilter(let filter, let fault):
            "topic filter \(filter.debugDescription) \(fault)"
        }
    }

    static func list(_ filters: [TopicFilter]) -> String {
        filters.map(\.description.debugDescription).joined(separator: ", ")
    }
}

extension ServerStatement {
    /// What the server added, as the end of a sentence.
    var inWords: String {
        (reason.map { "; it says: \($0)" } ?? "") + (serverReference.map { "; it names the server \($0)" } ?? "")
    }
}

extension TopicFault: CustomStringConvertible {
    /// The rule, as the end of a sentence that starts with the topic.
    public var description: String {
        switch self {
        case .empty: "is empty [MQTT-4.7.3-1]"
        case .tooLong(let bytes): "is \(bytes) bytes long, at most 65,535 are possible [MQTT-4.7.3-3]"
        case .nullCharacter: "holds the null character U+0000 [MQTT-4.7.3-2]"
        case .malformedUTF8: "is not well-formed UTF-8 [MQTT-1.5.3-1]"
        case .wildcardInName: "holds a wildcard character [MQTT-3.3.2-2]"
        case .wildcardWithinLevel: "has a wildcard that does not fill its level [MQTT-4.7.1-2] [MQTT-4.7.1-3]"
        case .multiLevelWildcardNotLast: "has '#' before its end [MQTT-4.7.1-2]"
        case .malformedSharedSubscription: "is not of the form $share/group/filter, with neither '+' nor '#' in the group (MQTT 5.0 §4.8.2)"
        }
    }
}

extension ConfigurationFault: CustomStringConvertible {
    /// The rule and the field it is about.
    public var description: String {
        switch self {
        case .emptyClientIdentifier: "an empty client identifier needs a clean session [MQTT-3.1.3-7], and MQTT 3.1 allows none"
        case .nullCharacter(let field): "\(field) holds the null character U+0000 [MQTT-1.5.3-2]"
        case .fieldTooLong(let field, let bytes): "\(field) is \(bytes) bytes long, at most 65,535 are possible (MQTT 3.1.1 §1.5.3)"
        case .outOfRange(let field, let value, let allowed):
            "\(field) is \(value), it must be from \(allowed.lowerBound) to \(allowed.upperBound)"
        case .clientIdentifierTooLong(let characters, let maximum, let version):
            "the client identifier has \(characters) characters, and MQTT \(version) allows \(maximum)"
        case .passwordWithoutUserName(let version): "MQTT \(version) takes no password without a user name [MQTT-3.1.2-22]"
        }
    }
}
