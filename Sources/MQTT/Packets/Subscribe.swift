import NIOCore

/// When the server sends retained messages because of a SUBSCRIBE (MQTT 5.0 §3.8.3.1). Servers of older versions always do.
public enum RetainHandling: UInt8, Sendable, Hashable {
    case always = 0
    /// Only where the subscription was not there before.
    case ifNew = 1
    case never = 2
}

/// A topic filter and how its messages may come.
public struct Subscription: Sendable, Hashable {
    /// The topics asked for.
    public var filter: TopicFilter
    /// The highest QoS asked for.
    public var qos: QoS
    /// When retained messages come; of no use before 5.0, and on shared subscriptions, which get none.
    public var retainHandling = RetainHandling.always
    /// What messages of this subscription carry, from 1 to 268,435,455; from 5.0, where the server has it ([MQTT-3.3.4-3]).
    public var identifier: UInt32?

    /// Makes a subscription with what is usual.
    public init(filter: TopicFilter, qos: QoS) {
        self.filter = filter
        self.qos = qos
    }

    /// The largest subscription identifier.
    public static let identifierMaximum: UInt32 = 268_435_455

    /// The byte behind the filter (§3.8.3.1); just the QoS before 5.0.
    func options(_ version: ProtocolVersion) -> UInt8 {
        guard version.hasProperties else { return qos.rawValue }
        return qos.rawValue | retainHandling.rawValue << 4
    }
}

/// Why a server did not do what was asked for one topic filter.
public struct ServerRefusal: Sendable, Hashable {
    /// `unspecifiedError` where the version has no reasons (return code 0x80).
    public var code: ReasonCode
    /// The server's own words.
    public var reason: String?

    /// Makes a refusal.
    public init(code: ReasonCode, reason: String? = nil) {
        self.code = code
        self.reason = reason
    }
}

/// What the server made of a subscription (MQTT 3.1.1 §3.9.3).
public struct SubscriptionResult: Sendable, Hashable {
    /// What was asked for.
    public var subscription: Subscription
    /// The highest QoS granted; nil when the server refused.
    public var grantedQoS: QoS?
    /// Why it was refused.
    public var refusal: ServerRefusal?

    /// Makes a result.
    public init(subscription: Subscription, grantedQoS: QoS?, refusal: ServerRefusal? = nil) {
        self.subscription = subscription
        self.grantedQoS = grantedQoS
        self.refusal = refusal
    }
}

/// What the server made of the end of a subscription.
public struct UnsubscriptionResult: Sendable, Hashable {
    /// What was to end.
    public var filter: TopicFilter
    /// Why the subscription may still be there; nil: it is not.
    public var refusal: ServerRefusal?

    /// Makes a result.
    public init(filter: TopicFilter, refusal: ServerRefusal? = nil) {
        self.filter = filter
        self.refusal = refusal
    }
}

/// SUBSCRIBE (MQTT 3.1.1 §3.8). In 5.0 one packet carries at most one subscription identifier, for all its filters.
struct Subscribe {
    var packetIdentifier: UInt16
    var subscriptions: ArraySlice<Subscription>
    var version: ProtocolVersion

    /// Bytes of the fixed header, the packet identifier and the properties, at most.
    static let headerBytesMaximum = 5 + 2 + 1 + 5

    /// Bytes that a filter takes in the packet.
    static func bytes(of subscription: Subscription) -> Int { 3 + subscription.filter.bytes.count }

    /// Appends the packet.
    func write(to buffer: inout ByteBuffer) {
        var properties = ByteBuffer()
        if version.hasProperties {
            if let identifier = subscriptions.first?.identifier {
                properties.writeInteger(PropertyIdentifier.subscriptionIdentifier.rawValue)
                properties.writeVariableByteInteger(Int(identifier))
            }
        }
        let propertyBytes = version.hasProperties ? 1 + properties.readableBytes : 0
        let remainingBytes = 2 + propertyBytes + subscriptions.reduce(0) { $0 + Self.bytes(of: $1) }
        buffer.writeFixedHeader(firstByte: PacketType.subscribe.firstByte, remainingBytes: remainingBytes)
        buffer.writeInteger(packetIdentifier)
        if version.hasProperties {
            buffer.writeVariableByteInteger(properties.readableBytes)
            buffer.writeBuffer(&properties)
        }
        for subscription in subscriptions {
            buffer.writeField(subscription.filter.bytes)
            buffer.writeInteger(subscription.options(version))
        }
    }
}

/// UNSUBSCRIBE (MQTT 3.1.1 §3.10).
struct Unsubscribe {
    var packetIdentifier: UInt16
    var filters: ArraySlice<TopicFilter>
    var version: ProtocolVersion

    /// Bytes that a filter takes in the packet.
    static func bytes(of filter: TopicFilter) -> Int { 2 + filter.bytes.count }

    /// Appends the packet.
    func write(to buffer: inout ByteBuffer) {
        let propertyBytes = version.hasProperties ? 1 : 0
        let remainingBytes = 2 + propertyBytes + filters.reduce(0) { $0 + Self.bytes(of: $1) }
        buffer.writeFixedHeader(firstByte: PacketType.unsubscribe.firstByte, remainingBytes: remainingBytes)
        buffer.writeInteger(packetIdentifier)
        if version.hasProperties { buffer.writeInteger(UInt8(0)) }
        for filter in filters { buffer.writeField(filter.bytes) }
    }
}
