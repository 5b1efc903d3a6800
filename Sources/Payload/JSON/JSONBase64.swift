extension JSONTextWriter {
    /// RFC 4648 §4, padded, in quotes.
    mutating func appendBase64(_ bytes: UnsafeRawBufferPointer) {
        append(byte: UInt8(ascii: "\""))
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for digit in 0..<4 {
                append(byte: digit <= group.count ? Self.digit(UInt8(bits >> UInt32(18 - 6 * digit) & 63)) : UInt8(ascii: "="))
            }
        }
        append(byte: UInt8(ascii: "\""))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: 0x41 + value
        case 26..<52: 0x61 + value - 26
        case 52..<62: 0x30 + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
