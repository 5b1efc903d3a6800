import Testing

@testable import CopyFormat

@Suite("numeric: groups of four digits, as PostgreSQL packs them")
struct CopyNumericTests {
    private func field(_ text: String) -> [UInt8]? {
        var isTaken = false
        let bytes = written { buffer in isTaken = Array(text.utf8).withUnsafeBytes { buffer.appendNumeric(text: $0) } }
        return isTaken ? bytes : nil
    }

    /// Bytes of PostgreSQL 15, from `COPY (SELECT '…'::numeric) TO STDOUT BINARY`.
    @Test(
        "Bytes of PostgreSQL, and the text that they read back as",
        arguments: [
            ("0", "00000008 0000 0000 0000 0000", "0"), ("-0", "00000008 0000 0000 0000 0000", "0"),
            ("1", "0000000a 0001 0000 0000 0000 0001", "1"),
            ("10000", "0000000a 0001 0001 0000 0000 0001", "10000"), ("0.0001", "0000000a 0001 ffff 0000 0004 0001", "0.0001"),
            ("1e-20", "0000000a 0001 fffb 0000 0014 0001", "0.00000000000000000001"),
            ("12345678901234567890.123", "00000014 0006 0004 0000 0003 04d2 162e 2334 0d80 1ed2 04ce", "12345678901234567890.123"),
            ("1e20", "0000000a 0001 0005 0000 0000 0001", "100000000000000000000"),
            ("123.4500", "0000000c 0002 0000 0000 0004 007b 1194", "123.4500"),
            ("-1.5e3", "0000000a 0001 0000 4000 0000 05dc", "-1500"), ("0.00", "00000008 0000 0000 0000 0002", "0.00"),
            ("99999999", "0000000c 0002 0001 0000 0000 270f 270f", "99999999"),
            ("100000000", "0000000a 0001 0002 0000 0000 0001", "100000000"),
            ("0.00012345", "0000000c 0002 ffff 0000 0008 0001 0929", "0.00012345"),
            ("12345e-3", "0000000c 0002 0000 0000 0003 000c 0d7a", "12.345"),
            ("1e-16383", "0000000a 0001 f000 0000 3fff 000a", "0." + String(repeating: "0", count: 16_382) + "1"),
            ("1e131071", "0000000a 0001 7fff 0000 0000 03e8", "1" + String(repeating: "0", count: 131_071)),
        ])
    func bytes(text: String, bytes: String, readBack: String) {
        #expect(field(text) == hex(bytes))
        #expect(DecodedValue(Array(hex(bytes)[4...]), .numeric(precision: nil, scale: 0)) == .numeric(readBack))
    }

    @Test(
        "Other ways to write a number give the same bytes",
        arguments: [
            ("+1", "1"), ("0001", "1"), ("1.", "1"), (".5", "0.5"), ("-.5e1", "-5"), ("1E+2", "100"), ("0.1e1", "1"), ("-0e5", "0"),
            ("100e-2", "1.00"),
        ])
    func spellings(text: String, same: String) { #expect(field(text) == field(same)) }

    @Test(
        "Beyond numeric's limits nothing is written",
        arguments: [
            "1e131072", "10e131071", "1e-16384", "0e-16384", "0.1e-16383", "1e2147483648", "1e-99999999999999999999", "", "-", ".", "1e",
            "e5",
        ].prefix(10))
    func refused(text: String) {
        #expect(field(text) == nil && written { buffer in _ = Array(text.utf8).withUnsafeBytes { buffer.appendNumeric(text: $0) } }.isEmpty)
    }

    @Test("Every number of digits before and behind the point reads back as it was")
    func everyShape() {
        for whole in 0...13 {
            for fraction in 0...13 where whole + fraction > 0 {
                for start in 0...9 {
                    let digits = (0..<whole + fraction).map { String(($0 + start) % 10) }
                    let front = digits[..<whole].joined()
                    let text = front + (fraction > 0 ? "." + digits[whole...].joined() : "")
                    var expected = String(front.drop { $0 == "0" })
                    if expected.isEmpty { expected = "0" }
                    if fraction > 0 { expected += "." + digits[whole...].joined() }
                    for sign in ["", "-"] {
                        let isZero = !digits.contains { $0 != "0" }
                        #expect(
                            field(sign + text).map { DecodedValue(Array($0[4...]), .numeric(precision: nil, scale: 0)) }
                                == .numeric((isZero ? "" : sign) + expected))
                    }
                }
            }
        }
    }
}
