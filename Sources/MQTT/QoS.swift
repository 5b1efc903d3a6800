/// Quality of service of a message or a subscription (MQTT 3.1.1 §4.3).
public enum QoS: UInt8, Sendable, BitwiseCopyable, Comparable, CaseIterable {
    /// QoS 0.
    case atMostOnce = 0
    /// QoS 1.
    case atLeastOnce = 1
    /// QoS 2.
    case exactlyOnce = 2

    /// Orders by strength of the promise.
    @inlinable
    public static func < (left: QoS, right: QoS) -> Bool { left.rawValue < right.rawValue }
}
