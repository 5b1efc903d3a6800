import CopyFormat
import Testing

@testable import Mapping

/// Rules that could have been others; they are told in the manual, and stay.
@Suite("Decided once")
struct DecisionTests {
    @Test("of several sources of a column, one from the payload makes it count for the row rule; what was found first does not matter")
    func fallbacks() throws {
        let text = "topic: t\ntable: x\ncolumns: {time: {type: timestamptz, from: [$.t, received]}, v: real}"
        #expect(try rows(text, #"{"other":1}"#) == [["2024-01-01T00:00:00Z", "NULL"]])
    }

    @Test("a default of jsonb is the JSON value that it says, in every form")
    func jsonDefaults() throws {
        for (value, stored) in [("\"{}\"", "{}"), ("\"[1, 2]\"", "[1, 2]"), ("7", "7"), ("true", "true"), ("'\"a\"'", "\"a\"")] {
            let text = "topic: t\nkeep_empty: true\ntable: x\ncolumns: {j: {type: jsonb, default: \(value)}}"
            #expect(try rows(text, "{}") == [[stored]], "\(value)")
        }
    }

    @Test(
        "booleans are what PostgreSQL takes for one",
        arguments: [
            ("TRUE", "t"), ("tru", "t"), ("y", "t"), ("Ye", "t"), ("on", "t"), ("1", "t"), ("f", "f"), ("fals", "f"), ("no", "f"),
            ("of", "f"),
            ("OFF", "f"), ("0", "f"), (" true ", "t"),
        ])
    func booleans(word: String, stored: String) throws {
        #expect(try rows("topic: t\ntable: x\ncolumns: {v: boolean}", "{\"v\":\"\(word)\"}") == [[stored]])
    }

    @Test("and nothing else", arguments: ["o", "truee", "10", "2", "yess", "onn", "\u{14}"])
    func noBooleans(word: String) throws {
        #expect(try reason("topic: t\ntable: x\ncolumns: {v: {type: boolean, from: $}}\ndecode: text", word) != nil)
    }

    @Test(
        "UUIDs are 32 digits, with hyphens and perhaps braces",
        arguments: [
            ("550E8400-e29b-41d4-a716-446655440000", true), ("550e8400e29b41d4a716446655440000", true),
            ("{550e8400-e29b-41d4-a716-446655440000}", true), ("550e8400-e29b-41d4-a716-44665544000", false),
            ("550e8400-e29b-41d4-a716-4466554400000", false), ("550e8400-e29b-41d4-a716-44665544000g", false),
            ("{550e8400e29b41d4a716446655440000", false),
        ])
    func uuids(text: String, isOne: Bool) throws {
        let stored = try reason("topic: t\ntable: x\ncolumns: {v: uuid}", "{\"v\":\"\(text)\"}") == nil
        #expect(stored == isOne)
        if isOne {
            #expect(try rows("topic: t\ntable: x\ncolumns: {v: uuid}", "{\"v\":\"\(text)\"}") == [["550e8400-e29b-41d4-a716-446655440000"]])
        }
    }

    @Test("infinity is no time and no number", arguments: ["infinity", "-infinity", "Infinity"])
    func infinity(word: String) throws {
        for type in ["timestamptz", "date", "real", "numeric"] {
            #expect(
                try reason("topic: t\ntable: x\ncolumns: {v: \(type)}", "{\"v\":\"\(word)\"}")?.contains("'\(word)'") == true, "\(type)")
        }
    }

    @Test("an error of a column says where the mapping declares it; an error of the message has no such place")
    func marks() throws {
        let mapping = try mapping("topic: t\ntable: x\ncolumns:\n  w: text\n  v: {type: real}", name: "press")
        let failure = try #require(trial([mapping], "t", Array(#"{"v":"warm"}"#.utf8)).failures.first)
        #expect(failure.description == "mappings/press.yaml:5:3: column 'v': 'warm' is not a number")
        #expect(failure.letterText == "press.yaml:5: column 'v': 'warm' is not a number")
        let whole = try #require(trial([mapping], "t", Array("{".utf8)).failures.first)
        #expect(whole.mark == nil && whole.letterText == whole.reason)
    }
}

@Suite("Tests of a mapping tell text from numbers")
struct ExpectationTests {
    private func failure(_ expected: String, _ payload: String) throws -> String? {
        let text =
            "topic: t\ntable: x\ncolumns: {e: jsonb from $}\ntests:\n  - {topic: t, payload: '\(payload)', expect: [{e: \(expected)}]}"
        return MappingTestRunner.run(try mapping(text)).first?.reason
    }

    @Test(
        "holds",
        arguments: [
            ("{a: 5}", #"{"a":5}"#), ("{a: 5}", #"{"a":5.0}"#), ("{a: \"5\"}", #"{"a":"5"}"#), ("{a: word}", #"{"a":"word"}"#),
            ("{a: true}", #"{"a":true}"#), ("{a: \"true\"}", #"{"a":"true"}"#), ("{a: null}", #"{"a":null}"#), ("[1, [x]]", #"[1,["x"]]"#),
            ("\"{\\\"a\\\": 5}\"", #"{"a":5}"#), ("{a: 2024-01-01}", #"{"a":"2024-01-01"}"#),
            ("{a: 9007199254740993}", #"{"a":9007199254740993}"#),
            ("{a: 0.3}", #"{"a":0.30000000000000004}"#), ("{a: 2}", #"{"a":1,"a":2}"#), ("{a: \"ä\"}", #"{"a":"\u00e4"}"#),
        ])
    func holds(expected: String, payload: String) throws { #expect(try failure(expected, payload) == nil) }

    @Test(
        "does not hold",
        arguments: [
            ("{a: \"5\"}", #"{"a":5}"#), ("{a: 5}", #"{"a":"5"}"#), ("{a: \"true\"}", #"{"a":true}"#), ("{a: true}", #"{"a":"true"}"#),
            ("{a: 9007199254740993}", #"{"a":9007199254740992}"#), ("{a: 1}", #"{"a":1,"b":2}"#), ("{a: null}", #"{"a":0}"#),
            ("[1]", "[1,2]"),
            ("\"5\"", "5"),
        ])
    func doesNotHold(expected: String, payload: String) throws { #expect(try failure(expected, payload) != nil) }

    @Test("a test whose topic the mapping does not take says so")
    func topics() throws {
        let text =
            "topic: t\ntable: x\ncolumns: {v: real}\ntests:\n  - {topic: u, payload: '{}', expect: [{v: 1}]}\n  - {topic: u, payload: '{}', expect_error: x}"
        let failures = MappingTestRunner.run(try mapping(text))
        #expect(failures.count == 2)
        for failure in failures { #expect(failure.reason.contains("'u' matches no pattern")) }
    }
}
