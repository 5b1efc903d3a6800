/// Steps before a decoder: text that stands for bytes, and packed bytes.
public enum Unpack {
    /// Why bytes could not be unpacked; the offset counts from 0.
    public enum Fault: Error, Equatable, CustomStringConvertible {
        case unexpectedByte(UInt8, offset: Int)
        case oddDigits
        case incomplete
        /// Packed bytes end before their data does.
        case truncated
        /// Bytes behind the end of packed data.
        case trailing(count: Int, offset: Int)
        /// Packed bytes that are none, or whose checksum does not agree: in the words of the library.
        case corrupt(String, offset: Int)
        /// More comes out than may.
        case tooLarge(maximumBytes: Int)
        /// The library could not get the memory that it works in.
        case noMemory

        public var description: String {
            switch self {
            case .unexpectedByte(let byte, let offset): "unexpected byte 0x\(String(byte, radix: 16)) at byte \(offset)"
            case .oddDigits: "an odd number of digits"
            case .incomplete: "the last group is not complete"
            case .truncated: "the payload ends before its data does"
            case .trailing(let count, let offset): "\(count) \(count == 1 ? "byte" : "bytes") behind the end of the data at byte \(offset)"
            case .corrupt(let words, let offset): "\(words) at byte \(offset)"
            case .tooLarge(let maximumBytes): "more than \(maximumBytes) bytes come out"
            case .noMemory: "no memory to unpack with"
            }
        }
    }

    /// Hexadecimal text to bytes: white space, `:` and `-` between digits and `0x` in front are passed over.
    /// - Parameter target: has room for half of the text.
    /// - Returns: how many bytes were written.
    public static func hex(_ text: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer) throws(Fault) -> Int {
        var count = 0
        var high: UInt8?
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "0"), high == nil, index + 1 < text.count, text[index + 1] | 0x20 == UInt8(ascii: "x") {
                index += 2
                continue
            }
            if let digit = hexDigit(byte) {
                if let first = high {
                    target.storeBytes(of: first << 4 | digit, toByteOffset: count, as: UInt8.self)
                    count += 1
                    high = nil
                } else {
                    high = digit
                }
            } else if !isSpace(byte), byte != UInt8(ascii: ":"), byte != UInt8(ascii: "-") {
                throw .unexpectedByte(byte, offset: index)
            }
            index += 1
        }
        guard high == nil else { throw .oddDigits }
        return count
    }

    /// Base64 text (RFC 4648, both alphabets, padding optional, white space passed over) to bytes.
    /// - Parameter target: has room for three quarters of the text, and 3 more.
    /// - Returns: how many bytes were written.
    public static func base64(_ text: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer) throws(Fault) -> Int {
        var count = 0
        var bits: UInt32 = 0
        var digits = 0
        var isPadded = false
        for (offset, byte) in text.enumerated() {
            if isSpace(byte) { continue }
            if byte == UInt8(ascii: "=") {
                isPadded = true
                continue
            }
            guard !isPadded, let digit = base64Digit(byte) else { throw .unexpectedByte(byte, offset: offset) }
            bits = bits << 6 | UInt32(digit)
            digits += 1
            if digits == 4 {
                for shift in [16, 8, 0] as [UInt32] {
                    target.storeBytes(of: UInt8(truncatingIfNeeded: bits >> shift), toByteOffset: count, as: UInt8.self)
                    count += 1
                }
                bits = 0
                digits = 0
            }
        }
        guard digits != 1 else { throw .incomplete }
        if digits >= 2 {
            bits <<= UInt32(4 - digits) * 6
            for shift in [16, 8].prefix(digits - 1) as ArraySlice<UInt32> {
                target.storeBytes(of: UInt8(truncatingIfNeeded: bits >> shift), toByteOffset: count, as: UInt8.self)
                count += 1
            }
        }
        return count
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private static func base64Digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5A: byte - 0x41
        case 0x61...0x7A: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
