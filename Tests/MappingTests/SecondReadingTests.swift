import Testing

@testable import Mapping

/// What a second reading of the mapping format has shown, each with the message that shows it.
@Suite("Rules that a second reading of the format has shown")
struct SecondReadingTests {
    private func stored(_ text: String, _ bytes: [UInt8]) throws -> [[String]] {
        let trial = trial([try mapping(text)], "t", bytes)
        #expect(trial.failures.isEmpty, "\(trial.failures)")
        return trial.rows.flatMap { part in part.rows.map { $0.map { $0?.shown ?? "NULL" } } }
    }

    // MARK: Tests and loops

    @Test("a test of a block that names a loop's place waits for the loop")
    func testBesideALoop() throws {
        let text = """
            topic: t
            each: {i: $.values.*}
            when: {"$.quality.{i@index}": good}
            table: x
            columns: {v: real from i}
            """
        #expect(try rows(text, #"{"values":[1,2,3],"quality":["good","bad","good"]}"#) == [["1"], ["3"]])
        let byKey = text.replacing("$.quality.{i@index}", with: "$.quality.{i@key}")
        #expect(try rows(byKey, #"{"values":{"a":1,"b":2},"quality":{"b":"good"}}"#) == [["2"]])
    }

    @Test("a test of a record's field guards its loop")
    func testOfARecord() throws {
        let text = """
            topic: t
            decode: {binary: {fields: {n: u8 at 0}, groups: {rec: {at: 1, every: 2, fields: {v: u8 at 0, ok: u8 at 1}}}}}
            each: {r: $.rec.*}
            when: {r.ok: 1}
            table: x
            columns: {v: integer from r.v}
            """
        #expect(try stored(text, [9, 5, 1, 6, 0, 7, 1]) == [["5"], ["7"]])
        // rest is wanted before the cells' names are.
        let lines = "topic: t\ndecode: csv\nwhen: {line.0: a}\ntable: x\ncolumns: {v: real from line.1, extra: jsonb from rest}"
        #expect(try rows(lines, "a,1\nb,2\n") == [["1", #"{"0":"a"}"#]])
    }

    // MARK: Columns

    @Test("a number whose sign is missing is an error, and is not stored as positive")
    func missingSign() throws {
        let text = "topic: t\ntable: x\ncolumns: {v: {type: real, sign: {from: $.h, negative: [S]}}}"
        #expect(try rows(text, #"{"v":3,"h":"S"}"#) == [["-3"]])
        for payload in [#"{"v":3}"#, #"{"v":3,"h":null}"#] {
            #expect(try reason(text, payload) == "column 'v': there is no value for its sign")
        }
        #expect(try rows(text.replacing("columns:", with: "keep_empty: true\ncolumns:"), "{}") == [["NULL"]])
    }

    @Test("a join that lacks a part is missing, whatever the other parts are")
    func joinWithoutAPart() throws {
        let text = "topic: t\ntable: x\ncolumns: {v: {type: text, join: [$.a, $.b], with: \"-\"}, w: text from $.w}"
        #expect(try rows(text, #"{"a":{},"w":1}"#) == [["NULL", "1"]])
        #expect(try reason(text, #"{"a":{},"b":1,"w":1}"#) == "column 'v': object or array where a single value is expected")
    }

    @Test(
        "values in the forms that columns take",
        arguments: [
            ("v: {type: \"timestamptz[]\", parse: unix}", #"{"v":[0,60]}"#, "{1970-01-01T00:00:00Z,1970-01-01T00:01:00Z}"),
            ("v: {type: \"timestamptz[]\", zone: Europe/Berlin}", #"{"v":["2024-01-01 01:00:00",null]}"#, "{2024-01-01T00:00:00Z,NULL}"),
            ("v: {type: numeric, parse: ddmm}", #"{"v":1.2e3}"#, "12"), ("v: {type: numeric, parse: ddmm, scale: 60}", #"{"v":true}"#, "1"),
            ("v: {type: uuid}", #"{"v":"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"}"#, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            ("v: jsonb from received", "{}", #""2024-01-01T00:00:00Z""#),
        ])
    func forms(column: String, payload: String, value: String) throws {
        let got = try rows("topic: t\nkeep_empty: true\ntable: x\ncolumns:\n  \(column)", payload)[0][0]
        // 60 × 1/60 is 1 to as many digits as a coordinate has.
        #expect(got == value || (Double(got) != nil && Double(got) == Double(value)))
    }

    @Test("a brace within a UUID is a mistake")
    func braces() throws {
        let text = "topic: t\ntable: x\ncolumns: {v: uuid}"
        #expect(try reason(text, #"{"v":"0000000000000000{0000000000000000"}"#)?.hasSuffix("is not a UUID") == true)
    }

    // MARK: Rest

    @Test("members of items can be ignored")
    func ignoredMembers() throws {
        let text = "topic: t\nignore: [i.fw]\neach: {i: $.list.*}\ntable: x\ncolumns: {v: real from i.v, extra: jsonb from rest}"
        #expect(try rows(text, #"{"list":[{"v":1,"fw":"1.2","co2":4},{"v":2,"fw":"1.2"}]}"#) == [["1", #"{"co2":4}"#], ["2", "NULL"]])
    }

    @Test("a column that takes an element from the end of a list leaves the list in the rest, as one from its start does")
    func listsStayWhole() throws {
        for index in ["-1", "0"] {
            let text = "topic: t\ntable: x\ncolumns: {v: real from $.list.\(index), extra: jsonb from rest}"
            #expect(try rows(text, #"{"list":[7]}"#) == [["7", #"{"list":[7]}"#]])
        }
    }

    @Test(
        "of a CSV line the rest is its named cells, or all by their places where none has a name",
        arguments: [
            ("{header: first_line}", "a,b,c\n1,x,\"y\"\"\"\n2\n", [["1", #"{"b":"x","c":"y\""}"#], ["2", "NULL"]]),
            ("{header: [a, b]}", "1,x,y\n", [["1", #"{"b":"x"}"#]]), ("{pairs_from: 1}", "1,n,5,a,7\n", [["7", #"{"n":"5"}"#]]),
        ])
    func restOfCSV(options: String, payload: String, stored: [[String]]) throws {
        let text = "topic: t\ndecode: {csv: \(options)}\ntable: x\ncolumns: {a: real from line.a, extra: jsonb from rest}"
        #expect(try rows(text, payload) == stored)
    }

    @Test("without names the cells of a CSV line have their places")
    func restOfNamelessCSV() throws {
        let text = "topic: t\ndecode: csv\ntable: x\ncolumns: {a: real from line.0, extra: jsonb from rest}"
        #expect(try rows(text, "1,x,\n") == [["1", #"{"1":"x","2":""}"#]])
    }

    @Test("a binary payload and its records are objects to jsonb and to rest")
    func binaryObjects() throws {
        let layout =
            "{fields: {n: u8 at 0, raw: {type: bytes, at: 1, size: 2}}, groups: {rec: {at: 3, every: 2, fields: {v: i8 at 0, f: u8 at 1}}}}"
        let bytes: [UInt8] = [7, 0xFB, 0xFF, 1, 2, 0xFF, 3]
        let whole =
            "topic: t\ndecode: {binary: \(layout)}\ntable: x\ncolumns: {n: integer from $.n, all: jsonb from $, extra: jsonb from rest}"
        let records = #""rec":[{"v":1,"f":2},{"v":-1,"f":3}]}"#
        #expect(try stored(whole, bytes) == [["7", #"{"n":7,"raw":"+/8=",\#(records)"#, #"{"raw":"+/8=",\#(records)"#]])
        let looped =
            "topic: t\ndecode: {binary: \(layout)}\neach: {r: $.rec.*}\ntable: x\ncolumns: {v: integer from r.v, extra: jsonb from rest}"
        #expect(try stored(looped, bytes) == [["1", #"{"f":2}"#], ["-1", #"{"f":3}"#]])
        #expect(try stored("topic: t\ndecode: bytes\ntable: x\ncolumns: {v: jsonb from $}", [0xFB, 0xFF]) == [[#""+/8=""#]])
    }

    // MARK: What PostgreSQL cannot hold

    @Test("NUL and half a surrogate pair have no place in text and jsonb: a letter says so, and other columns do not mind NUL")
    func beyondPostgreSQL() throws {
        let text = "topic: t\ntable: x\ncolumns: {v: text, j: jsonb, n: real}"
        #expect(try reason(text, #"{"v":"a\u0000b"}"#) == "column 'v': holds a NUL character, which PostgreSQL cannot store in text")
        #expect(try reason(text, #"{"j":{"a\u0000":1}}"#) == "column 'j': holds a NUL character, which PostgreSQL cannot store in jsonb")
        #expect(try rows(text, #"{"n":1,"other":"\u0000"}"#) == [["NULL", "NULL", "1"]])
        // No JSON that anyone can store: also where no column reads it.
        #expect(try reason(text, #"{"n":1,"other":"\uD800"}"#)?.hasPrefix(#"decode json: a lone surrogate \uD800"#) == true)
    }

    // MARK: Decoders

    @Test("of CSV cells with one name the last counts that the line has")
    func repeatedNames() throws {
        let columns = "table: x\ncolumns: {a: text from line.a, b: text from line.b}"
        for header in ["first_line", "[a, b, a]"] {
            let text = "topic: t\ndecode: {csv: {header: \(header)}}\n\(columns)"
            #expect(try rows(text, (header == "first_line" ? "a,b,a\n" : "") + "1,2,3\n4,5\n") == [["3", "2"], ["4", "5"]])
        }
    }

    @Test(
        "a binary message is wrong where a field is, whether a column reads it or not",
        arguments: [
            ("fields: {v: u8 at 0, d: {type: bcd, at: 1, size: 1}}", [1, 0xFF], "field d: byte 0xff is not two decimal digits"),
            ("fields: {v: u8 at 0, s: {type: text, at: 1, size: 2}}", [1, 0xFF, 0], "field s: the text is not valid UTF-8"),
            (
                "fields: {v: u8 at 0}, groups: {rec: {at: 1, every: 2, fields: {d: {type: bcd, at: 0, size: 1}}}}", [1, 0x12, 0, 0x0A, 0],
                "field d: byte 0xa is not two decimal digits"
            ),
        ] as [(String, [UInt8], String)])
    func unreadFields(layout: String, bytes: [UInt8], words: String) throws {
        let text = "topic: t\ndecode: {binary: {\(layout)}}\ntable: x\ncolumns: {v: integer from $.v}"
        #expect(try reason(text, bytes) == "decode binary: \(words)")
    }
}
