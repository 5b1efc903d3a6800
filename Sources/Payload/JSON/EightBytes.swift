/// Eight bytes of text in one register, the first one lowest, and what can be asked of all eight at once.
///
/// Each mask has bit 7 set in the bytes that answer yes. Borrows may set further bits above the first yes, so only the lowest one counts.
enum EightBytes {
    @inline(always) static func load(_ place: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt64.self))
    }

    /// Two bytes, the first one lowest.
    @inline(always) static func loadPair(_ place: UnsafePointer<UInt8>) -> UInt16 {
        UInt16(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt16.self))
    }

    /// Bytes that end a run of plain characters in a string: a quote, a backslash, a control character, anything beyond ASCII.
    @inline(always) static func special(_ word: UInt64) -> UInt64 {
        let quote = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
        let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
        let control = word &- 0x2020_2020_2020_2020
        return (quote | backslash | control | word) & 0x8080_8080_8080_8080
    }

    /// The first byte from `place` on that `special` is about, or `end`. A function of its own, so that its constants have registers.
    @inline(never) static func special(
        from place: UnsafePointer<UInt8>, start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>
    ) -> UnsafePointer<UInt8> {
        var place = place
        while end - place >= 8 {
            let mask = special(load(place))
            if mask != 0 { return place + first(mask) }
            place += 8
        }
        // Zeros stand for what lies beyond the end, and are special.
        return place + min(first(special(loadLast(from: place, start: start, end: end))), end - place)
    }

    /// The fewer than 8 bytes from `place` to `end`, of a text that begins at `start`, and zeros: the last 8 without those before `place`.
    @inline(always) static func loadLast(
        from place: UnsafePointer<UInt8>, start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>
    ) -> UInt64 {
        let left = end - place
        if _fastPath(end - start >= 8) { return load(end - 8) >> UInt64(64 &- 8 &* left) }
        var word: UInt64 = 0
        for offset in 0..<left { word |= UInt64(place[offset]) &<< UInt64(8 &* offset) }
        return word
    }

    /// Bytes that are not an ASCII digit. Bytes below 0x80 carry nothing over, so behind ASCII the next lowest yes counts too.
    @inline(always) static func notDigit(_ word: UInt64) -> UInt64 {
        let value = word ^ 0x3030_3030_3030_3030
        return ((value &+ 0x7676_7676_7676_7676) | value) & 0x8080_8080_8080_8080
    }

    /// The position of the lowest yes of a mask that is not 0.
    @inline(always) static func first(_ mask: UInt64) -> Int { mask.trailingZeroBitCount &>> 3 }

    /// Keeps the bytes below the lowest yes of a mask that is not 0.
    @inline(always) static func below(_ mask: UInt64) -> UInt64 { ((mask & (0 &- mask)) &>> 7) &- 1 }
}
