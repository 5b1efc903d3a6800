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
    /// As `PublishPropertiesWriter` makes them; left out before 5.0.
    var properties: [UInt8]
    var version: ProtocolVersion

    private var remainingBytes: Int {
        let identifierBytes = qos == .atMostOnce ? 0 : 2
        let propertyBytes = version.hasProperties ? ByteBuffer.variableByteIntegerBytes(properties.count) + properties.count : 0
        return 2 + topic.bytes.count + identifierBytes + propertyBytes + payload.count
    }

    /// Bytes of the whole packet.
    var packetBytes: Int { 1 + ByteBuffer.variableByteIntegerBytes(remainingBytes) + remainingBytes }

    /// Appends the packet; one reservation, no other allocation.
    func write(to buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: packetBytes)
        let firstByte = PacketType.publish.firstByte | qos.rawValue << 1 | (isRetained ? 1 : 0)
        buffer.writeFixedHeader(firstByte: firstByte, remainingBytes: remainingBytes)
        buffer.writeField(topic.bytes)
        if qos != .atMostOnce { buffer.writeInteger(packetIdentifier) }
        if version.hasProperties {
            buffer.writeVariableByteInteger(properties.count)
            buffer.writeBytes(properties)
        }
        buffer.writeBytes(payload)
    }
}
