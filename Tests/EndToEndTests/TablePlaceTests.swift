import Foundation
import Testing

extension EndToEndTests {
    @Suite("A role that is called like the service's own schema")
    struct TablePlaces {
        private func mapping(_ topic: String, _ table: String) -> String {
            """
            topic: \(topic)/{device}
            table: \(table)
            columns:
              device: text not null from topic.device
              v: integer
            """
        }

        @Test("tables without a schema are made and found beside it, never in it, and dry runs say so")
        func beside() async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1,
                mappings: ["letters": mapping("l", "dead_letter"), "new": mapping("n", "news"), "old": mapping("o", "olds")],
                role: "penstock",
                preparation: [
                    "CREATE SCHEMA other AUTHORIZATION penstock", "CREATE TABLE other.olds (device text NOT NULL, v integer)",
                    "ALTER TABLE other.olds OWNER TO penstock",
                    "ALTER ROLE penstock SET search_path = \"$user\", public, other",
                ], isMigrated: false)
            let dry = try await workplace.penstock("migrate", "--dry-run")
            #expect(
                dry.output.contains(#"CREATE TABLE IF NOT EXISTS "public"."dead_letter""#) && !dry.output.contains(#""olds" ("#),
                "\(dry.output.suffix(2000))")
            let migration = try await workplace.penstock("migrate")
            #expect(migration.end == .exit(0), "\(migration.errors)")
            try await workplace.startIngester()
            try await workplace.publish(["l", "n", "o"].map { .init("\($0)/d1", #"{"v":1}"#) } + [.init("n/d1", #"{"v":"two"}"#)])
            let probe = try workplace.probe()
            for table in ["public.dead_letter", "public.news", "other.olds", "penstock.dead_letter"] {
                try await workplace.eventually("there is a row in \(table)") { try probe.number("SELECT count(*) FROM \(table)") == 1 }
            }
            try workplace.write(mapping: "new", mapping("n", "news").replacing("integer", with: "text"))
            let check = try await workplace.penstock("check")
            #expect(check.errors.contains("public.news"), "\(check.errors)")
            try workplace.write(mapping: "new", mapping("n", "news"))
            try probe.rows("UPDATE penstock.dead_letter SET payload = '{\"v\":2}'")
            let replay = try await workplace.penstock("replay")
            #expect(replay.end == .exit(0), "\(replay.errors)")
            #expect(try probe.rows("SELECT v FROM public.news ORDER BY v") == [["1"], ["2"]])
            try await workplace.terminateIngester()
            try await workplace.close()
        }
    }
}
