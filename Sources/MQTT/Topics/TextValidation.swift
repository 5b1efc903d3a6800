/// Validation of text where it lies: no U+0000, well-formed UTF-8 (MQTT 3.1.1 §1.5.3); of topic names also at least one byte and no wildcard (§4.7.3).
///
/// ASCII goes eight bytes at a time, about one nanosecond each; the first byte beyond ASCII sends the rest through the exact rules of Unicode.
enum TextValidation {
    private static let highBits: UInt64 = 0x8080_8080_8080_8080
    private static let lowBits: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    private static let plusSigns: UInt64 = 0x2B2B_2B2B_2B2B_2B2B
    private static let numberSigns: UInt64 = 0x2323_2323_2323_2323

    /// What is wrong with a topic name, if anything.
    @inline(__always)
    static func fault(inTopicName name: UnsafeRawBufferPointer) -> TopicFault? {
        guard !isPlainASCII(name) else { return nil }
        return name.isEmpty ? .empty : exactFault(in: name, allowsWildcards: false)
    }

    /// Whether it is a string as every packet may carry one; it may be empty.
    @inline(__always)
    static func isWellFormed(_ text: UnsafeRawBufferPointer) -> Bool {
        text.isEmpty || isPlainASCII(text) || exactFault(in: text, allowsWildcards: true) == nil
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

    /// The first fault, by the table of well-formed byte sequences (Unicode, table 3-7): no overlong forms, no surrogates, nothing above
    /// U+10FFFF. About two nanoseconds a character beyond ASCII.
    @inline(never)
    private static func exactFault(in name: UnsafeRawBufferPointer, allowsWildcards: Bool) -> TopicFault? {
        var offset = 0
        while offset < name.count {
            if offset <= name.count - 8, isPlainASCII(name.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) {
                offset += 8
                continue
            }
            let continuationCount: Int
            let second: ClosedRange<UInt8>
            switch name[offset] {
            case 0: return .nullCharacter
            case UInt8(ascii: "+") where !allowsWildcards, UInt8(ascii: "#") where !allowsWildcards: return .wildcardInName
            case 0x01...0x7F:
                offset += 1
                continue
            case 0xC2...0xDF: (continuationCount, second) = (1, 0x80...0xBF)
            case 0xE0: (continuationCount, second) = (2, 0xA0...0xBF)
            case 0xE1...0xEC, 0xEE, 0xEF: (continuationCount, second) = (2, 0x80...0xBF)
            case 0xED: (continuationCount, second) = (2, 0x80...0x9F)
            case 0xF0: (continuationCount, second) = (3, 0x90...0xBF)
            case 0xF1...0xF3: (continuationCount, second) = (3, 0x80...0xBF)
            case 0xF4: (continuationCount, second) = (3, 0x80...0x8F)
            default: return .malformedUTF8
            }
            guard name.count - offset > continuationCount, second.contains(name[offset + 1]) else { return .malformedUTF8 }
            for continuation in stride(from: offset + 2, through: offset + continuationCount, by: 1) {
                guard name[continuation] & 0xC0 == 0x80 else { return .malformedUTF8 }
            }
            offset += continuationCount + 1
        }
        return nil
    }
}
