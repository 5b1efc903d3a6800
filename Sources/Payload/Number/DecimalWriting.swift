extension DecimalNumber: CustomStringConvertible {
    /// Room that `write` needs, in bytes.
    public static let textBytesMax = 80

    /// Writes the number as ASCII text and gives its length: plainly (-0.00150) where neither 40 zeros stand behind nor 40 between point
    /// and digits, otherwise as 1.5e-400. Both are what PostgreSQL's numeric and JSON read.
    /// - Parameter target: has room for `textBytesMax` bytes.
    public func write(into target: UnsafeMutableRawPointer) -> Int {
        var count = 0
        func append(_ byte: UInt8) {
            target.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
            count += 1
        }
        if isNegative { append(UInt8(ascii: "-")) }
        let digitCount = self.digitCount
        let exponent = Int(self.exponent)
        if exponent > 0 {
            guard exponent < 40 else { return writeScientific(into: target, from: count, digitCount: digitCount) }
            Self.writeDigits(significand, count: digitCount, into: target + count)
            count += digitCount
            if !isZero { for _ in 0..<exponent { append(UInt8(ascii: "0")) } }
        } else if digitCount + exponent > 0 {
            let whole = digitCount + exponent
            Self.writeDigits(significand, count: digitCount, into: target + count)
            if exponent < 0 {
                for offset in stride(from: digitCount - 1, through: whole, by: -1) {
                    let byte = target.load(fromByteOffset: count + offset, as: UInt8.self)
                    target.storeBytes(of: byte, toByteOffset: count + offset + 1, as: UInt8.self)
                }
                target.storeBytes(of: UInt8(ascii: "."), toByteOffset: count + whole, as: UInt8.self)
                count += 1
            }
            count += digitCount
        } else {
            let zeros = -exponent - digitCount
            guard zeros < 40 else {
                return writeScientific(into: target, from: count, digitCount: digitCount)
            }
            append(UInt8(ascii: "0"))
            append(UInt8(ascii: "."))
            for _ in 0..<zeros { append(UInt8(ascii: "0")) }
            Self.writeDigits(significand, count: digitCount, into: target + count)
            count += digitCount
        }
        return count
    }

    private func writeScientific(into target: UnsafeMutableRawPointer, from begin: Int, digitCount: Int) -> Int {
        var count = begin
        func append(_ byte: UInt8) {
            target.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
            count += 1
        }
        let power = PowersOfTen.large(digitCount - 1)
        append(0x30 + UInt8(truncatingIfNeeded: significand / power))
        if digitCount > 1 {
            append(UInt8(ascii: "."))
            Self.writeDigits(significand % power, count: digitCount - 1, into: target + count)
            count += digitCount - 1
        }
        let scale = Int(exponent) + digitCount - 1
        append(UInt8(ascii: "e"))
        append(UInt8(ascii: scale < 0 ? "-" : "+"))
        let scaleDigits = PowersOfTen.digitCount(UInt128(scale.magnitude))
        Self.writeDigits(UInt128(scale.magnitude), count: scaleDigits, into: target + count)
        return count + scaleDigits
    }

    /// Writes exactly `count` digits, with zeros in front where the number has fewer.
    private static func writeDigits(_ number: UInt128, count: Int, into target: UnsafeMutableRawPointer) {
        var rest = number
        var place = count
        // 19 digits a step, so that all but two divisions are of 64 bits.
        while place > 0 {
            var part: UInt64
            if let small = UInt64(exactly: rest), place <= 19 {
                part = small
                rest = 0
            } else {
                let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: UInt128(PowersOfTen.small[19]))
                part = UInt64(truncatingIfNeeded: remainder)
                rest = quotient
            }
            for _ in 0..<min(19, place) {
                place -= 1
                target.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: part % 10), toByteOffset: place, as: UInt8.self)
                part /= 10
            }
        }
    }

    /// The number as `write` writes it.
    public var description: String { withText { String(decoding: $0, as: UTF8.self) } }

    /// Calls `body` with the number as `write` writes it, on the stack.
    func withText<Result, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Result) throws(Failure) -> Result {
        var storage: (UInt128, UInt128, UInt128, UInt128, UInt128) = (0, 0, 0, 0, 0)
        return try withUnsafeMutableBytes(of: &storage) { target throws(Failure) in
            // 5 · 16 bytes are `textBytesMax`.
            guard let base = target.baseAddress else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
            return try body(UnsafeRawBufferPointer(rebasing: target[..<write(into: base)]))
        }
    }
}
