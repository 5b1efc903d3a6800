import Payload
import Testing

@Suite("Text and JSON text are written from values")
struct JSONTextTests {
    private func with<Result>(_ text: String, options: JSON.Options = .init(), _ body: (Value) throws -> Result) throws -> Result {
        try withGuardedBytes(Array(text.utf8)) { try body(JSON.validate($0, options: options)) }
    }

    /// What `body` writes into as much room as `value` says it needs, with a page behind it that must not be touched.
    private func written(_ value: Value, _ body: (UnsafeMutableRawPointer) -> Int?) -> String? {
        withGuardedBytes(Array(repeating: 0, count: JSON.textBytesMax(of: value))) { room in
            let target = UnsafeMutableRawPointer(mutating: room.baseAddress.unsafelyUnwrapped)
            return body(target).map { String(decoding: UnsafeRawBufferPointer(start: target, count: $0), as: UTF8.self) }
        }
    }

    @Test(
        "escapes are decoded to UTF-8",
        arguments: [
            (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
            (#""\uD83D\uDE00!""#, "😀!"),
            (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\uD800\uDC00""#, "\u{10000}"), (#""\u07FF\u0800\uFFFF""#, "\u{7FF}\u{800}\u{FFFF}"),
            (#""\u0000""#, "\0"), (#""größe\n""#, "größe\n"), (#""plain""#, "plain"), (#""""#, ""), (#""\\u0041""#, #"\u0041"#),
        ])
    func unescape(_ text: String, expected: String) throws {
        try with(text) { value in
            #expect(unescaped(value) == expected)
            #expect(JSON.unescapedCount(value) == expected.utf8.count)
            Array(expected.utf8).withUnsafeBytes { #expect(JSON.isText(value, equalTo: $0)) }
            Array((expected + "x").utf8).withUnsafeBytes { #expect(!JSON.isText(value, equalTo: $0)) }
        }
    }

    @Test(
        "NUL is found wherever it hides",
        arguments: [
            (#""\u0000""#, true), (#""a\u0000b""#, true), (#""\\u0000""#, false), (#""\\\u0000""#, true), (#""\u0001""#, false),
            (#""0000""#, false),
            (#"{"a":[{"b":"x\u0000"}]}"#, true), (#"{"a\u0000":1}"#, true), (#"{"a":[{"b":"x\\u0000"}]}"#, false), ("[0,0]", false),
            (#"["\n","\u0000"]"#, true),
            (#""\uD83D\uDE00\u0000""#, true), ("{}", false), ("null", false),
        ])
    func nul(_ text: String, expected: Bool) throws {
        #expect(try with(text) { JSON.containsNUL($0) } == expected)
    }

    @Test("values of every kind become JSON text")
    func writeText() throws {
        func text(_ value: Value) -> String? { written(value) { JSON.writeText(of: value, into: $0) } }
        #expect(text(.missing) == nil)
        #expect(text(.null) == "null")
        #expect(text(Value(kind: .true)) == "true")
        #expect(text(.integer(.min)) == "-9223372036854775808")
        #expect(text(Value(kind: .unsigned, word: .max)) == "18446744073709551615")
        #expect(text(.double(-2.2250738585072014e-308)) == "-2.2250738585072014e-308")
        #expect(text(.double(21.5)) == "21.5")
        #expect(text(.double(.nan)) == "null")
        #expect(text(.double(-.infinity)) == "null")
        let plain = Array("a\"b\\c\n\u{0}\u{1F}ü".utf8)
        plain.withUnsafeBytes { #expect(text(Value(kind: .string, bytes: $0)) == #""a\"b\\c\u000a\u0000\u001fü""#) }
        Array(repeating: UInt8(1), count: 50).withUnsafeBytes { #expect(text(Value(kind: .string, bytes: $0))?.utf8.count == 302) }
        plain.withUnsafeBytes { #expect(text(Value(kind: .bytes, bytes: $0)) == #""YSJiXGMKAB/DvA==""#) }
        for document in [#"{"a":[1,2.50,"x\n"], "b":null}"#, "[]", "1e400", #""a\u0041""#, "\"abc\""] {
            try with(document) { #expect(text($0) == document) }
        }
        let withNaN = #"[nan,-inf,{"a":Infinity,"nan":"nan, \" inf"},[NaN],true,false,null,-1,1e5,-nan ,inf]"#
        try with(withNaN, options: .init(allowsNaN: true)) { value in
            #expect(text(value) == #"[null,null,{"a":null,"nan":"nan, \" inf"},[null],true,false,null,-1,1e5,null ,null]"#)
        }
        try with("[nan,nan,nan,nan,nan,nan]", options: .init(allowsNaN: true)) { #expect(text($0) == "[null,null,null,null,null,null]") }
    }

    @Test(
        "the rest is the object without what was taken",
        arguments: [
            (#"{"a":1,"b":2,"c":3}"#, ["b"], #"{"a":1,"c":3}"#),
            (#"{"a":1,"b":2}"#, ["a", "b"], nil),
            (#"{"a":1, "b" : 2 ,"c":3}"#, ["a"], #"{"b" : 2,"c":3}"#),
            (#"{"a":{"x":1,"y":2},"b":3}"#, ["a.x"], #"{"a":{"y":2},"b":3}"#),
            (#"{"a":{"x":1},"b":3}"#, ["a.x"], #"{"b":3}"#),
            (#"{"a":{"x":{"y":1}}}"#, ["a.x.y"], nil),
            (#"{"a":{"x":{"y":1}},"b":{"c":0}}"#, ["a.x.y", "b"], nil),
            (#"{"a":{"x":1}}"#, ["a"], nil),
            (#"{"a":{"x":1},"b":{}}"#, ["a.x"], #"{"b":{}}"#),
            (#"{"a":{},"b":1}"#, ["a.x"], #"{"b":1}"#),
            (#"{"a":{}}"#, ["z"], #"{"a":{}}"#),
            (#"{"a":[1,{"x":2}]}"#, ["a.0", "a.1.x"], #"{"a":[1,{"x":2}]}"#),
            (#"{"a":5}"#, ["a.x"], #"{"a":5}"#),
            (#"{"a":1,"a":2,"b":3,"b":4}"#, ["a"], #"{"b":3,"b":4}"#),
            (#"{"\u0061":1,"b\n":2}"#, ["a"], #"{"b\n":2}"#),
            (#"{"temperature":1,"humidity":2,"pressure":3}"#, ["humidity"], #"{"temperature":1,"pressure":3}"#),
            (#"{"a":1}"#, ["$"], #"{"a":1}"#),
            (#"{"a":1,"b":2}"#, ["$", "a"], #"{"b":2}"#),
            ("{}", ["a"], nil), ("{ }", [], nil), ("[1]", ["0"], "[1]"), ("5", ["a"], "5"), ("null", [], nil), (#""x\n""#, [], #""x\n""#),
            (#"{"":1,"b":2}"#, ["b"], #"{"":1}"#),
        ] as [(String, [String], String?)])
    func rest(_ text: String, taken: [String], expected: String?) throws {
        let trie = PathTrie(paths: taken.map(path))
        try with(text) { value in #expect(written(value) { JSON.writeRest(of: value, without: trie, into: $0) } == expected) }
    }

    @Test("the rest of a place with many children")
    func wideRest() throws {
        let names = (0..<40).map { "channel_number_\($0)" }
        let trie = PathTrie(paths: names.map { [$0] })
        let text = "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + ",\"channel_number_40\":2}"
        try with(text) { value in
            #expect(written(value) { JSON.writeRest(of: value, without: trie, into: $0) } == #"{"channel_number_40":2}"#)
        }
    }

    @Test("the rest of a text with bare nan is JSON")
    func restWithNaN() throws {
        let trie = PathTrie(paths: [["a"]])
        try with(#"{"a":nan,"b":nan,"c":[inf],"d":{"e":-nan}}"#, options: .init(allowsNaN: true)) { value in
            let text = written(value) { JSON.writeRest(of: value, without: trie, mayHoldNaN: true, into: $0) }
            #expect(text == #"{"b":null,"c":[null],"d":{"e":null}}"#)
        }
    }

    @Test(
        "UTF-8 is told from what is not, and NUL is found",
        arguments: [
            ("", true), ("41", true), ("C3A9", true), ("FF", false), ("EDA080", false), ("C080", false), ("F09F9880", true),
            ("F09F98", false),
        ])
    func utf8(_ hex: String, isValid: Bool) {
        for padding in [0, 1, 7, 8, 9, 31] {
            let text = Array(repeating: UInt8(0x61), count: padding) + bytes(hex: hex)
            withGuardedBytes(text) { #expect(UTF8Text.isValid($0) == isValid) }
            withGuardedBytes(text + Array(repeating: UInt8(0x62), count: padding)) { #expect(UTF8Text.isValid($0) == isValid) }
            withGuardedBytes(text) { #expect(!UTF8Text.containsNUL($0)) }
            withGuardedBytes(text + [0] + text) { #expect(UTF8Text.containsNUL($0)) }
        }
    }
}
