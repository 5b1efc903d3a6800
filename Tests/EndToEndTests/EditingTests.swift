import Foundation
import Testing

extension EndToEndTests {
    @Suite("What helps whoever writes a mapping: excerpts, notes, schemas")
    struct Editing {
        @Test("a mistake is shown with its line and a mark below the place")
        func excerpt() async throws {
            let typo = Mappings.telemetry.replacing("unit: text", with: "unit: {tpye: text}")
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["telemetry": typo], isMigrated: false)
            let end = try await workplace.penstock("check", "--offline")
            #expect(end.end == .exit(78))
            #expect(end.errors.contains("\n    8 |   unit: {tpye: text}\n      |          ^\n"), "\(end.errors)")
            #expect(!end.errors.contains("\u{1B}"))
            try await workplace.close()
        }

        @Test("a mistake in the configuration shows no line of it: there may be a password")
        func noExcerptOfConfiguration() async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1, broker: "password: s3cret\nusrname: me", isMigrated: false)
            let end = try await workplace.penstock("check", "--offline")
            #expect(end.end == .exit(78) && end.errors.contains("'usrname'"), "\(end.errors)")
            #expect(!end.errors.contains("s3cret") && !end.errors.contains(" | "), "\(end.errors)")
            try await workplace.close()
        }

        @Test("notes on cost, tables without a key, and two mappings that write one table from one topic")
        func notes() async throws {
            let other = Mappings.telemetry.replacing("  unit: text", with: "  unit: text\n  extra: jsonb from rest")
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["one": Mappings.telemetry, "two": other], isMigrated: false)
            let end = try await workplace.penstock("check", "--offline")
            #expect(end.end == .exit(0), "\(end.errors)")
            #expect(end.output.contains("two.yaml:9:3: cost: column 'extra' takes the rest"), "\(end.output)")
            #expect(end.output.contains("one.yaml:3:8: table 'readings' has no key"), "\(end.output)")
            #expect(end.errors.contains("both write table 'readings' from one topic"), "\(end.errors)")
            try await workplace.close()
        }

        @Test("a statement of on_conflict that PostgreSQL does not take is found before a message comes")
        func rehearsal() async throws {
            let state = """
                topic: state/{device}
                table: {name: states, key: [device], on_conflict: update}
                columns: {device: text not null from topic.device, v: real}
                """
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["state": state])
            let right = try await workplace.penstock("check")
            #expect(right.end == .exit(0), "\(right.errors)")
            try workplace.probe().rows("CREATE RULE none AS ON UPDATE TO states DO ALSO NOTHING")
            let wrong = try await workplace.penstock("check")
            #expect(wrong.end == .exit(1), "\(wrong.output)")
            #expect(
                wrong.errors.contains("table 'states': PostgreSQL does not take the statement of on_conflict: update"), "\(wrong.errors)")
            try await workplace.close()
        }

        @Test("a right that on_conflict needs and the role has not: check prints the statement that gives it, for this database")
        func temporaryRight() async throws {
            let state = """
                topic: state/{device}
                table: {name: states, key: [device], on_conflict: update}
                columns: {device: text not null from topic.device, v: real}
                """
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["state": state], role: "tenant")
            let probe = try workplace.probe()
            let name = try #require(try probe.rows("SELECT current_database()").first?.first ?? nil)
            try probe.rows("REVOKE TEMPORARY ON DATABASE \"\(name)\" FROM PUBLIC, tenant")
            let wrong = try await workplace.penstock("check")
            #expect(wrong.end == .exit(1), "\(wrong.output)")
            #expect(wrong.errors.contains("GRANT TEMPORARY ON DATABASE \"\(name)\" TO \"tenant\""), "\(wrong.errors)")
            try await workplace.close()
        }

        @Test("schema prints JSON Schema of mappings and of the configuration")
        func schema() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            for (arguments, title) in [
                (["schema"], "A mapping of Penstock"), (["schema", "mapping"], "A mapping of Penstock"),
                (["schema", "configuration"], "The configuration of Penstock"),
            ] {
                let end = try await workplace.run(arguments)
                #expect(end.end == .exit(0), "\(end.errors)")
                let schema = try #require(try JSONSerialization.jsonObject(with: Data(end.output.utf8)) as? [String: Any])
                #expect(schema["title"] as? String == title)
            }
            #expect(try await workplace.run(["schema", "table"]).end == .exit(64))
            try await workplace.close()
        }
    }
}
