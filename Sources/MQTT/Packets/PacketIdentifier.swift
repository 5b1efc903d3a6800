/// Reads of packet identifiers, checked against the bounds of the packet's body.
enum PacketIdentifier {
    /// Two bytes, most significant first; nil when they lie beyond the end.
    @inline(__always)
    static func readUInt16(_ body: UnsafeRawBufferPointer, at offset: Int) -> UInt16? {
        guard offset >= 0, offset <= body.count - 2 else { return nil }
        return UInt16(body[offset]) << 8 | UInt16(body[offset + 1])
    }

    /// The packet identifier that begins the body of every acknowledgement; zero is none ([MQTT-2.3.1-1]).
    @inline(__always)
    static func read(_ body: UnsafeRawBufferPointer, of type: PacketType) throws(MQTTError) -> UInt16 {
        guard let identifier = readUInt16(body, at: 0) else { throw .wrongRemainingLength(type, remainingBytes: body.count) }
        guard identifier != 0 else { throw .zeroPacketIdentifier(type) }
        return identifier
    }
}
