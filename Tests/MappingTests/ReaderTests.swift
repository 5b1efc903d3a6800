import Foundation
import Testing

@testable import Mapping

@Suite("Mistakes in a mapping are named with their place and what to do")
struct ReaderTests {
    private static let head = "topic: a/{device}\ntable: x\n"

    @Test(
        "each kind of mistake",
        arguments: [
            ("tabel: x\ntopic: a\ncolumns: {v: real}", "test.yaml:1:1: unknown key 'tabel' in the mapping - did you mean 'table'?"),
            (head + "columns:\n  v: {tpye: real}", "test.yaml:4:7: unknown key 'tpye' in column 'v' - did you mean 'type'?"),
            (head + "columns: {v: real from topic.devcie}", "'topic.devcie': no such capture - did you mean 'device'?"),
            (head + "columns: {v: real from payloda.x}", "unknown root 'payloda' in 'payloda.x' - did you mean 'payload'?"),
            (head + "columns: {v: real from item.x}", "unknown root 'item'"),
            (
                head + "columns: {v: reel}",
                "type 'reel' of column 'v' is not known - did you mean 'real'? A type of your own is written with its schema: public.reel"
            ),
            (head + "columns: {v: timestamp}", "use timestamptz"), (head + "columns: {v: 'timestamp(3)[]'}", "use timestamptz"),
            (
                head + "columns: {v: real form x}",
                "type 'real form x' of column 'v' is not known - a column reads TYPE [not null] from SOURCE"
            ),
            (head + "columns: {v: varchar(0)}", "type 'varchar(0)' of column 'v' is not known"),
            (head + "columns: {v: \"mood'; DROP TABLE x\"}", "a type's name has letters, digits and _"),
            (head + "columns: {v: {type: interval, scale: 2}}", "'scale' is for numbers; column 'v' is interval"),
            (head + "columns: {v: {type: real, parse: unix}}", "parse: unix does not fit column 'v' of type real"),
            (head + "columns: {v: {type: timestamptz, parse: 'yyyy-QQ'}}", "'Q' in the time pattern"),
            (head + "columns: {v: {type: timestamptz, zone: Europe/Berlni}}", "time zone 'Europe/Berlni' is not known"),
            (head + "columns: {v: {type: real, convert: degF to bar}}", "turns temperature into pressure"),
            (head + "columns: {v: {type: real, convert: degX to degC}}", "unit 'degX' is not known - did you mean 'deg"),
            (head + "columns: {v: {type: real, not_null: true, on_error: set_null}}", "is not null and has no default"),
            (head + "columns: {Temp: real}", "'Temp' is no column name"),
            (head + "columns: {v: real from $.a[0]}", "write .0 for the first element"),
            ("topic: {id}/x\ntable: x\ncolumns: {v: real}", "quote a topic that starts with {"),
            ("topic: [a/{b}]\ntable: x\ncolumns: {v: real}", "write the list with - lines"),
            ("topic: \"a/#/b\"\ntable: x\ncolumns: {v: real}", "'#' must be the last level"),
            ("topic: \"a/{x}/{x}\"\ntable: x\ncolumns: {v: real}", "the capture {x} stands twice"),
            ("topic: $share/g/a\ntable: x\ncolumns: {v: real}", "leave $share/group/ out"),
            ("topic: a\ndecode: text\ntable: x\ncolumns: {v: real}", "a text payload has no field 'v' - use from: $"),
            ("topic: a\ndecode: {cbor: {lines: true}}\ntable: x\ncolumns: {v: real}", "unknown key 'lines' in decode cbor"),
            ("topic: a\ndecode: jsno\ntable: x\ncolumns: {v: real}", "unknown decoder 'jsno' - did you mean 'json'?"),
            ("topic: a\nembed: {x: 1}\ntable: x\ncolumns: {v: real}", "embed 'x' needs keys and values here, not a single value"),
            ("topic: a\ntable: {name: x, on_conflict: update}\ncolumns: {v: real}", "test.yaml:2:18: on_conflict: update needs a 'key'"),
            (
                "topic: a\ntable: {name: x, key: [v], on_conflict: upsert}\ncolumns: {v: real not null}",
                "'on_conflict' in a table is one of append, ignore, update, merge, not 'upsert'"
            ),
            (
                "topic: a\ntable: {name: x, key: [v], newer: v}\ncolumns: {v: real not null}",
                "'newer' belongs to on_conflict: update or merge"
            ),
            (
                "topic: a\ntable: {name: x, key: [k], on_conflict: update, newer: b}\ncolumns: {k: text not null, b: boolean not null}",
                "the 'newer' column 'b' of table 'x' is boolean, which does not tell older from newer"
            ),
            (
                "topic: a\ntable: {name: x, key: [k], on_conflict: merge, newer: t}\ncolumns: {k: text not null, t: timestamptz}",
                "the 'newer' column 't' of table 'x' may be NULL - declare it not null"
            ),
            (
                "topic: a\nrows:\n  - {table: {name: x, key: [k], on_conflict: merge}, columns: {k: text not null}}\n  - {table: x, columns: {v: real}}",
                "key column 'k' of table 'x', which mappings/test.yaml:3:13 names, is no column here"
            ),
            ("topic: a\ntable: {name: x, key: [k, k]}\ncolumns: {k: text not null}", "'k' stands twice in the key of table 'x'"),
            ("topic: a\nunpack: gzp\ntable: x\ncolumns: {v: real}", "unknown step 'gzp' of 'unpack' - did you mean 'gzip'?"),
            ("topic: a\ntable: {name: x, key: [v]}\ncolumns: {v: real}", "key column 'v' of table 'x' may be NULL"),
            ("topic: a\ntable: {name: x, key: [w]}\ncolumns: {v: real not null}", "key column 'w' of table 'x' is no column here"),
            ("topic: a\neach: $.list\ntable: x\ncolumns: {v: real}", "ends in .*"),
            ("topic: a\nwhen: {$.k: {is: nubmer}}\ntable: x\ncolumns: {v: real}", "'nubmer' is no kind of value - did you mean 'number'?"),
            ("topic: a\ndecode: {binary: {fields: {n: u33 at 0}}}\ntable: x\ncolumns: {n: real}", "unknown type 'u33' - did you mean 'u3"),
            ("topic: a\ntable: x\ncolumns: {v: &a real, w: *a}", "anchors and aliases"),
            ("topic: a\ntopic: b\ntable: x\ncolumns: {v: real}", "key 'topic' stands twice"),
            ("topic: a\ntable: x\ncolumns: {v: real}\n---\ntopic: b", "one document"),
            ("topic: a\ntable: x\ncolumns: {v: real}\ntests: [{topic: a, payload: '{}', expect: [{w: 1}]}]", "has no column 'w'"),
            ("topic: a\ntable: x", "needs 'table' and 'columns', or 'rows'"),
            ("", "the file is empty"),
        ])
    func named(text: String, words: String) {
        let found = mistakes(text)
        #expect(found.contains { $0.contains(words) }, "\(found)")
    }

    @Test("all mistakes are told at once, in their order")
    func all() {
        let found = mistakes("topic: a\ntable: x\nqso: 1\ncolumns:\n  v: reel\n  w: real from topic.x\n")
        #expect(found.count == 3)
        #expect(found.map { $0.prefix(20) } == ["mappings/test.yaml:3", "mappings/test.yaml:5", "mappings/test.yaml:6"])
    }

    @Test("words that YAML takes for something else keep their text")
    func words() throws {
        let text =
            "topic: t\ntable: x\ncolumns: {v: {type: text, map: {on: off, no: yes, 0755: 12:30, 1e3: 2024-01-01, \"null\": \"null\"}}}"
        #expect(try rows(text, #"{"v":"on"}"#) == [["off"]])
        #expect(try rows(text, #"{"v":"no"}"#) == [["yes"]])
        #expect(try rows(text, #"{"v":"0755"}"#) == [["12:30"]])
        #expect(try rows(text, #"{"v":"1e3"}"#) == [["2024-01-01"]])
        #expect(try rows(text, #"{"v":"null"}"#) == [["null"]])
    }

    @Test("mappings that write one table agree on its columns, and give its options once")
    func sameTable() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reader-\(UInt32.random(in: 0...UInt32.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let one = "topic: a\ntable: {name: x, comment: one}\ncolumns: {v: real}"
        let two = "topic: b\ntable: {name: x, comment: two}\ncolumns: {v: text}"
        try one.write(to: folder.appending(path: "one.yaml"), atomically: false, encoding: .utf8)
        try two.write(to: folder.appending(path: "two.yaml"), atomically: false, encoding: .utf8)
        let found = MappingReader.read(folder: folder.path).diagnostics.map(\.description)
        #expect(found.count == 2)
        #expect(found.contains { $0.contains("column 'x.v' is text here and real at") })
        #expect(found.contains { $0.contains("options of table 'x' stand here and at") })
    }
}
