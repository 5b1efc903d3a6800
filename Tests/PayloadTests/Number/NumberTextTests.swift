import Foundation
import Payload
import Testing

/// Calls `body` with a text whose end is the end of the memory that may be read.
func withText<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withGuardedBytes(Array(text.utf8), body)
}

/// What `read` gives, or the error it throws, as text.
func outcome<Number>(_ read: () throws(NumberError) -> Number) -> String {
    do throws(NumberError) { return "\(try read())" } catch { return "\(error)" }
}

@Suite("Number text becomes the nearest double, the nearest float, the same whole number")
struct NumberTextTests {
    @Test(
        "reads as a number",
        arguments: [
            "0", "-0", "+7", "7", ".5", "5.", "-.5", "+5.e1", "1e5", "1E+5", "1e-5", " 21.5 ", "\t\n\r\u{B}\u{C}3", "00012", "1.50",
            "1e400", "1e-400",
            "1e99999999999999999999", "0e99999999999999999999", "000000000000000000000000000000000001",
        ])
    func isNumber(_ text: String) {
        #expect(withText(text, NumberText.isNumber))
        #expect(withText(text) { DecimalNumber($0) != nil })
    }

    @Test(
        "does not read as a number",
        arguments: [
            "", " ", "-", "+", ".", "-.", "e5", ".e5", "1e", "1e+", "1e-", "nan", "NaN", "inf", "-Infinity", "1_000", "1,5", "0x10", "1 2",
            "--1", "+-1", "1.2.3", "1e5.0",
            "1e1e1", "12a", "- 1", "½", "١", "1\u{0}", "true", "1d5", "1f",
        ])
    func isNotNumber(_ text: String) {
        #expect(!withText(text, NumberText.isNumber))
        #expect(withText(text) { DecimalNumber($0) == nil })
        #expect(withText(text) { bytes in outcome { () throws(NumberError) in try NumberText.double(bytes) } } == "notANumber")
        #expect(withText(text) { bytes in outcome { () throws(NumberError) in try NumberText.float(bytes) } } == "notANumber")
        #expect(withText(text) { bytes in outcome { () throws(NumberError) in try NumberText.int64(bytes) } } == "notANumber")
    }

    @Test(
        "whole numbers, however they are written",
        arguments: [
            ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("23", "23"), ("23.0", "23"), ("+23.", "23"), ("1e3", "1000"), ("2300e-2", "23"),
            ("-0.5e1", "-5"),
            (" 42 ", "42"), ("9223372036854775807", "9223372036854775807"), ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "outOfRange"), ("-9223372036854775809", "outOfRange"),
            ("9.223372036854775807e18", "9223372036854775807"),
            ("922337203685477580.8e1", "outOfRange"), ("-922337203685477580.8e1", "-9223372036854775808"),
            ("18446744073709551616", "outOfRange"),
            ("99999999999999999999999999", "outOfRange"), ("1e19", "outOfRange"), ("1e18", "1000000000000000000"), ("1e400", "outOfRange"),
            ("0e400", "0"), ("0e-400", "0"), ("23.5", "notWhole"), ("1e-1", "notWhole"), ("1e-400", "notWhole"), ("0.1", "notWhole"),
            ("1000000000000000000000000.5", "notWhole"), ("123456789012345678901234567890e-5", "notWhole"),
            ("7.00000000000000000000000000000000", "7"),
            ("0.000000000000000000000000000007e30", "7"), ("70000000000000000000000000000000e-31", "7"),
            ("7.00000000000000000000000000000001", "notWhole"),
            ("00000000000000000000000000000000000000012", "12"), ("123456789012345678901234567890123456789012345678.5", "notWhole"),
            ("123456789012345678901234567890123456789012345678", "outOfRange"), ("1e99999999999", "outOfRange"),
            ("1e-99999999999", "notWhole"),
        ])
    func int64(_ text: String, expected: String) {
        withText(text) { bytes in
            #expect(outcome { () throws(NumberError) in try NumberText.int64(bytes) } == expected)
            guard let number = DecimalNumber(bytes) else {
                Issue.record("\(text) is a number")
                return
            }
            #expect(outcome { () throws(NumberError) in try number.int64() } == expected)
        }
    }

    /// Texts near which a rounding goes wrong, each also with a minus.
    static let hard: [String] = [
        "0", "0.0", "0e5", "0e-999999999999", "21.5", "40.3", "123456", "0.1", "0.2", "0.3", "21.299999999999997", "3.141592653589793",
        "2.718281828459045",
        // Halfway between two doubles, and a little off
        "9007199254740993", "9007199254740992.999", "9007199254740993.0000000000000000000000001", "9007199254740995", "9007199254740991",
        "9007199254740992",
        "9007199254740994", "18014398509481985", "18014398509481986", "18014398509481987",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124", "1.00000000000000011102230246251565404236316680908203126",
        "1.00000000000000033306690738754696212708950042724609375", "9214843084008499", "30078505129381147446200", "1448997445238699",
        "11224326888185522059941158352151320185",
        // Halfway between two floats, where rounding to double first goes wrong
        "16777217", "16777219", "16777217.0000001", "16777216.9999999", "33554434", "33554435",
        "0.000000000000000000000000000000000000011754943508222875079687365372222456778",
        "1.00000005960464477539062499", "1.000000059604644775390625", "1.00000005960464477539062501", "1.00000017881393432617187499",
        "1.000000178813934326171875",
        "1.00000017881393432617187501", "8388609.5", "8388608.5", "7.038531e-26", "7.0385307e-26", "1.17549429e-38", "3.4028235e38",
        "3.4028234e38", "3.40282346638528859811704183484516925440e38",
        "340282356779733661637539395458142568447", "340282356779733661637539395458142568448", "340282356779733661637539395458142568449",
        "1.401298464324817e-45", "7.006492321624085e-46",
        "7.006492321624086e-46",
        "7.00649232162408535461864791644958065640130970938257885878534141944895541342930300743319094181060791015625e-46",
        // Limits of doubles
        "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
        "1e308", "1e309", "1e400", "1e-400", "2.2250738585072014e-308", "2.2250738585072011e-308", "2.2250738585072012e-308",
        "4.9406564584124654e-324", "2.4703282292062327e-324",
        "2.4703282292062328e-324", "2.47032822920623272088284396434110686182e-324",
        "2.470328229206232720882843964341106861825299013071623822127928412503377536e-324",
        "7.4109846876186981626485318930233205854758970392148714663837852375101326090531312779794975454245398856969484704316857659638998506553390969459816219401617281718945106978546710679176872575177347315553307795408549809608457500958111373034747658096871009590975442271004757307809711118935784838675653998783503015228055934046593739791790738723868299395818481660169122019456499931289798411362062484498678713572180352209017023903285791732520220528974020802906854021606612375549983402671300035812486479041385743401875520901590172592547146296175134159774938718574737870961645638908718119841271673056017045493004705269590165763776884908267986972573366521765567941072508764337560846003984904972149117463085539556354188641513168478436313080237596295773983001708984375e-324",
        "6.631236846766476e-316", "3.2378839133029013e-319", "5e-324", "3e-324", "2e-324",
        // Powers around the limits of the fast paths
        "1e22", "1e23", "9e22", "1e27", "1e28", "8.5e-22", "1e-22", "1e-23", "1e-27", "1e-28", "9007199254740993e22",
        "9007199254740993e-22", "18446744073709551615e27",
        "18446744073709551615e-27", "9999999999999999999e27", "9999999999999999999e-27", "1234567890123456789e-19", "9223372036854775807",
        "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "1e10", "1e11", "1e-10", "1e-11", "16777215e10", "16777215e-10", "16777217e10", "16777217e-11",
        // Zeros in front, behind, in between
        "000000000000000000000000000000000000.0000000000000000000000000000000000001", "100000000000000000000000000000000000000000000",
        "1.0000000000000000000000000000000000000000000000000000",
        "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001e100",
        "10000000000000000000000000000000000000000000001e-46",
    ]

    private func check(_ text: String) {
        withText(text) { bytes in
            let double = Double(text).map { $0.isFinite ? "\($0)" : "outOfRange" }
            #expect(outcome { () throws(NumberError) in try NumberText.double(bytes) } == double, "\(text) as double")
            let float = Float(text).map { $0.isFinite ? "\($0)" : "outOfRange" }
            #expect(outcome { () throws(NumberError) in try NumberText.float(bytes) } == float, "\(text) as float")
            if let number = DecimalNumber(bytes), number.isExact {
                #expect(outcome { () throws(NumberError) in try number.double() } == double, "\(text) as decimal, as double")
                #expect(outcome { () throws(NumberError) in try number.float() } == float, "\(text) as decimal, as float")
            }
        }
    }

    @Test("hard cases are rounded as Swift rounds them", arguments: hard)
    func hardCases(_ text: String) {
        check(text)
        check("-" + text)
    }

    @Test("digits by the hundred decide a halfway case")
    func longDigits() throws {
        // 2⁻¹⁰⁷⁵, halfway between 0 and the smallest double, has 752 significant digits after its zeros.
        var digits = [1]
        for _ in 0..<1075 {
            var carry = 0
            for index in digits.indices.reversed() {
                carry += digits[index] * 5
                digits[index] = carry % 10
                carry /= 10
            }
            if carry > 0 { digits.insert(carry, at: 0) }
        }
        let half = digits.map(String.init).joined() + "e-1075"
        #expect(try withText(half) { try NumberText.double($0) } == 0)
        let above = digits.map(String.init).joined() + String(repeating: "0", count: 3000) + "1e-4076"
        #expect(try withText(above) { try NumberText.double($0) } == .leastNonzeroMagnitude)
        let point =
            "0." + String(repeating: "0", count: 1075 - digits.count) + digits.map(String.init).joined()
            + String(repeating: "0", count: 2000)
        #expect(try withText(point) { try NumberText.double($0) } == 0)
        #expect(try withText(point + "1") { try NumberText.double($0) } == .leastNonzeroMagnitude)

        var generator = SeededGenerator(seed: 800)
        for count in [19, 20, 21, 38, 39, 40, 100, 767, 768, 769, 799, 800, 801, 802, 5000] {
            for _ in 0..<5 {
                let digits = (0..<count).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
                check(digits + "e\(-count + Int.random(in: -20...20, using: &generator))")
                check("0." + digits)
                check(digits.prefix(count / 2) + "." + digits.suffix(count - count / 2))
                check(digits + "e-\(300 + count)")
            }
        }
    }

    @Test("a minus stays on zero")
    func negativeZero() throws {
        for text in ["-0", "-0.0", "-0e5", "-1e-400", "-0.00000000000000000000000000000", "-0e-99999999999999"] {
            #expect(try withText(text) { try NumberText.double($0) }.bitPattern == (-0.0).bitPattern)
            #expect(try withText(text) { try NumberText.float($0) }.bitPattern == Float(-0.0).bitPattern)
            #expect(try withText(text) { try DecimalNumber($0)?.double() }?.bitPattern == (-0.0).bitPattern)
        }
    }

    @Test("random doubles come back from their shortest text, and readings are the nearest", arguments: 0..<4)
    func random(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var failures: [String] = []
        func compare(_ text: String) {
            Array(text.utf8).withUnsafeBytes { bytes in
                if (try? NumberText.double(bytes)) != Double(text).flatMap({ $0.isFinite ? $0 : nil }) { failures.append(text) }
                if (try? NumberText.float(bytes)) != Float(text).flatMap({ $0.isFinite ? $0 : nil }) { failures.append(text) }
            }
        }
        for _ in 0..<20_000 {
            let double = Double(bitPattern: generator.next())
            if double.isFinite { compare("\(double)") }
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            if float.isFinite { compare("\(float)") }
            compare("\(Double(Int.random(in: -1_000_000...1_000_000, using: &generator)) / 100)")
            compare("\(generator.next())e\(Int.random(in: -30...30, using: &generator))")
            compare("\(generator.next() >> UInt64.random(in: 0..<64, using: &generator))e\(Int.random(in: -345...310, using: &generator))")
            // Near the middle of two floats.
            let middle = (Double(abs(float)) + Double(abs(float).nextUp)) / 2
            if middle.isFinite { for near in [middle.nextDown, middle, middle.nextUp] { compare("\(near)") } }
        }
        #expect(failures.prefix(5) == [])
    }

    @Test("random whole numbers are read exactly")
    func randomWhole() {
        var generator = SeededGenerator(seed: 64)
        for _ in 0..<20_000 {
            let number = Int64(bitPattern: generator.next()) >> Int64.random(in: 0..<64, using: &generator)
            let zeros = Int.random(in: 0...20, using: &generator)
            for text in ["\(number)", "\(number).000", "\(number)" + String(repeating: "0", count: zeros) + "e-\(zeros)"] {
                let read = Array(text.utf8).withUnsafeBytes { try? NumberText.int64($0) }
                if read != number { Issue.record("\(text) became \(String(describing: read))") }
            }
        }
    }
}
