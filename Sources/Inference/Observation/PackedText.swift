import Payload

/// Text that stands for bytes, and bytes that stand for other bytes.
enum PackedText {
    /// Hexadecimal digits of at least eight bytes.
    static func hex(_ text: String) -> [UInt8]? {
        guard text.utf8.count >= 16, text.utf8.count % 2 == 0 else { return nil }
        let digits = text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
        guard digits else { return nil }
        return unpack(text, Unpack.hex)
    }

    /// Base64 of at least twelve bytes, padded.
    static func base64(_ text: String) -> [UInt8]? {
        guard text.utf8.count >= 16, text.utf8.count % 4 == 0 else { return nil }
        var hasUpper = false
        var hasLower = false
        for byte in text.utf8 {
            switch byte {
            case 0x41...0x5A: hasUpper = true
            case 0x61...0x7A: hasLower = true
            case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): break
            default: return nil
            }
        }
        guard hasUpper, hasLower else { return nil }
        return unpack(text, Unpack.base64)
    }

    /// The step of `unpack` that the first bytes ask for.
    static func compression(_ bytes: [UInt8]) -> String? {
        guard bytes.count >= 8 else { return nil }
        if bytes.starts(with: [0x1F, 0x8B]) { return "gzip" }
        if bytes[0] == 0x78, [0x01, 0x5E, 0x9C, 0xDA].contains(bytes[1]) { return "zlib" }
        if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return "zstd" }
        return nil
    }

    private typealias Step = (UnsafeRawBufferPointer, UnsafeMutableRawPointer) throws(Unpack.Fault) -> Int

    private static func unpack(_ text: String, _ step: Step) -> [UInt8]? {
        var target = [UInt8](repeating: 0, count: text.utf8.count + 3)
        let source = Array(text.utf8)
        let count = source.withUnsafeBytes { source in
            target.withUnsafeMutableBytes { target in target.baseAddress.flatMap { try? step(source, $0) } }
        }
        return count.map { Array(target[..<$0]) }
    }
}
