import Foundation
import Testing

extension EndToEndTests {
    @Suite("A table that is not what the mapping was made for")
    struct WrongTable {
        /// What somebody does to a table while messages flow, and how it is put right.
        struct Damage: Sendable {
            var name: String
            var sqlState: String
            var damage: [String]
            var repair: [String]
        }

        static let damages = [
            Damage(
                name: "renamed", sqlState: "42P01", damage: ["ALTER TABLE readings RENAME TO away"],
                repair: ["ALTER TABLE away RENAME TO readings"]),
            Damage(
                name: "a column dropped", sqlState: "42703", damage: ["ALTER TABLE readings DROP COLUMN unit"],
                repair: ["ALTER TABLE readings ADD COLUMN unit text"]),
            Damage(
                name: "privilege revoked", sqlState: "42501", damage: ["REVOKE INSERT ON readings FROM tenant"],
                repair: ["GRANT INSERT ON readings TO tenant"]),
            Damage(
                name: "bigint became double precision, of the same width", sqlState: "PS002",
                damage: ["ALTER TABLE readings ALTER seq TYPE double precision"], repair: ["ALTER TABLE readings ALTER seq TYPE bigint"]),
            Damage(
                name: "bigint became integer, of another width", sqlState: "PS002",
                damage: ["ALTER TABLE readings ALTER seq TYPE integer"], repair: ["ALTER TABLE readings ALTER seq TYPE bigint"]),
            Damage(
                name: "a trigger that writes to a table that is gone", sqlState: "42P01",
                damage: [
                    "CREATE FUNCTION copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO gone VALUES (1); RETURN NULL; END $$",
                    "CREATE TRIGGER copy AFTER INSERT ON readings FOR EACH ROW EXECUTE FUNCTION copy()",
                ], repair: ["DROP TRIGGER copy ON readings"]),
            Damage(
                name: "a trigger at the end of the transaction that writes to a table that is gone", sqlState: "42P01",
                damage: [
                    "CREATE CONSTRAINT TRIGGER copy AFTER INSERT ON readings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION copy()"
                ], repair: ["DROP TRIGGER copy ON readings"]),
            Damage(
                name: "a view in its place", sqlState: "42809",
                damage: [
                    "ALTER TABLE readings RENAME TO away", "CREATE VIEW public.readings AS SELECT * FROM away",
                    "ALTER VIEW readings OWNER TO tenant",
                ],
                repair: ["DROP VIEW readings", "ALTER TABLE away RENAME TO readings"]),
            Damage(
                name: "dropped", sqlState: "42P01", damage: ["CREATE TABLE public.model (LIKE readings)", "DROP TABLE readings"],
                repair: ["ALTER TABLE model RENAME TO readings", "ALTER TABLE readings OWNER TO tenant"]),
        ]

        @Test("its messages become letters of stage 'table', the other mapping's rows flow on, and it comes back by itself")
        func parkedAndBack() async throws {
            let stage = try await Stage(role: "tenant")
            for damage in Self.damages {
                try stage.probe.transaction(damage.damage)
                let messages = stage.nextReadings(10)
                try await stage.workplace.publish(messages.flatMap { [$0, stage.nextWeather()] })
                try await stage.workplace.eventually("\(damage.name): the other mapping's rows are there", within: .seconds(2)) {
                    try stage.weatherRowsAreAllThere()
                }
                try await stage.workplace.eventually("\(damage.name): there are letters", within: .seconds(2)) {
                    try stage.letters(of: messages).count == 10
                }
                let letters = try stage.letters(of: messages)
                #expect(letters == Array(repeating: ["telemetry", "table", damage.sqlState, "1"], count: 10), "\(damage.name): \(letters)")
                #expect(stage.workplace.ingester.log.contains("a table cannot be written"))

                try stage.probe.transaction(damage.repair)
                let seconds = try await stage.secondsUntilRowsLand(damage.name)
                print("\(damage.name): rows land again \(seconds) s after the repair")
            }
            let stored = try StoredReadings(stage.probe)
            #expect(stored.foreign == [] && stored.repeatCount == 0)
            #expect(try stage.probe.number("SELECT count(*) FROM penstock.dead_letter WHERE stage <> 'table'") == 0)
            try await stage.workplace.close()
        }

        @Test("once the table is right its letters become rows by themselves, without a new message and without a restart")
        func replayedByItself() async throws {
            let stage = try await Stage()
            try stage.probe.rows("ALTER TABLE readings RENAME TO away")
            let messages = stage.nextReadings(50)
            try await stage.workplace.publish(messages)
            try await stage.workplace.eventually("there are letters") { try stage.letters(of: messages).count == 50 }
            try stage.probe.rows("ALTER TABLE away RENAME TO readings")
            try await stage.workplace.eventually("the letters are rows", within: .seconds(40)) {
                try stage.probe.number("SELECT count(*) FROM readings") == 50
            }
            let stored = try StoredReadings(stage.probe)
            #expect(stored.foreign == [] && stored.repeatCount == 0)
            #expect(try stage.probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await stage.workplace.close()
        }

        @Test("letters that a former process left of a table that was wrong become rows at the next start")
        func replayedAtStart() async throws {
            let stage = try await Stage()
            try stage.probe.rows("ALTER TABLE readings RENAME TO away")
            try await stage.workplace.publish(stage.nextReadings(5))
            try await stage.workplace.eventually("there are letters") {
                try stage.probe.number("SELECT count(*) FROM penstock.dead_letter") == 5
            }
            try await stage.workplace.ingester.kill()
            try stage.probe.rows("ALTER TABLE away RENAME TO readings")
            try stage.workplace.ingester.start()
            try await stage.workplace.eventually("the letters are rows") { try stage.probe.number("SELECT count(*) FROM readings") == 5 }
            try await stage.workplace.close()
        }

        @Test(
            "somebody holds a lock for longer than lock_timeout: the other mapping waits for no more than that, and it comes back by itself"
        )
        func locked() async throws {
            let stage = try await Stage(database: "lock_timeout: 500ms")
            let intruder = try stage.workplace.probe()
            try intruder.run("BEGIN", "LOCK TABLE readings IN ACCESS EXCLUSIVE MODE")
            var slowest = Duration.zero
            let messages = stage.nextReadings(10)
            for message in messages {
                let start = ContinuousClock.now
                try await stage.workplace.publish([message, stage.nextWeather()])
                try await stage.workplace.eventually("the other mapping's row is there", within: .seconds(2)) {
                    try stage.weatherRowsAreAllThere()
                }
                slowest = max(slowest, ContinuousClock.now - start)
            }
            print("beside a locked table a row took \(slowest) at most")
            #expect(try stage.letters(of: messages) == Array(repeating: ["telemetry", "table", "55P03", "1"], count: 10))
            try intruder.rows("COMMIT")
            print("rows land again \(try await stage.secondsUntilRowsLand("unlocked")) s after the lock is gone")
            try await stage.workplace.close()
        }

        @Test(
            "a column's type that changes to and fro under load: each message is one row or one letter, and no bytes are read as another type"
        )
        func changingUnderLoad() async throws {
            let stage = try await Stage()
            let publisher = LoadPublisher(port: stage.workplace.brokerPort, count: 6000, perSecond: 3000)
            while !publisher.isFinished {
                for type in ["double precision", "bigint"] {
                    try await Task.sleep(for: .milliseconds(100))
                    try stage.probe.rows("ALTER TABLE readings ALTER seq TYPE \(type)")
                }
            }
            try await stage.workplace.eventually("each message is stored") {
                try stage.probe.number("SELECT (SELECT count(*) FROM readings) + (SELECT count(*) FROM penstock.dead_letter)") == 6000
            }
            #expect(stage.workplace.ingester.log.contains("a table cannot be written"), "the change was met")
            let stored = try StoredReadings(stage.probe)
            #expect(stored.rowCount > 0 && stored.foreign == [] && stored.repeatCount == 0)
            try await stage.workplace.close()
        }

        /// Two mappings in one session, so that their rows ride in the same batches.
        private final class Stage {
            let workplace: Workplace
            let probe: DatabaseProbe
            private var sequence = 0
            private var weatherCount = 0

            init(role: String? = nil, database: String? = nil) async throws {
                workplace = try await Workplace(
                    sessions: 1, shards: 1, mappings: ["telemetry": Mappings.telemetry, "weather": Mappings.weather], database: database,
                    role: role)
                probe = try workplace.probe()
                try await workplace.startIngester()
            }

            func nextReadings(_ count: Int) -> [LoadPublisher.Message] {
                sequence += count
                return (sequence - count..<sequence).map(LoadPublisher.reading)
            }

            func nextWeather() -> LoadPublisher.Message {
                weatherCount += 1
                return .init("weather/w", "2024-01-01T00:00:00Z;1;1;ja")
            }

            func weatherRowsAreAllThere() throws -> Bool { try probe.number("SELECT count(*) FROM weather") == weatherCount }

            /// Mapping, stage, SQLSTATE and QoS of the letters that hold these messages.
            func letters(of messages: [LoadPublisher.Message]) throws -> [[String?]] {
                let payloads = messages.map { "'\(String(decoding: $0.payload, as: UTF8.self))'" }.joined(separator: ",")
                return try probe.rows(
                    """
                    SELECT mapping, stage, sqlstate, qos FROM penstock.dead_letter WHERE convert_from(payload, 'UTF8') IN (\(payloads))
                    """)
            }

            /// Publishes one reading after the other until one becomes a row.
            func secondsUntilRowsLand(_ what: String) async throws -> Double {
                let start = ContinuousClock.now
                let first = sequence
                try await workplace.eventually("\(what): rows land again", within: .seconds(15), every: .milliseconds(100)) {
                    let message = nextReadings(1)[0]
                    _ = LoadPublisher(port: workplace.brokerPort, count: 1, perSecond: 1) { _ in message }
                    return try probe.number("SELECT count(*) FROM readings WHERE seq >= \(first)") > 0
                }
                return ((ContinuousClock.now - start) / .seconds(1) * 100).rounded() / 100
            }
        }
    }
}
