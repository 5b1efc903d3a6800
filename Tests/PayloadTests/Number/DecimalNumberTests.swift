import Testing

@testable import Payload

@Suite("Decimal numbers are exact, or say that they are not")
struct DecimalNumberTests {
    private func number(_ text: String) throws -> DecimalNumber { try #require(withText(text) { DecimalNumber($0) }) }

    @Test(
        "a text becomes significand and exponent as it is written",
        arguments: [
            ("1.50", "150", -2), ("-007", "7", 0), ("1e3", "1", 3), ("0.00", "0", -2), ("2300e-2", "2300", -2),
            ("12345678901234567890", "12345678901234567890", 0),
            ("1.2345678901234567890123456789012345678", "12345678901234567890123456789012345678", -37),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999", 0),
            ("0.00000000000000000000000000000000000000000000000012", "12", -50),
            ("100000000000000000000000000000000000000000", "10000000000000000000000000000000000000", 4),
            ("1.00000000000000000000000000000000000000000", "10000000000000000000000000000000000000", -37),
        ])
    func parts(_ text: String, significand: String, exponent: Int) throws {
        let number = try number(text)
        #expect(String(number.significand) == significand)
        #expect(Int(number.exponent) == exponent)
        #expect(number.isNegative == text.hasPrefix("-"))
        #expect(number.isExact)
    }

    @Test("more than 38 digits are not exact, and the text still has them")
    func notExact() throws {
        for text in [
            "1.23456789012345678901234567890123456789", "123456789012345678901234567890123456789",
            "-0.0123456789012345678901234567890123456789e5",
        ] {
            let number = try number(text)
            #expect(!number.isExact)
            #expect(String(number.significand) == "12345678901234567890123456789012345678")
            #expect(number.adding(DecimalNumber(Int64(1))) == nil)
            #expect(number.multiplied(by: DecimalNumber(Int64(1))) == nil)
            withText(text) { bytes in
                let digits = DecimalText(bytes)?.digits.filter { $0 != UInt8(ascii: ".") }
                #expect(digits.map { String(decoding: $0, as: UTF8.self).hasSuffix("123456789012345678901234567890123456789") } == true)
            }
        }
        #expect(try !number("1e99999999999").isExact)
        #expect(try !number("1e-99999999999").isExact)
        #expect(try number("0e99999999999").isExact)
        #expect(try DecimalText.written("-1.5e-7") == -7)
    }

    @Test(
        "whole or not",
        arguments: [
            ("0", true), ("0.0", true), ("23", true), ("23.0", true), ("23.5", false), ("2300e-2", true), ("2350e-2", false),
            ("1e30", true), ("1e-1", false), ("1e-100", false),
            ("0e-100", true), ("123456789012345678901234567890123456789012345.5", false),
            ("123456789012345678901234567890123456789012345", true),
            ("1.00000000000000000000000000000000000000001", false), ("10000000000000000000000000000000000000e-37", true),
            ("1e99999999999", true), ("1e-99999999999", false),
        ])
    func isWhole(_ text: String, expected: Bool) throws {
        #expect(try number(text).isWhole == expected)
    }

    @Test(
        "numbers are written plainly while that is short",
        arguments: [
            ("0", "0"), ("-0", "-0"), ("0.00", "0.00"), ("1.50", "1.50"), ("-21.5", "-21.5"), ("1e3", "1000"), ("15e-1", "1.5"),
            ("1e-5", "0.00001"), ("0e5", "0"), ("100e-2", "1.00"), ("5e-1", "0.5"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("-1234567890123456789012345678901234567.8", "-1234567890123456789012345678901234567.8"),
            ("1.2345678901234567890123456789012345678", "1.2345678901234567890123456789012345678"),
            ("10000000000000000000", "10000000000000000000"),
            ("10000000000000000000.000000000000000001", "10000000000000000000.000000000000000001"),
            ("1e39", "1000000000000000000000000000000000000000"), ("1e40", "1e+40"),
            ("1e-40", "0." + String(repeating: "0", count: 39) + "1"), ("1e-41", "1e-41"),
            ("-1.5e400", "-1.5e+400"), ("12345678901234567890123456789012345678e-400", "1.2345678901234567890123456789012345678e-363"),
            (
                "-12345678901234567890123456789012345678e-77",
                "-0." + String(repeating: "0", count: 39) + "12345678901234567890123456789012345678"
            ),
            ("-99999999999999999999999999999999999999e39", "-" + String(repeating: "9", count: 38) + String(repeating: "0", count: 39)),
            ("1e99999999999", "1e+1000000000"),
        ])
    func writing(_ text: String, expected: String) throws {
        let number = try number(text)
        #expect(number.description == expected)
        let count = withGuardedBytes(Array(repeating: 0, count: DecimalNumber.textBytesMax)) { room in
            number.write(into: UnsafeMutableRawPointer(mutating: room.baseAddress.unsafelyUnwrapped))
        }
        #expect(count == expected.utf8.count)
    }

    @Test("binary numbers become the shortest decimal that means them")
    func fromBinary() {
        #expect(DecimalNumber(Int64.min).description == "-9223372036854775808")
        #expect(DecimalNumber(UInt64.max).description == "18446744073709551615")
        #expect(DecimalNumber(21.5)?.description == "21.5")
        #expect(DecimalNumber(21.0)?.description == "21")
        #expect(DecimalNumber(0.1)?.description == "0.1")
        #expect(DecimalNumber(-0.0)?.description == "-0")
        #expect(DecimalNumber(1e22)?.description == "10000000000000000000000")
        #expect(DecimalNumber(Double.leastNonzeroMagnitude)?.description == "5e-324")
        #expect(DecimalNumber(Double.nan) == nil)
        #expect(DecimalNumber(-Double.infinity) == nil)
        #expect(DecimalNumber(significand: UInt128.max, exponent: 0) == nil)
        #expect(DecimalNumber(significand: 1, exponent: .max) == nil)
    }

    /// A number whose digits, exponents and zeros are of every size.
    private func random(_ generator: inout SeededGenerator, exponents: ClosedRange<Int32> = -30...30) -> DecimalNumber {
        let wide = UInt128(generator.next()) << 64 | UInt128(generator.next())
        var significand = wide >> UInt128(Int.random(in: 2...128, using: &generator))
        significand %= PowersOfTen.large(38)
        if Int.random(in: 0..<4, using: &generator) == 0 { significand = significand / 1_000_000 * 1_000_000 }
        return DecimalNumber(
            checked: significand, exponent: Int32.random(in: exponents, using: &generator), isNegative: Bool.random(using: &generator))
    }

    @Test("sums, products and comparisons are those of plain arithmetic on digits", arguments: 0..<4)
    func arithmetic(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let limit = BigNumber(Array(repeating: 0, count: 38) + [1])
        func fits(_ number: BigNumber) -> Bool {
            BigNumber.compareMagnitude(Array(number.digits.drop { $0 == 0 }), limit.digits) < 0
        }
        var sums = 0
        var products = 0
        for round in 0..<3_000 {
            let one = random(&generator)
            var other = random(&generator, exponents: round % 2 == 0 ? -30...30 : one.exponent - 1...one.exponent + 1)
            if round % 10 == 0 { other = DecimalNumber(checked: one.significand, exponent: one.exponent, isNegative: !one.isNegative) }
            let lower = Int(min(one.exponent, other.exponent))
            let sum = BigNumber(one, at: lower) + BigNumber(other, at: lower)
            if let result = one.adding(other) {
                sums += 1
                let at = min(Int(result.exponent), lower)
                #expect(
                    BigNumber(result, at: at) == BigNumber(Array(repeating: 0, count: lower - at) + sum.digits, isNegative: sum.isNegative),
                    "\(one) + \(other)")
            } else {
                let (first, second) = (one.normalized, other.normalized)
                let top = max(Int(first.exponent) + first.digitCount, Int(second.exponent) + second.digitCount)
                let isSpanned = top - Int(min(first.exponent, second.exponent)) <= 38
                #expect(!isSpanned || !fits(sum), "\(one) + \(other) fits")
            }
            let product = BigNumber(one, at: Int(one.exponent)) * BigNumber(other, at: Int(other.exponent))
            if let result = one.multiplied(by: other) {
                products += 1
                let exponent = Int(one.exponent) + Int(other.exponent)
                #expect(
                    BigNumber(result, at: min(Int(result.exponent), exponent))
                        == BigNumber(
                            Array(repeating: 0, count: exponent - min(Int(result.exponent), exponent)) + product.digits,
                            isNegative: product.isNegative),
                    "\(one) * \(other)")
            } else {
                #expect(!fits(product), "\(one) * \(other) fits")
            }
            #expect(one.compare(other) == BigNumber.compare(BigNumber(one, at: lower), BigNumber(other, at: lower)), "\(one) <=> \(other)")
            #expect(one.compare(one.normalized) == 0)
            #expect((-one).compare(-other) == other.compare(one))
        }
        #expect(sums > 500 && products > 300)
    }

    @Test("sums and products at the edge of 38 digits")
    func edges() throws {
        func sum(_ one: String, _ other: String) throws -> String? { try number(one).adding(number(other))?.description }
        func product(_ one: String, _ other: String) throws -> String? { try number(one).multiplied(by: number(other))?.description }
        let nines = String(repeating: "9", count: 38)
        #expect(try sum(nines, "1") == "1" + String(repeating: "0", count: 38))
        #expect(try sum(nines, "2") == nil)
        #expect(try sum("1e37", "-1") == String(repeating: "9", count: 37))
        #expect(try sum("1e38", "1") == nil)
        #expect(try sum("0.00", "1e60") == "1e+60")
        #expect(try sum("1.50", "-1.5") == "0.00")
        #expect(try sum("-1.50", "0.5") == "-1.00")
        #expect(try sum("20", "-160e-1") == "4.0")
        #expect(try product("0.01", "-1000") == "-10.00")
        #expect(try product(nines, "10") == nines + "0")
        #expect(try product(nines, "2") == nil)
        let largest = try #require(DecimalNumber(significand: 5, exponent: 2_000_000_000))
        #expect(largest.multiplied(by: DecimalNumber(Int64(2)))?.description == "1.0e+2000000001")
        #expect(try largest.multiplied(by: number("2e1")) == nil)
        #expect(try product("0", "1e400") == "0e+400")
        let two = DecimalNumber(significand: 1 << 126, exponent: 0)
        let five = DecimalNumber(significand: (0..<54).reduce(1) { power, _ in power * 5 }, exponent: 0)
        #expect(
            try #require(two).multiplied(by: #require(five))?.description == DecimalNumber(significand: 1 << 72, exponent: 54)?.description)
    }

    @Test("a quotient is the nearest of 34 digits, halves to even", arguments: 0..<4)
    func division(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<2_000 {
            let dividend = random(&generator)
            let divisor =
                round % 3 == 0
                ? UInt64.random(in: 1...60, using: &generator) : max(1, generator.next() >> UInt64.random(in: 0..<64, using: &generator))
            let digits = round % 2 == 0 ? 34 : Int.random(in: 1...38, using: &generator)
            let quotient = dividend.divided(by: divisor, significantDigits: digits)
            #expect(quotient.digitCount <= digits)
            // |dividend − quotient · divisor| · 2 ≤ divisor, in units of the quotient's last digit; equal only when that digit is even.
            let lower = Int(min(dividend.exponent, quotient.exponent))
            let product = BigNumber(quotient, at: lower) * BigNumber(UInt128(divisor))
            let error = (BigNumber(dividend, at: lower) + -product) * BigNumber(2)
            let unit = BigNumber(Array(repeating: 0, count: Int(quotient.exponent) - lower) + BigNumber(UInt128(divisor)).digits)
            let order = BigNumber.compareMagnitude(error.digits, unit.digits)
            #expect(order < 0 || (order == 0 && quotient.significand % 2 == 0), "\(dividend) / \(divisor) = \(quotient)")
            // All digits are there unless the quotient is exact.
            if !error.digits.isEmpty { #expect(quotient.digitCount == digits, "\(dividend) / \(divisor) = \(quotient)") }
        }
    }

    @Test(
        "quotients that people check",
        arguments: [
            ("10", 4, "2.5"), ("1", 3, "0.3333333333333333333333333333333333"), ("2", 3, "0.6666666666666666666666666666666667"),
            ("-200", 36, "-5.555555555555555555555555555555556"),
            ("0", 7, "0"), ("0.00", 7, "0.00"), ("1.50", 1, "1.50"), ("7.00", 7, "1.00"), ("100", 10, "10"), ("1e3", 8, "125"),
            ("1", 18_446_744_073_709_551_615, "5.421010862427522170331137592055280e-20"),
            ("99999999999999999999999999999999999999", 1, "1.000000000000000000000000000000000e+38"),
        ] as [(String, UInt64, String)])
    func quotients(_ dividend: String, divisor: UInt64, expected: String) throws {
        let quotient = try number(dividend).divided(by: divisor)
        #expect(try quotient == number(expected))
        if !expected.contains("e") { #expect(quotient.description == expected) }
        // Halves go to the even neighbour.
        #expect(try number("25").divided(by: 10, significantDigits: 1).description == "2")
        #expect(try number("35").divided(by: 10, significantDigits: 1).description == "4")
        #expect(try number("251").divided(by: 100, significantDigits: 1).description == "3")
        #expect(try number("995").divided(by: 1, significantDigits: 2) == number("1000"))
    }

    @Test("comparison of numbers far apart, of zeros, of numbers cut short")
    func comparison() throws {
        let rising = [
            "-1e99999999999", "-1e400", "-1", "-1e-400", "0", "1e-99999999999", "1e-400", "0.1",
            "0.10000000000000000000000000000000000000001", "0.11", "1", "1e400", "1e99999999999",
        ]
        for (index, one) in rising.enumerated() {
            for (place, other) in rising.enumerated() {
                #expect(try number(one).compare(number(other)) == (index < place ? -1 : index == place ? 0 : 1), "\(one) <=> \(other)")
            }
        }
        #expect(try number("-0") == number("0e5"))
        #expect(try number("1.50") == number("15e-1"))
        #expect(try number("1e37") < number("10000000000000000000000000000000000001"))
        #expect(try number("-0.10000000000000000000000000000000000000001") < number("-0.1"))
    }
}

extension DecimalText {
    /// The exponent written in a text, or nil where the text is no number.
    static func written(_ text: String) throws -> Int? { withText(text) { DecimalText($0)?.writtenExponent } }
}
