import NIOCore

/// The encodings that every packet is put together from (MQTT 3.1.1 §1.5, §2.2).
extension ByteBuffer {
    /// Writes the first byte and the remaining length in its shortest form.
    ///
    /// - Precondition: `remainingBytes` is at most 268,435,455: what we send is ours to bound.
    mutating func writeFixedHeader(firstByte: UInt8, remainingBytes: Int) {
        precondition((0...FixedHeader.remainingBytesMaximum).contains(remainingBytes), "a packet of \(remainingBytes) bytes cannot be sent")
        writeInteger(firstByte)
        var rest = remainingBytes
        repeat {
            let byte = UInt8(rest & 0x7F)
            rest >>= 7
            writeInteger(rest > 0 ? byte | 0x80 : byte)
        } while rest > 0
    }

    /// Writes a string or binary field: two bytes of length, then the bytes.
    ///
    /// - Precondition: at most 65,535 bytes; whoever makes the field has checked it.
    mutating func writeField(_ field: [UInt8]) {
        precondition(field.count <= Int(UInt16.max), "a field of \(field.count) bytes cannot be sent")
        writeInteger(UInt16(field.count))
        writeBytes(field)
    }

    /// Writes a packet that has no body: PINGREQ, DISCONNECT.
    mutating func writeEmptyPacket(_ type: PacketType) {
        writeFixedHeader(firstByte: type.firstByte, remainingBytes: 0)
    }

    /// Writes a packet whose body is a packet identifier: PUBACK, PUBREC, PUBREL, PUBCOMP.
    mutating func writeAcknowledgement(_ type: PacketType, packetIdentifier: UInt16) {
        writeInteger(UInt32(type.firstByte) << 24 | 2 << 16 | UInt32(packetIdentifier))
    }
}
