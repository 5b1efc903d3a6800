/// Escapes of JSON strings (RFC 8259 §7) as the UTF-8 bytes they stand for, read from text that is already validated.
///
/// Text that is not, against the contract, gives other characters, never a read past its end.
enum JSONEscape {
    /// Up to 4 bytes of UTF-8, the first one lowest.
    struct Bytes {
        var word: UInt32
        var count: Int
    }

    static func hexadecimal(_ byte: UInt8) -> UInt16? {
        switch byte {
        case 0x30...0x39: UInt16(byte &- 0x30)
        case 0x41...0x46: UInt16(byte &- 0x37)
        case 0x61...0x66: UInt16(byte &- 0x57)
        default: nil
        }
    }

    /// Decodes the escape whose backslash stands at `place` and moves `place` behind it.
    static func decode(_ place: inout UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> Bytes {
        guard end - place >= 2 else {
            place = end
            return Bytes(word: 0, count: 0)
        }
        let letter = place[1]
        guard letter == UInt8(ascii: "u") else {
            place += 2
            return Bytes(word: UInt32(plain(letter)), count: 1)
        }
        let unit = unit(&place, end: end)
        guard unit & 0xF800 == 0xD800, end - place >= 6 else { return encode(UInt32(unit)) }
        let low = self.unit(&place, end: end)
        return encode(0x1_0000 &+ (UInt32(unit) & 0x3FF) &<< 10 | UInt32(low) & 0x3FF)
    }

    private static func plain(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    private static func unit(_ place: inout UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> UInt16 {
        guard end - place >= 6 else {
            place = end
            return 0
        }
        var unit: UInt16 = 0
        for offset in 2..<6 { unit = unit &<< 4 | (hexadecimal(place[offset]) ?? 0) }
        place += 6
        return unit
    }

    private static func encode(_ scalar: UInt32) -> Bytes {
        if scalar < 0x80 { return Bytes(word: scalar, count: 1) }
        let last = 0x80 | scalar & 0x3F
        if scalar < 0x800 { return Bytes(word: 0xC0 | scalar &>> 6 | last &<< 8, count: 2) }
        let third = 0x80 | scalar &>> 6 & 0x3F
        if scalar < 0x1_0000 { return Bytes(word: 0xE0 | scalar &>> 12 | third &<< 8 | last &<< 16, count: 3) }
        let second = 0x80 | scalar &>> 12 & 0x3F
        return Bytes(word: 0xF0 | scalar &>> 18 & 0x07 | second &<< 8 | third &<< 16 | last &<< 24, count: 4)
    }

    /// Whether the escaped text from `place` to `end` spells `name`.
    static func isEqual(_ place: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, to name: UnsafeRawBufferPointer) -> Bool {
        var place = place
        var offset = 0
        while place < end {
            var bytes = Bytes(word: UInt32(place.pointee), count: 1)
            if place.pointee == UInt8(ascii: "\\") {
                bytes = decode(&place, end: end)
            } else {
                place += 1
            }
            guard name.count &- offset >= bytes.count else { return false }
            for _ in 0..<bytes.count {
                guard name[offset] == UInt8(truncatingIfNeeded: bytes.word) else { return false }
                bytes.word &>>= 8
                offset &+= 1
            }
        }
        return offset == name.count
    }
}
