import Payload
import Testing

@Suite("The grammar of RFC 8259 is kept to the byte")
struct JSONGrammarTests {
    @Test(
        "is JSON",
        arguments: [
            // Values at the top
            "null", "true", "false", "0", "-0", "7", "\"\"", "\"a\"", "[]", "{}", " null", "null ", "\t\n\r null\t\n\r ", "\n[]\n",
            // Numbers
            "1", "-1", "10", "1234567890", "12345678", "123456789012345678901234567890", "0.0", "0.5", "-0.5", "1.25",
            "123.456789012345678", "1e0", "1E0",
            "1e5", "1e+5", "1e-5", "1E+5", "1E-05", "0e0", "0e+1", "-0e-1", "1.5e300", "1e400", "-1.5E-400", "1e99999999999999999999",
            "20e1", "[1,-2,3.5]",
            "[0]", "[-0]", "[0.1]", "[12345678]", "[1234567.8]", "[12345.678]", "{\"a\":-12345.6}", "[1e1]", "[1.0e1 ]", "[ 1 , 2 ]",
            "[-1e-1]",
            // Strings
            "\"plain text of more than sixteen bytes\"", "\"1234567\"", "\"12345678\"", "\"123456789\"", "\"\\\"\"", "\"\\\\\"", "\"\\/\"",
            "\"\\b\\f\\n\\r\\t\"",
            "\"\\u0000\"", "\"\\u00e9\"", "\"\\u00E9\"", "\"\\uD83D\\uDE00\"", "\"\\ud83d\\ude00\"", "\"\\uDBFF\\uDFFF\"", "\"\\uD7FF\"",
            "\"\\uE000\"", "\"\\uFFFF\"",
            "\"a\\u0062c\"", "\"/\"", "\"\u{7F}\"", "\"é\"", "\"€\"", "\"😀\"", "\"\u{10FFFF}\"", "\"\u{FFFF}\"", "\"\u{D7FF}\u{E000}\"",
            "\"Größe: 5 µm, 温度 21.5 °C\"",
            "\"\u{2028}\u{2029}\"", "\"{[,:]}\"", "\"aaaaaaa\\n\"", "\"aaaaaaaa\\n\"", "\"\\\\\\\\\\\\\\\"\"", "\"\u{FEFF}\"",
            "[\"\\u002c\"]",
            // Objects
            "{\"a\":1}", "{\"a\" : 1}", "{ \"a\" :\n1 }", "{\"\":0}", "{\"a\":1,\"b\":2}", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":{}}}",
            "{\"a\":{},\"b\":[]}",
            "{\"a\":[],\"b\":{}}", "{\"a\":{\"c\":1},\"b\":2}", "{\"\\u0061\":1}", "{\"a\":\"b\"}", "{\"a\":null}",
            "{\"temperature\":1,\"long name of a member\":2}",
            // Arrays
            "[[]]", "[[],[]]", "[[[]]]", "[{}]", "[{},{}]", "[null]", "[true,false,null]", "[\"a\",\"b\"]", "[1,[2,[3]],4]",
            "[[1],{\"a\":[2]},3]", "[ ]", "[ [ ] ]",
            "[{\"a\":[{}]}]", "[1,{\"a\":[]},\"x\",[[]]]",
        ])
    func isJSON(_ text: String) {
        #expect(failure(text) == nil)
    }

    @Test(
        "is not JSON",
        arguments: [
            ("", "unexpected end of the text at byte 0"),
            (" ", "unexpected end of the text at byte 1"),
            ("\n\t", "unexpected end of the text at byte 2"),
            // Words
            ("nul", "unexpected end of the text at byte 3"),
            ("t", "unexpected end of the text at byte 1"),
            ("fals", "unexpected end of the text at byte 4"),
            ("nulL", "'n' instead of a value at byte 0"),
            ("True", "'T' instead of a value at byte 0"),
            ("TRUE", "'T' instead of a value at byte 0"),
            ("online", "'o' instead of a value at byte 0"),
            ("nulll", "'l' after the end of the value at byte 4"),
            ("truefalse", "'f' after the end of the value at byte 4"),
            ("undefined", "'u' instead of a value at byte 0"),
            ("[nul]", "'n' instead of a value at byte 1"),
            ("[fals0]", "'f' instead of a value at byte 1"),
            ("nan", "bare nan is not JSON (set json: {allow_nan: true}) at byte 0"),
            ("[1, NaN]", "bare nan is not JSON (set json: {allow_nan: true}) at byte 4"),
            ("{\"a\":-nan}", "bare nan is not JSON (set json: {allow_nan: true}) at byte 5"),
            ("Infinity", "bare infinity is not JSON (set json: {allow_nan: true}) at byte 0"),
            ("[-inf]", "bare infinity is not JSON (set json: {allow_nan: true}) at byte 1"),
            ("nano", "'n' instead of a value at byte 0"),
            // Numbers
            ("-", "unexpected end of the text at byte 1"),
            ("+1", "'+' instead of a value at byte 0"),
            (".5", "'.' instead of a value at byte 0"),
            ("5.", "unexpected end of the text at byte 2"),
            ("[5.]", "']' instead of a digit at byte 3"),
            ("[5.e1]", "'e' instead of a digit at byte 3"),
            ("01", "a number with a leading zero at byte 0"),
            ("-01", "a number with a leading zero at byte 0"),
            ("00", "a number with a leading zero at byte 0"),
            ("[00.5]", "a number with a leading zero at byte 1"),
            ("[-012345678]", "a number with a leading zero at byte 1"),
            ("1e", "unexpected end of the text at byte 2"),
            ("[1e]", "']' instead of a digit at byte 3"),
            ("[1e+]", "']' instead of a digit at byte 4"),
            ("1e+", "unexpected end of the text at byte 3"),
            ("1ee1", "'e' instead of a digit at byte 2"),
            ("1.2.3", "'.' after the end of the value at byte 3"),
            ("[1.2.3.4.5]", "'.' instead of ',' or ']' at byte 4"),
            ("--1", "'-' instead of a digit at byte 1"),
            ("-a", "'a' instead of a digit at byte 1"),
            ("0x10", "'x' after the end of the value at byte 1"),
            ("[0x10, 1, 2]", "'x' instead of ',' or ']' at byte 2"),
            ("1_000", "'_' after the end of the value at byte 1"),
            ("1 000", "'0' after the end of the value at byte 2"),
            ("[12a]", "'a' instead of ',' or ']' at byte 3"),
            ("1,5", "',' after the end of the value at byte 1"),
            ("[1.-5]", "'-' instead of a digit at byte 3"),
            ("[-.123456]", "'.' instead of a digit at byte 2"),
            // Strings
            ("\"", "unexpected end of the text at byte 1"),
            ("\"abc", "unexpected end of the text at byte 4"),
            ("\"12345678", "unexpected end of the text at byte 9"),
            ("'a'", "''' instead of a value at byte 0"),
            ("\"a\"b", "'b' after the end of the value at byte 3"),
            ("\"\\", "unexpected end of the text at byte 2"),
            ("\"\\\"", "unexpected end of the text at byte 3"),
            ("\"\\a\"", "an invalid escape in a string at byte 1"),
            ("\"\\U0041\"", "an invalid escape in a string at byte 1"),
            ("\"\\x41\"", "an invalid escape in a string at byte 1"),
            ("\"\\u\"", "an invalid escape in a string at byte 1"),
            ("\"\\u12\"", "an invalid escape in a string at byte 1"),
            ("\"\\u123g\"", "an invalid escape in a string at byte 1"),
            ("\"\\u+123\"", "an invalid escape in a string at byte 1"),
            ("\"\\u123", "unexpected end of the text at byte 6"),
            ("\"12345\\uD800\"", "a lone surrogate \\uD800 at byte 6"),
            ("\"\\uD800\"", "a lone surrogate \\uD800 at byte 1"),
            ("\"\\uDC00\"", "a lone surrogate \\uDC00 at byte 1"),
            ("\"\\udfff\"", "a lone surrogate \\uDFFF at byte 1"),
            ("\"\\uD800\\uD800\"", "a lone surrogate \\uD800 at byte 1"),
            ("\"\\uD800\\n\"", "a lone surrogate \\uD800 at byte 1"),
            ("\"\\uD800x\"", "a lone surrogate \\uD800 at byte 1"),
            ("\"\\uD83D\\u0041\"", "a lone surrogate \\uD83D at byte 1"),
            ("\"\\uDE00\\uD83D\"", "a lone surrogate \\uDE00 at byte 1"),
            ("\"\\uD800\\u", "unexpected end of the text at byte 9"),
            ("\"a\nb\"", "an unescaped control character 0x0A in a string at byte 2"),
            ("\"\t\"", "an unescaped control character 0x09 in a string at byte 1"),
            ("\"\u{0}\"", "an unescaped control character 0x00 in a string at byte 1"),
            ("\"12345678\u{1F}\"", "an unescaped control character 0x1F in a string at byte 9"),
            ("{\"a\u{0}\":1}", "an unescaped control character 0x00 in a string at byte 3"),
            // Objects
            ("{", "unexpected end of the text at byte 1"),
            ("{\"a\"", "unexpected end of the text at byte 4"),
            ("{\"a\":", "unexpected end of the text at byte 5"),
            ("{\"a\":1", "unexpected end of the text at byte 6"),
            ("{\"a\":1,", "unexpected end of the text at byte 7"),
            ("{\"a\":1,}", "'}' instead of a member's name in quotes at byte 7"),
            ("{,}", "',' instead of a member's name in quotes or '}' at byte 1"),
            ("{,\"a\":1}", "',' instead of a member's name in quotes or '}' at byte 1"),
            ("{\"a\":1,,\"b\":2}", "',' instead of a member's name in quotes at byte 7"),
            ("{\"a\" 1}", "'1' instead of ':' at byte 5"),
            ("{\"a\"::1}", "':' instead of a value at byte 5"),
            ("{\"a\":}", "'}' instead of a value at byte 5"),
            ("{\"a\":1 \"b\":2}", "'\"' instead of ',' or '}' at byte 7"),
            ("{a:1}", "'a' instead of a member's name in quotes or '}' at byte 1"),
            ("{'a':1}", "''' instead of a member's name in quotes or '}' at byte 1"),
            ("{1:2}", "'1' instead of a member's name in quotes or '}' at byte 1"),
            ("{\"a\":1]", "']' instead of ',' or '}' at byte 6"),
            ("{]", "']' instead of a member's name in quotes or '}' at byte 1"),
            ("{\"a\":1}}", "'}' after the end of the value at byte 7"),
            ("{\"a\":1} x", "'x' after the end of the value at byte 8"),
            ("{\"a\",\"b\"}", "',' instead of ':' at byte 4"),
            ("{\"a\":{}", "unexpected end of the text at byte 7"),
            ("{\"a\":{\"b\":1}", "unexpected end of the text at byte 12"),
            ("{\"a\":{\"b\":1]}", "']' instead of ',' or '}' at byte 11"),
            ("{null:1}", "'n' instead of a member's name in quotes or '}' at byte 1"),
            ("}", "'}' instead of a value at byte 0"),
            // Arrays
            ("[", "unexpected end of the text at byte 1"),
            ("[1", "unexpected end of the text at byte 2"),
            ("[1,", "unexpected end of the text at byte 3"),
            ("[1,]", "']' instead of a value at byte 3"),
            ("[,1]", "',' instead of a value at byte 1"),
            ("[1,,2]", "',' instead of a value at byte 3"),
            ("[1 2]", "'2' instead of ',' or ']' at byte 3"),
            ("[1}", "'}' instead of ',' or ']' at byte 2"),
            ("[}", "'}' instead of a value at byte 1"),
            ("[[]", "unexpected end of the text at byte 3"),
            ("[[],", "unexpected end of the text at byte 4"),
            ("[[]]]", "']' after the end of the value at byte 4"),
            ("[\"a\":1]", "':' instead of ',' or ']' at byte 4"),
            ("]", "']' instead of a value at byte 0"),
            ("[1]\u{0}", "0x00 after the end of the value at byte 3"),
            ("1 2", "'2' after the end of the value at byte 2"),
            // Other things
            ("\u{FEFF}{}", "a byte order mark, which JSON does not allow, at byte 0"),
            ("// no comment\n1", "'/' instead of a value at byte 0"),
            ("[1/* no */]", "'/' instead of ',' or ']' at byte 2"),
            ("\u{A0}1", "0xC2 instead of a value at byte 0"),
            ("\u{B}1", "0x0B instead of a value at byte 0"),
            ("[\u{C}1]", "0x0C instead of a value at byte 1"),
            ("*", "'*' instead of a value at byte 0"),
            (",", "',' instead of a value at byte 0"),
        ])
    func isNotJSON(_ text: String, message: String) {
        #expect(failure(text)?.description == message)
    }

    @Test(
        "strings that are not UTF-8 are refused at the byte",
        arguments: [
            ("22 80 22", 1), ("22 BF 22", 1), ("22 C0 80 22", 1), ("22 C1 BF 22", 1), ("22 C3 22", 1), ("22 C3 28 22", 1),
            ("22 E0 80 80 22", 1),
            ("22 E0 9F BF 22", 1), ("22 ED A0 80 22", 1), ("22 ED BF BF 22", 1), ("22 E2 82 22", 1), ("22 E2 28 A1 22", 1),
            ("22 F0 80 80 80 22", 1),
            ("22 F0 8F BF BF 22", 1), ("22 F4 90 80 80 22", 1), ("22 F5 80 80 80 22", 1), ("22 FF 22", 1), ("22 FE 22", 1),
            ("22 F8 88 80 80 80 22", 1),
            ("22 F0 9F 98 22", 1), ("22 C3 A9 C3 22", 3), ("22 61 61 61 61 61 61 61 61 E9 22", 9), ("7B 22 FF 22 3A 31 7D", 2),
            ("22 C3", 1), ("22 F0 9F", 1),
        ])
    func isNotUTF8(_ hex: String, offset: Int) {
        #expect(failure(bytes(hex: hex)) == JSONError(.invalidUTF8, byteOffset: offset))
    }

    @Test(
        "the first and last sequence of each length are UTF-8",
        arguments: [
            "C2 80", "DF BF", "E0 A0 80", "EC BF BF", "ED 80 80", "ED 9F BF", "EE 80 80", "EF BF BF", "F0 90 80 80", "F3 BF BF BF",
            "F4 80 80 80", "F4 8F BF BF",
        ])
    func isUTF8(_ hex: String) {
        #expect(failure([0x22] + bytes(hex: hex) + [0x22]) == nil)
        #expect(failure([0x22] + Array(repeating: 0x61, count: 13) + bytes(hex: hex) + bytes(hex: hex) + [0x61, 0x22]) == nil)
    }

    @Test("a text cut off at any byte is an error, and nothing is read behind its end")
    func truncation() {
        let text = """
            { "ts":"2026-01-01T00:00:00.123456Z" ,"list":[0,-12.50,1e-7,12345678901,{"x":true},[[]], null],"a":{"b":{"c":false}} ,
            "b" :{"c":"Größe 😀 \\u00e9\\uD83D\\uDE00\\n","long name of a member":"plain text behind a long name"},"x":{"y":{"z":[]}},"\\u0061":{}}
            """
        let document = Array(text.utf8)
        #expect(failure(document) == nil)
        for count in 0..<document.count { #expect(failure(Array(document[..<count])) != nil, "cut at byte \(count)") }
    }

    @Test("nesting ends at the limit, however deep the text goes on")
    func depth() {
        func nested(_ count: Int, _ open: String = "[", _ close: String = "]") -> String {
            String(repeating: open, count: count) + String(repeating: close, count: count)
        }
        #expect(failure(nested(64)) == nil)
        #expect(failure(nested(65)) == JSONError(.tooDeep(levels: 64), byteOffset: 64))
        #expect(failure(nested(65))?.description == "nested deeper than 64 levels at byte 64")
        #expect(failure(nested(10_000)) == JSONError(.tooDeep(levels: 64), byteOffset: 64))
        let objects = String(repeating: "{\"a\":", count: 10_000)
        #expect(failure(objects) == JSONError(.tooDeep(levels: 64), byteOffset: 320))
        #expect(failure(nested(3), options: .init(maximumDepth: 3, allowsNaN: false)) == nil)
        #expect(failure("[[{}],[[]],[{\"a\":[]}]]", options: .init(maximumDepth: 3, allowsNaN: false))?.byteOffset == 17)
        let deep = JSON.Options(maximumDepth: .max, allowsNaN: false)
        #expect(failure(nested(1024), options: deep) == nil)
        #expect(failure(nested(1025), options: deep) == JSONError(.tooDeep(levels: 1024), byteOffset: 1024))
        #expect(failure(nested(10_000), options: deep) == JSONError(.tooDeep(levels: 1024), byteOffset: 1024))
        #expect(failure(String(repeating: "[{\"a\":", count: 300) + "1" + String(repeating: "}]", count: 300), options: deep) == nil)
        // Siblings count once.
        #expect(failure("[" + String(repeating: "[[]],", count: 500) + "[]]") == nil)
    }

    @Test(
        "bare nan and infinity read as null where they are allowed",
        arguments: ["nan", "NaN", "NAN", "inf", "Inf", "Infinity", "INFINITY", "-inf", "-Infinity", "-nan", "-NaN"])
    func notFinite(_ word: String) throws {
        let options = JSON.Options(allowsNaN: true)
        #expect(try read(word, ["$"], options: options) == ["null"])
        #expect(
            try read("{\"a\":\(word),\"b\":[\(word) , 1],\"c\":\"\(word)\"}", ["a", "b.0", "b.1", "c"], options: options) == [
                "null", "null", "1", "'\(word)'",
            ])
        #expect(failure("[\(word)x]", options: options) != nil)
        #expect(failure("[\(word)1]", options: options) != nil)
        #expect(failure("{\(word):1}", options: options) != nil)
        #expect(failure("[\(word)]") != nil)
    }
}
