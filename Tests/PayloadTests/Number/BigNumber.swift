@testable import Payload

/// Whole numbers of any length as lists of decimal digits, lowest first: slow, and plain enough to be believed.
struct BigNumber: Equatable {
    var isNegative = false
    var digits: [Int]

    init(_ digits: [Int], isNegative: Bool = false) {
        self.digits = digits
        while self.digits.last == 0 { self.digits.removeLast() }
        self.isNegative = isNegative && !self.digits.isEmpty
    }

    init(_ number: UInt128) { self.init(String(number).reversed().compactMap(\.wholeNumberValue)) }

    /// The number at the place of the lower exponent `lower`.
    init(_ number: DecimalNumber, at lower: Int) {
        self.init(
            Array(repeating: 0, count: Int(number.exponent) - lower) + BigNumber(number.significand).digits, isNegative: number.isNegative)
    }

    static func compareMagnitude(_ one: [Int], _ other: [Int]) -> Int {
        if one.count != other.count { return one.count < other.count ? -1 : 1 }
        for (first, second) in zip(one.reversed(), other.reversed()) where first != second { return first < second ? -1 : 1 }
        return 0
    }

    static func compare(_ one: BigNumber, _ other: BigNumber) -> Int {
        if one.isNegative != other.isNegative { return one.isNegative ? -1 : 1 }
        return compareMagnitude(one.digits, other.digits) * (one.isNegative ? -1 : 1)
    }

    static func + (one: BigNumber, other: BigNumber) -> BigNumber {
        func digit(_ digits: [Int], _ index: Int) -> Int { index < digits.count ? digits[index] : 0 }
        var result: [Int] = []
        var carry = 0
        if one.isNegative == other.isNegative {
            for index in 0..<max(one.digits.count, other.digits.count) + 1 {
                carry += digit(one.digits, index) + digit(other.digits, index)
                result.append(carry % 10)
                carry /= 10
            }
            return BigNumber(result, isNegative: one.isNegative)
        }
        let (large, small) = compareMagnitude(one.digits, other.digits) >= 0 ? (one, other) : (other, one)
        for index in large.digits.indices {
            carry += digit(large.digits, index) - digit(small.digits, index)
            result.append((carry + 10) % 10)
            carry = carry < 0 ? -1 : 0
        }
        return BigNumber(result, isNegative: large.isNegative)
    }

    static prefix func - (number: BigNumber) -> BigNumber { BigNumber(number.digits, isNegative: !number.isNegative) }

    static func * (one: BigNumber, other: BigNumber) -> BigNumber {
        var result = Array(repeating: 0, count: one.digits.count + other.digits.count + 1)
        for (index, first) in one.digits.enumerated() {
            var carry = 0
            for (offset, second) in other.digits.enumerated() {
                carry += result[index + offset] + first * second
                result[index + offset] = carry % 10
                carry /= 10
            }
            result[index + other.digits.count] += carry
        }
        return BigNumber(result, isNegative: one.isNegative != other.isNegative)
    }
}
