import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    /// In a PostgreSQL of its own: the roles have the names that the pages give them.
    @Suite("The pages about security and analysts give roles the rights that they need, and no more", .serialized)
    struct RolesOfThePage {
        static let name = "docs/security.md"
        /// In docs/analysts.md.
        static let makesAnalysts = "CREATE ROLE penstock_analyst NOLOGIN;"
        private static let lendsTheOwner = "GRANT penstock_owner TO penstock_service"
        private static let repeated = "GRANT … ON ALL TABLES IN SCHEMA …"

        /// What of the page is typed here.
        static func typed() throws -> Set<String> {
            let page = try Page(name)
            return [setup(page), more(page), lendsTheOwner, repeated]
        }

        private static func setup(_ page: Page) -> String { page.text(from: "CREATE ROLE penstock_owner") }
        private static func more(_ page: Page) -> String { page.text(from: "-- on_conflict: ignore") }

        private static func mappings() throws -> [String: String] {
            [
                "readings": try Page("README.md").text(from: "topic: sensors/"),
                "state": """
                topic: sensors/{device}/state
                table: {name: device_state, key: [device], on_conflict: merge, newer: time}
                columns:
                  device: text not null from topic.device
                  time: timestamptz not null from received
                  temperature: real
                """,
            ]
        }

        @Test("whoever migrates and may not make roles is told, and the statement of the page brings the analysts in")
        func analysts() async throws {
            let (database, server) = try await makeDatabase()
            try database.run("CREATE ROLE plain LOGIN", "ALTER DATABASE telemetry OWNER TO plain")
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: try Self.mappings(), databaseURL: url(of: server, "plain"), isMigrated: false)
            let told = try await workplace.penstock("migrate")
            #expect(told.end == .exit(0), "\(told)")
            #expect((told.output + told.errors).contains("penstock_analyst"), "\(told)")
            try database.rows(Self.makesAnalysts)
            #expect(try await workplace.penstock("migrate").end == .exit(0))
            #expect(try database.rows("SELECT has_table_privilege('penstock_analyst', 'readings', 'SELECT')") == [["t"]])
            #expect(try database.rows("SELECT has_table_privilege('penstock_analyst', 'penstock.dead_letter', 'SELECT')") == [["t"]])
            #expect(try database.rows("SELECT has_table_privilege('penstock_analyst', 'readings', 'INSERT')") == [["f"]])
            try await workplace.close()
            await server.stop()
        }

        @Test("the three roles of docs/security.md: one migrates, one stores and cannot read what it has stored, one reads")
        func roles() async throws {
            let page = try Page(Self.name)
            let (database, server) = try await makeDatabase()
            try await type(Self.setup(page), server)
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: try Self.mappings(), ddl: "off", databaseURL: url(of: server, "penstock_owner"),
                isMigrated: false)
            let migrated = try await workplace.penstock("migrate")
            #expect(migrated.end == .exit(0), "\(migrated)")
            #expect(migrated.output.contains("penstock_analyst may read telemetry.readings"), "\(migrated)")

            // `check` prints what a mapping needs beyond that.
            try workplace.configure(databaseURL: url(of: server, "penstock_service"))
            let short = try await workplace.penstock("check")
            #expect(short.end == .exit(1), "\(short)")
            let printed = (short.output + short.errors).firstMatch(of: /GRANT ([A-Z, ]+) ON \S*device_state\S* TO \S*penstock_service/)
            let granted = try #require(printed, "\(short)").1
            #expect(granted.contains("SELECT") && granted.contains("UPDATE"), "\(short)")
            try await type(Self.more(page), server)
            let enough = try await workplace.penstock("check")
            #expect(enough.end == .exit(0), "\(enough)")

            // `check` has subscribed too, so that the tap cannot tell.
            try workplace.ingester.start()
            try await workplace.eventually("it is subscribed") {
                try database.number(
                    "SELECT count(*) FROM penstock.session, jsonb_each(subscriptions) AS f WHERE f.value->>'state' = 'granted'") == 1
            }
            try await workplace.publish([.init("sensors/d1/state", #"{"temperature": 21.5}"#), .init("sensors/d2/state", "no JSON")])
            for (table, count) in ["telemetry.readings": 1, "telemetry.device_state": 1, "penstock.dead_letter": 2] {
                try await workplace.eventually("\(table) holds \(count)") { try database.number("SELECT count(*) FROM \(table)") == count }
            }
            try rights(try DatabaseProbe(url(of: server, "penstock_service")), try DatabaseProbe(url(of: server, "ada")))

            // Whoever may change tables only if it is lent the owner's rights.
            let service = try DatabaseProbe(url(of: server, "penstock_service"))
            #expect(throws: (any Error).self) { try service.rows("ALTER TABLE readings ADD COLUMN more text") }
            try database.rows(Self.lendsTheOwner)
            try service.rows("ALTER TABLE readings ADD COLUMN more text")
            try older(page, database)
            try await workplace.terminateIngester()
            try await workplace.close()
            await server.stop()
        }

        /// The service can neither read nor change what it has stored; a reader reads, but for the letters, and writes nothing.
        private func rights(_ service: DatabaseProbe, _ reader: DatabaseProbe) throws {
            for refused in ["SELECT FROM readings", "UPDATE readings SET temperature = 1", "DELETE FROM readings", "CREATE TABLE own ()"] {
                #expect(throws: (any Error).self, "the service: \(refused)") { try service.rows(refused) }
            }
            #expect(try reader.number("SELECT count(*) FROM telemetry.readings") == 1)
            #expect(try reader.number("SELECT count(*) FROM penstock.freshness") == 2)
            for refused in ["SELECT FROM penstock.dead_letter", "DELETE FROM telemetry.readings", "CREATE TABLE telemetry.own ()"] {
                #expect(throws: (any Error).self, "a reader: \(refused)") { try reader.rows(refused) }
            }
        }

        /// "Repeat the four lines with …", for tables that were there before.
        private func older(_ page: Page, _ database: DatabaseProbe) throws {
            try database.rows("CREATE TABLE telemetry.older (time timestamptz)")
            let lines = page.lines(from: "ALTER DEFAULT PRIVILEGES")
            #expect(lines.count == 4)
            for line in lines {
                let match = try #require(
                    line.wholeMatch(of: /ALTER DEFAULT PRIVILEGES FOR ROLE \w+ IN SCHEMA (\w+) GRANT ([A-Z, ]+) ON TABLES TO (\w+);/))
                try database.rows("GRANT \(match.2) ON ALL TABLES IN SCHEMA \(match.1) TO \(match.3)")
            }
            #expect(
                try database.rows(
                    """
                    SELECT has_table_privilege('penstock_service', 'telemetry.older', 'INSERT'),
                        has_table_privilege('penstock_analyst', 'telemetry.older', 'SELECT')
                    """) == [["t", "t"]])
        }

        private func makeDatabase() async throws -> (DatabaseProbe, PrivatePostgreSQL) {
            let server = try await PrivatePostgreSQL(folder: try TestServers.ofThisSuite().makeFolder())
            try await server.start()
            try DatabaseProbe(server.url()).rows("CREATE DATABASE telemetry")
            return (try DatabaseProbe(server.url(database: "telemetry")), server)
        }

        /// As a superuser does, with psql.
        private func type(_ sql: String, _ server: PrivatePostgreSQL) async throws {
            let folder = try TestServers.ofThisSuite().makeFolder()
            let file = folder.appending(path: "typed.sql")
            try sql.write(to: file, atomically: false, encoding: .utf8)
            let words = ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-f", file.path, server.url(database: "telemetry")]
            let psql = try ChildProcess("/usr/bin/env", words, outputs: "psql", in: folder)
            #expect(try await psql.waitForEnd(within: .seconds(60)) == .exit(0), "\(psql.errors)")
        }

        private func url(of server: PrivatePostgreSQL, _ role: String) -> String {
            server.url(database: "telemetry").replacing("postgres@", with: role + "@")
        }
    }
}
