import NIOCore

/// A message that we send (PUBLISH, MQTT 3.1.1 §3.3).
struct OutgoingPublish {
    /// The bit of the first byte that marks a packet as sent again ([MQTT-3.3.1-1]).
    static let duplicateFlag: UInt8 = 0b1000

    var topic: TopicName
    var payload: UnsafeRawBufferPointer
    var qos: QoS
    var isRetained: Bool
    /// Written at QoS 1 and 2 only ([MQTT-2.3.1-5]).
    var packetIdentifier: UInt16

    /// Appends the packet; one reservation, no other allocation.
    func write(to buffer: inout ByteBuffer) {
        let identifierBytes = qos == .atMostOnce ? 0 : 2
        let remainingBytes = 2 + topic.bytes.count + identifierBytes + payload.count
        buffer.reserveCapacity(minimumWritableBytes: remainingBytes + 5)
        let firstByte = PacketType.publish.firstByte | qos.rawValue << 1 | (isRetained ? 1 : 0)
        buffer.writeFixedHeader(firstByte: firstByte, remainingBytes: remainingBytes)
        buffer.writeField(topic.bytes)
        if qos != .atMostOnce { buffer.writeInteger(packetIdentifier) }
        buffer.writeBytes(payload)
    }
}
