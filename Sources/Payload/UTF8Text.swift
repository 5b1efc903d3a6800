import Glibc

/// What PostgreSQL asks of text, checked on bytes: well-formed UTF-8 and no NUL.
public enum UTF8Text {
    /// Whether the bytes are well-formed UTF-8 (RFC 3629 §4): no overlong form, no surrogate, nothing above U+10FFFF. ASCII costs one
    /// test for 8 bytes.
    public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        var place = base.assumingMemoryBound(to: UInt8.self)
        let end = place + bytes.count
        while true {
            while end - place >= 8, UnsafeRawPointer(place).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0 { place += 8 }
            while place < end, place.pointee < 0x80 { place += 1 }
            guard place < end else { return true }
            while place < end, place.pointee >= 0x80 {
                let count = sequenceBytes(at: place, end: end)
                guard count > 0 else { return false }
                place += count
            }
        }
    }

    /// Whether a NUL byte is among the bytes: valid UTF-8, yet no PostgreSQL text holds it.
    public static func containsNUL(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return false }
        return memchr(base, 0, bytes.count) != nil
    }

    /// The length of the sequence of 2 to 4 bytes at `place`, or 0 where there is none. The second byte's range rules out overlong forms,
    /// surrogates and what lies above U+10FFFF (RFC 3629 §4, UTF8-octets).
    @inline(always) static func sequenceBytes(at place: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> Int {
        let left = end - place
        guard left >= 2 else { return 0 }
        let lead = place[0]
        let second = place[1]
        if lead < 0xE0 {
            return lead >= 0xC2 && second & 0xC0 == 0x80 ? 2 : 0
        }
        guard left >= 3, place[2] & 0xC0 == 0x80 else { return 0 }
        if lead < 0xF0 {
            let low: UInt8 = lead == 0xE0 ? 0xA0 : 0x80
            let high: UInt8 = lead == 0xED ? 0x9F : 0xBF
            return second >= low && second <= high ? 3 : 0
        }
        guard left >= 4, lead <= 0xF4, place[3] & 0xC0 == 0x80 else { return 0 }
        let low: UInt8 = lead == 0xF0 ? 0x90 : 0x80
        let high: UInt8 = lead == 0xF4 ? 0x8F : 0xBF
        return second >= low && second <= high ? 4 : 0
    }
}
