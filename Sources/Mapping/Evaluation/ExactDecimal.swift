import Payload

/// A decimal number, exact as long as it fits: significand × 10^exponent.
///
/// For the steps that need arithmetic (scale, offset, unit conversion, limits, time units). Readings without such a step never become one.
struct ExactDecimal: Equatable, Sendable {
    var significand: Int128
    var exponent: Int

    init(_ significand: Int128, exponent: Int = 0) {
        self.significand = significand
        self.exponent = exponent
    }

    /// Reads decimal text; nil when it is no finite number, or has more significant digits than 128 bits hold.
    init?(_ text: UnsafeRawBufferPointer) {
        var significand: Int128 = 0
        var exponent = 0
        var digits = 0
        var isFraction = false
        var index = 0
        var end = text.count
        while index < end, Self.isSpace(text[index]) { index += 1 }
        while end > index, Self.isSpace(text[end - 1]) { end -= 1 }
        var isNegative = false
        if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            isNegative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        scan: while index < end {
            let byte = text[index]
            switch byte {
            case 0x30...0x39:
                let (product, overflow) = significand.multipliedReportingOverflow(by: 10)
                let (sum, overflowed) = product.addingReportingOverflow(Int128(byte - 0x30))
                if overflow || overflowed {
                    guard byte == 0x30 else { return nil }
                    if !isFraction { exponent += 1 }
                } else {
                    significand = sum
                    if isFraction { exponent -= 1 }
                }
                digits += 1
            case UInt8(ascii: "."):
                guard !isFraction else { return nil }
                isFraction = true
            default: break scan
            }
            index += 1
        }
        guard digits > 0 else { return nil }
        if index < end {
            guard text[index] | 0x20 == UInt8(ascii: "e") else { return nil }
            index += 1
            var isBelow = false
            if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
                isBelow = text[index] == UInt8(ascii: "-")
                index += 1
            }
            guard index < end else { return nil }
            var written = 0
            while index < end {
                guard text[index] >= 0x30, text[index] <= 0x39 else { return nil }
                written = min(written * 10 + Int(text[index] - 0x30), 1_000_000_000)
                index += 1
            }
            exponent += isBelow ? -written : written
        }
        self.significand = isNegative ? -significand : significand
        self.exponent = self.significand == 0 ? 0 : exponent
    }

    init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { ExactDecimal(UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

    // MARK: Arithmetic (nil on overflow)

    func times(_ other: ExactDecimal) -> ExactDecimal? {
        let (product, overflow) = significand.multipliedReportingOverflow(by: other.significand)
        return overflow ? nil : ExactDecimal(product, exponent: exponent + other.exponent)
    }

    func plus(_ other: ExactDecimal) -> ExactDecimal? {
        if significand == 0 { return other }
        if other.significand == 0 { return self }
        guard let (left, right, exponent) = Self.aligned(self, other) else { return nil }
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? nil : ExactDecimal(sum, exponent: exponent)
    }

    /// Division by a positive whole number, to about 30 significant digits, half to even.
    func divided(by divisor: Int64) -> ExactDecimal? {
        guard divisor != 1 else { return self }
        var numerator = significand
        var exponent = exponent
        while numerator != 0, exponent > -400 {
            let (larger, overflow) = numerator.multipliedReportingOverflow(by: 10)
            // One digit of room stays for the rounding.
            if overflow || larger.magnitude > UInt128(Int128.max / 100) || larger % Int128(divisor) == 0 && numerator % Int128(divisor) == 0
            {
                break
            }
            numerator = larger
            exponent -= 1
        }
        return ExactDecimal(Self.roundedQuotient(numerator, Int128(divisor)), exponent: exponent)
    }

    var negated: ExactDecimal { ExactDecimal(-significand, exponent: exponent) }

    /// The nearest whole number, half to even; nil beyond 64 bits.
    func roundedToInt64() -> Int64? {
        if exponent >= 0 {
            guard exponent <= 19 || significand == 0, let power = Self.power(significand == 0 ? 0 : exponent) else { return nil }
            let (product, overflow) = significand.multipliedReportingOverflow(by: power)
            return overflow ? nil : Int64(exactly: product)
        }
        guard let power = Self.power(-exponent) else { return 0 }
        return Int64(exactly: Self.roundedQuotient(significand, power))
    }

    private static func roundedQuotient(_ numerator: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: divisor)
        let twice = remainder.magnitude * 2
        let isUp = twice > divisor.magnitude || (twice == divisor.magnitude && quotient & 1 != 0)
        guard isUp else { return quotient }
        return numerator < 0 ? quotient - 1 : quotient + 1
    }

    /// Whether it is smaller; exact for any exponents.
    func isLess(than other: ExactDecimal) -> Bool {
        if let (left, right, _) = Self.aligned(self, other) { return left < right }
        // They differ by more than 10³⁸: the signs, then the magnitudes tell.
        if significand.signum() != other.significand.signum() { return significand < other.significand }
        let isSmaller = digitCount + exponent < other.digitCount + other.exponent
        return significand < 0 ? !isSmaller : isSmaller
    }

    static func == (left: ExactDecimal, right: ExactDecimal) -> Bool { !left.isLess(than: right) && !right.isLess(than: left) }

    private var digitCount: Int { String(significand.magnitude).utf8.count }

    private static func aligned(_ left: ExactDecimal, _ right: ExactDecimal) -> (Int128, Int128, Int)? {
        if left.exponent == right.exponent { return (left.significand, right.significand, left.exponent) }
        let low = min(left.exponent, right.exponent)
        guard let leftPower = power(left.significand == 0 ? 0 : left.exponent - low),
            let rightPower = power(right.significand == 0 ? 0 : right.exponent - low)
        else { return nil }
        let (leftValue, leftOverflow) = left.significand.multipliedReportingOverflow(by: leftPower)
        let (rightValue, rightOverflow) = right.significand.multipliedReportingOverflow(by: rightPower)
        return leftOverflow || rightOverflow ? nil : (leftValue, rightValue, low)
    }

    private static func power(_ exponent: Int) -> Int128? {
        guard exponent >= 0, exponent <= 38 else { return nil }
        var power: Int128 = 1
        for _ in 0..<exponent { power *= 10 }
        return power
    }

    // MARK: Results

    /// The nearest double where one operation gives it; nil where the text has to be read.
    var simpleDouble: Double? {
        guard significand.magnitude < 1 << 53, exponent >= -22, exponent <= 22 else { return nil }
        let value = Double(Int64(significand))
        return exponent < 0 ? value / Self.powersOfTen[-exponent] : value * Self.powersOfTen[exponent]
    }

    private static let powersOfTen: [Double] = (0...22).map { Double("1e\($0)") ?? 0 }

    /// Writes `-123e-4`; gives its length. Room for 64 bytes is enough.
    func write(into target: UnsafeMutableRawPointer) -> Int {
        var count = 0
        func put(_ byte: UInt8) {
            target.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
            count += 1
        }
        func put(_ number: UInt128) {
            var digits: [UInt8] = []
            var rest = number
            repeat {
                digits.append(UInt8(truncatingIfNeeded: rest % 10) + 0x30)
                rest /= 10
            } while rest > 0
            for digit in digits.reversed() { put(digit) }
        }
        if significand < 0 { put(UInt8(ascii: "-")) }
        put(significand.magnitude)
        if exponent != 0 {
            put(UInt8(ascii: "e"))
            if exponent < 0 { put(UInt8(ascii: "-")) }
            put(UInt128(exponent.magnitude))
        }
        return count
    }

    /// As people write it: `-0.0123`.
    var text: String {
        var digits = String(significand.magnitude)
        if exponent >= 0, exponent <= 40 {
            digits += String(repeating: "0", count: significand == 0 ? 0 : exponent)
        } else if exponent < 0, exponent >= -60 {
            if digits.count <= -exponent { digits = String(repeating: "0", count: 1 - exponent - digits.count) + digits }
            digits.insert(".", at: digits.index(digits.endIndex, offsetBy: exponent))
            while digits.last == "0" { digits.removeLast() }
            if digits.last == "." { digits.removeLast() }
        } else {
            digits += "e\(exponent)"
        }
        return (significand < 0 ? "-" : "") + digits
    }
}
