import Mapping
import Testing

@testable import Inference

@Suite("Shapes of payloads become blocks, loops and columns")
struct ShapeGuessTests {
    static let received: Int64 = 1_772_366_400_000_000

    /// One device's messages, ten seconds apart; each payload comes often enough to prove something.
    static func messages(_ payloads: [String], topic: String = "a/dev/d1", count: Int = 60) -> [ObservedMessage] {
        (0..<count).map { index in
            ObservedMessage(
                topic: topic, payload: Array(payloads[index % payloads.count].utf8),
                receivedMicroseconds: received + Int64(index) * 10_000_000)
        }
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var payloads: [String]
        /// Lines that the mapping must have; `!` in front: must not.
        var lines: [String]
        var rowCount: Int
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "flat objects: what is never missing is not null, what is seldom there may be",
            payloads: [#"{"a":1,"b":"x"}"#, #"{"a":2}"#, #"{"a":3,"b":null}"#],
            lines: ["  time: timestamptz not null from received", "  a: integer not null", "  b: text  # missing or null in 67 %"],
            rowCount: 60),
        Case(
            name: "objects in objects: columns are called by the last name, and by more where that stands twice",
            payloads: [#"{"soil":{"moisture":1.5,"ec":2.5},"air":{"ec":1.5}}"#],
            lines: [
                "  moisture: double precision not null from $.soil.moisture", "  soil_ec: double precision not null from $.soil.ec",
                "  air_ec: double precision not null from $.air.ec",
            ],
            rowCount: 60),
        Case(
            name: "a list of objects is looped over, with a step from a base time",
            payloads: [#"{"t0":1772366400000,"samples":[{"dt":0,"v":1.5},{"dt":250,"v":2.5}]}"#],
            lines: [
                "each: {sample: $.samples.*}",
                "  time: {type: timestamptz not null, from: $.t0, parse: unix_ms, plus: {from: sample.dt, times: 1 ms}}",
                "  v: double precision not null",
            ], rowCount: 120),
        Case(
            name: "lists side by side are looped over by the times", payloads: [#"{"v":[1.5,2.5],"t":[1772366400,1772366401]}"#],
            lines: ["each: {t: $.t.*}", "  v: double precision from $.v.{t@index}"],
            rowCount: 120),
        Case(
            name: "members that are ids are looped over with their names",
            payloads: [#"{"00a1b2":{"t":1.5},"00a1b3":{"t":2.5}}"#, #"{"00a1b4":{"t":1.5}}"#],
            lines: ["each: {item: $.*}", "  item: text not null from item@key", "  t: double precision not null"], rowCount: 90),
        Case(
            name: "members that are times are the rows' times", payloads: [#"{"values":{"1772366400":1.5,"1772366460":2.5}}"#],
            lines: ["  time: {type: timestamptz not null, from: item@key, parse: unix}", "  value: double precision not null from item"],
            rowCount: 120),
        Case(
            name: "sensors under their own names beside a time",
            payloads: [
                #"{"Time":"2026-03-01T12:00:00","AM2301":{"Temperature":1.5,"Humidity":40.5},"DS18B20-1":{"Temperature":2.5},"TempUnit":"C"}"#,
                #"{"Time":"2026-03-01T12:00:10","AM2301":{"Temperature":1.5,"Humidity":40.5},"TempUnit":"C"}"#,
            ],
            lines: [
                "each: {sensor: $.*}", "when: {sensor: {is: object}}", "  sensor: text not null from sensor@key",
                "  temp_unit: text not null from $.TempUnit", "  temperature: double precision not null from sensor.Temperature",
            ], rowCount: 90),
        Case(
            name: "two shapes told apart by a member",
            payloads: [#"{"_type":"location","lat":1.5,"lon":2.5}"#, #"{"_type":"lwt","tst":1772366400}"#],
            lines: ["rows:", "    when: {$._type: location}", "    when: {$._type: lwt}"], rowCount: 60),
        Case(
            name: "two shapes without a member that says so", payloads: [#"{"lat":1.5,"lon":2.5}"#, #"{"rpm":3}"#],
            lines: ["    when: {$.lat: {present: true}}", "    when: {$.rpm: {present: true}}"], rowCount: 60),
        Case(
            name: "a time of which few were seen is not what tells shapes apart",
            payloads: [
                #"{"Time":"2026-03-01T12:00:00","a":1,"b":2,"c":3}"#, #"{"Time":"2026-03-01T12:00:01","a":1}"#,
            ], lines: ["!rows:", "  a: integer not null"], rowCount: 60),
        Case(
            name: "one shape with a state is no two shapes", payloads: [#"{"state":"ON","b":1}"#, #"{"state":"OFF","b":1}"#],
            lines: ["!rows:", "  state: boolean not null", "  b: integer not null"], rowCount: 60),
        Case(
            name: "a list in a message with much else has a table of its own",
            payloads: [#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"gw":[{"id":"x","rssi":-1},{"id":"y","rssi":-2}]}"#],
            lines: ["rows:", "    each: {gw: $.gw.*}", "      rssi: integer not null"], rowCount: 180),
        Case(
            name: "a list of records without names", payloads: [#"{"p":[[1,2.5],[2,3.5]]}"#],
            lines: ["each: {p: $.p.*}", "  c1: double precision not null from p.1"], rowCount: 120),
        Case(
            name: "lists of values stay lists", payloads: [#"{"a":1,"regions":["home","garage"]}"#], lines: ["  regions: text[] not null"],
            rowCount: 60),
        Case(
            name: "a JSON list of objects", payloads: [#"[{"a":1.5},{"a":2.5}]"#],
            lines: ["each: {item: $.*}", "  a: double precision not null"], rowCount: 120),
        Case(
            name: "a list of values is a record", payloads: ["[1.5,2]"], lines: ["  c0: double precision not null from $.0"], rowCount: 60),
        Case(
            name: "lines of JSON", payloads: ["{\"a\":1}\n{\"a\":2}\n", "{\"a\":3}"],
            lines: ["decode: {json: {lines: true}}", "each: {item: $.*}"], rowCount: 90),
        Case(
            name: "bare nan", payloads: [#"{"a":nan}"#, #"{"a":1.5}"#],
            lines: ["decode: {json: {allow_nan: true}}", "  a: double precision  # missing or null in 50 %"], rowCount: 60),
        Case(
            name: "CSV with a header and decimal commas", payloads: ["zeit;wert;ok\n01.03.2026 12:00:00;1,5;1\n01.03.2026 12:00:05;;0\n"],
            lines: [
                "decode: {csv: {delimiter: \";\", header: first_line}}",
                "  time: {type: timestamptz not null, from: line.zeit, parse: dd.MM.yyyy HH:mm:ss, zone: UTC}  # no offset: taken for UTC",
                "  wert: {type: double precision, from: line.wert, null_if: \"\", parse: decimal_comma}",
            ], rowCount: 120),
        Case(
            name: "CSV with date and time apart", payloads: ["01.03.2026;12:00:00;1\n"],
            lines: ["  time: {type: timestamptz not null, join: [line.0, line.1], parse: dd.MM.yyyy HH:mm:ss, zone: UTC}"], rowCount: 60),
        Case(
            name: "lines of several kinds by their first cell", payloads: ["$GPRMC,120000,5.5,A\n", "$GPGGA,120000,5.5,9,1\n"],
            lines: ["    when: {line.0: $GPRMC}", "    when: {line.0: $GPGGA}"], rowCount: 60),
        Case(
            name: "numbers and nan", payloads: ["1.5", "nan"],
            lines: ["decode: text", "  dev: {type: double precision, from: $, null_if: nan}"], rowCount: 60),
        Case(name: "on and off", payloads: ["on", "off"], lines: ["  dev: boolean not null from $"], rowCount: 60),
        Case(name: "quoted words", payloads: [#""a""#, #""b""#], lines: ["decode: json", "  dev: text not null from $"], rowCount: 60),
        Case(
            name: "numbers, states and words", payloads: ["1.5", "ON", "fault"],
            lines: [
                "  value: {type: double precision, from: $, is: numeric}", "  state: {type: boolean, from: $, when: {$: [on, ON, On, ",
                "  text: {type: text, from: $, when: {$: {not: [",
            ],
            rowCount: 60),
        Case(
            name: "payloads of several kinds are stored as they came", payloads: [#"{"a":1}"#, "online"],
            lines: ["decode: text", "  payload: text not null from $"], rowCount: 60),
        Case(
            name: "hexadecimal text", payloads: ["a5010203040506070809", "A501020304050607080A"],
            lines: ["unpack: hex", "decode: bytes", "  payload: bytea not null from $"], rowCount: 60),
        Case(
            name: "base64 of JSON", payloads: ["eyJ0ZW1wIjoyMS41LCJodW0iOjQwfQ=="],
            lines: ["unpack: base64", "decode: json", "  temp: double precision not null"], rowCount: 60),
        Case(
            name: "names that need quotes", payloads: [#"{"a.b":1,"c d":2,"e@f":3,"g[0]":4}"#],
            lines: ["  a_b: integer not null from $.\"a.b\"", "  e_f: integer not null from $.\"e@f\""], rowCount: 60),
        Case(
            name: "numbers and words in one field", payloads: [#"{"value":1.5}"#, #"{"value":"on it"}"#, #"{"value":null}"#],
            lines: [
                "  value: {type: double precision, from: $.value, is: number}", "  value_text: {type: text, from: $.value, is: string}",
            ], rowCount: 60),
        Case(
            name: "a field of several kinds", payloads: [#"{"a":1,"b":1}"#, #"{"a":1,"b":{"c":1}}"#],
            lines: ["  b: jsonb  # not of one kind"], rowCount: 60),
    ]

    @Test("a mapping for", arguments: cases)
    func mapping(_ example: Case) throws {
        let messages = Self.messages(
            example.payloads,
            topic: example.name.hasPrefix("numbers") || example.name == "on and off" || example.name == "quoted words"
                ? "a/dev" : "a/dev/d1")
        let inference = Inference(messages)
        #expect(inference.proposals.count == 1)
        let proposal = try #require(inference.proposals.first)
        let lines = proposal.text.split(separator: "\n").map(String.init)
        for line in example.lines {
            if line.hasPrefix("!") {
                #expect(!lines.contains { $0.hasPrefix(line.dropFirst()) }, "\(line) is there:\n\(proposal.text)")
            } else {
                #expect(lines.contains { $0.hasPrefix(line) }, "\(line) is missing in:\n\(proposal.text)")
            }
        }
        #expect(proposal.storedCount == messages.count, "\(proposal.losses)\n\(proposal.text)")
        #expect(proposal.rowCount == example.rowCount, "\(proposal.text)")
        #expect(proposal.problems == [])
        #expect(proposal.testCount >= 3 || messages.count < 3)
    }

    @Test("captures and time are the key where they tell rows apart, and not where they do not")
    func key() {
        func proposal(step: Int) -> String {
            let messages = (0..<40).map { index in
                ObservedMessage(
                    topic: "dev/d\(index % 2)/t", payload: Array(#"{"ts":\#(1_772_366_400 + index / 2 * step),"v":\#(index).5}"#.utf8),
                    receivedMicroseconds: Self.received + Int64(index / 2 * step) * 1_000_000)
            }
            return Inference(messages).proposals.first?.text ?? ""
        }
        #expect(proposal(step: 10).contains("key: [device, time]"))
        #expect(!proposal(step: 0).contains("key: ["))
        #expect(proposal(step: 0).contains("rows with the same device, time were seen"))
    }

    @Test("a binary payload is stored as it came, with the time and the counter that are plain to see")
    func binary() throws {
        let messages = (0..<20).map { index in
            let seconds = UInt32(1_772_366_400 + index * 10)
            var bytes: [UInt8] = [0xA5, 0x01]
            withUnsafeBytes(of: seconds.littleEndian) { bytes += $0 }
            withUnsafeBytes(of: UInt16(index + 700).bigEndian) { bytes += $0 }
            bytes += [0xFF, UInt8(index * 13 & 255)]
            return ObservedMessage(
                topic: "bin/p1", payload: bytes, receivedMicroseconds: Self.received + Int64(index) * 10_000_000 + 400_000)
        }
        let proposal = try #require(Inference(messages).proposals.first)
        #expect(proposal.text.contains("    endian: little\n    fields:\n      time: u32 at 2\n"), "\(proposal.text)")
        #expect(proposal.text.contains("  payload: bytea not null from payload\n"))
        #expect(proposal.text.contains("counts messages: u16 at 6, big endian"))
        #expect(proposal.text.contains("always the same: bytes 0 to 1 (a501)"))
        #expect(proposal.text.contains("payload_hex: "))
        #expect(proposal.storedCount == 20)
        #expect(proposal.problems == [])
    }

    @Test("a value that refuses to fit its column loosens it, so that what was seen is stored")
    func mending() throws {
        // 4,294,967,296 messages on, a counter would not fit: the sample itself holds what no bigint takes.
        let proposal = try #require(Inference(Self.messages([#"{"v":1}"#, #"{"v":1e400}"#])).proposals.first)
        #expect(proposal.storedCount == 60, "\(proposal.losses)")
        #expect(proposal.problems == [])
    }

    @Test("topics and names with what is not seen in them are escaped, and the file is read back")
    func foreign() throws {
        let topic = "a/\u{202E}b\u{85}\u{2028}\"'/t"
        let payload = #"{"x\u2028 #y":1,"\u202e":2,"it's: \"":3,"Störung":4}"#
        let proposal = try #require(Inference(Self.messages([payload], topic: topic)).proposals.first)
        #expect(proposal.storedCount == 60, "\(proposal.text)")
        #expect(proposal.problems == [])
        #expect(!proposal.text.unicodeScalars.contains { ["\u{202E}", "\u{85}", "\u{2028}"].contains($0) }, "\(proposal.text)")
    }

    @Test("empty payloads are counted, and nothing is made of them")
    func empty() {
        let inference = Inference(Self.messages([#"{"v":1}"#, ""]))
        #expect(inference.emptyCount == 30)
        #expect(inference.proposals.map(\.messageCount) == [30])
    }

    @Test("no messages, no proposals")
    func nothing() { #expect(Inference([]).proposals.isEmpty) }
}
