import Testing

@testable import Payload

@Suite("CBOR is rewritten as JSON")
struct CBORTests {
    /// RFC 8949 appendix A, in its order.
    static let examples: [(String, String)] = [
        ("00", "0"), ("01", "1"), ("0a", "10"), ("17", "23"), ("1818", "24"), ("1819", "25"), ("1864", "100"), ("1903e8", "1000"),
        ("1a000f4240", "1000000"), ("1b000000e8d4a51000", "1000000000000"), ("1bffffffffffffffff", "18446744073709551615"),
        ("c249010000000000000000", "18446744073709551616"), ("3bffffffffffffffff", "-18446744073709551616"),
        ("c349010000000000000000", "-18446744073709551617"), ("20", "-1"), ("29", "-10"), ("3863", "-100"), ("3903e7", "-1000"),
        ("f90000", "0"), ("f98000", "-0"), ("f93c00", "1"), ("fb3ff199999999999a", "1.1"), ("f93e00", "1.5"), ("f97bff", "65504"),
        ("fa47c35000", "100000"), ("fa7f7fffff", "3.4028234663852886e+38"), ("fb7e37e43c8800759c", "1e+300"),
        ("f90001", "5.960464477539063e-08"), ("f90400", "6.103515625e-05"), ("f9c400", "-4"), ("fbc010666666666666", "-4.1"),
        ("f97c00", #""inf""#), ("f97e00", #""nan""#), ("f9fc00", #""-inf""#), ("fa7f800000", #""inf""#), ("fa7fc00000", #""nan""#),
        ("faff800000", #""-inf""#), ("fb7ff0000000000000", #""inf""#), ("fb7ff8000000000000", #""nan""#),
        ("fbfff0000000000000", #""-inf""#),
        ("f4", "false"), ("f5", "true"), ("f6", "null"), ("f7", "null"),
        ("c074323031332d30332d32315432303a30343a30305a", #""2013-03-21T20:04:00Z""#), ("c11a514b67b0", #""2013-03-21T20:04:00Z""#),
        ("c1fb41d452d9ec200000", #""2013-03-21T20:04:00.5Z""#), ("d74401020304", #""01020304""#), ("d818456449455446", #""ZElFVEY=""#),
        ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", #""http://www.example.com""#), ("40", #""""#),
        ("4401020304", #""AQIDBA==""#),
        ("60", #""""#), ("6161", #""a""#), ("6449455446", #""IETF""#), ("62225c", #""\"\\""#), ("62c3bc", "\"\u{FC}\""),
        ("63e6b0b4", "\"\u{6C34}\""), ("64f0908591", "\"\u{10151}\""), ("80", "[]"), ("83010203", "[1,2,3]"),
        ("8301820203820405", "[1,[2,3],[4,5]]"),
        (
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
            "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]"
        ),
        ("a0", "{}"), ("a201020304", #"{"1":2,"3":4}"#), ("a26161016162820203", #"{"a":1,"b":[2,3]}"#),
        ("826161a161626163", #"["a",{"b":"c"}]"#),
        ("a56161614161626142616361436164614461656145", #"{"a":"A","b":"B","c":"C","d":"D","e":"E"}"#),
        ("5f42010243030405ff", #""AQIDBAU=""#),
        ("7f657374726561646d696e67ff", #""streaming""#), ("9fff", "[]"), ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"),
        ("9f01820203820405ff", "[1,[2,3],[4,5]]"), ("83018202039f0405ff", "[1,[2,3],[4,5]]"), ("83019f0203ff820405", "[1,[2,3],[4,5]]"),
        (
            "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
            "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]"
        ), ("bf61610161629f0203ffff", #"{"a":1,"b":[2,3]}"#), ("826161bf61626163ff", #"["a",{"b":"c"}]"#),
        ("bf6346756ef563416d7421ff", #"{"Fun":true,"Amt":-2}"#),
    ]

    @Test("Every example of RFC 8949 appendix A that has a value gives it", arguments: examples)
    func example(hex: String, text: String) throws {
        #expect(try jsonText(hex: hex, cbor) == text)
    }

    @Test("Simple values that stand for nothing are refused", arguments: [("f0", 16), ("e0", 0), ("f3", 19), ("f820", 32), ("f8ff", 255)])
    func reservedSimpleValue(hex: String, value: Int) {
        #expect(refusal(hex: hex, cbor) == "simple value \(value), which stands for nothing, at byte 0")
    }

    /// RFC 8949 appendix F, in its order: ends too early; reserved information; reserved simple values; chunks; breaks; indefinite numbers.
    static let malformed: [(String, String)] = [
        (
            "18|19|1a|1b|1901|1a0102|1b01020304050607|38|58|78|98|9a01ff00|b8|d8|f8|f900|fa0000|fb000000|41|61|5affffffff00"
                + "|5bffffffffffffffff010203|7affffffff00|7b7fffffffffffffff010203|81|818181818181818181|8200|a1|a20102|a100|a2000000|c0|5f4100|7f6100"
                + "|9f|9f0102|bf|bf01020102|819f|9f8000|9f9f9f9f9fffffffff|9f819f819f9fffffff", "end|length"
        ),
        ("1c|1d|1e|3c|3d|3e|5c|5d|5e|7c|7d|7e|9c|9d|9e|bc|bd|be|dc|dd|de|fc|fd|fe", "which stands for nothing"),
        ("f800|f801|f818|f81f", "which stands for nothing"),
        ("5f00ff|5f21ff|5f6100ff|5f80ff|5fa0ff|5fc000ff|5fe0ff|7f4100ff|5f5f4100ffff|7f7f6100ffff", "part that is no string"),
        ("ff|81ff|8200ff|a1ff|a1ff00|a100ff|a20000ff|9f81ff|9f829f819f9fffffffff|bf00ff|bf000000ff", "break|length"),
        ("1f|3f|df", "which stands for nothing"),
    ]

    @Test("Every example of RFC 8949 appendix F is refused for what it is", arguments: malformed)
    func notWellFormed(hexes: String, words: String) {
        for hex in hexes.split(separator: "|") {
            let refused = refusal(hex: String(hex), cbor)
            #expect(words.split(separator: "|").contains { refused.contains($0) }, "\(hex): \(refused)")
        }
    }

    @Test(
        "Errors name the byte",
        arguments: [
            ("", "unexpected end of the payload at byte 0"), ("0000", "1 byte after the end of the value at byte 1"),
            ("8300", "a length of 3 where only 1 byte is left at byte 0"), ("82011c", "0x1c, which stands for nothing, at byte 2"),
            ("82016261ff", "text that is not UTF-8 at byte 2"), ("7f61c361bcff", "text that is not UTF-8 at byte 1"),
            ("9f01 5f4161", "unexpected end of the payload at byte 5"),
            ("a1f601", "a map's key that is neither text, bytes, a whole number nor a boolean at byte 1"),
            ("a1f93c0001", "a map's key that is neither text, bytes, a whole number nor a boolean at byte 1"),
            ("a1c2410101", "a map's key that is neither text, bytes, a whole number nor a boolean at byte 1"),
            ("bfa0", "a map's key that is neither text, bytes, a whole number nor a boolean at byte 1"),
            ("9bffffffffffffffff", "a length of 18446744073709551615 where only 0 bytes are left at byte 0"),
            ("bb7fffffffffffffff00", "a length of 9223372036854775807 where only 1 byte is left at byte 0"),
            ("81c06161c0", "1 byte after the end of the value at byte 4"),
            ("c000", "tag 0 before a value that it cannot stand for at byte 0"),
            ("81c16161", "tag 1 before a value that it cannot stand for at byte 1"),
            ("c200", "tag 2 before a value that it cannot stand for at byte 0"),
            ("c48101", "tag 4 before a value that it cannot stand for at byte 0"),
            ("c5820160", "tag 5 before a value that it cannot stand for at byte 0"),
            ("c49f010203ff", "tag 4 before a value that it cannot stand for at byte 0"),
            ("c482f90000 01", "tag 4 before a value that it cannot stand for at byte 0"),
            ("c11b0000003afff44180", "a time that is not within the years 1 to 9999 at byte 0"),
            ("c13bffffffffffffffff", "a time that is not within the years 1 to 9999 at byte 0"),
            ("c1fb7e37e43c8800759c", "a time that is not within the years 1 to 9999 at byte 0"),
        ])
    func errorPlace(hex: String, words: String) {
        #expect(refusal(hex: hex, cbor) == words)
    }

    @Test(
        "Times count seconds since 1970, to the nanosecond",
        arguments: [
            ("c100", "1970-01-01T00:00:00Z"), ("c120", "1969-12-31T23:59:59Z"), ("c1f93800", "1970-01-01T00:00:00.5Z"),
            ("c1f9b800", "1969-12-31T23:59:59.5Z"), ("c1fb41d954a1781f7cee", "2023-11-13T20:24:00.492Z"),
            ("c1fb3e112e0be826d695", "1970-01-01T00:00:00.000000001Z"), ("c1fb3b01d2a2067b23a8", "1970-01-01T00:00:00Z"),
            ("c1fbbb01d2a2067b23a8", "1969-12-31T23:59:59.999999999Z"), ("c1f97e00", "nan"), ("c1f97c00", "inf"),
            ("c0 66 6e6f74206974", "not it"), ("c0 7f 63 6e6f74 63 206974 ff", "not it"), ("d9d9f7 c1 1a65920080", "2024-01-01T00:00:00Z"),
        ])
    func time(hex: String, text: String) throws {
        #expect(try jsonText(hex: hex, cbor) == "\"\(text)\"")
    }

    @Test(
        "Bignums and fractions are exact",
        arguments: [
            ("c240", "0"), ("c340", "-1"), ("c24101", "1"), ("c2420100", "256"), ("c24a00000000000000000001", "1"),
            ("c25f41014100ff", "256"), ("c250ffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455"),
            ("c350ffffffffffffffffffffffffffffffff", "-340282366920938463463374607431768211456"),
            (
                "c258200de0b6b3a7640000000000000000000000000000000000000000000000000000",
                "6277101735386680763835789423207666416102355444464034512896000000000000000000"
            ),
            // RFC 8949 §3.4.4: 273.15 and 1.5.
            ("c48221196ab3", "273.15"), ("c5822003", "1.5"), ("c4820003", "3"), ("c4820103", "30"), ("c48221391a2b", "-67.00"),
            ("c4821903e801", "1e+1000"), ("c4823903e701", "1e-1000"), ("c48220c2490100000000000000 00", "1844674407370955161.6"),
            ("c48220c3490100000000000000 00", "-1844674407370955161.7"), ("c49f2003ff", "0.3"), ("c5820803", "768"), ("c582200a", "5"),
            ("c5822100", "0"), ("c5822120", "-0.25"), ("c582383fc249010000000000000000", "1"),
            ("c4821b7fffffffffffffff01", "1e9223372036854775807"), ("c4823b7fffffffffffffff01", "1e-9223372036854775808"),
        ])
    func exact(hex: String, text: String) throws {
        #expect(try jsonText(hex: hex, cbor) == text)
    }

    @Test("A bigfloat of many digits is written as digits and an exponent")
    func longFraction() throws {
        // 2⁻¹⁰⁰ = 5¹⁰⁰ / 10¹⁰⁰
        let digits = "7888609052210118054117285652827862296732064351090230047702789306640625"
        #expect(try jsonText(hex: "c5823863 01", cbor) == "\(digits)e-100")
    }

    @Test("A number of 2,048 bits is taken, a longer one is refused")
    func numberLength() throws {
        let longest = bytes(hex: "c2590100") + [UInt8](repeating: 0xFF, count: 256)
        let text = try jsonText(longest, cbor)
        #expect(text.count == 617 && text.hasPrefix("32317006071311007300714876688669951960444102669715484032130345427524"))
        let words = "a number of more than 2048 bits at byte 0"
        #expect(refusal([0xC3] + longest.dropFirst(), cbor) == words)
        #expect(refusal(bytes(hex: "c2590101 01") + [UInt8](repeating: 0, count: 256), cbor) == words)
        #expect(try jsonText(bytes(hex: "c2590101 00") + [UInt8](repeating: 0xFF, count: 256), cbor) == text)
        #expect(refusal(hex: "c5821907ff01", cbor).hasPrefix("accepted: 1615"))
        #expect(refusal(hex: "c58219080001", cbor) == words)
        #expect(refusal(hex: "c5821b7fffffffffffffff01", cbor) == words)
        #expect(refusal(hex: "c5823b7fffffffffffffff01", cbor) == words)
        #expect(refusal(hex: "c4821bffffffffffffffff01", cbor) == words)
    }

    @Test(
        "Hints on the notation of bytes hold for all that is behind the tag",
        arguments: [
            ("d542fbff", #""-_8""#), ("d642fbff", #""+/8=""#), ("d742fbff", #""FBFF""#), ("d541fb", #""-w""#), ("d543fbfffe", #""-__-""#),
            ("82d58241fbd741fb41fb", #"[["-w","FB"],"+w=="]"#), ("d7a14161814160", #"{"a":["60"]}"#), ("d55f41fb41ffff", #""-_8""#),
            ("5f4041fb4041ff40ff", #""+/8=""#), ("d818 43 820102", #""ggEC""#),
        ])
    func hint(hex: String, text: String) throws {
        #expect(try jsonText(hex: hex, cbor) == text)
    }

    @Test(
        "Keys that are not text become text",
        arguments: [
            ("a10001", #"{"0":1}"#), ("a12001", #"{"-1":1}"#), ("a13bffffffffffffffff01", #"{"-18446744073709551616":1}"#),
            ("a1f501", #"{"true":1}"#), ("a1f401", #"{"false":1}"#), ("a142686901", #"{"hi":1}"#), ("a142ff0001", #"{"/wA=":1}"#),
            ("a15f41684169ff01", #"{"hi":1}"#), ("a15f416841ffff01", #"{"aP8=":1}"#), ("a17f61686169ff01", #"{"hi":1}"#),
            ("a1c1 00 01", #"{"0":1}"#), ("a2616101616102", #"{"a":1,"a":2}"#), ("a1622201 f6", #"{"\"\u0001":null}"#),
        ])
    func key(hex: String, text: String) throws {
        #expect(try jsonText(hex: hex, cbor) == text)
    }

    @Test("The depth limit is the one of JSON; tags do not count, however many there are")
    func depth() throws {
        #expect(try jsonText(hex: "81a100 80", cbor, limits: TreeLimits(maximumDepth: 3)) == #"[{"0":[]}]"#)
        #expect(refusal(hex: "81a100 80", cbor, limits: TreeLimits(maximumDepth: 2)) == "nested deeper than 2 levels at byte 3")
        let deep = [UInt8](repeating: 0x9F, count: 1_000_000)
        #expect(refusal(deep, cbor, limits: TreeLimits(maximumDepth: 1024)) == "nested deeper than 1024 levels at byte 1024")
        let tagged = [UInt8](repeating: 0xC6, count: 1_000_000)
        #expect(try jsonText(tagged + [0x01], cbor, limits: TreeLimits(maximumDepth: 1)) == "1")
        #expect(refusal(tagged, cbor) == "unexpected end of the payload at byte 1000000")
    }

    @Test("Few bytes that stand for long numbers end at the limit of the text")
    func limit() {
        let bomb = [0x9F] + [[UInt8]](repeating: bytes(hex: "c5821907ff01"), count: 10_000).joined()
        #expect(refusal(bomb, cbor, limits: TreeLimits(maximumTextBytes: 100_000)).hasPrefix("more than 100000 bytes of JSON text"))
    }
}
