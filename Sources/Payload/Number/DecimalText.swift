/// A finite decimal number as text, taken apart in one pass: sign, digits, exponent.
///
/// The grammar is the one of JSON numbers and of what people type into cells: white space around it, a sign, digits with at most one
/// point anywhere among them, an exponent: "-1.5e3", "+7", ".5", "5.". No nan, no infinity, no underscores, no hexadecimal.
public struct DecimalText {
    /// Whether a minus stands in front; a zero may have one.
    public let isNegative: Bool
    /// The digits with the point among them, if there is one; zeros in front and behind are kept.
    public let digits: UnsafeRawBufferPointer
    /// The power of ten written behind `e`; 1,000,000,000 stands for anything larger.
    public let writtenExponent: Int

    /// The first 19 significant digits; all of them unless `isCut`.
    let mantissa: UInt64
    /// The power of ten of the mantissa's last digit.
    let exponent: Int
    /// Whether digits other than zeros stand behind the mantissa.
    let isCut: Bool
    /// Whether more than 19 significant digits are written, zeros at the end included.
    let isLong: Bool
    /// The power of ten of the last digit that is not zero; only where `isCut`.
    let lowestExponent: Int

    /// Reads a text; nil where it is no number.
    @inline(__always) public init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        var place = base.assumingMemoryBound(to: UInt8.self)
        var end = place + bytes.count
        while place < end, Self.isSpace(place.pointee) { place += 1 }
        while place < end, Self.isSpace(end[-1]) { end -= 1 }
        guard place < end else { return nil }

        isNegative = place.pointee == UInt8(ascii: "-")
        if isNegative || place.pointee == UInt8(ascii: "+") { place += 1 }
        let first = place
        var mantissa: UInt64 = 0
        while place < end, place.pointee &- 0x30 < 10 {
            mantissa = mantissa &* 10 &+ UInt64(place.pointee &- 0x30)
            place += 1
        }
        var digitCount = place - first
        var exponent = 0
        if place < end, place.pointee == UInt8(ascii: ".") {
            place += 1
            let fraction = place
            while place < end, place.pointee &- 0x30 < 10 {
                mantissa = mantissa &* 10 &+ UInt64(place.pointee &- 0x30)
                place += 1
            }
            exponent = fraction - place
            digitCount = digitCount &- exponent
        }
        guard digitCount > 0 else { return nil }
        digits = UnsafeRawBufferPointer(start: first, count: place - first)

        var written = 0
        if place < end {
            guard place.pointee | 0x20 == UInt8(ascii: "e"), let value = Self.exponent(place + 1, end: end) else { return nil }
            written = value
        }
        writtenExponent = written
        if _fastPath(digitCount <= 19) {
            self.mantissa = mantissa
            self.exponent = exponent &+ written
            isCut = false
            isLong = false
            lowestExponent = 0
        } else {
            // The sum above has wrapped around, unless most digits are zeros in front.
            let leading = LeadingDigits<UInt64>(digits, max: 19)
            self.mantissa = leading.significand
            self.exponent = leading.exponent &+ written
            isCut = leading.isCut
            isLong = leading.isLong
            lowestExponent = leading.lowestExponent &+ written
        }
    }

    /// White space that `Decimal` of Python strips too: space, tab, LF, VT, FF, CR.
    @inline(always) private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 0x09 < 5 }

    private static func exponent(_ place: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> Int? {
        var place = place
        let isNegative = place < end && place.pointee == UInt8(ascii: "-")
        if isNegative || (place < end && place.pointee == UInt8(ascii: "+")) { place += 1 }
        guard place < end else { return nil }
        var exponent = 0
        while place < end {
            let digit = place.pointee &- 0x30
            guard digit < 10 else { return nil }
            exponent = exponent < 100_000_000 ? exponent &* 10 &+ Int(digit) : 1_000_000_000
            place += 1
        }
        return isNegative ? -exponent : exponent
    }
}

/// The first significant digits of a long number, and whether what follows them matters.
struct LeadingDigits<Significand: FixedWidthInteger & UnsignedInteger> {
    var significand: Significand = 0
    /// The power of ten of the significand's last digit, without the exponent written in the text.
    var exponent = 0
    /// Whether any digit behind the significand is not zero.
    var isCut = false
    /// Whether any digit stands behind the significand.
    var isLong = false
    /// The power of ten of the last digit that is not zero.
    var lowestExponent = 0

    /// - Parameter digits: digits with at most one point among them.
    init(_ digits: UnsafeRawBufferPointer, max: Int) {
        var taken = 0
        // The power of ten of the next digit, plus one.
        var position = digits.firstIndex(of: UInt8(ascii: ".")) ?? digits.count
        exponent = position
        for byte in digits where byte != UInt8(ascii: ".") {
            position &-= 1
            let digit = byte &- 0x30
            if digit != 0 { lowestExponent = position }
            if taken == max {
                isLong = true
                isCut = isCut || digit != 0
            } else if taken > 0 || digit != 0 {
                significand = significand &* 10 &+ Significand(truncatingIfNeeded: digit)
                taken &+= 1
                exponent = position
            } else {
                exponent = position
            }
        }
    }
}
