/// A field at a fixed place of a binary payload.
public struct BinaryField: Sendable {
    public enum FieldType: String, Sendable, CaseIterable {
        case u8, i8, u16, i16, u24, i24, u32, i32, u64, i64, f32, f64, bcd, text, bytes
    }
    /// The order of bytes, as Modbus tools name it: a is the most significant byte.
    public enum Order: String, Sendable, CaseIterable { case ab, ba, abcd, dcba, badc, cdab }

    public var name: String
    public var type: FieldType
    /// Byte offset; negative counts from the end.
    public var at: Int
    /// nil: as the layout's endianness says.
    public var order: Order?
    /// Bit 0 is the least significant of the whole field.
    public var bits: ClosedRange<Int>?
    /// Bytes; for numbers it follows from the type.
    public var size: Int

    public init(name: String, type: FieldType, at: Int, order: Order? = nil, bits: ClosedRange<Int>? = nil, size: Int? = nil) {
        self.name = name
        self.type = type
        self.at = at
        self.order = order
        self.bits = bits
        self.size = Self.size(of: type) ?? size ?? 0
    }

    /// Bytes of a number; nil for what needs `size`.
    public static func size(of type: FieldType) -> Int? {
        switch type {
        case .u8, .i8: 1
        case .u16, .i16: 2
        case .u24, .i24: 3
        case .u32, .i32, .f32: 4
        case .u64, .i64, .f64: 8
        case .bcd, .text, .bytes: nil
        }
    }

    /// Whether the field lies within so many bytes.
    func fits(in count: Int) -> Bool {
        let start = at >= 0 ? at : count + at
        return start >= 0 && start + size <= count
    }

    /// Whether some bytes are no value of its type.
    var mayBeWrong: Bool { type == .text || type == .bcd }

    /// The value; the field must fit.
    func read(_ bytes: UnsafeRawBufferPointer, isLittleEndian: Bool) throws(BinaryError) -> Value {
        let start = at >= 0 ? at : bytes.count + at
        let raw = UnsafeRawBufferPointer(rebasing: bytes[start..<start + size])
        switch type {
        case .bytes: return Value(kind: .bytes, bytes: raw)
        case .text:
            let end = raw.firstIndex(of: 0) ?? raw.count
            let text = UnsafeRawBufferPointer(rebasing: raw[..<end])
            guard UTF8Text.isValid(text) else { throw .textNotUTF8(field: name) }
            return Value(kind: .string, bytes: text)
        case .bcd:
            var value: UInt64 = 0
            for byte in raw {
                guard byte >> 4 < 10, byte & 15 < 10 else { throw .notDecimal(field: name, byte: byte) }
                value = value * 100 + UInt64(byte >> 4) * 10 + UInt64(byte & 15)
            }
            return Value(kind: .unsigned, word: value)
        default: break
        }
        let pattern = bigEndian(raw, isLittleEndian: isLittleEndian)
        if let bits {
            let width = bits.upperBound - bits.lowerBound + 1
            let mask = width >= 64 ? UInt64.max : (1 << UInt64(width)) - 1
            return Value(kind: .unsigned, word: pattern >> UInt64(bits.lowerBound) & mask)
        }
        switch type {
        case .f32: return .single(Float(bitPattern: UInt32(truncatingIfNeeded: pattern)))
        case .f64: return .double(Double(bitPattern: pattern))
        case .i8, .i16, .i24, .i32, .i64:
            let shift = UInt64(64 - size * 8)
            return .integer(Int64(bitPattern: pattern << shift) >> Int64(shift))
        default: return Value(kind: .unsigned, word: pattern)
        }
    }

    /// The field's bytes as one number, brought into order.
    private func bigEndian(_ raw: UnsafeRawBufferPointer, isLittleEndian: Bool) -> UInt64 {
        var value: UInt64 = 0
        switch order ?? (isLittleEndian ? .dcba : .abcd) {
        case .ab, .abcd: for byte in raw { value = value << 8 | UInt64(byte) }
        case .ba, .dcba: for byte in raw.reversed() { value = value << 8 | UInt64(byte) }
        case .badc:
            for pair in stride(from: 0, to: raw.count, by: 2) {
                if pair + 1 < raw.count { value = value << 8 | UInt64(raw[pair + 1]) }
                value = value << 8 | UInt64(raw[pair])
            }
        case .cdab:
            for pair in stride(from: (raw.count - 1) / 2 * 2, through: 0, by: -2) {
                value = value << 8 | UInt64(raw[pair])
                if pair + 1 < raw.count { value = value << 8 | UInt64(raw[pair + 1]) }
            }
        }
        return value
    }
}

/// Why a payload does not fit its layout.
public enum BinaryError: Error, Equatable, Sendable, CustomStringConvertible {
    case wrongLength(bytes: Int, expected: Int)
    /// A field reaches beyond the payload.
    case tooShort(bytes: Int, field: String, at: Int, needs: Int)
    case groupTooLong(bytes: Int, group: String, count: UInt64, needs: UInt64)
    case notDecimal(field: String, byte: UInt8)
    case textNotUTF8(field: String)
    case noCount(group: String)
    /// No type of tagged records has this tag, so nobody knows where the next one stands.
    case unknownTag([UInt8], at: Int)
    /// The payload ends within a tagged record.
    case cutRecord(tag: [UInt8], at: Int, needs: Int, bytes: Int)

    public var description: String {
        switch self {
        case .wrongLength(let bytes, let expected): "payload has \(bytes) bytes, expected \(expected)"
        case .tooShort(let bytes, let field, let at, let needs): "payload has \(bytes) bytes, \(field) at \(at) needs \(needs)"
        case .groupTooLong(let bytes, let group, let count, let needs):
            "payload has \(bytes) bytes, group \(group) of \(count) records needs \(needs)"
        case .notDecimal(let field, let byte): "field \(field): byte 0x\(String(byte, radix: 16)) is not two decimal digits"
        case .textNotUTF8(let field): "field \(field): the text is not valid UTF-8"
        case .noCount(let group): "group \(group): its count is not a whole number"
        case .unknownTag(let tag, let at): "unknown tag \(Self.hexadecimal(tag)) at byte \(at)"
        case .cutRecord(let tag, let at, let needs, let bytes):
            "payload has \(bytes) bytes, the record of tag \(Self.hexadecimal(tag)) at byte \(at) needs \(needs)"
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
