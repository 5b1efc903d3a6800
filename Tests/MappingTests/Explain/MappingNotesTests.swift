import Testing

@testable import Mapping

@Suite("check notes what costs much, and what may not be meant")
struct MappingNotesTests {
    @Test(
        "cost",
        arguments: [
            ("columns: {e: jsonb from rest}", ["3:11: cost: column 'e' takes the rest: every member that no other column takes is copied"]),
            ("columns: {p: jsonb from $}", ["3:11: cost: column 'p' stores the whole payload"]),
            (
                "each: {s: $.s.*}\ncolumns: {p: jsonb from $}",
                ["4:11: cost: column 'p' stores the whole payload with each row of a loop"]
            ),
            (
                "each: {k: $.m.*}\ncolumns: {n: text from k@key, v: real from k}",
                [
                    "3:8: cost: 'k' runs over all members of an object: a 'when' on k or k@key would pass over those that are not wanted"
                ]
            ), ("each: {k: $.m.*}\nwhen: {k: {is: object}}\ncolumns: {n: text from k@key}", []),
            ("each: {s: $.s.*}\ncolumns: {v: real from s.v}", []), ("columns: {v: jsonb from $.v}", []),
        ])
    func costs(rest: String, expected: [String]) throws {
        #expect(
            MappingNote.costs(of: try mapping("topic: t\ntable: x\n" + rest)).map {
                $0.description.replacing("mappings/test.yaml:", with: "")
            } == expected)
    }

    @Test(
        "meaning: equality with what looks like a pattern, rows that hold nothing of the payload",
        arguments: [
            (
                "when: {$.k: {not: \"x/*\"}}\ncolumns: {v: real}",
                ["3:8: '$.k' is compared with 'x/*' letter by letter; if that is a pattern, write {match: 'x/*'}"]
            ),
            (
                "columns: {v: {type: real, when: {topic: [a, \"b?\"]}}}",
                ["3:34: 'topic' is compared with 'b?' letter by letter; if that is a pattern, write {match: 'b?'}"]
            ), ("when: {$.k: {match: \"x*\"}, $.n: {not: [a, 1]}}\ncolumns: {v: real}", []),
            (
                "columns: {at: timestamptz not null from received, t: text from topic}",
                [
                    "2:8: no column of table 'x' takes anything of the payload: each message makes a row, whatever it holds (keep_empty: true says that this is meant)"
                ]
            ), ("keep_empty: true\ncolumns: {at: timestamptz not null from received}", []),
            ("columns: {at: timestamptz not null from received, e: jsonb from rest}", []),
            ("when: {$.kind: on}\ncolumns: {at: timestamptz not null from received}", []),
        ])
    func meanings(rest: String, expected: [String]) throws {
        #expect(
            MappingNote.meanings(of: try mapping("topic: t\ntable: x\n" + rest)).map {
                $0.description.replacing("mappings/test.yaml:", with: "")
            } == expected)
    }

    @Test("a test that gets no row says so where the row rule took it")
    func rowRule() throws {
        let text =
            "topic: t\ntable: x\ncolumns: {at: timestamptz not null from received, v: real}\ntests:\n"
            + "  - {topic: t, payload: '{}', expect: [{at: 2024-01-01T00:00:00Z}]}\n"
            + "  - {topic: t, payload: '{\"v\":1}', expect: []}"
        let failures = MappingTestRunner.run(try mapping(text)).map(\.reason)
        #expect(failures.count == 2)
        #expect(failures.first?.hasSuffix("keep_empty: true keeps such rows)") == true, "\(failures)")
        #expect(failures.last?.contains("keep_empty") == false, "\(failures)")
    }

    @Test("two mappings that write one table from one topic are a warning, with both places")
    func sharedTables() throws {
        let one = try mapping("topic: a/+\ntable: x\ncolumns: {v: real}", name: "one")
        let two = try mapping("topic: [b, a/b]\ntable: x\ncolumns: {v: real}", name: "two")
        let three = try mapping("topic: a/b\ntable: y\ncolumns: {v: real}", name: "three")
        let four = try mapping("topic: c\ntable: x\ncolumns: {v: real}", name: "four")
        #expect(
            MappingNote.sharedTables([one, two, three, four]).map(\.description) == [
                "mappings/two.yaml:1:12: mappings 'one' ('a/+' at mappings/one.yaml:1:8) and 'two' ('a/b') both write table 'x' from one topic: a message that both take is stored twice"
            ])
        #expect(MappingNote.sharedTables([one, two])[0].kind == .warning)
    }

    @Test("blocks with different columns of a table whose rows replace each other are a warning; merged ones keep their order")
    func differentColumns() throws {
        func notes(_ policy: String, _ second: String) throws -> [String] {
            let table = "table: {name: x, key: [d], on_conflict: \(policy)}"
            let one = try mapping("topic: a\n\(table)\ncolumns: {d: text not null, v: real}", name: "one")
            let two = try mapping("topic: b\ntable: x\ncolumns: {d: text not null, \(second): real}", name: "two")
            return MappingNote.tables([one, two], isShared: false).map(\.description)
        }
        #expect(
            try notes("update", "w") == [
                "mappings/two.yaml:1:1: table 'x' has on_conflict: update, and this block has other columns than the first one: rows of a batch are stored block by block, not in the order in which they came; with on_conflict: merge they are"
            ])
        #expect(try notes("update", "v") == [])
        #expect(try notes("merge", "w") == [])
    }

    @Test("tables without a key, and updates that an older message may overtake")
    func tables() throws {
        func notes(_ table: String, isShared: Bool) throws -> [String] {
            MappingNote.tables(
                [try mapping("topic: t\ntable: \(table)\ncolumns: {d: text not null, time: timestamptz not null, v: real}")],
                isShared: isShared
            )
            .map(\.message)
        }
        #expect(
            try notes("x", isShared: false) == [
                "table 'x' has no key: a message that is delivered twice at QoS 1 cannot be told from two messages"
            ])
        let update = "{name: x, key: [d], on_conflict: update}"
        #expect(try notes(update, isShared: false) == [])
        #expect(
            try notes(update, isShared: true) == [
                "table 'x' has on_conflict: update without 'newer', and several sessions share its messages: an older one may come last and win"
            ])
        #expect(try notes("{name: x, key: [d], on_conflict: merge, newer: time}", isShared: true) == [])
        #expect(try notes("{name: x, key: [d], on_conflict: ignore}", isShared: true) == [])
    }
}
