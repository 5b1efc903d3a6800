import Payload

/// Arrays: bytes packed one element behind the other, the low byte first (Sparkplug 3.0.0 §6.4.16, array types).
extension DocumentWriter {
    mutating func writeArray(
        _ bytes: UnsafeRawBufferPointer, as datatype: Datatype, _ name: @autoclosure () -> String
    ) throws(SparkplugError) {
        switch datatype {
        case .booleanArray: return try writeBooleans(bytes, name())
        case .stringArray: return try writeStrings(bytes, name())
        default: break
        }
        let size: Int =
            switch datatype {
            case .int8Array, .uint8Array: 1
            case .int16Array, .uint16Array: 2
            case .int32Array, .uint32Array, .floatArray: 4
            default: 8
            }
        guard bytes.count % size == 0 else { throw .wrongValue(name(), datatype) }
        try output.append(byte: UInt8(ascii: "["))
        for place in stride(from: 0, to: bytes.count, by: size) {
            if place > 0 { try output.append(byte: UInt8(ascii: ",")) }
            switch datatype {
            case .int8Array: try output.append(Int64(element(Int8.self, bytes, place)))
            case .int16Array: try output.append(Int64(element(Int16.self, bytes, place)))
            case .int32Array: try output.append(Int64(element(Int32.self, bytes, place)))
            case .int64Array: try output.append(element(Int64.self, bytes, place))
            case .uint8Array: try output.append(UInt64(element(UInt8.self, bytes, place)))
            case .uint16Array: try output.append(UInt64(element(UInt16.self, bytes, place)))
            case .uint32Array: try output.append(UInt64(element(UInt32.self, bytes, place)))
            case .floatArray: try output.append(Double(Float(bitPattern: element(UInt32.self, bytes, place))))
            case .doubleArray: try output.append(Double(bitPattern: element(UInt64.self, bytes, place)))
            default: try output.append(element(UInt64.self, bytes, place))
            }
        }
        try output.append(byte: UInt8(ascii: "]"))
    }

    private func element<Number: FixedWidthInteger>(_ type: Number.Type, _ bytes: UnsafeRawBufferPointer, _ place: Int) -> Number {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Number.self))
    }

    /// How many there are, in four bytes, then a bit for each, the high bit of a byte first.
    private mutating func writeBooleans(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        guard bytes.count >= 4 else { throw .wrongValue(name(), .booleanArray) }
        let count = Int(element(UInt32.self, bytes, 0))
        guard (count + 7) / 8 == bytes.count - 4 else { throw .wrongValue(name(), .booleanArray) }
        try output.append(byte: UInt8(ascii: "["))
        for index in 0..<count {
            if index > 0 { try output.append(byte: UInt8(ascii: ",")) }
            try output.append(bytes[4 + index / 8] >> UInt8(7 - index % 8) & 1 == 1)
        }
        try output.append(byte: UInt8(ascii: "]"))
    }

    /// Each ends with a NUL byte.
    private mutating func writeStrings(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        guard bytes.last ?? 0 == 0 else { throw .wrongValue(name(), .stringArray) }
        try output.append(byte: UInt8(ascii: "["))
        var start = 0
        for end in bytes.indices where bytes[end] == 0 {
            if start > 0 { try output.append(byte: UInt8(ascii: ",")) }
            try writeText(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), name())
            start = end + 1
        }
        try output.append(byte: UInt8(ascii: "]"))
    }
}
