import Foundation
import Testing

extension EndToEndTests {
    @Suite("A row that PostgreSQL refuses")
    struct BadRow {
        /// Telemetry with columns that a table may narrow without a change of type.
        static let mapping = Mappings.telemetry + "\n  level: numeric\n  label: varchar(40)"

        /// What makes a table refuse one message, of which nothing is seen when the ingester starts.
        struct Rule: Sendable {
            var name: String
            var sqlState: String
            var column: String?
            var make: [String]
            var unmake: [String]
            var payload = #"{"seq":-1,"temp":1.5,"unit":"C"}"#
        }

        static let rules = [
            Rule(
                name: "CHECK", sqlState: "23514", make: ["ALTER TABLE readings ADD CONSTRAINT rule CHECK (seq >= 0)"],
                unmake: ["ALTER TABLE readings DROP CONSTRAINT rule"]),
            Rule(
                name: "NOT NULL", sqlState: "23502", column: "temp", make: ["ALTER TABLE readings ALTER temp SET NOT NULL"],
                unmake: ["ALTER TABLE readings ALTER temp DROP NOT NULL"], payload: #"{"seq":-1,"unit":"C"}"#),
            Rule(
                name: "a narrower numeric", sqlState: "22003", make: ["ALTER TABLE readings ALTER level TYPE numeric(3,1)"],
                unmake: ["ALTER TABLE readings ALTER level TYPE numeric"], payload: #"{"seq":-1,"temp":1,"level":100.25}"#),
            Rule(
                name: "a shorter varchar", sqlState: "22001", make: ["ALTER TABLE readings ALTER label TYPE varchar(3)"],
                unmake: ["ALTER TABLE readings ALTER label TYPE varchar(40)"], payload: #"{"seq":-1,"temp":1,"label":"four"}"#),
            Rule(
                name: "an index whose expression fails", sqlState: "22012", make: ["CREATE INDEX rule ON readings ((1 / (seq + 1)))"],
                unmake: ["DROP INDEX rule"]),
            Rule(
                name: "a unique index", sqlState: "23505", make: ["CREATE UNIQUE INDEX rule ON readings (seq)"],
                unmake: ["DROP INDEX rule"], payload: #"{"seq":0,"temp":1}"#),
            Rule(
                name: "a deferred unique constraint", sqlState: "23505",
                make: ["ALTER TABLE readings ADD CONSTRAINT rule UNIQUE (seq) DEFERRABLE INITIALLY DEFERRED"],
                unmake: ["ALTER TABLE readings DROP CONSTRAINT rule"], payload: #"{"seq":0,"temp":1}"#),
            Rule(
                name: "a foreign key", sqlState: "23503",
                make: ["ALTER TABLE readings ADD CONSTRAINT rule FOREIGN KEY (unit) REFERENCES units"],
                unmake: ["ALTER TABLE readings DROP CONSTRAINT rule"], payload: #"{"seq":-1,"temp":1,"unit":"F"}"#),
            Rule(
                name: "a deferred foreign key", sqlState: "23503",
                make: ["ALTER TABLE readings ADD CONSTRAINT rule FOREIGN KEY (unit) REFERENCES units DEFERRABLE INITIALLY DEFERRED"],
                unmake: ["ALTER TABLE readings DROP CONSTRAINT rule"], payload: #"{"seq":-1,"temp":1,"unit":"F"}"#),
            trigger("a trigger before", "P0001", "CREATE TRIGGER rule BEFORE"),
            trigger("a trigger after", "P0001", "CREATE TRIGGER rule AFTER"),
            trigger("a deferred trigger", "23514", "CREATE CONSTRAINT TRIGGER rule AFTER", "DEFERRABLE INITIALLY DEFERRED"),
            trigger("a trigger with an error code of its own", "X0001", "CREATE TRIGGER rule BEFORE"),
        ]

        private static func trigger(_ name: String, _ sqlState: String, _ create: String, _ deferral: String = "") -> Rule {
            Rule(
                name: name, sqlState: sqlState,
                make: ["\(create) INSERT ON readings \(deferral) FOR EACH ROW EXECUTE FUNCTION refuse_negative('\(sqlState)')"],
                unmake: ["DROP TRIGGER rule ON readings"])
        }

        @Test("becomes a letter of stage 'row' with SQLSTATE and original bytes, and the others of its batch land")
        func oneBadMessage() async throws {
            let stage = try await BatchStage(mappings: ["telemetry": Self.mapping], holding: "readings")
            try stage.probe.run(
                "CREATE TABLE units (unit text PRIMARY KEY)", "INSERT INTO units VALUES ('C')",
                """
                CREATE FUNCTION refuse_negative() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF NEW.seq < 0 THEN RAISE EXCEPTION 'not this one' USING ERRCODE = TG_ARGV[0]; END IF;
                    RETURN NEW;
                END $$
                """)
            for rule in Self.rules {
                try stage.probe.transaction(rule.make)
                let bad = LoadPublisher.Message("site/hq/dev/bad/telemetry", rule.payload)
                var messages = (0..<300).map(LoadPublisher.reading)
                messages.insert(bad, at: 200)
                try await stage.storeInOneBatch(messages)

                let stored = try StoredReadings(stage.probe)
                #expect(stored.rowCount == 300 && stored.missing(of: 0..<300) == [] && stored.foreign == [], "\(rule.name)")
                let letters = try stage.probe.rows(
                    """
                    SELECT topic, convert_from(payload, 'UTF8'), mapping, stage, sqlstate, column_name, qos, client_id, length(error) > 10
                    FROM penstock.dead_letter
                    """)
                let expected = [
                    bad.topic, rule.payload, "telemetry", "row", rule.sqlState, rule.column, "1", "end-to-end-0", "t",
                ]
                #expect(letters == [expected], "\(rule.name)")
                try stage.clear()
                try stage.probe.transaction(rule.unmake)
            }
            #expect(!stage.workplace.ingester.log.contains("cannot be written"), "no table was parked: \(stage.workplace.ingester.log)")
            try await stage.close()
        }

        @Test("takes all other rows of its message with it, and no row of another message")
        func messageIsOneUnit() async throws {
            let stage = try await BatchStage(mappings: ["weather": Mappings.weather], holding: "weather")
            let rules = [
                "ALTER TABLE weather ADD CHECK (wind < 100)",
                "ALTER TABLE weather ADD FOREIGN KEY (wind) REFERENCES winds DEFERRABLE INITIALLY DEFERRED",
            ]
            try stage.probe.run("CREATE TABLE winds (wind numeric PRIMARY KEY)", "INSERT INTO winds VALUES (1)")
            for rule in rules {
                try stage.probe.rows(rule)
                let lines = (0..<3).map { "2024-01-01T00:00:0\($0)Z;1;1;ja" }
                var messages = (0..<50).map { LoadPublisher.Message("weather/s\($0)", lines.joined(separator: "\n")) }
                let bad = [lines[0], lines[1].replacing(";1;1;", with: ";1;100;"), lines[2]].joined(separator: "\n")
                messages[20] = .init("weather/s20", bad)
                messages[21] = .init("weather/s21", bad)
                try await stage.storeInOneBatch(messages)
                #expect(try stage.probe.number("SELECT count(*) FROM weather") == 48 * 3, "\(rule)")
                #expect(try stage.probe.number("SELECT count(*) FROM weather WHERE station IN ('s20', 's21')") == 0, "\(rule)")
                let letters = try stage.probe.rows(
                    "SELECT topic, stage, convert_from(payload, 'UTF8') FROM penstock.dead_letter ORDER BY topic")
                #expect(letters == [["weather/s20", "row", bad], ["weather/s21", "row", bad]], "\(rule)")
                try stage.clear()
                try stage.probe.rows(
                    "ALTER TABLE weather DROP CONSTRAINT \(rule.contains("CHECK") ? "weather_wind_check" : "weather_wind_fkey")")
            }
            try await stage.close()
        }

        @Test("is bad for one of two mappings only: the other's row lands")
        func oneOfTwoMappings() async throws {
            let audit = Mappings.telemetry.replacing("table: readings", with: "table: audit")
            let stage = try await BatchStage(mappings: ["telemetry": Mappings.telemetry, "audit": audit], holding: "readings")
            for rule in ["CHECK (seq <> 20)", "UNIQUE (seq) DEFERRABLE INITIALLY DEFERRED"] {
                try stage.probe.rows("ALTER TABLE audit ADD CONSTRAINT rule \(rule)")
                if rule.hasPrefix("UNIQUE") { try stage.probe.rows("INSERT INTO audit (device, seq, received) VALUES ('d', 20, now())") }
                try await stage.storeInOneBatch((0..<50).map(LoadPublisher.reading))
                #expect(try stage.probe.number("SELECT count(*) FROM readings") == 50, "\(rule)")
                #expect(try stage.probe.number("SELECT count(*) FROM audit WHERE device <> 'd'") == 49, "\(rule)")
                let letters = try stage.probe.rows("SELECT mapping, stage, convert_from(payload, 'UTF8') FROM penstock.dead_letter")
                #expect(letters == [["audit", "row", String(decoding: LoadPublisher.reading(20).payload, as: UTF8.self)]], "\(rule)")
                try stage.clear()
                try stage.probe.run("TRUNCATE audit", "ALTER TABLE audit DROP CONSTRAINT rule")
            }
            try await stage.close()
        }
    }
}
