extension DecimalNumber {
    /// Reads decimal text; nil where it is no finite number.
    public init?(_ text: String) {
        var text = text
        guard let number = text.withUTF8({ DecimalNumber(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = number
    }

    /// The nearest whole number, half to even; nil beyond 64 bits, or where digits were cut.
    public func roundedInt64() -> Int64? {
        guard isExact else { return nil }
        guard exponent < 0 else { return try? int64() }
        guard exponent >= -Int32(Self.digitsMax) else { return 0 }
        let power = PowersOfTen.large(Int(-exponent))
        let (quotient, remainder) = significand.quotientAndRemainder(dividingBy: power)
        let isUp = remainder > power - remainder || (remainder == power - remainder && quotient & 1 == 1)
        let magnitude = isUp ? quotient + 1 : quotient
        guard magnitude <= UInt128(UInt64.max) else { return nil }
        let whole = UInt64(truncatingIfNeeded: magnitude)
        if isNegative { return whole <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- whole) : nil }
        return Int64(exactly: whole)
    }
}
