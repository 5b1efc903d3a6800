import Foundation
import Testing

extension EndToEndTests {
    @Suite("Types beyond numbers and text")
    struct Types {
        private static let preparation = [
            "CREATE EXTENSION citext", "CREATE EXTENSION hstore", "CREATE EXTENSION ltree",
            "CREATE TYPE state AS ENUM ('on', 'off', 'out of order')",
            "CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE >= 0)",
        ]

        private static let doors = """
            topic: door/{door}
            table: doors
            columns:
              door: text not null from topic.door
              state: state
              address: inet
              net: cidr
              opens: time
              filled: percent
              code: {type: char(4), from: $.code}
              counts: integer[]
              states: state[]
            tests:
              - topic: door/a
                payload: '{"state": "on", "address": "10.0.0.1", "opens": "08:30", "filled": 12.5, "counts": [1, 2], "states": ["on"]}'
                expect: [{door: a, state: "on", address: 10.0.0.1, opens: "08:30:00", filled: 12.5, counts: [1, 2], states: ["on"]}]
            """

        private static let tags = """
            topic: tag/{tag}
            table: tags
            columns:
              tag: citext not null from topic.tag
              path: ltree
              extra: hstore
              every: interval
              aliases: citext[]
              n: bigint
              at: timestamptz
              v: {type: "numeric(4,2)", from: $.v}
              raw: {type: bytea, from: $.raw, parse: hex}
            """

        @Test("are filled from JSON in binary form; `check` accepts the table, and a wrong value becomes a letter that says why")
        func binary() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["doors": Self.doors], preparation: Self.preparation)
            let check = try await workplace.penstock("check")
            #expect(check.end == .exit(0), "\(check.errors)")
            try await workplace.startIngester()
            let good = #"""
                {"state":"out of order","address":"::ffff:1.2.3.4/120","net":"10.0.0.0/8","opens":"08:30:15.5","filled":99.994,"code":"ab",
                 "counts":[1,null,-3],"states":["on",null,"out of order"]}
                """#
            try await workplace.publish([
                .init("door/a", good), .init("door/b", #"{"state":"broken"}"#), .init("door/c", #"{"address":"300.1.1.1"}"#),
                .init("door/d", #"{"states":["on","none"]}"#), .init("door/e", #"{"net":"10.0.0.1/8"}"#),
                .init("door/f", #"{"filled":-1}"#),
                .init("door/g", #"{"counts":[]}"#), .init("door/h", #"{"opens":"25:00"}"#),
            ])
            let probe = try workplace.probe()
            try await workplace.eventually("all are settled") {
                try probe.number("SELECT (SELECT count(*) FROM doors) + (SELECT count(*) FROM penstock.dead_letter)") == 8
            }
            #expect(
                try probe.rows("SELECT door, state, address, net, opens, filled, code, counts, states FROM doors ORDER BY door") == [
                    [
                        "a", "out of order", "::ffff:1.2.3.4/120", "10.0.0.0/8", "08:30:15.5", "99.99", "ab  ", "{1,NULL,-3}",
                        "{on,NULL,\"out of order\"}",
                    ], ["g", nil, nil, nil, nil, nil, nil, "{}", nil],
                ])
            let letters = try probe.rows("SELECT topic, stage, error FROM penstock.dead_letter ORDER BY topic")
            let reasons = [
                ("door/b", "decode", "column 'state': 'broken' is no label of state, which has 'on', 'off', 'out of order'"),
                ("door/c", "decode", "column 'address': '300.1.1.1' is not an internet address"),
                ("door/d", "decode", "column 'states': 'none' is no label of state"),
                ("door/e", "decode", "bits are set behind its prefix"),
                ("door/f", "row", "percent_check"), ("door/h", "decode", "column 'opens': '25:00' is not a time of day"),
            ]
            #expect(letters.map { $0[0] } == reasons.map(\.0))
            for (letter, reason) in zip(letters, reasons) {
                #expect(letter[1] == reason.1 && letter[2]?.contains(reason.2) ?? false, "\(letter)")
            }
            #expect(!workplace.ingester.log.contains("cannot be written"), "\(workplace.ingester.log)")
            try await workplace.close()
        }

        @Test(
            "go as text where only the database can read them, and a row that it refuses costs no other",
            arguments: ["", ", on_conflict: ignore"])
        func text(conflict: String) async throws {
            let mapping = Self.tags.replacing("table: tags", with: "table: {name: tags, key: [tag]\(conflict)}")
            let stage = try await BatchStage(mappings: ["tags": mapping], holding: "tags", preparation: Self.preparation)
            var messages = (0..<300).map { number in
                LoadPublisher.Message(
                    "tag/T\(number)",
                    #"{"path":"a.b.n\#(number)","extra":"n=>\#(number), \"a b\"=>NULL","every":"\#(number) min","aliases":["x,y",null],"#
                        + #""n":\#(number),"at":"2024-01-01T00:00:00.\#(100_000 + number)Z","v":1.005,"raw":"5c0a"}"#)
            }
            // One that names another line, one of a syntax error's class, one of a value's, one that we refuse ourselves.
            messages[100] = .init("tag/bad1", #"{"path":"a b\nCOPY tags, line 1, column path: \"x\""}"#)
            messages[101] = .init("tag/bad2", #"{"extra":"a"}"#)
            messages[200] = .init("tag/bad3", #"{"every":"1 parsec"}"#)
            messages[201] = .init("tag/bad4", #"{"path":"a\u0000"}"#)
            try await stage.storeInOneBatch(messages)
            let letters = try stage.probe.rows("SELECT topic, stage, sqlstate FROM penstock.dead_letter ORDER BY topic")
            #expect(
                letters == [
                    ["tag/bad1", "row", "42601"], ["tag/bad2", "row", "42601"], ["tag/bad3", "row", "22007"], ["tag/bad4", "decode", nil],
                ])
            #expect(try stage.probe.number("SELECT count(*) FROM tags") == 296)
            #expect(
                try stage.probe.number(
                    """
                    SELECT count(*) FROM tags WHERE tag = 't' || n AND path = ('a.b.n' || n)::ltree AND extra = hstore(ARRAY['n', n::text, 'a b', NULL])
                        AND every = n * interval '1 min' AND aliases IS NOT DISTINCT FROM ARRAY['X,Y', NULL]::citext[]
                        AND at = '2024-01-01 00:00:00.1Z'::timestamptz + n * interval '1 us' AND v = 1.01 AND raw = '\\x5c0a'
                    """) == 296)
            #expect(!stage.workplace.ingester.log.contains("cannot be written"), "\(stage.workplace.ingester.log)")
            try await stage.close()
        }

        @Test("times in a table without time zone are written in UTC, and `check` says so")
        func withoutZone() async throws {
            let mapping = "topic: t\ntable: {name: events, ddl: \"off\"}\ncolumns: {at: timestamptz}"
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["t": mapping], preparation: ["CREATE TABLE events (at timestamp(3))"])
            let check = try await workplace.penstock("check")
            #expect(check.end == .exit(0))
            #expect(check.errors.contains("'at' of table 'events' is timestamp(3) without time zone: times are written there in UTC"))
            try await workplace.startIngester()
            try await workplace.publish([.init("t", #"{"at":"2024-01-01T12:00:00.0005+02:00"}"#)])
            let probe = try workplace.probe()
            try await workplace.eventually("it is stored") { try probe.number("SELECT count(*) FROM events") == 1 }
            #expect(try probe.rows("SELECT at FROM events") == [["2024-01-01 10:00:00.001"]])
            try await workplace.close()
        }
    }
}
