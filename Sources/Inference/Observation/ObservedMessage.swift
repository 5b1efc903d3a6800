/// A message as it was heard on a broker.
public struct ObservedMessage: Sendable {
    public var topic: String
    public var payload: [UInt8]
    /// Microseconds since 1970, UTC.
    public var receivedMicroseconds: Int64
    public var qos: UInt8
    /// A message that the broker had kept, not one that a device has just sent.
    public var isRetained: Bool

    public init(topic: String, payload: [UInt8], receivedMicroseconds: Int64, qos: UInt8 = 0, isRetained: Bool = false) {
        self.topic = topic
        self.payload = payload
        self.receivedMicroseconds = receivedMicroseconds
        self.qos = qos
        self.isRetained = isRetained
    }
}
