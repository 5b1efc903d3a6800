/// What a property of an MQTT 5.0 packet is (§2.2.2.2).
public enum PropertyIdentifier: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case payloadFormatIndicator = 0x01
    case messageExpiryInterval = 0x02
    case contentType = 0x03
    case responseTopic = 0x08
    case correlationData = 0x09
    case subscriptionIdentifier = 0x0B
    case sessionExpiryInterval = 0x11
    case assignedClientIdentifier = 0x12
    case serverKeepAlive = 0x13
    case authenticationMethod = 0x15
    case authenticationData = 0x16
    case requestProblemInformation = 0x17
    case willDelayInterval = 0x18
    case requestResponseInformation = 0x19
    case responseInformation = 0x1A
    case serverReference = 0x1C
    case reasonString = 0x1F
    case receiveMaximum = 0x21
    case topicAliasMaximum = 0x22
    case topicAlias = 0x23
    case maximumQoS = 0x24
    case retainAvailable = 0x25
    case userProperty = 0x26
    case maximumPacketSize = 0x27
    case wildcardSubscriptionAvailable = 0x28
    case subscriptionIdentifierAvailable = 0x29
    case sharedSubscriptionAvailable = 0x2A

    /// How its value is written (§2.2.2.2, table 2-4).
    enum Form {
        case byte, twoBytes, fourBytes, variableByteInteger, text, binary, textPair
    }

    var form: Form {
        @inline(__always)
        get {
            switch self {
            case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS, .retainAvailable,
                .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable, .sharedSubscriptionAvailable:
                .byte
            case .serverKeepAlive, .receiveMaximum, .topicAliasMaximum, .topicAlias: .twoBytes
            case .messageExpiryInterval, .sessionExpiryInterval, .willDelayInterval, .maximumPacketSize: .fourBytes
            case .subscriptionIdentifier: .variableByteInteger
            case .contentType, .responseTopic, .assignedClientIdentifier, .authenticationMethod, .responseInformation, .serverReference,
                .reasonString:
                .text
            case .correlationData, .authenticationData: .binary
            case .userProperty: .textPair
            }
        }
    }

    /// The numbers that it can be.
    var allowedNumbers: ClosedRange<UInt32> {
        @inline(__always)
        get {
            switch self {
            case .receiveMaximum, .topicAlias, .maximumPacketSize, .subscriptionIdentifier: 1...UInt32.max
            default: form == .byte ? 0...1 : 0...UInt32.max
            }
        }
    }
}

/// Properties that a packet of a server may carry: one bit for each identifier.
struct PropertySet {
    private var bits: UInt64

    private init(_ identifiers: PropertyIdentifier...) {
        bits = identifiers.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    @inline(__always)
    func contains(_ identifier: PropertyIdentifier) -> Bool { bits & (1 << UInt64(identifier.rawValue)) != 0 }

    /// CONNACK (§3.2.2.3).
    static let connectionAcknowledgement = PropertySet(
        .sessionExpiryInterval, .receiveMaximum, .maximumQoS, .retainAvailable, .maximumPacketSize, .assignedClientIdentifier,
        .topicAliasMaximum, .reasonString, .userProperty, .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable,
        .sharedSubscriptionAvailable, .serverKeepAlive, .responseInformation, .serverReference, .authenticationMethod, .authenticationData)
    /// PUBLISH (§3.3.2.3).
    static let publish = PropertySet(
        .payloadFormatIndicator, .messageExpiryInterval, .topicAlias, .responseTopic, .correlationData, .userProperty,
        .subscriptionIdentifier, .contentType)
    /// PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK (§3.4.2.2 and so on).
    static let acknowledgement = PropertySet(.reasonString, .userProperty)
    /// DISCONNECT of a server (§3.14.2.2): a session expiry interval is the client's to send.
    static let disconnect = PropertySet(.reasonString, .userProperty, .serverReference)
}
