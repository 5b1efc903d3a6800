import NIOCore

/// A topic filter and the highest QoS at which its messages may come.
public struct Subscription: Sendable, Hashable {
    /// The topics asked for.
    public var filter: TopicFilter
    /// The highest QoS asked for.
    public var qos: QoS

    /// Makes a subscription.
    public init(filter: TopicFilter, qos: QoS) {
        self.filter = filter
        self.qos = qos
    }
}

/// What the server made of a subscription (MQTT 3.1.1 §3.9.3).
public struct SubscriptionResult: Sendable, Hashable {
    /// What was asked for.
    public var subscription: Subscription
    /// The highest QoS granted; nil when the server refused (return code 0x80).
    public var grantedQoS: QoS?

    /// Makes a result.
    public init(subscription: Subscription, grantedQoS: QoS?) {
        self.subscription = subscription
        self.grantedQoS = grantedQoS
    }
}

/// SUBSCRIBE (MQTT 3.1.1 §3.8).
struct Subscribe {
    var packetIdentifier: UInt16
    var subscriptions: ArraySlice<Subscription>

    /// Appends the packet.
    func write(to buffer: inout ByteBuffer) {
        let remainingBytes = 2 + subscriptions.reduce(0) { $0 + 3 + $1.filter.bytes.count }
        buffer.writeFixedHeader(firstByte: PacketType.subscribe.firstByte, remainingBytes: remainingBytes)
        buffer.writeInteger(packetIdentifier)
        for subscription in subscriptions {
            buffer.writeField(subscription.filter.bytes)
            buffer.writeInteger(subscription.qos.rawValue)
        }
    }
}

/// UNSUBSCRIBE (MQTT 3.1.1 §3.10).
struct Unsubscribe {
    var packetIdentifier: UInt16
    var filters: ArraySlice<TopicFilter>

    /// Appends the packet.
    func write(to buffer: inout ByteBuffer) {
        let remainingBytes = 2 + filters.reduce(0) { $0 + 2 + $1.bytes.count }
        buffer.writeFixedHeader(firstByte: PacketType.unsubscribe.firstByte, remainingBytes: remainingBytes)
        buffer.writeInteger(packetIdentifier)
        for filter in filters { buffer.writeField(filter.bytes) }
    }
}
