import Testing

@testable import Payload

@Suite("MessagePack is rewritten as JSON")
struct MessagePackTests {
    @Test(
        "Every format of a scalar gives its value",
        arguments: [
            // nil, false, true
            ("c0", "null"), ("c2", "false"), ("c3", "true"),
            // positive fixint, negative fixint
            ("00", "0"), ("01", "1"), ("7f", "127"), ("ff", "-1"), ("e0", "-32"),
            // uint 8, 16, 32, 64
            ("cc 00", "0"), ("cc 80", "128"), ("cc ff", "255"), ("cd 0100", "256"), ("cd ffff", "65535"), ("ce 00010000", "65536"),
            ("ce ffffffff", "4294967295"), ("cf 0000000100000000", "4294967296"), ("cf ffffffffffffffff", "18446744073709551615"),
            // int 8, 16, 32, 64
            ("d0 7f", "127"), ("d0 df", "-33"), ("d0 80", "-128"), ("d1 7fff", "32767"), ("d1 ff7f", "-129"), ("d1 8000", "-32768"),
            ("d2 7fffffff", "2147483647"), ("d2 ffff7fff", "-32769"), ("d2 80000000", "-2147483648"),
            ("d3 7fffffffffffffff", "9223372036854775807"), ("d3 ffffffff7fffffff", "-2147483649"),
            ("d3 8000000000000000", "-9223372036854775808"),
            // float 32
            ("ca 41ac0000", "21.5"), ("ca 3f800000", "1"), ("ca 3dcccccd", "0.10000000149011612"), ("ca 00000001", "1.401298464324817e-45"),
            ("ca 7f7fffff", "3.4028234663852886e+38"), ("ca 80000000", "-0"),
            ("ca 7fc00000", #""nan""#), ("ca 7f800000", #""inf""#), ("ca ff800000", #""-inf""#),
            // float 64
            ("cb 3ff199999999999a", "1.1"), ("cb c010666666666666", "-4.1"), ("cb 0000000000000001", "5e-324"),
            ("cb 7fefffffffffffff", "1.7976931348623157e+308"), ("cb 4341c37937e08000", "1e+16"), ("cb 40590000 00000000", "100"),
            ("cb 7ff8000000000000", #""nan""#), ("cb 7ff0000000000000", #""inf""#), ("cb fff0000000000000", #""-inf""#),
            // fixstr, str 8, 16, 32
            ("a0", #""""#), ("a1 61", #""a""#), ("d9 00", #""""#), ("d9 01 61", #""a""#), ("da 0001 61", #""a""#),
            ("db 00000001 61", #""a""#),
            ("a5 22 5c 0a 00 1f", #""\"\\\u000a\u0000\u001f""#), ("a9 c3bc e6b0b4 f0908591", "\"ü水𐅑\""),
            // bin 8, 16, 32
            ("c4 00", #""""#), ("c4 01 ff", #""/w==""#), ("c5 0002 fbff", #""+/8=""#), ("c6 00000003 000102", #""AAEC""#),
        ])
    func scalar(hex: String, text: String) throws {
        #expect(try jsonText(hex: hex, messagePack) == text)
    }

    /// The head of every format with a length, at both ends of what it can hold and at the ends of the next smaller one.
    @Test(
        "Text and bytes of every length are read whole",
        arguments: [
            ("a0", 0), ("bf", 31), ("d9 00", 0), ("d9 20", 32), ("d9 ff", 255), ("da 0000", 0), ("da 0100", 256), ("da ffff", 65_535),
            ("db 00000000", 0), ("db 00010000", 65_536), ("c4 00", 0), ("c4 ff", 255), ("c5 0000", 0), ("c5 0100", 256),
            ("c5 ffff", 65_535),
            ("c6 00000000", 0), ("c6 00010000", 65_536),
        ])
    func length(head: String, count: Int) throws {
        let content = (0..<count).map { _ in UInt8(ascii: "a") }
        let isBytes = ["c4", "c5", "c6"].contains(head.prefix(2))
        let last = ["", "YQ==", "YWE="][count % 3]
        let text = isBytes ? String(repeating: "YWFh", count: count / 3) + last : String(repeating: "a", count: count)
        #expect(try jsonText(bytes(hex: head) + content, messagePack) == "\"\(text)\"")
        #expect(refusal(bytes(hex: head) + content + [0xC0], messagePack).hasPrefix("1 byte after the end"))
        if count > 0 { #expect(refusal(bytes(hex: head) + content.dropLast(), messagePack).hasSuffix("at byte 0")) }
    }

    @Test(
        "Arrays and maps of every length are read whole",
        arguments: [
            ("90", 0), ("9f", 15), ("dc 0000", 0), ("dc 0010", 16), ("dc ffff", 65_535), ("dd 00000000", 0), ("dd 00010000", 65_536),
            ("80", 0), ("8f", 15), ("de 0000", 0), ("de 0010", 16), ("de ffff", 65_535), ("df 00000000", 0), ("df 00010000", 65_536),
        ])
    func count(head: String, count: Int) throws {
        let isMap = ["8", "de", "df"].contains { head.hasPrefix($0) }
        let item: [UInt8] = isMap ? [0xA1, 0x6B, 0x01] : [0x01]
        let content = (0..<count).flatMap { _ in item }
        let items = (0..<count).map { _ in isMap ? "\"k\":1" : "1" }.joined(separator: ",")
        #expect(try jsonText(bytes(hex: head) + content, messagePack) == (isMap ? "{\(items)}" : "[\(items)]"))
        if count > 0 { #expect(refusal(bytes(hex: head) + content.dropLast(), messagePack) != "") }
    }

    @Test(
        "Every ext format gives its type and its bytes",
        arguments: [
            ("d4 01", 1, 1), ("d5 7f", 127, 2), ("d6 80", -128, 4), ("d7 fe", -2, 8), ("d8 05", 5, 16), ("c7 00 01", 1, 0),
            ("c7 03 01", 1, 3),
            ("c7 ff 01", 1, 255), ("c8 0100 01", 1, 256), ("c8 ffff 01", 1, 65_535), ("c9 00010000 01", 1, 65_536),
        ])
    func ext(head: String, type: Int, count: Int) throws {
        let content = (0..<count).map { _ in UInt8(0) }
        let letters = String(repeating: "A", count: (count * 8 + 5) / 6)
        let padding = String(repeating: "=", count: [0, 2, 1][count % 3])
        #expect(try jsonText(bytes(hex: head) + content, messagePack) == #"{"type":\#(type),"data":"\#(letters)\#(padding)"}"#)
        #expect(refusal(bytes(hex: head) + content, messagePack, limits: TreeLimits(maximumDepth: 1)).hasPrefix("accepted"))
        #expect(
            refusal([0x91] + bytes(hex: head) + content, messagePack, limits: TreeLimits(maximumDepth: 1)).contains("deeper than 1 levels"))
    }

    @Test(
        "A timestamp of 4, 8 or 12 bytes is RFC 3339 text in UTC",
        arguments: [
            ("d6 ff 00000000", "1970-01-01T00:00:00Z"), ("d6 ff ffffffff", "2106-02-07T06:28:15Z"),
            ("d7 ff 00000004 5a4af6a5", "2018-01-02T03:04:05.000000001Z"), ("d7 ff ee6b27fc 00000000", "1970-01-01T00:00:00.999999999Z"),
            ("d7 ff 77359400 65920080", "2024-01-01T00:00:00.5Z"), ("d7 ff 00000003 ffffffff", "2514-05-30T01:53:03Z"),
            ("c7 0c ff 3b9ac9ff ffffffffffffffff", "1969-12-31T23:59:59.999999999Z"),
            ("c7 0c ff 00000000 fffffff1886e0900", "0001-01-01T00:00:00Z"),
            ("c7 0c ff 3b9ac9ff 0000003afff4417f", "9999-12-31T23:59:59.999999999Z"),
        ])
    func timestamp(hex: String, text: String) throws {
        #expect(try jsonText(hex: hex, messagePack) == "\"\(text)\"")
    }

    @Test(
        "Keys that are not text become text",
        arguments: [
            ("81 a1 61 01", #"{"a":1}"#), ("81 05 01", #"{"5":1}"#), ("81 ff 01", #"{"-1":1}"#),
            ("81 cf ffffffffffffffff 01", #"{"18446744073709551615":1}"#), ("81 c3 01", #"{"true":1}"#), ("81 c2 01", #"{"false":1}"#),
            ("81 c4 02 6869 01", #"{"hi":1}"#), ("81 c4 02 ff00 01", #"{"/wA=":1}"#), ("82 a1 61 01 a1 61 02", #"{"a":1,"a":2}"#),
            ("82 a1 61 92 01 80 a1 62 81 a1 63 90", #"{"a":[1,{}],"b":{"c":[]}}"#),
        ])
    func key(hex: String, text: String) throws {
        #expect(try jsonText(hex: hex, messagePack) == text)
    }

    @Test(
        "What is not MessagePack is refused with the byte",
        arguments: [
            ("", "unexpected end of the payload at byte 0"), ("c1", "0xc1, which stands for nothing, at byte 0"),
            ("92 01 c1", "0xc1, which stands for nothing, at byte 2"), ("01 02", "1 byte after the end of the value at byte 1"),
            ("cd 01", "unexpected end of the payload at byte 2"), ("92 01", "a length of 2 where only 1 byte is left at byte 0"),
            ("92 a2 61", "a length of 2 where only 1 byte is left at byte 1"),
            ("dd ffffffff", "a length of 4294967295 where only 0 bytes are left at byte 0"),
            ("df ffffffff 01", "a length of 4294967295 where only 1 byte is left at byte 0"),
            ("db ffffffff 61", "a length of 4294967295 where only 1 byte is left at byte 0"),
            ("81 a1 61", "unexpected end of the payload at byte 3"), ("a2 c328", "text that is not UTF-8 at byte 0"),
            ("91 a3 eda080", "text that is not UTF-8 at byte 1"),
            ("81 c0 01", "a map's key that is neither text, bytes, a whole number nor a boolean at byte 1"),
            ("81 ca 00000000 01", "a map's key that is neither text, bytes, a whole number nor a boolean at byte 1"),
            ("81 90 01", "a map's key that is neither text, bytes, a whole number nor a boolean at byte 1"),
            ("d7 ff ee6b2800 00000000", "a time that is not within the years 1 to 9999 at byte 0"),
            ("c7 0c ff 00000000 0000003afff44180", "a time that is not within the years 1 to 9999 at byte 0"),
            ("c7 0c ff 00000000 fffffff1886e08ff", "a time that is not within the years 1 to 9999 at byte 0"),
            ("d5 ff 0000", "a time that is not within the years 1 to 9999 at byte 0"),
            ("d6 ff 0000", "a length of 4 where only 2 bytes are left at byte 0"),
            ("d8 01", "a length of 16 where only 0 bytes are left at byte 0"),
        ])
    func malformed(hex: String, words: String) {
        #expect(refusal(hex: hex, messagePack) == words)
    }

    @Test("The depth limit is the one of JSON, and far nesting ends with an error, not with the stack")
    func depth() throws {
        let nested = [UInt8](repeating: 0x91, count: 3) + [0x01]
        #expect(try jsonText(nested, messagePack, limits: TreeLimits(maximumDepth: 3)) == "[[[1]]]")
        #expect(refusal(nested, messagePack, limits: TreeLimits(maximumDepth: 2)) == "nested deeper than 2 levels at byte 2")
        let deep = [UInt8](repeating: 0x91, count: 1_000_000) + [0x01]
        #expect(refusal(deep, messagePack, limits: TreeLimits(maximumDepth: 1024)) == "nested deeper than 1024 levels at byte 1024")
    }

    @Test("Text over the limit ends with an error, to the byte")
    func limit() throws {
        let payload = bytes(hex: "92 a3 616263 c4 03 000102")
        #expect(try jsonText(payload, messagePack, limits: TreeLimits(maximumTextBytes: 14)) == #"["abc","AAEC"]"#)
        for bytesMax in 0..<14 {
            let refused = refusal(payload, messagePack, limits: TreeLimits(maximumTextBytes: bytesMax))
            #expect(refused.hasPrefix("more than \(bytesMax) bytes of JSON text"))
        }
    }

    @Test("Scratch memory serves one message after the other, small and large")
    func reuse() throws {
        var scratch = ScratchMemory(chunkBytes: 256)
        for round in 0..<50 {
            scratch.reset()
            let first = scratch.allocate(16)
            first.initializeMemory(as: UInt8.self, repeating: 7, count: 16)
            let count = [1, 40, 300, 5000, 70_000][round % 5]
            let payload = [0xDD] + withUnsafeBytes(of: UInt32(count).bigEndian, Array.init) + [UInt8](repeating: 0xC2, count: count)
            let text = try payload.withUnsafeBytes { try MessagePack.jsonText(of: $0, limits: TreeLimits(), into: &scratch) }
            let other = try payload.withUnsafeBytes { try MessagePack.jsonText(of: $0, limits: TreeLimits(), into: &scratch) }
            #expect(text.count == 1 + 6 * count && text.elementsEqual(other) && text.baseAddress != other.baseAddress)
            #expect((0..<16).allSatisfy { first.load(fromByteOffset: $0, as: UInt8.self) == 7 })
        }
    }
}
