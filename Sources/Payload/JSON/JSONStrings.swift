extension JSONScanner {
    /// The quote that ends the string whose inside starts at `place`, and whether an escape stands before it. RFC 8259 §7, 8 bytes a step
    /// while they are plain.
    @inline(always) func closingQuote(from place: Place) throws(JSONError) -> (quote: Place, isEscaped: Bool) {
        let special = EightBytes.special(from: place, start: start, end: end)
        if _fastPath(special < end && special.pointee == UInt8(ascii: "\"")) { return (special, false) }
        return try closingQuoteBehindSpecial(special)
    }

    /// Goes on from a byte that is not plain: an escape, UTF-8 beyond ASCII, a control character, the end.
    @inline(never) func closingQuoteBehindSpecial(_ place: Place) throws(JSONError) -> (quote: Place, isEscaped: Bool) {
        var place = place
        var isEscaped = false
        while true {
            guard place < end else { throw failure(.unexpectedEnd, at: end) }
            let byte = place.pointee
            if byte == UInt8(ascii: "\"") { return (place, isEscaped) }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                place = try afterEscape(place)
            } else if byte >= 0x80 {
                let count = UTF8Text.sequenceBytes(at: place, end: end)
                guard count > 0 else { throw failure(.invalidUTF8, at: place) }
                place += count
                // More of the same script is likely: no word is loaded only to find its first byte special.
                if place < end, place.pointee >= 0x80 { continue }
            } else if byte < 0x20 {
                throw failure(.controlCharacter(byte), at: place)
            }
            place = EightBytes.special(from: place, start: start, end: end)
        }
    }

    /// From a backslash to behind its escape; a pair of surrogates is one escape.
    private func afterEscape(_ backslash: Place) throws(JSONError) -> Place {
        guard end - backslash >= 2 else { throw failure(.unexpectedEnd, at: end) }
        switch backslash[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return backslash + 2
        case UInt8(ascii: "u"):
            let unit = try unit(backslash)
            guard unit & 0xF800 == 0xD800 else { return backslash + 6 }
            // §7: a character beyond the Basic Multilingual Plane is a high surrogate and then a low one.
            let low = backslash + 6
            guard unit < 0xDC00 else { throw failure(.loneSurrogate(unit), at: backslash) }
            guard low < end else { throw failure(.unexpectedEnd, at: end) }
            guard low.pointee == UInt8(ascii: "\\"), end - low < 2 || low[1] == UInt8(ascii: "u") else {
                throw failure(.loneSurrogate(unit), at: backslash)
            }
            guard try self.unit(low) & 0xFC00 == 0xDC00 else { throw failure(.loneSurrogate(unit), at: backslash) }
            return low + 6
        default:
            throw failure(.invalidEscape, at: backslash)
        }
    }

    /// The four hexadecimal digits of the `\uXXXX` at `backslash`.
    private func unit(_ backslash: Place) throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for offset in 2..<6 {
            guard backslash + offset < end else { throw failure(.unexpectedEnd, at: end) }
            guard let digit = JSONEscape.hexadecimal(backslash[offset]) else { throw failure(.invalidEscape, at: backslash) }
            unit = unit &<< 4 | digit
        }
        return unit
    }
}
