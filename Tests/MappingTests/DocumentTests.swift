import Testing

@testable import Mapping

/// Lines and records are read one by one where that is all a mapping asks for; here it asks for more.
@Suite("A decoder's value as a whole, by place, and what is left of it")
struct DocumentTests {
    private static let lines = "topic: t\ndecode: {json: {lines: true}}\ntable: x\n"
    private static let csv = "topic: t\ndecode: {csv: {header: first_line}}\ntable: x\n"
    private static let binary =
        "topic: t\ndecode: {binary: {fields: {a: u8 at 0}, groups: {rec: {at: 1, every: 1, fields: {v: u8 at 0}}}}}\ntable: x\n"

    @Test(
        "lines of JSON",
        arguments: [
            ("columns: {v: real from $.0.v, w: real from $.-1.v}", [["1", "2"]]),
            ("columns: {v: jsonb from $}", [[#"[{"v":1},{"v":2}]"#]]),
            (
                "each: {l: $.*}\ncolumns: {v: real from l.v, first: real from $.0.v, j: jsonb from l}",
                [["1", "1", #"{"v":1}"#], ["2", "1", #"{"v":2}"#]]
            ),
            ("when: {$: {is: array}}\nkeep_empty: true\ncolumns: {n: real from $.7.v}", [["NULL"]]),
        ] as [(String, [[String]])])
    func jsonLines(columns: String, stored: [[String]]) throws {
        #expect(try rows(Self.lines + columns, "{\"v\":1}\n\n{\"v\":2}\r\n") == stored)
    }

    @Test(
        "lines of CSV",
        arguments: [
            ("columns: {a: text from line.a, f: text from $.0.b}", [["1", "2"], ["4", "2"]]),
            ("columns: {l: text from line.-1, f: text from line.-2, n: text from line.-3}", [["2", "1", "NULL"], ["5", "4", "NULL"]]),
            ("columns: {l: text from line.-1, e: jsonb from line}", [["2", #"{"a":"1","b":"2"}"#], ["5", #"{"a":"4","b":"5"}"#]]),
            ("columns: {a: text from line.a, e: jsonb from rest}", [["1", #"{"b":"2"}"#], ["4", #"{"b":"5"}"#]]),
            ("columns: {e: jsonb from line}", [[#"{"a":"1","b":"2"}"#], [#"{"a":"4","b":"5"}"#]]),
            (
                "each: {l: $.*, c: l.*}\ncolumns: {k: text from c@key, v: text from c}",
                [["a", "1"], ["b", "2"], ["a", "4"], ["b", "5"]]
            ),
            ("when: {line: {is: object}}\ncolumns: {a: text from line.a}", [["1"], ["4"]]),
            ("each: {c: $.-1.*}\ncolumns: {v: text from c}", [["4"], ["5"]]),
            ("each: {l: $.*}\ncolumns: {j: jsonb from $}", Array(repeating: [#"[{"a":"1","b":"2"},{"a":"4","b":"5"}]"#], count: 2)),
        ] as [(String, [[String]])])
    func csvLines(columns: String, stored: [[String]]) throws { #expect(try rows(Self.csv + columns, "a,b\n1,2\n4,5") == stored) }

    @Test("each line of CSV has an end of its own; a line that is named by its place is no loop")
    func endsOfLines() throws {
        let head = "topic: t\ndecode: csv\ntable: x\n"
        #expect(try rows(head + "columns: {v: text from line.-1}", "1\n2,3\n4,5,\n") == [["1"], ["3"], [""]])
        #expect(try rows(head + "each: {l: $.*}\ncolumns: {v: integer from l.-2}", "1\n2,3\n4,5,6") == [["2"], ["5"]])
        let found = mistakes(head + "columns: {v: text from $.0.-1}")
        #expect(found.count == 1 && found[0].contains("take line.-1"), "\(found)")
    }

    @Test(
        "binary fields and records",
        arguments: [
            ("keep_empty: true\ncolumns: {e: jsonb from $}", [[#"{"a":1,"rec":[{"v":2},{"v":3}]}"#]]),
            ("columns: {v: smallint from $.rec.0.v, l: smallint from $.rec.-1.v}", [["2", "3"]]),
            ("columns: {a: smallint, e: jsonb from rest}", [["1", #"{"rec":[{"v":2},{"v":3}]}"#]]),
            ("each: {r: $.rec.*}\ncolumns: {j: jsonb from r, a: smallint from $.a}", [[#"{"v":2}"#, "1"], [#"{"v":3}"#, "1"]]),
            ("each: {m: $.*}\nwhen: {m: {is: number}}\ncolumns: {k: text from m@key, v: smallint from m}", [["a", "1"]]),
            ("each: {r: $.rec.*, f: r.*}\ncolumns: {k: text from f@key, v: smallint from f}", [["v", "2"], ["v", "3"]]),
        ] as [(String, [[String]])])
    func binary(columns: String, stored: [[String]]) throws {
        let trial = trial([try mapping(Self.binary + columns)], "t", [1, 2, 3])
        #expect(trial.failures.isEmpty, "\(trial.failures)")
        #expect(trial.rows.flatMap { part in part.rows.map { $0.map { $0?.shown ?? "NULL" } } } == stored)
    }

    @Test("bytes stay bytes beside a value as a whole, where they are base64; floats that are no number likewise")
    func bytes() throws {
        let text = """
            topic: t
            decode: {binary: {fields: {raw: {type: bytes, at: 0, size: 2}, f: f32 at 2}}}
            table: x
            columns: {raw: bytea from $.raw, all: jsonb from $, f: {type: real, from: $.f, null_if: nan}}
            """
        let trial = trial([try mapping(text)], "t", [0xFF, 0x00, 0x7F, 0xC0, 0, 0])
        #expect(trial.failures.isEmpty, "\(trial.failures)")
        #expect(trial.rows[0].rows[0].map { $0?.shown ?? "NULL" } == ["\\xff00", #"{"raw":"/wA=","f":null}"#, "NULL"])
    }

    /// Records of a number and two bytes.
    private static let records = """
        topic: t
        decode:
          binary:
            fields: {n: u8 at 0}
            groups: {rec: {at: 1, every: 3, count: $.n, fields: {v: u8 at 0, raw: {type: bytes, at: 1, size: 2}}}}
        table: x

        """

    @Test(
        "bytes of a record named by its place are bytes, in every way that leads there",
        arguments: [
            ("columns: {r: bytea from $.rec.0.raw, l: bytea from $.rec.-1.raw}", ["\\xff00", "\\x7f80"]),
            (
                "each: {r: $.rec.*}\nwhen: {r@index: 1}\ncolumns:\n  a: bytea from r.raw\n  b: bytea from $.rec.{r@index}.raw",
                ["\\x7f80", "\\x7f80"]
            ),
            ("columns: {r: {type: bytea, from: [$.rec.7.raw, $.rec.1.raw]}, j: jsonb from $.rec.0.raw}", ["\\x7f80", #""/wA=""#]),
            (
                "embed: {inner: {from: $.rec.0.raw, decode: {binary: {fields: {x: u16 at 0}}}}}\ncolumns: {x: integer from inner.x}",
                ["65280"]
            ),
        ] as [(String, [String])])
    func bytesOfRecords(columns: String, stored: [String]) throws {
        let trial = trial([try mapping(Self.records + columns)], "t", [2, 1, 0xFF, 0x00, 2, 0x7F, 0x80])
        #expect(trial.failures.isEmpty, "\(trial.failures)")
        #expect(trial.rows.first?.rows.map { $0.map { $0?.shown ?? "NULL" } } == [stored])
    }

    @Test(
        "bytes that are one field of any are refused, where a column would take their text for bytes",
        arguments: [
            "each: {r: $.rec.*, f: r.*}\ncolumns: {v: bytea from f}", "each: {m: $.*}\ncolumns: {v: {type: bytea, from: m}}",
            "each: {f: $.rec.0.*}\ncolumns:\n  v: bytea from $.rec.0.{f@key}",
        ])
    func bytesOfAnyField(columns: String) {
        let found = mistakes(Self.records + columns)
        #expect(found.count == 1 && found[0].contains("name the field"), "\(found)")
    }

    @Test("what is wrong with a payload is an error, whatever the mapping asks of it")
    func errors() throws {
        #expect(try reason(Self.lines + "columns: {v: jsonb from $}", "{\"v\":1}\n{")?.hasPrefix("decode json: document 2: ") == true)
        #expect(try reason(Self.csv + "columns: {v: jsonb from $}", "a\n\"1")?.contains("does not end") == true)
        #expect(try reason(Self.binary + "columns: {v: jsonb from $}", [UInt8]()) == nil)
        let short = "topic: t\ndecode: {binary: {fields: {a: u16 at 0}}}\ntable: x\ncolumns: {v: jsonb from $}"
        #expect(try reason(short, [1])?.contains("needs 2") == true)
    }

    @Test(
        "a line of NDJSON that is no JSON is an error, wherever it stands and whatever the mapping reads of it",
        arguments: [
            "columns: {v: real from line.v}", "columns: {v: {type: real, from: line.v, on_error: skip_row}}",
            "when: {line.v: 1}\ncolumns: {v: real from line.v}", "when: {topic: other}\ncolumns: {v: real from line.v}",
            "columns: {t: text from topic, v: jsonb from $}",
        ])
    func brokenLine(rest: String) throws {
        let head = "topic: t\ndecode: {json: {lines: true}}\neach: {line: $.*}\ntable: x\n"
        for (payload, place) in [("{\"v\":1}\n{\"v\":2}\n{", 3), ("{\"v\":1}\n\n{\"v\":2}}\n{\"v\":3}", 2), ("nul\n{\"v\":2}", 1)] {
            #expect(try reason(head + rest, payload)?.hasPrefix("decode json: document \(place): ") == true, "\(payload)")
        }
    }

    @Test("an empty payload that makes a row is null, and so are tests on it")
    func emptyPayload() throws {
        let head = "topic: t\nempty_payload: row\ntable: x\n"
        for test in ["$: null", "$: {present: true}", "$: {is: \"null\"}"] {
            #expect(try rows(head + "when: {\(test)}\ncolumns: {v: real}", "") == [["NULL"]], "\(test)")
        }
        #expect(try rows(head + "when: {$.v: {present: true}}\ncolumns: {v: real}", "") == [])
    }
}
