/// Powers of ten that fit their type.
enum PowersOfTen {
    /// 10⁰ … 10¹⁹.
    static let small: [UInt64] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
        1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
        100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ]

    /// 10^exponent, for 0 … 38.
    static func large(_ exponent: Int) -> UInt128 {
        exponent <= 19 ? UInt128(small[exponent]) : UInt128(small[19]) * UInt128(small[exponent - 19])
    }

    /// Decimal digits of a number: 1 for 0.
    static func digitCount(_ number: UInt128) -> Int {
        // log₁₀2 = 0.30103: the estimate is right or one too low.
        let estimate = ((128 - (number | 1).leadingZeroBitCount) * 1233) >> 12
        return number >= large(min(estimate, 38)) && estimate <= 38 ? estimate + 1 : max(estimate, 1)
    }
}
