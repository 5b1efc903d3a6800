/// A decimal number of up to 38 digits: (−1)^isNegative · significand · 10^exponent. Exact, with the zeros that were written: 1.50 is 150
/// · 10⁻².
public struct DecimalNumber: Sendable {
    /// Whether a minus stands in front; a zero may have one.
    public var isNegative: Bool
    /// Whether the number is all of what was read. Where it is not, `significand` holds the first 38 digits and more follow that are not
    /// all zeros: who needs them takes them from the text, with `DecimalText`.
    public private(set) var isExact = true
    /// Whether digits that were cut stand behind the point for certain.
    private var isCutBelowUnits = false
    /// The power of ten of the significand's last digit, within ±2,000,000,000.
    public var exponent: Int32
    /// Less than 10³⁸.
    public var significand: UInt128

    /// The largest number of digits.
    public static let digitsMax = 38
    static let exponentMax = 2_000_000_000

    /// The number whose parts are these; nil where the significand has more than 38 digits.
    public init?(isNegative: Bool = false, significand: UInt128, exponent: Int32) {
        guard significand < PowersOfTen.large(Self.digitsMax), abs(Int(exponent)) <= Self.exponentMax else { return nil }
        self.init(checked: significand, exponent: exponent, isNegative: isNegative)
    }

    init(checked significand: UInt128, exponent: Int32, isNegative: Bool) {
        self.isNegative = isNegative
        self.exponent = exponent
        self.significand = significand
    }

    /// Reads a text in the grammar of `DecimalText`; nil where it is no finite number. Exponents beyond ±10⁹ are brought to ±10⁹ and the
    /// number is not exact then.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard let text = DecimalText(bytes) else { return nil }
        self.init(text)
    }

    /// The number of a text that is taken apart already.
    public init(_ text: DecimalText) {
        isNegative = text.isNegative
        var wide = text.exponent
        if _fastPath(!text.isLong) {
            significand = UInt128(text.mantissa)
        } else {
            let leading = LeadingDigits<UInt128>(text.digits, max: Self.digitsMax)
            significand = leading.significand
            wide = leading.exponent + text.writtenExponent
            isExact = !leading.isCut
            isCutBelowUnits = leading.isCut && leading.lowestExponent + text.writtenExponent < 0
        }
        if _slowPath(abs(text.writtenExponent) >= 1_000_000_000), significand != 0 { isExact = false }
        exponent = Int32(truncatingIfNeeded: min(max(wide, -Self.exponentMax), Self.exponentMax))
    }

    /// The whole number `value`.
    public init(_ value: Int64) { self.init(checked: UInt128(value.magnitude), exponent: 0, isNegative: value < 0) }

    /// The whole number `value`.
    public init(_ value: UInt64) { self.init(checked: UInt128(value), exponent: 0, isNegative: false) }

    /// The shortest decimal number that reads back as `value`; nil where that is not finite.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        var text = value.description
        guard var number = text.withUTF8({ DecimalNumber(UnsafeRawBufferPointer($0)) }) else { return nil }
        // Swift writes 21 as "21.0", and so would a column of text show it.
        if number.exponent == -1, number.significand % 10 == 0 {
            number.significand /= 10
            number.exponent = 0
        }
        self = number
    }

    /// 0, whatever its sign and exponent.
    public var isZero: Bool { significand == 0 }

    /// Digits of the significand: 1 for 0.
    public var digitCount: Int { PowersOfTen.digitCount(significand) }

    /// Whether nothing stands behind the point. Digits cut from a number count where they can only stand there.
    public var isWhole: Bool {
        if isCutBelowUnits { return false }
        if exponent >= 0 || significand == 0 { return true }
        guard exponent >= -Int32(Self.digitsMax) else { return false }
        return significand % PowersOfTen.large(-Int(exponent)) == 0
    }

    /// The same number without zeros at the end of its significand; 0 · 10⁰ for any zero.
    public var normalized: DecimalNumber {
        guard significand != 0 else { return DecimalNumber(checked: 0, exponent: 0, isNegative: isNegative) }
        var number = self
        for step in [32, 16, 8, 4, 2, 1] {
            let power = PowersOfTen.large(step)
            while Int(number.exponent) + step <= Self.exponentMax {
                let (quotient, remainder) = number.significand.quotientAndRemainder(dividingBy: power)
                guard remainder == 0 else { break }
                number.significand = quotient
                number.exponent += Int32(step)
            }
        }
        return number
    }

    /// The number with the other sign.
    public static prefix func - (number: DecimalNumber) -> DecimalNumber {
        var number = number
        number.isNegative.toggle()
        return number
    }

    // MARK: To binary

    /// The whole number, exactly.
    /// - Throws: `notWhole` where a fraction is left; `outOfRange` beyond 64 bits.
    public func int64() throws(NumberError) -> Int64 {
        guard isWhole else { throw .notWhole }
        let plain = exponent == 0 ? self : normalized
        guard plain.isExact, let mantissa = UInt64(exactly: plain.significand) else {
            // A zero at the end may be what makes the significand too long: normalized numbers below 2⁶³ have at most 19 digits.
            throw .outOfRange
        }
        return try DecimalRounding.int64(mantissa, exponent: Int(plain.exponent), isNegative: isNegative)
    }

    /// The nearest double, ties to even. A number that is not exact counts as its 38 digits: `NumberText.double` rounds the whole text.
    /// - Throws: `outOfRange` where the nearest double would be infinite.
    public func double() throws(NumberError) -> Double {
        if let mantissa = UInt64(exactly: significand), let value = DecimalRounding.double(mantissa, exponent: Int(exponent)) {
            return isNegative ? -value : value
        }
        return try withText { bytes throws(NumberError) in try NumberText.double(bytes) }
    }

    /// The nearest float, rounded once; otherwise as `double()`.
    public func float() throws(NumberError) -> Float {
        if let mantissa = UInt64(exactly: significand), let value = DecimalRounding.float(mantissa, exponent: Int(exponent)) {
            guard value.isFinite else { throw .outOfRange }
            return isNegative ? -value : value
        }
        return try withText { bytes throws(NumberError) in try NumberText.float(bytes) }
    }
}
