import Testing

@testable import Mapping

@Suite("What would go wrong with every message is a mistake of the mapping")
struct LoadCheckTests {
    private static let head = "topic: a/{device}\ntable: x\n"

    @Test(
        "constants, defaults and values of map that do not fit their type",
        arguments: [
            ("{type: smallint, const: 99999}", "4:30: const '99999' does not fit column 'v' of type smallint: 99999 is out of range"),
            (
                "{type: boolean, map: {ON: treu}}",
                "the value of map 'treu' does not fit column 'v' of type boolean: 'treu' is not a boolean"
            ),
            ("{type: integer, map: {A: 1}, map_else: none}", "map_else 'none' does not fit column 'v'"),
            ("{type: smallint, default: 99999}", "default '99999' does not fit column 'v' of type smallint"),
            ("{type: integer, default: 23.5}", "default '23.5' does not fit column 'v' of type integer: 23.5 is not a whole number"),
            ("{type: boolean, default: maybe}", "default 'maybe' does not fit"), ("{type: uuid, default: 12}", "default '12' does not fit"),
            ("{type: varchar(2), default: abc}", "default 'abc' does not fit column 'v' of type varchar(2)"),
            ("{type: \"text[]\", default: abc}", "not an array"), ("{type: jsonb, default: \"{\"}", "a default of jsonb is JSON"),
            ("{type: jsonb, default: hello}", "a default of jsonb is JSON: quote text twice"),
            ("{type: timestamptz, default: soon}", "default 'soon' of column 'v' is no time"),
            ("{type: timestamptz, const: soon}", "const 'soon' does not fit"), ("{type: real, const: 5, max: 3}", "5 is beyond max 3"),
        ])
    func constants(column: String, words: String) { expectMistake(Self.head + "columns:\n  v: \(column)", words) }

    @Test(
        "constants that fit",
        arguments: [
            "{type: smallint, const: 7}", "{type: jsonb, default: \"{}\"}", "{type: boolean, map: {ON: yes, OFF: null}, default: f}",
            "{type: timestamptz, parse: unix, const: 1700000000}", "{type: timestamptz, default: 2020-01-01}",
            "{type: date, default: 2020-01-01}",
            "{type: integer, parse: hex, map: {A: ff}}", "{type: numeric, const: 1e3, scale: 0.1}", "{type: text, const: null}",
            "{type: timestamptz, default: received, max: +1 d}", "{type: bytea, default: abc}",
            "{type: real, const: \" \", trim: true, null_if: \"\"}",
        ])
    func fittingConstants(column: String) { #expect(mistakes(Self.head + "columns:\n  v: \(column)") == []) }

    @Test(
        "keys that cannot do what they say",
        arguments: [
            ("{type: real, min: 5, max: 3}", "'min' of column 'v' is above 'max'"),
            ("{type: timestamptz, min: 2024-01-01, max: 2023-01-01}", "'min' of column 'v' is above 'max'"),
            ("{type: timestamptz, min: +2 d, max: +1 d}", "'min' of column 'v' is above 'max'"),
            ("{type: real, sign: {from: $.s}}", "'sign' needs 'from' and 'negative'"),
            ("{type: real, sign: {from: $.s, negative: []}}", "'sign' needs 'from' and 'negative'"),
            ("{type: real, sign: {from: $.s, negative: [[S]]}}", "'negative' in sign of column 'v' takes single values, not a list"),
            ("{type: text, sign: {from: $.s, negative: [S]}}", "'sign' is for numbers; column 'v' is text"),
            ("{type: text, map_else: other}", "column 'v' has 'map_else' without 'map'"),
            ("{type: real, null_if: [{a: 1}]}", "'null_if' in column 'v' takes single values, not a mapping of keys"),
            ("{type: real not null, not_null: false}", "is not null by its type, and not by 'not_null'"),
            ("{type: real, is: []}", "'is' of column 'v' names no kind of value"),
            ("{type: real, when: {}}", "'when' tests nothing"), ("text from rest", "rest is jsonb, and comes alone"),
            ("real from $.a.\"b\".c[0]", "paths have no brackets"), ("text from topic.devcie", "did you mean 'device'?"),
        ])
    func keys(column: String, words: String) { expectMistake(Self.head + "columns:\n  v: \(column)", words) }

    @Test(
        "paths that lead nowhere in any payload",
        arguments: [
            ("text", "$.x", "a text payload has no field 'x' - use from: $"), ("bytes", "$.x.y", "a bytes payload has no field 'x'"),
            ("{csv: {header: [a, b]}}", "line.c", "no cell of a line has the name 'c' - "),
            ("{csv: {header: [alpha, beta]}}", "line.alpa", "did you mean 'alpha'?"),
            ("csv", "line.temp", "without a header the cells are line.0"),
            ("{csv: {header: first_line}}", "$.temp", "'temp' is no place in a list"),
            ("{csv: {header: first_line}}", "line.a.b", "a cell has no field 'b'"),
            ("{json: {lines: true}}", "$.v", "'v' is no place in a list"),
            ("{binary: {fields: {temperature: u8 at 0}}}", "$.tmperature", "the layout has no 'tmperature' - did you mean 'temperature'?"),
            ("{binary: {fields: {n: u8 at 0}, groups: {r: {at: 1, every: 1, fields: {v: u8 at 0}}}}}", "$.r.0.w", "the layout has no 'w'"),
            ("{binary: {fields: {n: u8 at 0}}}", "$.n.x", "the field 'n' has no field 'x'"),
        ])
    func paths(decode: String, path: String, words: String) {
        expectMistake("topic: a\ndecode: \(decode)\ntable: x\ncolumns:\n  v: text from \(path)", words)
    }

    @Test(
        "paths that some payload has",
        arguments: [
            ("{csv: {header: [a, b]}}", "line.7"), ("{csv: {header: first_line}}", "line.whatever"),
            ("{csv: {pairs_from: 1}}", "line.temp"),
            ("{csv: {header: [a, b]}}", "$.-1.b"), ("{json: {lines: true}}", "$.0.v"), ("text", "$"), ("csv", "line.0"),
        ])
    func possiblePaths(decode: String, path: String) {
        #expect(mistakes("topic: a\ndecode: \(decode)\ntable: x\ncolumns:\n  v: text from \(path)") == [])
    }

    @Test(
        "the file around the columns",
        arguments: [
            ("decode: text\neach: $.*\ntable: x\ncolumns: {v: text from item}", "a text payload has no items"),
            ("decode: {text: {foo: 1}}\ntable: x\ncolumns: {v: text from $}", "unknown key 'foo' in decode text"),
            (
                "decode: {binary: {length: 4, fields: {v: u32 at 2}}}\ntable: x\ncolumns: {v: real}",
                "'length' is 4, but the field 'v' ends at 6"
            ),
            ("decode: {csv: {header: []}}\ntable: x\ncolumns: {v: text from line.0}", "'header' is an empty list"),
            ("when: {}\ntable: x\ncolumns: {v: real}", "'when' tests nothing"),
            ("when: {$.a: {is: []}}\ntable: x\ncolumns: {v: real}", "'is' of a test names no kind of value"),
            ("when: {$.a: {}}\ntable: x\ncolumns: {v: real}", "a test needs one of is, not, match"),
            ("when: {$.a: []}\ntable: x\ncolumns: {v: real}", "an empty list never holds"),
            ("table: x\ncolumns: {v: !!str real}", "tags (!) are not allowed"),
            ("table: x\ncolumns: !!map {v: real}", "tags (!) are not allowed"),
            ("table: {name: x, key: [[v]]}\ncolumns: {v: real not null}", "'key' in a table takes single values"),
            (
                "rows:\n  - {table: x, each: {s: $.s.*}, columns: {v: real from s.v}}\n  - {table: y, columns: {v: real from s.v}}",
                "unknown root 's' in 's.v' - the loop 's' does not run here"
            ),
        ])
    func around(text: String, words: String) { expectMistake("topic: a\n" + text, words) }

    @Test(
        "embeds",
        arguments: [
            ("{topic: {from: $.a, decode: json}}", "'topic' cannot name an embed"), ("{e: {decode: json}}", "embed 'e' needs 'from'"),
            ("{e: {from: $.a}}", "embed 'e' needs 'decode'"),
            ("{e: {from: f.a, decode: json}, f: {from: $.a, decode: json}}", "unknown root 'f'"),
            ("{e: {from: $.a, decode: jsno}}", "unknown decoder 'jsno'"),
            ("{e: {from: $.a, decode: json, upack: hex}}", "did you mean 'unpack'?"),
            ("{e: {from: $.a, unpack: rot13, decode: json}}", "unknown step 'rot13'"), ("[e]", "'embed' needs names"),
            ("{e: {from: rest, decode: json}}", "cannot be made of rest"),
            ("{e: {from: $.a, decode: sparkplug}}", "embed 'e' cannot hold Sparkplug"),
        ])
    func embeds(embed: String, words: String) { expectMistake("topic: a\nembed: \(embed)\ntable: x\ncolumns: {v: real}", words) }

    @Test("paths into embeds are checked like those into the payload")
    func embeddedPaths() {
        expectMistake(
            "topic: a\nembed: {e: {from: $.a, decode: text}}\ntable: x\ncolumns: {v: text from e.x}", "a text payload has no field 'x'")
        expectMistake(
            "topic: a\nembed: {e: {from: $.a, decode: json}}\neach: {e: $.*}\ntable: x\ncolumns: {v: text from e}", "stands twice")
    }

    @Test(
        "records behind tags",
        arguments: [
            ("{types: {\"01\": {size: 1}}}", "'tagged' needs 'tag_bytes'"), ("{tag_bytes: 1}", "'tagged' needs 'types'"),
            ("{tag_bytes: 1, types: {}}", "'types' of 'tagged' needs tags"),
            ("{tag_bytes: 1, types: {\"0102\": {size: 1}}}", "is not 1 bytes"),
            ("{tag_bytes: 1, types: {xy: {size: 1}}}", "is not 1 bytes"),
            ("{tag_bytes: 1, types: {\"01\": {fields: {v: u8 at 0}}}}", "needs 'size'"),
            ("{tag_bytes: 1, types: {\"01\": {size: 1, fields: {v: u16 at 0}}}}", "field 'v' reaches beyond the 1 bytes of the tag '01'"),
            ("{tag_bytes: 1, types: {\"0a\": {size: 1}, \"0A\": {size: 2}}}", "the tag '0A' stands twice"),
            ("{tag_bytes: 1, types: {\"01\": {size: 1, list: n}}}", "'n' stands for two things"),
        ])
    func tagged(tagged: String, words: String) {
        expectMistake("topic: a\ndecode: {binary: {fields: {n: u8 at 0}, tagged: \(tagged)}}\ntable: x\ncolumns: {n: real}", words)
    }

    @Test("an unknown decoder is one mistake, not one for each of its roots")
    func unknownDecoder() {
        let found = mistakes(
            "topic: a\ndecode: sparkplugg\ntable: x\ncolumns: {v: text from metric.name, w: real from metric.value, k: text from metric@key}"
        )
        #expect(found.count == 1, "\(found)")
    }

    @Test("every block that writes a table with a key gives it, not null")
    func keys() {
        let text = """
            topic: a
            rows:
              - {table: {name: x, key: [d]}, columns: {d: text not null, v: real}}
              - {table: x, columns: {v: real}}
              - {table: x, columns: {d: text, v: real}}
            """
        let found = mistakes(text)
        #expect(
            found.contains {
                $0.contains("test.yaml:4:") && $0.contains("key column 'd' of table 'x'") && $0.contains("is no column here")
            }, "\(found)")
        #expect(found.contains { $0.contains("test.yaml:5:") && $0.contains("may be NULL") }, "\(found)")
    }

    private func expectMistake(_ text: String, _ words: String, _ place: SourceLocation = #_sourceLocation) {
        let found = mistakes(text)
        #expect(found.contains { $0.contains(words) }, "\(found)", sourceLocation: place)
    }
}
