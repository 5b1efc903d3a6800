extension DecimalNumber {
    /// A number of seconds as whole seconds and nanoseconds in the direction of the future, smaller parts of a second cut; nil beyond
    /// ±10¹² seconds.
    func wholeSecondsAndNanoseconds() -> (seconds: Int64, nanoseconds: Int)? {
        if isZero { return (0, 0) }
        guard Int(exponent) + digitCount <= 13 else { return nil }
        let shift = Int(exponent) + 9
        var magnitude: UInt128
        var isCut = !isExact
        if shift >= 0 {
            // At most 22 digits: 13 before the point and 9 behind it.
            magnitude = significand * PowersOfTen.large(shift)
        } else if -shift <= Self.digitsMax {
            let (quotient, remainder) = significand.quotientAndRemainder(dividingBy: PowersOfTen.large(-shift))
            magnitude = quotient
            isCut = isCut || remainder != 0
        } else {
            magnitude = 0
            isCut = true
        }
        // Cut towards the past, before 1970 as after it.
        if isNegative, isCut { magnitude += 1 }
        let (seconds, nanoseconds) = magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard let whole = Int64(exactly: seconds), let part = Int(exactly: nanoseconds) else { return nil }
        guard isNegative else { return (whole, part) }
        return part == 0 ? (-whole, 0) : (-whole - 1, 1_000_000_000 - part)
    }
}

extension TreeWriter {
    /// A time given in seconds since 1970, to the nanosecond; false, with nothing written, outside of years 1 to 9999.
    mutating func time(_ seconds: DecimalNumber) -> Bool {
        guard let (whole, nanoseconds) = seconds.wholeSecondsAndNanoseconds() else { return false }
        return time(seconds: whole, nanoseconds: nanoseconds)
    }
}
