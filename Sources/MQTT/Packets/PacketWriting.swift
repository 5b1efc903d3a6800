import NIOCore

/// The encodings that every packet is put together from (MQTT 3.1.1 §1.5, §2.2).
extension ByteBuffer {
    /// Writes the first byte and the remaining length in its shortest form.
    ///
    /// - Precondition: `remainingBytes` is at most 268,435,455: what we send is ours to bound.
    mutating func writeFixedHeader(firstByte: UInt8, remainingBytes: Int) {
        precondition((0...FixedHeader.remainingBytesMaximum).contains(remainingBytes), "a packet of \(remainingBytes) bytes cannot be sent")
        writeInteger(firstByte)
        writeVariableByteInteger(remainingBytes)
    }

    /// Writes a number in seven bits a byte, the least significant first, in its shortest form (MQTT 5.0 §1.5.5).
    ///
    /// - Precondition: `number` is from 0 to 268,435,455.
    mutating func writeVariableByteInteger(_ number: Int) {
        precondition((0...FixedHeader.remainingBytesMaximum).contains(number), "\(number) is no variable byte integer")
        var rest = number
        repeat {
            let byte = UInt8(rest & 0x7F)
            rest >>= 7
            writeInteger(rest > 0 ? byte | 0x80 : byte)
        } while rest > 0
    }

    /// The bytes that `writeVariableByteInteger` takes.
    static func variableByteIntegerBytes(_ number: Int) -> Int {
        switch number {
        case ..<128: 1
        case ..<16_384: 2
        case ..<2_097_152: 3
        default: 4
        }
    }

    /// Writes DISCONNECT; versions before 5.0 have no words for why.
    mutating func writeDisconnect(_ code: ReasonCode, version: ProtocolVersion) {
        guard version.hasProperties, code != .success else { return writeEmptyPacket(.disconnect) }
        writeFixedHeader(firstByte: PacketType.disconnect.firstByte, remainingBytes: 1)
        writeInteger(code.rawValue)
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
