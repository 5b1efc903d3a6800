extension DecimalNumber {
    /// The exact sum, its last digit at the lower of both exponents where 38 digits reach there; nil where 38 digits do not span both
    /// operands and the sum, or an operand is not exact.
    public func adding(_ other: DecimalNumber) -> DecimalNumber? {
        guard isExact, other.isExact else { return nil }
        if let sum = Self.sum(self, other) { return sum }
        if isZero { return other }
        if other.isZero { return self }
        return Self.sum(normalized, other.normalized)
    }

    private static func sum(_ one: DecimalNumber, _ other: DecimalNumber) -> DecimalNumber? {
        let exponent = min(one.exponent, other.exponent)
        guard let first = one.significand(at: exponent), let second = other.significand(at: exponent) else { return nil }
        if one.isNegative == other.isNegative {
            let sum = first + second
            if sum >= PowersOfTen.large(digitsMax), sum % 10 == 0 {
                return DecimalNumber(isNegative: one.isNegative, significand: sum / 10, exponent: exponent + 1)
            }
            return DecimalNumber(isNegative: one.isNegative, significand: sum, exponent: exponent)
        }
        if first == second { return DecimalNumber(checked: 0, exponent: exponent, isNegative: false) }
        return DecimalNumber(
            isNegative: first > second ? one.isNegative : other.isNegative,
            significand: first > second ? first - second : second - first, exponent: exponent)
    }

    /// The significand when the last digit stands at a lower or the same exponent; nil where it does not fit 38 digits.
    private func significand(at lower: Int32) -> UInt128? {
        let shift = Int(exponent) - Int(lower)
        if shift == 0 { return significand }
        guard significand != 0 else { return 0 }
        guard shift + digitCount <= Self.digitsMax else { return nil }
        return significand * PowersOfTen.large(shift)
    }

    /// The exact product; nil where 38 digits do not hold it, its exponent leaves ±2,000,000,000, or an operand is not exact.
    public func multiplied(by other: DecimalNumber) -> DecimalNumber? {
        guard isExact, other.isExact else { return nil }
        if let product = Self.product(self, other) { return product }
        // Zeros at the end of the product come from zeros at the end of the factors, and from a 2 in one that meets a 5 in the other.
        var one = normalized
        var other = other.normalized
        Self.meet(&one, &other)
        Self.meet(&other, &one)
        return Self.product(one, other)
    }

    /// Takes out every 2 of one number that meets a 5 of the other, as a zero.
    private static func meet(_ one: inout DecimalNumber, _ other: inout DecimalNumber) {
        while one.significand > 1, one.significand % 2 == 0, other.significand % 5 == 0, one.exponent < exponentMax {
            one.significand /= 2
            other.significand /= 5
            one.exponent += 1
        }
    }

    private static func product(_ one: DecimalNumber, _ other: DecimalNumber) -> DecimalNumber? {
        let (significand, overflow) = one.significand.multipliedReportingOverflow(by: other.significand)
        let (exponent, outside) = one.exponent.addingReportingOverflow(other.exponent)
        guard !overflow, !outside else { return nil }
        return DecimalNumber(isNegative: one.isNegative != other.isNegative, significand: significand, exponent: exponent)
    }

    /// The quotient by a whole number, rounded half to even to so many significant digits; as few digits as it has where it is exact, but
    /// not fewer places than the dividend. A dividend that is not exact counts as its 38 digits, and the quotient is not exact either.
    /// - Parameters:
    ///   - divisor: not 0.
    ///   - significantDigits: 1 to 38; 34 is what IEEE 754 decimal128 has.
    public func divided(by divisor: UInt64, significantDigits: Int = 34) -> DecimalNumber {
        precondition(
            divisor > 0 && (1...Self.digitsMax).contains(significantDigits), "a quotient of 1 to 38 digits by a number other than 0")
        var (quotient, remainder) = significand.quotientAndRemainder(dividingBy: UInt128(divisor))
        var exponent = Int(self.exponent)
        var digits = quotient == 0 ? 0 : PowersOfTen.digitCount(quotient)
        // Long division, up to 19 digits a step: the remainder is less than 2⁶⁴, and less than 2⁶⁴ · 10¹⁹ fits 128 bits.
        while remainder != 0, digits < significantDigits {
            let step = min(19, significantDigits - digits)
            let power = UInt128(PowersOfTen.small[step])
            let (next, left) = (remainder * power).quotientAndRemainder(dividingBy: UInt128(divisor))
            quotient = quotient * power + next
            remainder = left
            exponent -= step
            digits = quotient == 0 ? 0 : PowersOfTen.digitCount(quotient)
        }
        // The part cut off, against one half.
        var half = remainder == 0 ? -2 : Self.sign(of: remainder * 2, against: UInt128(divisor))
        if digits > significantDigits {
            let cut = digits - significantDigits
            let power = PowersOfTen.large(cut)
            let below = quotient % power
            quotient /= power
            exponent += cut
            let order = Self.sign(of: below * 2, against: power)
            half = order == 0 && remainder != 0 ? 1 : below == 0 && remainder == 0 ? -2 : order
        }
        if half > 0 || (half == 0 && quotient & 1 == 1) {
            quotient += 1
            if quotient == PowersOfTen.large(significantDigits) {
                quotient /= 10
                exponent += 1
            }
        }
        // Exact: no more zeros than the dividend's places ask for.
        while half == -2, exponent < Int(self.exponent), quotient % 10 == 0, quotient != 0 {
            quotient /= 10
            exponent += 1
        }
        if quotient == 0 { exponent = Int(self.exponent) }
        var result = self
        result.significand = quotient
        result.exponent = Int32(clamping: exponent)
        return result
    }

    private static func sign(of one: UInt128, against other: UInt128) -> Int { one < other ? -1 : one == other ? 0 : 1 }

    /// −1, 0 or 1 as the number is less than, equal to or greater than the other, exactly, whatever their exponents; −0 equals 0. Of two
    /// numbers that are not exact and begin with the same 38 digits nothing is known: they count as equal.
    public func compare(_ other: DecimalNumber) -> Int {
        if isZero || other.isZero {
            if isZero, other.isZero { return 0 }
            return isZero ? (other.isNegative ? 1 : -1) : (isNegative ? -1 : 1)
        }
        guard isNegative == other.isNegative else { return isNegative ? -1 : 1 }
        let order = compareMagnitude(other)
        return isNegative ? -order : order
    }

    private func compareMagnitude(_ other: DecimalNumber) -> Int {
        let places = Int(exponent) + digitCount
        let otherPlaces = Int(other.exponent) + other.digitCount
        guard places == otherPlaces else { return places < otherPlaces ? -1 : 1 }
        // Their first digits stand at the same place, so the exponents differ by less than 38 and the shifted one still has at most 38
        // digits.
        let lower = min(exponent, other.exponent)
        guard let first = significand(at: lower), let second = other.significand(at: lower) else { return 0 }
        if first != second { return first < second ? -1 : 1 }
        return isExact == other.isExact ? 0 : isExact ? -1 : 1
    }
}

extension DecimalNumber: Comparable {
    /// Whether both are the same number, however written: 1.5 equals 1.50.
    public static func == (one: DecimalNumber, other: DecimalNumber) -> Bool { one.compare(other) == 0 }

    /// Whether the first is less, exactly.
    public static func < (one: DecimalNumber, other: DecimalNumber) -> Bool { one.compare(other) < 0 }
}
