import Mapping
import Testing

@testable import Inference

@Suite("Types, times and words are guessed from values")
struct TypeGuessTests {
    /// 2026-03-01T12:00:00Z
    static let received: Int64 = 1_772_366_400_000_000

    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        /// JSON values.
        var values: [String]
        var type: String
        var parse: String?
        var zone: String?
        var isText = false

        init(_ name: String, _ values: [String], _ type: String, parse: String? = nil, zone: String? = nil, isText: Bool = false) {
            self.name = name
            self.values = values
            self.type = type
            self.parse = parse
            self.zone = zone
            self.isText = isText
        }
        var testDescription: String { "\(name): \(values)" }
    }

    static let cases: [Case] = [
        Case("n", ["1", "2", "1"], "integer"),
        Case("n", ["1", "2.5"], "double precision"),
        Case("n", ["2e3"], "double precision"),
        Case("temperature", ["21", "22"], "double precision"),
        Case("f_cnt", ["1", "2"], "bigint"),
        Case("n", ["1", "2", "3", "4", "5", "6", "7"], "bigint"),
        Case("n", ["3000000000"], "bigint"),
        Case("n", ["18446744073709551616"], "numeric"),
        Case("n", ["true", "false"], "boolean"),
        Case("n", [#""ON""#, #""OFF""#], "boolean"),
        Case("n", [#""on""#, #""maybe""#], "text"),
        Case("n", [#""OPEN""#, #""CLOSED""#], "text"),
        Case("frequency", [#""868100000""#], "bigint"),
        Case("n", [#""12.5""#, #""13""#], "double precision"),
        Case("n", [#""0012""#, #""0013""#], "text"),
        Case("device_id", [#""12""#, #""13""#], "text"),
        Case("n", [#""550e8400-e29b-41d4-a716-446655440000""#], "uuid"),
        Case("n", ["1", #""a""#], "text"),
        Case("frm_payload", [#""gkHe""#, #""AAEC""#, #""/wAB""#], "bytea", parse: "base64"),
        Case("time", [#""2026-03-01T12:00:00Z""#], "timestamptz"),
        Case("time", [#""2026-03-01T12:00:00.123456789+01:00""#], "timestamptz"),
        Case("Time", [#""2026-03-01T13:00:00""#], "timestamptz", zone: "UTC"),
        Case("t", [#""01.03.2026 12:00:00""#], "timestamptz", parse: "dd.MM.yyyy HH:mm:ss", zone: "UTC"),
        Case("t", [#""02/28/2026 12:00:00""#], "timestamptz", parse: "MM/dd/yyyy HH:mm:ss", zone: "UTC"),
        Case("ts", ["1772366400"], "timestamptz", parse: "unix"),
        Case("ts", ["1772366400.25"], "timestamptz", parse: "unix"),
        Case("ts", ["1772366400123"], "timestamptz", parse: "unix_ms"),
        Case("ts", ["1772366400123456"], "timestamptz", parse: "unix_us"),
        Case("ts", ["1772366400123456789"], "timestamptz", parse: "unix_ns"),
        Case("ts", [#""1772366400""#], "timestamptz", parse: "unix"),
        Case("created_at", ["1706856299"], "timestamptz", parse: "unix"),
        Case("n", ["1772366400"], "timestamptz", parse: "unix"),
        Case("n", ["1706856299"], "bigint"),
        Case("uptime", ["1772366"], "bigint"),
        Case("timestamp", ["2463457000"], "bigint"),
        Case("n", [#""12,5""#, #""13""#], "double precision", parse: "decimal_comma", isText: true),
        Case("n", [#""12.5""#, #""""#], "double precision", isText: true),
        Case("n", [#""21.5""#, #""nan""#], "double precision", isText: true),
    ]

    @Test("the type of", arguments: cases)
    func type(_ example: Case) throws {
        let values = try example.values.map {
            TimedValue(value: try #require(SampleValue(json: Array($0.utf8))), receivedMicroseconds: Self.received)
        }
        let guess = TypeGuess.scalar(values, topics: values.map { _ in 0 }, name: example.name, isText: example.isText)
        #expect(guess.type == example.type)
        #expect(guess.parse == example.parse)
        #expect(guess.zone == example.zone)
    }

    @Test("a clock an hour ahead is told of")
    func zone() {
        let values = [TimedValue(value: .text("2026-03-01T13:00:01"), receivedMicroseconds: Self.received)]
        #expect(
            TypeGuess.scalar(values, topics: [0], name: "Time", isText: false).remark?.contains("1 h ahead of the time of receipt") == true)
    }

    @Test(
        "names of columns",
        arguments: [
            ("DewPoint", "dew_point"), ("UptimeSec", "uptime_sec"), ("SSId", "ss_id"), ("RSSI", "rssi"), ("a b-c", "a_b_c"), ("0", "c0"),
            ("Störung", "stoerung"), ("Débit", "debit"),
            ("°", "value"), ("batteryV", "battery_v"), ("pm2.5", "pm2_5"),
        ])
    func names(name: String, column: String) { #expect(FieldWords.snakeCase(name) == column) }

    @Test(
        "words that nobody would choose for something fixed",
        arguments: [
            ("d1", false), ("a4:cf:12:00:11:22", true), ("shelly1pm-BA1936", true), ("550e8400-e29b-41d4-a716-446655440000", true),
            ("kitchen", false),
            ("10034521", true), ("0", false), ("facade", false), ("soil-0a1b2c", true), ("relay", false), ("edge-101", true),
        ])
    func ids(word: String, isID: Bool) { #expect(LevelWord(word).isStrongID == isID) }

    @Test(
        "text of YAML is read back as it was",
        arguments: [
            "", " ", "a b", "null", "~", "a: b", "a #b", "#a", "- a", "'", "\"", "{a}", "[1]", "é\n", "1e3", "yes", "a:", "\\",
            "\u{2028}", "*a", "&a", "$.a", "-1", "-", "@x", "%a", "😀",
        ])
    func yaml(text: String) throws {
        // Through the reader of mappings: as a column's constant.
        let mapping = "topic: t\ntable: t\ncolumns: {a: {type: text, const: \(YAMLText.scalar(text))}, b: integer from $.b}"
        let reading = MappingReader.read(text: mapping, file: "t.yaml")
        #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics)")
        #expect(reading.mappings.first?.blocks.first?.columns.first?.from == [.constant(.text(text))])
    }
}
