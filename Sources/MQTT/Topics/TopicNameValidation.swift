/// Validation of topic names where they lie: at least one byte, no wildcard, no U+0000, well-formed UTF-8 (MQTT 3.1.1 §1.5.3, §4.7.3).
///
/// ASCII goes eight bytes at a time, about one nanosecond each; the first byte beyond ASCII sends the rest through the exact rules of Unicode.
enum TopicNameValidation {
    private static let highBits: UInt64 = 0x8080_8080_8080_8080
    private static let lowBits: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    private static let plusSigns: UInt64 = 0x2B2B_2B2B_2B2B_2B2B
    private static let numberSigns: UInt64 = 0x2323_2323_2323_2323

    /// What is wrong with `name`, if anything.
    @inline(__always)
    static func fault(in name: UnsafeRawBufferPointer) -> TopicFault? {
        isPlainASCII(name) ? nil : exactFault(in: name)
    }

    /// Not empty, and nothing but ASCII characters that a topic name may hold. False may still be a good name: the exact rules decide.
    @inline(__always)
    private static func isPlainASCII(_ name: UnsafeRawBufferPointer) -> Bool {
        let count = name.count
        guard count >= 8 else {
            guard count > 0 else { return false }
            for byte in name where !isPlainASCII(byte) { return false }
            return true
        }
        var offset = 0
        while offset <= count - 8 {
            guard isPlainASCII(name.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) else { return false }
            offset += 8
        }
        // The last word may overlap the one before: what is plain is so twice.
        return offset == count || isPlainASCII(name.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
    }

    @inline(__always)
    private static func isPlainASCII(_ byte: UInt8) -> Bool {
        byte < 0x80 && byte != 0 && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "#")
    }

    /// Where all bytes are below 0x80, adding 0x7F sets the high bit of each byte that is not zero, and carries into none.
    @inline(__always)
    private static func isPlainASCII(_ word: UInt64) -> Bool {
        guard word & highBits == 0 else { return false }
        let notZero = word &+ lowBits
        let notPlus = (word ^ plusSigns) &+ lowBits
        let notNumber = (word ^ numberSigns) &+ lowBits
        return notZero & notPlus & notNumber & highBits == highBits
    }

    @inline(never)
    private static func exactFault(in name: UnsafeRawBufferPointer) -> TopicFault? {
        guard !name.isEmpty else { return .empty }
        guard name.count <= Int(UInt16.max) else { return .tooLong(bytes: name.count) }
        guard isWellFormedUTF8(name) else { return .malformedUTF8 }
        for byte in name {
            if byte == 0 { return .nullCharacter }
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") { return .wildcardInName }
        }
        return nil
    }

    /// The table of well-formed byte sequences (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
    static func isWellFormedUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes[...]
        while let first = rest.popFirst() {
            let continuationCount: Int
            let second: ClosedRange<UInt8>
            switch first {
            case 0x00...0x7F: continue
            case 0xC2...0xDF: (continuationCount, second) = (1, 0x80...0xBF)
            case 0xE0: (continuationCount, second) = (2, 0xA0...0xBF)
            case 0xE1...0xEC, 0xEE, 0xEF: (continuationCount, second) = (2, 0x80...0xBF)
            case 0xED: (continuationCount, second) = (2, 0x80...0x9F)
            case 0xF0: (continuationCount, second) = (3, 0x90...0xBF)
            case 0xF1...0xF3: (continuationCount, second) = (3, 0x80...0xBF)
            case 0xF4: (continuationCount, second) = (3, 0x80...0x8F)
            default: return false
            }
            guard let next = rest.popFirst(), second.contains(next) else { return false }
            for _ in 1..<continuationCount {
                guard let next = rest.popFirst(), (0x80...0xBF).contains(next) else { return false }
            }
        }
        return true
    }
}
