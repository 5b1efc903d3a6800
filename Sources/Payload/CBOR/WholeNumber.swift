/// A whole number that 64 bits may not hold, as large as a message may bring one: what a bignum or a fraction of CBOR is worked out with.
struct WholeNumber {
    /// The most bits a number may have. Larger ones are no measurements, and writing them in decimal costs the square of their length.
    static let bitsMax = 2048

    /// The lowest first; the highest is not 0, and 0 has none.
    private var limbs: [UInt64]

    init(_ value: UInt64) { limbs = value == 0 ? [] : [value] }

    /// Appends bytes as the lower digits of the number to the base of 256; false where it would have more than `bitsMax` bits.
    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        while place < bytes.count {
            // As many at once as a factor of 64 bits allows.
            let count = min(7, bytes.count - place)
            var digits: UInt64 = 0
            for offset in 0..<count { digits = digits << 8 | UInt64(bytes[place + offset]) }
            guard multiply(by: 1 << UInt64(8 * count), adding: digits) else { return false }
            place += count
        }
        return true
    }

    /// False, with the number as it was or larger, where it would have more than `bitsMax` bits.
    mutating func multiply(by factor: UInt64, adding addend: UInt64 = 0) -> Bool {
        var carry = addend
        for index in limbs.indices {
            let (high, low) = limbs[index].multipliedFullWidth(by: factor)
            let (sum, isOver) = low.addingReportingOverflow(carry)
            limbs[index] = sum
            carry = high &+ (isOver ? 1 : 0)
        }
        if carry != 0 { limbs.append(carry) }
        return limbs.count * 64 <= Self.bitsMax
    }

    /// Multiplies by base^exponent; false where the number would have more than `bitsMax` bits.
    private mutating func multiply(byPowerOf base: UInt64, _ exponent: Int64) -> Bool {
        // As many factors at once as 64 bits hold of 2 and of 5.
        var left = exponent
        while left > 0 {
            let step = min(27, left)
            var power: UInt64 = 1
            for _ in 0..<step { power &*= base }
            guard multiply(by: power) else { return false }
            left -= step
        }
        return true
    }

    /// Multiplies by 2^exponent so that a power of ten is left over, and gives that; nil where the digits have more than `bitsMax` bits.
    /// 3 · 2⁻¹ becomes 15, with 10⁻¹ left over.
    mutating func timesPowerOfTwo(_ exponent: Int64) -> Int64? {
        guard !limbs.isEmpty else { return 0 }
        guard exponent.magnitude <= UInt64(Self.bitsMax) else { return nil }
        if exponent >= 0 { return multiply(byPowerOf: 2, exponent) ? 0 : nil }
        // Halved while it can be; then each half that is missing is a 5 and a tenth.
        var left = -exponent
        while left >= 64, limbs.first == 0 {
            limbs.removeFirst()
            left -= 64
        }
        let halvings = min(left, 63, Int64((limbs.first ?? 1).trailingZeroBitCount))
        if halvings > 0 { shiftRight(UInt64(halvings)) }
        left -= halvings
        return multiply(byPowerOf: 5, left) ? -left : nil
    }

    /// - Parameter bits: 1 to 63, all of them 0.
    private mutating func shiftRight(_ bits: UInt64) {
        for index in limbs.indices {
            let above = index + 1 < limbs.count ? limbs[index + 1] : 0
            limbs[index] = limbs[index] >> bits | above << (64 - bits)
        }
        while limbs.last == 0 { limbs.removeLast() }
    }

    /// Decimal digits as ASCII; "0" for 0.
    var digits: [UInt8] {
        var rest = limbs
        // The lowest first, 19 digits a step.
        var reversed: [UInt8] = []
        while !rest.isEmpty {
            var remainder: UInt64 = 0
            for index in rest.indices.reversed() {
                (rest[index], remainder) = PowersOfTen.small[19].dividingFullWidth((remainder, rest[index]))
            }
            while rest.last == 0 { rest.removeLast() }
            for _ in 0..<19 {
                reversed.append(0x30 + UInt8(truncatingIfNeeded: remainder % 10))
                remainder /= 10
            }
        }
        while reversed.last == 0x30 { reversed.removeLast() }
        return reversed.isEmpty ? [0x30] : reversed.reversed()
    }
}
