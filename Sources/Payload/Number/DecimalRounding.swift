import Glibc

/// Decimal to binary, correctly rounded (to nearest, ties to even), from a whole mantissa and a power of ten.
///
/// Three ways, the cheapest first: both factors exact in the type, so that one operation rounds (Clinger, "How to read floating point
/// numbers accurately", 1990); up to 19 digits times or through up to 10²⁷, where 128 bits hold the product or quotient exactly; glibc's
/// strtod.
enum DecimalRounding {
    private static let doublePowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
    private static let floatPowers: [Float] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]
    private static let powersOfFive: [UInt64] = {
        var powers: [UInt64] = [1]
        for _ in 0..<27 { powers.append(powers[powers.count - 1] * 5) }
        return powers
    }()

    /// The nearest double, or nil where only the library can tell.
    @inline(always) static func double(_ mantissa: UInt64, exponent: Int) -> Double? {
        if _fastPath(mantissa <= 1 << 53 && exponent >= -22 && exponent <= 22) {
            let value = Double(mantissa)
            return exponent < 0 ? value / doublePowers[0 &- exponent] : value * doublePowers[exponent]
        }
        return longDouble(mantissa, exponent: exponent)
    }

    /// The nearest float, infinite where it is out of range, or nil where only the library can tell.
    @inline(always) static func float(_ mantissa: UInt64, exponent: Int) -> Float? {
        if _fastPath(mantissa <= 1 << 24 && exponent >= -10 && exponent <= 10) {
            let value = Float(mantissa)
            return exponent < 0 ? value / floatPowers[0 &- exponent] : value * floatPowers[exponent]
        }
        return longFloat(mantissa, exponent: exponent)
    }

    @inline(never) private static func longDouble(_ mantissa: UInt64, exponent: Int) -> Double? {
        guard mantissa != 0 else { return 0 }
        guard exponent >= -27, exponent <= 27 else { return nil }
        // 10⁻²⁷ … 2⁶⁴ · 10²⁷ is well inside the range of normal doubles.
        let (significand, power) = rounded(mantissa, exponent: exponent, bits: 53)
        return Double(bitPattern: UInt64(power &+ 52 &+ 1023) &<< 52 | significand & 0xF_FFFF_FFFF_FFFF)
    }

    @inline(never) private static func longFloat(_ mantissa: UInt64, exponent: Int) -> Float? {
        guard mantissa != 0 else { return 0 }
        guard exponent >= -27, exponent <= 27 else { return nil }
        let (significand, power) = rounded(mantissa, exponent: exponent, bits: 24)
        let biased = power &+ 23 &+ 127
        guard biased < 255 else { return .infinity }
        return Float(bitPattern: UInt32(biased) &<< 23 | UInt32(truncatingIfNeeded: significand) & 0x7F_FFFF)
    }

    /// mantissa · 10^exponent as a significand of exactly so many bits times a power of two. The mantissa is not 0, the exponent within
    /// ±27.
    private static func rounded(_ mantissa: UInt64, exponent: Int, bits: Int) -> (significand: UInt64, power: Int) {
        let five = powersOfFive[abs(exponent)]
        // The top 64 bits, whether anything but zeros follows them, and the power of two of the last of the 64.
        var top: UInt64
        var isInexact: Bool
        var power: Int
        if exponent >= 0 {
            let (high, low) = mantissa.multipliedFullWidth(by: five)
            let product = UInt128(high) << 64 | UInt128(low)
            let shift = product.leadingZeroBitCount
            let normalized = product << UInt128(shift)
            top = UInt64(truncatingIfNeeded: normalized >> 64)
            isInexact = UInt64(truncatingIfNeeded: normalized) != 0
            power = exponent + 64 - shift
        } else {
            let mantissaShift = mantissa.leadingZeroBitCount
            let fiveShift = five.leadingZeroBitCount
            let dividend = mantissa << UInt64(mantissaShift)
            let (quotient, remainder) = (five << UInt64(fiveShift)).dividingFullWidth((dividend >> 1, dividend << 63))
            let shift = quotient.leadingZeroBitCount
            top = quotient << UInt64(shift)
            isInexact = remainder != 0
            power = fiveShift - mantissaShift - 63 + exponent - shift
        }
        let dropped = 64 - bits
        let half = UInt64(1) << UInt64(dropped - 1)
        let below = top & (half << 1 - 1)
        var significand = top >> UInt64(dropped)
        if below > half || (below == half && (isInexact || significand & 1 == 1)) {
            significand += 1
            if significand >> UInt64(bits) == 1 {
                significand >>= 1
                power += 1
            }
        }
        return (significand, power + dropped)
    }

    /// The whole number mantissa · 10^exponent.
    @inline(always) static func int64(_ mantissa: UInt64, exponent: Int, isNegative: Bool) throws(NumberError) -> Int64 {
        var magnitude = mantissa
        if _slowPath(exponent != 0) { magnitude = try scaled(mantissa, exponent: exponent) }
        guard _fastPath(magnitude <= 1 << 63 &- (isNegative ? 0 : 1)) else { throw .outOfRange }
        return Int64(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude)
    }

    @inline(never) private static func scaled(_ mantissa: UInt64, exponent: Int) throws(NumberError) -> UInt64 {
        guard mantissa != 0 else { return 0 }
        if exponent < 0 {
            guard exponent >= -19 else { throw .notWhole }
            let (quotient, remainder) = mantissa.quotientAndRemainder(dividingBy: PowersOfTen.small[-exponent])
            guard remainder == 0 else { throw .notWhole }
            return quotient
        }
        guard exponent <= 19 else { throw .outOfRange }
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: PowersOfTen.small[exponent])
        guard !overflow else { throw .outOfRange }
        return product
    }

    // MARK: The library's way

    /// No halfway point between two doubles has more significant digits (the longest has 767, near the smallest normal one), so digits
    /// behind these only tell whether the number lies above it.
    private static let digitsMax = 800
    private static let textBytesMax = digitsMax + 32

    @inline(never) static func libraryDouble(_ text: DecimalText) -> Double {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: textBytesMax) { target -> Double in
            guard let base = target.baseAddress else { return .nan }
            write(text, into: UnsafeMutableRawBufferPointer(target))
            return strtod(base, nil)
        }
    }

    @inline(never) static func libraryFloat(_ text: DecimalText) -> Float {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: textBytesMax) { target -> Float in
            guard let base = target.baseAddress else { return .nan }
            write(text, into: UnsafeMutableRawBufferPointer(target))
            return strtof(base, nil)
        }
    }

    /// Sign, at most 800 digits without a point (its sign would depend on the locale), one more for what was cut, the exponent, a NUL.
    private static func write(_ text: DecimalText, into target: UnsafeMutableRawBufferPointer) {
        var count = 0
        func append(_ byte: UInt8) {
            target[count] = byte
            count += 1
        }
        if text.isNegative { append(UInt8(ascii: "-")) }
        let begin = count
        var position = text.digits.firstIndex(of: UInt8(ascii: ".")) ?? text.digits.count
        var exponent = position
        var isCut = false
        for byte in text.digits where byte != UInt8(ascii: ".") {
            position -= 1
            if count - begin == digitsMax {
                isCut = isCut || byte != UInt8(ascii: "0")
            } else if count > begin || byte != UInt8(ascii: "0") {
                append(byte)
                exponent = position
            }
        }
        if count == begin { append(UInt8(ascii: "0")) }
        if isCut {
            append(UInt8(ascii: "1"))
            exponent -= 1
        }
        exponent += text.writtenExponent
        append(UInt8(ascii: "e"))
        if exponent < 0 { append(UInt8(ascii: "-")) }
        var divisor: UInt = 1_000_000_000_000
        var rest = exponent.magnitude
        while divisor > 0 {
            append(0x30 + UInt8(truncatingIfNeeded: rest / divisor % 10))
            rest %= divisor
            divisor /= 10
        }
        append(0)
    }
}
