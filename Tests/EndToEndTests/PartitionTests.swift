import Foundation
import Testing

extension EndToEndTests {
    @Suite("Tables that are divided by time")
    struct Partitions {
        private static let mapping = """
            topic: p/{device}
            table:
              name: parts
              key: [device, time]
              on_conflict: ignore
              partition: {by: time, every: day}
              retention: 30 days
              indexes: [[v, time desc]]
              latest: [device]
            columns:
              device: text not null from topic.device
              time: timestamptz not null
              v: real
            """

        private func message(_ device: String, daysAgo: Double, v: Int) -> LoadPublisher.Message {
            let time = Date(timeIntervalSinceNow: -daysAgo * 86_400).formatted(.iso8601)
            return .init("p/\(device)", Array(#"{"time":"\#(time)","v":\#(v)}"#.utf8))
        }

        @Test("early and late rows make their partitions; what is too old or too far ahead is a dead letter, and makes none")
        func onDemand() async throws {
            let workplace = try await Workplace(sessions: 2, shards: 1, mappings: ["parts": Self.mapping])
            let probe = try workplace.probe()
            try await workplace.startIngester()
            let ages = (0..<25).map(Double.init) + [-0.5]
            let good = ages.enumerated().map { message("d\($0 % 3)", daysAgo: $1, v: $0) }
            let bad = [message("d1", daysAgo: 31, v: 100), message("d2", daysAgo: 20_000, v: 101), message("d3", daysAgo: -2, v: 102)]
            try await workplace.publish(good + bad)
            try await workplace.eventually("all rows and letters are there") {
                try probe.number("SELECT count(*) FROM parts") == good.count
                    && probe.number("SELECT count(*) FROM penstock.dead_letter") == bad.count
            }
            // By device: two sessions deliver in no order.
            let letters = try probe.rows("SELECT error FROM penstock.dead_letter ORDER BY topic").map { $0[0] ?? "" }
            #expect(letters[0].contains("is older than the 30 days that table 'parts' keeps"), "\(letters[0])")
            #expect(letters[2].contains("more than a day ahead"), "\(letters[2])")
            #expect(letters.allSatisfy { $0.contains("parts.yaml:12: column 'time'") }, "\(letters)")
            // One for each day that has rows, and those ahead.
            let partitions = try probe.rows("SELECT count(*) FROM pg_inherits WHERE inhparent = 'parts'::regclass")
            #expect((26...28).contains(Int(partitions[0][0] ?? "") ?? 0), "\(partitions)")
            #expect(try probe.rows("SELECT device, v FROM parts_latest ORDER BY device").map { $0[0] } == ["d0", "d1", "d2"])
            try await workplace.terminateIngester()
            try await workplace.close()
        }

        @Test("each batch makes the partitions that it lacks, not only the first ones")
        func batchAfterBatch() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["parts": Self.mapping])
            let probe = try workplace.probe()
            try await workplace.startIngester()
            // A shard has two batches, which it uses again and again.
            for number in 1...6 {
                try await workplace.publish([message("d1", daysAgo: Double(number * 3), v: number)])
                try await workplace.eventually("row \(number) is there") {
                    try probe.number("SELECT count(*) FROM parts") + probe.number("SELECT count(*) FROM penstock.dead_letter") == number
                }
            }
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await workplace.terminateIngester()
            try await workplace.close()
        }

        @Test("a message at QoS 2 whose partition is missing is stored once")
        func exactlyOnce() async throws {
            let workplace = try await Workplace(
                sessions: 2, shards: 2, mappings: ["parts": Self.mapping.replacing("  on_conflict: ignore\n", with: "") + "\n"])
            let probe = try workplace.probe()
            try await workplace.startIngester()
            let messages = (0..<200).map { message("d\($0 % 7)", daysAgo: Double($0 % 25), v: $0) }
            try await workplace.publish(messages, qos: 2)
            try await workplace.eventually("all rows are there") { try probe.number("SELECT count(*) FROM parts") >= messages.count }
            #expect(try probe.rows("SELECT count(*), count(DISTINCT v) FROM parts") == [["200", "200"]])
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await workplace.terminateIngester()
            try await workplace.close()
        }

        @Test("what may not make partitions sends rows without one to the dead letters, with the reason; replay brings them in")
        func noRight() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["parts": Self.mapping], role: "tenant")
            let probe = try workplace.probe()
            try await workplace.startIngester()
            try probe.run("ALTER TABLE parts OWNER TO CURRENT_USER", "GRANT SELECT, INSERT, UPDATE ON parts TO tenant")
            try await workplace.publish([message("d1", daysAgo: 9, v: 1), message("d1", daysAgo: 0, v: 2)])
            try await workplace.eventually("a row and a letter are there") {
                try probe.number("SELECT count(*) FROM parts") == 1 && probe.number("SELECT count(*) FROM penstock.dead_letter") == 1
            }
            #expect(try probe.rows("SELECT stage, sqlstate FROM penstock.dead_letter") == [["row", "23514"]])
            #expect(workplace.ingester.log.contains("partitions cannot be made"), "\(workplace.ingester.log)")
            try await workplace.terminateIngester()
            try probe.run("ALTER TABLE parts OWNER TO tenant")
            let rehearsal = try await workplace.penstock("replay", "--dry-run")
            #expect(rehearsal.end == .exit(0), "\(rehearsal.errors)")
            #expect(try probe.number("SELECT count(*) FROM parts") == 1)
            let replay = try await workplace.penstock("replay")
            #expect(replay.end == .exit(0), "\(replay.errors)")
            #expect(try probe.number("SELECT count(*) FROM parts") == 2)
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await workplace.close()
        }
    }
}
