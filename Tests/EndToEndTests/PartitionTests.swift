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

        @Test("rows whose partition may not be made become dead letters, and rows by themselves once it may; the others land")
        func noRight() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["parts": Self.mapping], role: "tenant")
            let probe = try workplace.probe()
            try await workplace.startIngester()
            try probe.run("ALTER TABLE parts OWNER TO CURRENT_USER", "GRANT SELECT, INSERT, UPDATE ON parts TO tenant")
            try await workplace.publish([
                message("d1", daysAgo: 9, v: 1), message("d1", daysAgo: 0, v: 2), message("d1", daysAgo: 10, v: 3),
            ])
            try await workplace.eventually("a row and two letters are there") {
                try probe.number("SELECT count(*) FROM parts") == 1 && probe.number("SELECT count(*) FROM penstock.dead_letter") == 2
            }
            #expect(try probe.rows("SELECT DISTINCT stage, sqlstate FROM penstock.dead_letter") == [["table", "42501"]])
            #expect(workplace.ingester.log.contains("partitions cannot be made"), "\(workplace.ingester.log)")
            // The next rows are not in the way of one another either.
            try await workplace.publish([message("d2", daysAgo: 9, v: 4), message("d2", daysAgo: 0, v: 5)])
            try await workplace.eventually("two rows and three letters are there") {
                try probe.number("SELECT count(*) FROM parts") == 2 && probe.number("SELECT count(*) FROM penstock.dead_letter") == 3
            }
            let vain = try await workplace.penstock("replay")
            #expect(vain.end == .exit(1) && vain.output.contains("3 stay: their table cannot be written"), "\(vain.output) \(vain.errors)")
            try probe.run("ALTER TABLE parts OWNER TO tenant")
            let rehearsal = try await workplace.penstock("replay", "--dry-run")
            #expect(rehearsal.output.contains("stored as 3 rows"), "\(rehearsal.output) \(rehearsal.errors)")
            try await workplace.eventually("the letters are rows") {
                try probe.number("SELECT count(*) FROM parts") == 5 && probe.number("SELECT count(*) FROM penstock.dead_letter") == 0
            }
            try await workplace.terminateIngester()
            try await workplace.close()
        }

        @Test("letters of a table whose partitions may not be made do not keep those of others from being replayed")
        func replayOfOthers() async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1,
                mappings: [
                    "parts": Self.mapping,
                    "other": "topic: o/{device}\ntable: other\ncolumns:\n  device: text not null from topic.device\n  v: integer",
                ],
                role: "tenant")
            let probe = try workplace.probe()
            try await workplace.startIngester()
            try probe.run(
                "ALTER TABLE parts OWNER TO CURRENT_USER", "GRANT SELECT, INSERT, UPDATE ON parts TO tenant",
                "ALTER TABLE other ADD CONSTRAINT small CHECK (v < 5)")
            try await workplace.publish([message("d1", daysAgo: 9, v: 1), .init("o/d1", #"{"v":7}"#)])
            try await workplace.waitUntilRows(["penstock.dead_letter": 2])
            try probe.run("ALTER TABLE other DROP CONSTRAINT small")
            let replay = try await workplace.penstock("replay")
            #expect(replay.output.contains("1 stored as 1 row") && replay.output.contains("1 stays"), "\(replay.output) \(replay.errors)")
            #expect(try probe.number("SELECT count(*) FROM other") == 1)
            try await workplace.terminateIngester()
            try await workplace.close()
        }

        @Test("rows of more partitions than the server can lock hold nobody up, and are all stored in the end")
        func widely() async throws {
            let hourly = Self.mapping.replacing("every: day", with: "every: hour").replacing("30 days", with: "90 days")
                .replacing("columns:", with: "each: $.readings.*\ncolumns:").replacing(
                    "time: timestamptz not null", with: "time: timestamptz not null from item.time"
                )
                .replacing("v: real", with: "v: real from item.v")
            let other = "topic: o/{device}\ntable: other\ncolumns:\n  device: text not null from topic.device\n  v: integer"
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["parts": hourly, "other": other])
            let probe = try workplace.probe()
            let limit = try probe.number(
                "SELECT current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int / 32")
            try await workplace.startIngester()
            // As a gateway sends that was away: an hour after the other, some in a message.
            let hours = limit + limit / 2
            let times = (0..<hours).map { Date(timeIntervalSinceNow: -Double($0) * 3600).formatted(.iso8601) }
            let messages = stride(from: 0, to: hours, by: 10).map { first -> LoadPublisher.Message in
                let items = (first..<min(first + 10, hours)).map { #"{"time":"\#(times[$0])","v":\#($0)}"# }
                return .init("p/d1", #"{"readings":[\#(items.joined(separator: ","))]}"#)
            }
            // This one never fits.
            let all = (0..<limit * 5).map {
                #"{"time":"\#(Date(timeIntervalSinceNow: -Double($0) * 3600).formatted(.iso8601))","v":-1}"#
            }
            let huge = LoadPublisher.Message("p/d2", Array(#"{"readings":[\#(all.joined(separator: ","))]}"#.utf8))
            let start = ContinuousClock.now
            try await workplace.publish([huge] + messages + [.init("o/d1", #"{"v":1}"#)])
            try await workplace.eventually("what is beyond one transaction waits") {
                try probe.number("SELECT count(*) FROM penstock.dead_letter WHERE stage = 'table'") > 0
            }
            try await workplace.waitUntilRows(["other": 1])
            #expect(ContinuousClock.now - start < .seconds(20))
            try await workplace.eventually("every hour is stored, and once", within: .seconds(120)) {
                try probe.number("SELECT count(*) FROM parts") == hours
                    && probe.number("SELECT count(*) FROM penstock.dead_letter WHERE stage = 'table'") == 0
            }
            #expect(try probe.number("SELECT count(DISTINCT v) FROM parts") == hours)
            let letters = try probe.rows("SELECT topic, stage, sqlstate, error FROM penstock.dead_letter")
            #expect(letters.count == 1 && letters[0].prefix(3) == ["p/d2", "row", "53200"], "\(letters)")
            #expect(letters[0][3]?.contains("raise max_locks_per_transaction") == true, "\(letters)")
            try await workplace.terminateIngester()
            try await workplace.close()
        }
    }
}
