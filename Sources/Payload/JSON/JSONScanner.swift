/// Walks one JSON text (RFC 8259) and checks every byte of it; stores nothing.
///
/// Each method takes the place where it starts and gives the place after what it read. Places never pass `end`: what is loaded beyond it
/// reads as zeros, which no rule of the grammar accepts.
struct JSONScanner {
    typealias Place = UnsafePointer<UInt8>

    let start: Place
    let end: Place
    let maximumDepth: Int
    let allowsNaN: Bool

    init(start: Place, end: Place, maximumDepth: Int, allowsNaN: Bool) {
        self.start = start
        self.end = end
        self.maximumDepth = maximumDepth
        self.allowsNaN = allowsNaN
    }

    @inline(never) func failure(_ reason: JSONError.Reason, at place: Place) -> JSONError {
        JSONError(reason, byteOffset: place - start)
    }

    /// The byte met where something else had to stand, or the end of the text.
    @inline(never) func unexpected(_ expectation: JSONError.Expectation, at place: Place) -> JSONError {
        failure(place < end ? .unexpected(place.pointee, expectation) : .unexpectedEnd, at: place)
    }

    /// The 8 bytes at `place`, zeros where the text has ended.
    @inline(always) func word(at place: Place) -> UInt64 {
        if _fastPath(end - place >= 8) { return EightBytes.load(place) }
        return lastWord(at: place)
    }

    @inline(never) private func lastWord(at place: Place) -> UInt64 { EightBytes.loadLast(from: place, start: start, end: end) }

    // MARK: White space and marks

    /// The next byte that is not white space; throws where the text ends first.
    @inline(always) func next(_ place: Place) throws(JSONError) -> Place {
        if _fastPath(place < end) {
            if _fastPath(place.pointee > 0x20) { return place }
            // One space after a comma or a colon: what Python's json writes.
            if place.pointee == 0x20, place + 1 < end, place[1] > 0x20 { return place + 1 }
        }
        return try nextAfterSpace(place)
    }

    @inline(never) private func nextAfterSpace(_ place: Place) throws(JSONError) -> Place {
        let place = afterSpace(place)
        guard place < end else { throw failure(.unexpectedEnd, at: place) }
        return place
    }

    /// The next byte that is not white space, or the end.
    func afterSpace(_ place: Place) -> Place {
        var place = place
        while place < end, place.pointee == 0x20 || place.pointee == 0x0A || place.pointee == 0x0D || place.pointee == 0x09 { place += 1 }
        return place
    }

    /// From behind a member's name, over the colon, to its value.
    @inline(always) func overColon(_ place: Place) throws(JSONError) -> Place {
        let colon = try next(place)
        guard _fastPath(colon.pointee == UInt8(ascii: ":")) else { throw unexpected(.colon, at: colon) }
        return try next(colon + 1)
    }

    // MARK: Scalars

    /// Reads a string, number, true, false or null at `place`, which is not the end, and moves `place` behind it.
    @inline(always) func scalar(_ place: inout Place) throws(JSONError) -> Value {
        let first = place.pointee
        if first == UInt8(ascii: "\"") {
            let inside = place + 1
            let (quote, isEscaped) = try closingQuote(from: inside)
            place = quote + 1
            return Value(kind: isEscaped ? .escapedString : .string, start: inside, count: quote - inside)
        }
        if first &- 0x30 < 10 || first == UInt8(ascii: "-") { return try number(&place) }
        return try literal(&place)
    }

    /// RFC 8259 §6. What follows the number is for the caller to judge.
    ///
    /// A reading such as -21.5 fits one register, and is measured there without a branch on its digits: their number changes from message
    /// to message.
    @inline(always) private func number(_ place: inout Place) throws(JSONError) -> Value {
        let first = place
        let digits = first.pointee == UInt8(ascii: "-") ? first + 1 : first
        guard _fastPath(end - digits >= 8) else { return try longNumber(&place) }
        let word = EightBytes.load(digits)
        var mask = EightBytes.notDigit(word)
        let whole = EightBytes.first(mask)
        guard _fastPath(mask != 0 && whole > 0 && (whole == 1 || word & 0xFF != 0x30)) else { return try longNumber(&place) }
        var count = whole
        var behind = digits[whole]
        if behind == UInt8(ascii: ".") {
            mask &= mask &- 1
            count = EightBytes.first(mask)
            guard _fastPath(mask != 0 && count > whole &+ 1) else { return try longNumber(&place) }
            behind = digits[count]
        }
        guard _fastPath(behind | 0x20 != UInt8(ascii: "e")) else { return try longNumber(&place) }
        place = digits + count
        return Value(kind: .number, start: first, count: place - first)
    }

    @inline(never) private func longNumber(_ place: inout Place) throws(JSONError) -> Value {
        let first = place
        var last = first
        if last.pointee == UInt8(ascii: "-") { last += 1 }
        let digit: UInt8 = last < end ? last.pointee &- 0x30 : 0xFF
        if digit &- 1 < 9 {
            last = afterDigits(last + 1)
        } else if digit == 0 {
            last += 1
            if last < end, last.pointee &- 0x30 < 10 { throw failure(.leadingZero, at: first) }
        } else {
            return try notFinite(&place, .digit, at: last)
        }
        if last < end, last.pointee == UInt8(ascii: ".") { last = try someDigits(last + 1) }
        if last < end, last.pointee | 0x20 == UInt8(ascii: "e") {
            last += 1
            if last < end, last.pointee == UInt8(ascii: "+") || last.pointee == UInt8(ascii: "-") { last += 1 }
            last = try someDigits(last)
        }
        place = last
        return Value(kind: .number, start: first, count: last - first)
    }

    private func someDigits(_ place: Place) throws(JSONError) -> Place {
        let last = afterDigits(place)
        guard last > place else { throw unexpected(.digit, at: place) }
        return last
    }

    private func afterDigits(_ place: Place) -> Place {
        var place = place
        while true {
            let mask = EightBytes.notDigit(word(at: place))
            if mask != 0 { return place + EightBytes.first(mask) }
            place += 8
        }
    }

    /// true, false, null, and nan and infinity where they are allowed.
    @inline(always) private func literal(_ place: inout Place) throws(JSONError) -> Value {
        let letters = word(at: place)
        switch UInt32(truncatingIfNeeded: letters) {
        case 0x6575_7274:  // "true", the first letter lowest
            place += 4
            return Value(kind: .true)
        case 0x6C6C_756E:  // "null"
            place += 4
            return .null
        default:
            if letters & 0xFF_FFFF_FFFF == 0x65_736C_6166 {  // "false"
                place += 5
                return Value(kind: .false)
            }
            return try notFinite(&place, .value, at: place)
        }
    }

    /// A bare nan, inf or infinity in any case, perhaps with a minus, reads as null where the options allow it; anything else is the
    /// error that `expectation` names.
    @inline(never) private func notFinite(
        _ place: inout Place, _ expectation: JSONError.Expectation, at problem: Place
    ) throws(JSONError) -> Value {
        let isNegative = place.pointee == UInt8(ascii: "-")
        let letters = place + (isNegative ? 1 : 0)
        if let length = Self.notFiniteLetters(at: letters, end: end) {
            guard allowsNaN else { throw failure(length == 3 && letters[1] | 0x20 == 0x61 ? .bareNaN : .bareInfinity, at: place) }
            place = letters + length
            return .null
        }
        for name: StaticString in ["true", "false", "null"] where isCutOff(name, at: place) { throw failure(.unexpectedEnd, at: end) }
        throw unexpected(expectation, at: problem)
    }

    /// How many letters spell nan, inf or infinity, in any case, with no letter or digit behind.
    static func notFiniteLetters(at place: Place, end: Place) -> Int? {
        for name: StaticString in ["infinity", "inf", "nan"] where end - place >= name.utf8CodeUnitCount {
            let count = name.utf8CodeUnitCount
            guard (0..<count).allSatisfy({ place[$0] | 0x20 == name.utf8Start[$0] }) else { continue }
            let behind: UInt8 = end - place > count ? place[count] : 0
            let isWord = behind &- 0x30 < 10 || (behind | 0x20) &- 0x61 < 26 || behind >= 0x80
            return isWord ? nil : count
        }
        return nil
    }

    /// Whether the text ends inside that word.
    private func isCutOff(_ name: StaticString, at place: Place) -> Bool {
        let left = end - place
        return left < name.utf8CodeUnitCount && (0..<left).allSatisfy { place[$0] == name.utf8Start[$0] }
    }
}
