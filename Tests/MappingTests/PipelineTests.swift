import Testing

@testable import Mapping

@Suite("A column's steps, in their order")
struct PipelineTests {
    private func value(_ column: String, _ json: String) throws -> String {
        try rows("topic: t\nkeep_empty: true\ntable: x\ncolumns:\n  v: {\(column)}", "{\"v\":\(json)}")[0][0]
    }

    @Test(
        "numbers stay decimal until the last step",
        arguments: [
            ("type: double precision, scale: 0.1", "301", "30.1"), ("type: double precision, scale: 0.01", "-1000", "-10"),
            ("type: double precision, convert: degF to degC", "68", "20"), ("type: double precision, convert: km/h to m/s", "36", "10"),
            ("type: numeric, scale: 0.001, offset: 1", "123456789012345678", "123456789012346.678"),
            ("type: integer, scale: 100", "10.13", "1013"),
            ("type: bigint, convert: kWh to Wh", "1.5", "1500"),
            ("type: double precision, parse: decimal_comma", "\"1.013,25\"", "1013.25"),
            ("type: integer, parse: hex", "\"0x1F\"", "31"), ("type: double precision, parse: ddmm", "\"3855.6524\"", "38.92754"),
            ("type: numeric, convert: psi to Pa", "1", "6894.757293168"), ("type: \"numeric(4,2)\"", "2.345", "2.35"),
            ("type: \"numeric(4,2)\"", "-2.345", "-2.35"), ("type: \"numeric(4,2)\"", "7", "7.00"),
            ("type: \"numeric(4,2)\"", "0.004", "0.00"),
            ("type: \"numeric(4,2)\"", "-0.004", "0.00"), ("type: \"numeric(3,-2)\"", "12350", "12400"),
            ("type: \"numeric(2,4)\"", "0.00985", "0.0099"),
            ("type: \"numeric(4,2)\", scale: 0.1", "123.45", "12.35"), ("type: \"numeric(3)\"", "999.4", "999"),
        ])
    func numbers(column: String, json: String, stored: String) throws { #expect(try value(column, json) == stored) }

    @Test(
        "times",
        arguments: [
            ("type: timestamptz, parse: unix_ms", "1700000000123", "2023-11-14T22:13:20.123Z"),
            ("type: timestamptz, parse: unix", "1700000000.0000005", "2023-11-14T22:13:20Z"),
            ("type: timestamptz, parse: unix_ns", "\"1700000000000001500\"", "2023-11-14T22:13:20.000002Z"),
            ("type: timestamptz, parse: unix_auto", "1700000000", "2023-11-14T22:13:20Z"),
            ("type: timestamptz", "\"2024-02-29t23:59:59.1234567+01:00\"", "2024-02-29T22:59:59.123456Z"),
            ("type: timestamptz, zone: Europe/Berlin", "\"2024-10-27 02:30:00\"", "2024-10-27T00:30:00Z"),
            ("type: timestamptz, zone: Europe/Berlin", "\"2024-03-31 02:30:00\"", "2024-03-31T01:30:00Z"),
            ("type: timestamptz, parse: \"dd.MM.yy HH:mm\", zone: UTC", "\"31.12.99 23:59\"", "2099-12-31T23:59:00Z"),
            ("type: date", "\"2024-02-29\"", "2024-02-29"), ("type: date, parse: unix", "1704063600", "2023-12-31"),
            ("type: date, parse: unix, zone: Europe/Berlin", "1704063600", "2024-01-01"),
            ("type: date, parse: unix, zone: America/New_York", "1704067200", "2023-12-31"),
            ("type: date, zone: Europe/Berlin", "\"2024-01-01T23:30:00Z\"", "2024-01-01"), ("type: time", "\"07:30\"", "07:30:00"),
            ("type: timestamptz, plus: {from: $.v, times: 1 ms}, parse: unix", "1000", "1970-01-01T00:16:41Z"),
        ])
    func times(column: String, json: String, stored: String) throws { #expect(try value(column, json) == stored) }

    @Test(
        "what is absent, and what stands for it",
        arguments: [
            ("type: real, null_if: -999", "-999.0", "NULL"), ("type: text, trim: true, null_if: \"\"", "\"  \"", "NULL"),
            ("type: real, default: 7", "null", "7"), ("type: text, map: {1: one}, map_else: other", "2", "other"),
            ("type: boolean, map: {OPEN: true, SHUT: false, GONE: null}", "\"GONE\"", "NULL"), ("type: real, is: number", "\"1\"", "NULL"),
            ("type: real, on_error: set_null", "\"x\"", "NULL"), ("type: real, on_error: set_null, default: 3", "\"x\"", "3"),
            ("type: text, when: {$.w: 1}", "\"x\"", "NULL"), ("type: timestamptz, default: received", "null", "2024-01-01T00:00:00Z"),
        ])
    func absent(column: String, json: String, stored: String) throws { #expect(try value(column, json) == stored) }

    @Test("limits name the value and the limit")
    func limits() throws {
        let text = "topic: t\ntable: x\ncolumns:\n  v: {type: real, min: -60, max: 80}\n  t: {type: timestamptz, parse: unix, max: +1 d}"
        #expect(try reason(text, #"{"v":-61}"#) == "column 'v': -61 is beyond min -60")
        #expect(try reason(text, #"{"v":80.1}"#) == "column 'v': 80.1 is beyond max 80")
        #expect(try reason(text, #"{"t":1704153601}"#) == "column 't': 2024-01-02T00:00:01Z is beyond max +1 d")
        for bound in ["-36 h", "-90 min", "-1 s", "-20 ms", "-7 d"] {
            let late = "topic: t\ntable: x\ncolumns: {t: {type: timestamptz, parse: unix, min: \(bound)}}"
            #expect(try reason(late, #"{"t":0}"#)?.hasSuffix("is beyond min \(bound)") == true, "\(bound)")
        }
        #expect(try reason(text, #"{"v":80,"t":1704153600}"#) == nil)
        #expect(try reason(text, #"{"t":1704153601}"#)?.contains("2024-01-02T00:00:01Z is beyond max") == true)
    }

    @Test("the row rule: nullable columns of the payload, all missing, make no row; an explicit null does")
    func rowRule() throws {
        let text = "topic: \"d/{d}\"\ntable: x\ncolumns: {d: text not null from topic.d, a: real, b: real}"
        #expect(try rows(text, "d/1", #"{"c":1}"#) == [])
        #expect(try rows(text, "d/1", #"{"a":null}"#) == [["1", "NULL", "NULL"]])
        #expect(try rows(text + "\nkeep_empty: true", "d/1", "{}") == [["1", "NULL", "NULL"]])
    }

    @Test("skip_row leaves out one row, and only that")
    func skipRow() throws {
        let text = "topic: t\non_error: skip_row\neach: {i: $.*}\ntable: x\ncolumns: {v: integer not null from i}"
        #expect(try rows(text, #"[1,"x",3]"#) == [["1"], ["3"]])
    }

    @Test("loops: nested, over maps with repeated keys, beside parallel arrays")
    func loops() throws {
        let nested =
            "topic: t\neach: {a: $.*, b: a.*}\ntable: x\ncolumns: {a: text not null from a@key, i: integer not null from b@index, v: real from b}"
        #expect(try rows(nested, #"{"x":[1,2],"y":[],"x":[3]}"#) == [["x", "0", "1"], ["x", "1", "2"], ["x", "0", "3"]])
        let columnar = """
            topic: t
            each: {t: $.time.*}
            table: x
            columns:
              v: real from $.temp.{t@index}
              last: real from $.temp.-1
            """
        #expect(try rows(columnar, #"{"time":[0,1,2],"temp":[5,6]}"#) == [["5", "6"], ["6", "6"], ["NULL", "6"]])
    }

    @Test("rest holds what no column and no ignore names")
    func rest() throws {
        let text = "topic: t\nignore: [$.fw]\ntable: x\ncolumns: {v: real, w: {type: real, from: $.o.w}, e: jsonb from rest}"
        #expect(try rows(text, #"{"v":1,"fw":"1","o":{"w":2,"z":[1]},"k":null}"#) == [["1", "2", #"{"o":{"z":[1]},"k":null}"#]])
        #expect(try rows(text, #"{"v":1,"o":{"w":2}}"#) == [["1", "2", "NULL"]])
    }

    @Test("arrays, newline-delimited JSON, several patterns")
    func others() throws {
        #expect(try rows("topic: t\ntable: x\ncolumns: {v: \"text[]\"}", #"{"v":["a",null,"c d"]}"#) == [["{a,NULL,c d}"]])
        let lines = "topic: t\ndecode: {json: {lines: true}}\neach: {l: $.*}\ntable: x\ncolumns: {v: real from l.v}"
        #expect(try rows(lines, "{\"v\":1}\n\n{\"v\":2}\r\n") == [["1"], ["2"]])
        let patterns = "topic:\n  - a/{x}\n  - b/{y}\ntable: x\ncolumns: {x: text from topic.x, y: text from topic.y, v: real}"
        #expect(try rows(patterns, "b/2", #"{"v":1}"#) == [["NULL", "2", "1"]])
        #expect(try rows(patterns, "a/1", #"{"v":1}"#) == [["1", "NULL", "1"]])
    }

    @Test("retained and empty messages are passed over unless the mapping wants them")
    func skipped() throws {
        let skipping = try mapping("topic: t\ntable: x\ncolumns: {v: real}")
        let payload = Array(#"{"v":1}"#.utf8)
        #expect(trial([skipping], "t", payload, isRetained: true).counters[0].retainedSkipped == 1)
        #expect(trial([skipping], "t", []).counters[0].emptySkipped == 1)
        let taking = try mapping(
            "topic: t\nretained: use\nempty_payload: row\ntable: x\ncolumns: {v: real, time: timestamptz from received}")
        #expect(trial([taking], "t", payload, isRetained: true).outcome.rowCount == 1)
        #expect(trial([taking], "t", []).outcome.rowCount == 1)
    }
}
