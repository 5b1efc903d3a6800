import Testing

@testable import Mapping

@Suite("A payload that does not fit is a dead letter that says why, or exactly the right value")
struct HostilePayloadTests {
    private static func json(_ type: String) -> String { "topic: t\ntable: x\ncolumns: {v: {type: \"\(type)\"}}" }

    @Test(
        "values at the edge of a type",
        arguments: [
            ("double precision", "-0.0", "-0"), ("double precision", "5e-324", "5e-324"), ("double precision", "1e-400", "0"),
            ("real", "16777217", "16777216"), ("bigint", "9223372036854775807", "9223372036854775807"), ("bigint", "23.0", "23"),
            ("bigint", "-9223372036854775808", "-9223372036854775808"), ("smallint", "-32768", "-32768"), ("integer", "1e3", "1000"),
            ("numeric", "9223372036854775808", "9223372036854775808"), ("numeric", "1e400", "1" + String(repeating: "0", count: 400)),
            ("numeric", "-0.10", "-0.10"), ("numeric(4,2)", "99.99", "99.99"), ("text", "1.50", "1.50"), ("text", "true", "true"),
            ("boolean", "\"On\"", "t"), ("varchar(2)", "\"äö\"", "äö"),
        ])
    func fits(type: String, value: String, stored: String) throws {
        #expect(try rows(Self.json(type), "{\"v\":\(value)}") == [[stored]])
    }

    @Test(
        "values beyond a type",
        arguments: [
            ("double precision", "1e400", "out of range"), ("real", "1e39", "out of range"),
            ("bigint", "9223372036854775808", "out of range"),
            ("bigint", "23.5", "not a whole number"), ("smallint", "32768", "out of range"),
            ("integer", "\"warm\"", "'warm' is not a number"),
            ("numeric(4,2)", "100", "out of range"), ("numeric(4,2)", "99.995", "out of range"), ("text", "\"a\\u0000b\"", "NUL"),
            ("jsonb", "{\"a\":\"\\u0000\"}", "NUL"), ("jsonb", "1e20000", "more digits"), ("varchar(2)", "\"abc\"", "3 characters"),
            ("boolean", "2", "not a boolean"), ("uuid", "\"123\"", "not a UUID"),
            ("timestamptz", "\"2024-02-30T00:00:00Z\"", "no such date"),
            ("timestamptz", "\"2024-01-01T00:00:00\"", "no UTC offset"), ("text", "{\"a\":1}", "object or array"),
            ("text[]", "\"a\"", "not an array"),
        ])
    func doesNotFit(type: String, value: String, words: String) throws {
        let reason = try #require(try reason(Self.json(type), "{\"v\":\(value)}"))
        #expect(reason.hasPrefix("column 'v': "), "\(reason)")
        #expect(reason.contains(words), "\(reason)")
    }

    @Test(
        "texts that are no JSON",
        arguments: [
            #"{"v":"#, "{\"v\":1}}", String(repeating: "[", count: 10_000), #"{"v":"\ud800"}"#, "{\"v\":nan}", "online", "\u{FEFF}{}",
            "{'v':1}",
            "{\"v\":01}", "{\"v\":1,}", "\"\u{01}\"",
        ])
    func noJSON(text: String) throws {
        #expect(try reason(Self.json("text"), text)?.hasPrefix("decode json: ") == true)
    }

    @Test("a truncated document is a dead letter at every byte")
    func truncated() throws {
        let mapping = try mapping("topic: t\ntable: x\ncolumns: {v: real, w: {type: text, from: $.a.b.0}, e: jsonb from rest}")
        let plan = MappingPlan([mapping])
        let document = Array(#"{"v": 1.5e3, "a": {"b": ["\u00e9", null]}, "other": [true, {"x": -0}]}"#.utf8)
        for count in 1..<document.count {
            let trial = Trial(plan, topic: "t", payload: Array(document[..<count]), receivedMicroseconds: 0)
            #expect(trial.failures.count == 1 && trial.rows.isEmpty, "cut at \(count)")
        }
        #expect(Trial(plan, topic: "t", payload: document, receivedMicroseconds: 0).outcome.rowCount == 1)
    }

    @Test("of a repeated member the last one counts, also where it is an object")
    func repeatedMembers() throws {
        let text = "topic: t\ntable: x\ncolumns: {v: real, x: {type: real, from: $.a.x}, y: {type: real, from: $.a.y}}"
        #expect(try rows(text, #"{"v":1,"a":{"x":1},"v":2,"a":{"y":3}}"#) == [["2", "NULL", "3"]])
    }

    @Test("a CSV line with too few cells, a binary payload that is one byte short")
    func tooShort() throws {
        let csv = "topic: t\ndecode: {csv: {delimiter: \";\"}}\ntable: x\ncolumns: {a: text from line.0, b: real not null from line.2}"
        #expect(try reason(csv, "a;b\n") == "column 'b': is NOT NULL but there is no value")
        #expect(try rows(csv, "a;b;3\n") == [["a", "3"]])
        let binary = "topic: t\ndecode: {binary: {fields: {n: u32 at 2}}}\ntable: x\ncolumns: {n: bigint}"
        #expect(try reason(binary, [0, 0, 0, 0, 1]) == "decode binary: payload has 5 bytes, u32 at 2 needs 6")
        #expect(try reason(binary, [0, 0, 255, 255, 255, 255]) == nil)
    }

    @Test("a message that fails takes back all its rows, and only those of the mapping that fails")
    func takesBack() throws {
        let good = try mapping("topic: t\ntable: good\neach: {i: $.*}\ncolumns: {v: text from i.v}", name: "good")
        let bad = try mapping("topic: t\ntable: bad\neach: {i: $.*}\ncolumns: {v: integer not null from i.v}", name: "bad")
        let trial = trial([good, bad], "t", Array(#"[{"v":1},{"v":2},{"v":"x"}]"#.utf8))
        #expect(trial.rows.map(\.table) == ["good"])
        #expect(trial.outcome.rowCount == 3)
        #expect(trial.failures.map(\.mapping) == [1])
    }

    @Test("a message whose loops would make more rows than memory can hold is a dead letter")
    func tooManyRows() throws {
        let mapping = try mapping("topic: t\ntable: x\neach: {i: $.list.*}\ncolumns: {big: text not null from $.big, v: real from i}")
        let payload =
            #"{"big":""# + String(repeating: "b", count: 10_000) + #"","list":["#
            + Array(repeating: "1", count: 1000).joined(separator: ",") + "]}"
        var limits = EvaluationLimits()
        limits.maximumRowBytes = 1_000_000
        let trial = Trial(MappingPlan([mapping]), topic: "t", payload: Array(payload.utf8), receivedMicroseconds: 0, limits: limits)
        #expect(trial.failures.first?.reason.contains("more than 1000000 bytes of rows") == true)
        #expect(trial.rows.isEmpty)
    }

    @Test("loops within loops that go over more than they may are a dead letter, whether or not a test takes anything")
    func tooManyItems() throws {
        let mapping = try mapping(
            "topic: t\ntable: x\neach: {a: $.a.*, b: $.b.*}\nwhen: {b: 2}\ncolumns: {v: real from a, w: real from b}")
        let list = "[" + Array(repeating: "1", count: 1000).joined(separator: ",") + "]"
        var limits = EvaluationLimits()
        for (maximum, isEnough) in [(100_000, false), (3_000_000, true)] {
            limits.maximumIterations = maximum
            let trial = Trial(
                MappingPlan([mapping]), topic: "t", payload: Array("{\"a\":\(list),\"b\":\(list)}".utf8), receivedMicroseconds: 0,
                limits: limits)
            #expect(trial.failures.isEmpty == isEnough)
            #expect(trial.failures.allSatisfy { $0.reason.contains("more than \(maximum) items") })
        }
    }

    @Test("random bytes never end the process")
    func noise() throws {
        let mappings = try [
            mapping("topic: t\ntable: a\ncolumns: {v: real, e: jsonb from rest}", name: "a"),
            mapping("topic: t\ndecode: {csv: {header: first_line}}\ntable: b\ncolumns: {v: real from line.a}", name: "b"),
            mapping(
                "topic: t\ndecode: {binary: {fields: {n: u8 at 0}, groups: {g: {at: 1, every: 3, count: $.n, fields: {v: i16 at 0}}}}}\neach: {r: $.g.*}\ntable: c\ncolumns: {v: real from r.v}",
                name: "c"),
            mapping(
                "topic: t\nunpack: base64\ndecode: text\ntable: d\ncolumns: {v: {type: timestamptz, from: $, parse: unix_auto}}", name: "d"),
        ]
        let plan = MappingPlan(mappings)
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array(#"{}[]":,\u0123456789.eE+-nultrfas;"#.utf8) + [0, 10, 13, 0x80, 0xC3, 0xFF]
        for _ in 0..<3000 {
            let payload = (0..<Int.random(in: 1...60)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            let trial = Trial(plan, topic: "t", payload: payload, receivedMicroseconds: 0)
            #expect(trial.outcome.matchedCount == 4)
        }
    }

    @Test(
        "lines under a header that is far longer than they are end with a word, and do not fill the memory",
        arguments: ["columns: {all: jsonb from $}", "each: {line: $.*}\ncolumns: {c: text from line.c, all: jsonb from rest}"])
    func longHeader(rest: String) throws {
        let payload = String(repeating: "n", count: 20_000) + ";c\n" + String(repeating: "1;2\n", count: 5000)
        let trial = Trial(
            MappingPlan([try mapping("topic: t\ntable: x\ndecode: {csv: {header: first_line, delimiter: \";\"}}\n" + rest)]), topic: "t",
            payload: Array(payload.utf8), receivedMicroseconds: 0, limits: EvaluationLimits(maximumPayloadBytes: 50_000))
        #expect(trial.failures.first?.reason == "decode csv: more than 400000 bytes of lines with the names of their cells")
    }

    @Test("a header that gives very many cells one name costs no more with each line")
    func repeatedNames() throws {
        let payload = String(repeating: "a;", count: 200_000) + "b\n" + String(repeating: "1;2\n", count: 50_000)
        let start = ContinuousClock.now
        let rows = try rows(
            "topic: t\ntable: x\ndecode: {csv: {header: first_line, delimiter: \";\"}}\neach: {line: $.*}\ncolumns: {a: text from line.a}",
            payload)
        #expect(rows.count == 50_000 && rows.allSatisfy { $0 == ["2"] })
        // Ten thousand million looks would take longer by far.
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}
