import Foundation
import Testing

extension EndToEndTests {
    @Suite("Dead letters are put through today's mappings")
    struct Replay {
        /// Takes only readings up to 49.
        private static let narrow = Mappings.telemetry.replacing("seq: bigint not null", with: "seq: {type: bigint not null, max: 49}")

        private func workplaceWithLetters(_ count: Int) async throws -> (Workplace, DatabaseProbe) {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["telemetry": Self.narrow])
            try await workplace.startIngester()
            try await workplace.publish((0..<count).map(LoadPublisher.reading))
            let probe = try workplace.probe()
            try await workplace.eventually("each message is a row or a letter") {
                try probe.number("SELECT (SELECT count(*) FROM readings) + (SELECT count(*) FROM penstock.dead_letter)") == count
            }
            try await workplace.terminateIngester()
            return (workplace, probe)
        }

        @Test("a mapping that was corrected: the letters become rows with the values that they had, and are gone")
        func corrected() async throws {
            let (workplace, probe) = try await workplaceWithLetters(80)
            let places = "SELECT split_part(error, ': ', 1), count(*) FROM penstock.dead_letter WHERE stage = 'decode' GROUP BY 1"
            #expect(try probe.rows(places) == [["telemetry.yaml:6", "30"]])
            try workplace.write(mapping: "telemetry", Mappings.telemetry)
            let rehearsal = try await workplace.penstock("replay", "--dry-run")
            #expect(rehearsal.end == .exit(0))
            #expect(rehearsal.output.contains("30 dead letters: 30 would be stored as 30 rows"))
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 30, "a rehearsal changes nothing")
            #expect(try probe.number("SELECT count(*) FROM readings") == 50)

            let result = try await workplace.penstock("replay")
            #expect(result.end == .exit(0))
            #expect(result.output.contains("30 dead letters: 30 stored as 30 rows"))
            let stored = try StoredReadings(probe)
            #expect(stored.rowCount == 80 && stored.foreign == [] && stored.repeatCount == 0)
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await workplace.close()
        }

        @Test("a letter that still fails stays with its new reason, a row that PostgreSQL refuses too; the others land; exit 1")
        func stillFailing() async throws {
            let (workplace, probe) = try await workplaceWithLetters(80)
            try workplace.write(mapping: "telemetry", Self.narrow.replacing("max: 49", with: "max: 69"))
            try probe.rows("ALTER TABLE readings ADD CONSTRAINT odd CHECK (seq <> 55)")
            let result = try await workplace.penstock("replay", "--mapping", "telemetry", "--stage", "decode", "--since", "1h")
            #expect(result.end == .exit(1))
            #expect(result.output.contains("30 dead letters: 19 stored as 19 rows"))
            let letters = try probe.rows("SELECT stage, sqlstate, count(*) FROM penstock.dead_letter GROUP BY 1, 2 ORDER BY 1")
            #expect(letters == [["decode", nil, "10"], ["row", "23514", "1"]])
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter WHERE error LIKE 'telemetry.yaml:6: %69%'") == 10)
            #expect(result.output.contains("1 still fails: telemetry.yaml:6: column 'seq': 70 is beyond max 69"), "\(result.output)")
            let stored = try StoredReadings(probe)
            #expect(stored.rowCount == 69 && stored.repeatCount == 0)

            #expect(try await workplace.penstock("replay", "--mapping", "telemetri").end == .exit(64))
            #expect(try await workplace.penstock("replay", "--since", "yesterday").end == .exit(64))
            try await workplace.close()
        }

        @Test("killed in the middle, again and again, and two at once: each letter is one row in the end")
        func killed() async throws {
            let (workplace, probe) = try await workplaceWithLetters(1)
            let count = 20_000
            try probe.rows(
                """
                INSERT INTO penstock.dead_letter (received, topic, payload, qos, retain, mapping, stage, error, client_id)
                SELECT now(), 'site/s/dev/d' || n % 7 || '/telemetry', convert_to('{"seq":' || n || ',"temp":1.5,"unit":"C"}', 'UTF8'), 1, false,
                       'telemetry', 'decode', 'as it was', 'c' FROM generate_series(1, \(count)) AS n
                """)
            try workplace.write(mapping: "telemetry", Mappings.telemetry)
            for _ in 0..<4 {
                let before = try probe.number("SELECT count(*) FROM penstock.dead_letter")
                let process = try workplace.start("replay")
                try await workplace.eventually("some letters are through", every: .milliseconds(1)) {
                    try probe.number("SELECT count(*) FROM penstock.dead_letter") < before || process.pollEnd() != nil
                }
                process.signal(SIGKILL)
                _ = try await process.waitForEnd(within: .seconds(10))
            }
            let two = [try workplace.start("replay"), try workplace.start("replay")]
            for process in two { _ = try await process.waitForEnd(within: .seconds(60)) }
            _ = try await workplace.penstock("replay")
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            #expect(try probe.number("SELECT count(*) FROM readings WHERE seq > 0") == count)
            #expect(try probe.number("SELECT count(DISTINCT seq) FROM readings WHERE seq > 0") == count)
            try await workplace.close()
        }
    }
}
