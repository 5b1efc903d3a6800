/// How bytes are written as text.
enum BinaryNotation {
    /// RFC 4648 §4, with padding.
    case base64
    /// RFC 4648 §5, without padding.
    case base64url
    /// RFC 4648 §8: two digits a byte, capital letters.
    case hexadecimal
}

/// Writes bytes as text, also where they come in parts.
struct BinaryTextEncoder {
    private let notation: BinaryNotation
    private let letters: StaticString
    /// Up to two bytes that wait for a third.
    private var waiting: UInt32 = 0
    private var waitingCount = 0

    init(_ notation: BinaryNotation) {
        self.notation = notation
        letters =
            switch notation {
            case .base64: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            case .base64url: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            case .hexadecimal: "0123456789ABCDEF"
            }
    }

    /// Letters that `encode` writes for so many bytes more.
    func letterCount(of count: Int) -> Int {
        notation == .hexadecimal ? count * 2 : (count + waitingCount) / 3 * 4
    }

    /// Letters that `finish` writes.
    var lastLetterCount: Int { waitingCount == 0 ? 0 : notation == .base64 ? 4 : waitingCount + 1 }

    /// Writes what is complete of all bytes so far, and gives its length.
    mutating func encode(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer) -> Int {
        var count = 0
        func append(_ index: UInt32) {
            target.storeBytes(of: letters.utf8Start[Int(index)], toByteOffset: count, as: UInt8.self)
            count += 1
        }
        for byte in bytes {
            if notation == .hexadecimal {
                append(UInt32(byte >> 4))
                append(UInt32(byte & 0xF))
                continue
            }
            waiting = waiting << 8 | UInt32(byte)
            waitingCount += 1
            guard waitingCount == 3 else { continue }
            for shift in [18, 12, 6, 0] as [UInt32] { append(waiting >> shift & 0x3F) }
            waiting = 0
            waitingCount = 0
        }
        return count
    }

    /// Writes the last letters and gives their number.
    mutating func finish(into target: UnsafeMutableRawPointer) -> Int {
        guard waitingCount > 0 else { return 0 }
        let bits = waiting << (waitingCount == 1 ? 16 : 8)
        let lettersCount = waitingCount + 1
        for place in 0..<lettersCount {
            let index = bits >> UInt32(18 - 6 * place) & 0x3F
            target.storeBytes(of: letters.utf8Start[Int(index)], toByteOffset: place, as: UInt8.self)
        }
        waiting = 0
        waitingCount = 0
        guard notation == .base64 else { return lettersCount }
        for place in lettersCount..<4 { target.storeBytes(of: UInt8(ascii: "="), toByteOffset: place, as: UInt8.self) }
        return 4
    }
}
