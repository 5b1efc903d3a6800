import Foundation
import Testing

extension EndToEndTests {
    @Suite("Rows whose key is there already")
    struct Conflicts {
        /// One reading of a device; a value that is nil is not sent.
        struct Reading {
            var device: String
            var number: Int
            var level: Int?
            var label: String?
            var tags: [String]?

            var message: LoadPublisher.Message {
                var members = ["\"n\":\(number)"]
                if let level { members.append("\"level\":\(level)") }
                if let label { members.append("\"label\":\"\(label)\"") }
                if let tags { members.append("\"tags\":[\(tags.map { "\"\($0)\"" }.joined(separator: ","))]") }
                return .init("c/\(device)", Array("{\(members.joined(separator: ","))}".utf8))
            }
        }

        /// What a table does with a row whose key is there.
        enum Policy: String, CaseIterable, Sendable {
            case ignore, update, updateNewer, merge, mergeNewer

            var options: String {
                switch self {
                case .ignore: "on_conflict: ignore"
                case .update: "on_conflict: update"
                case .updateNewer: "on_conflict: update, newer: n"
                case .merge: "on_conflict: merge"
                case .mergeNewer: "on_conflict: merge, newer: n"
                }
            }

            var table: String { "c_" + rawValue.lowercased() }

            var mapping: String {
                """
                topic: c/{device}
                table: {name: \(table), key: [device], \(options)}
                keep_empty: true
                columns:
                  device: text not null from topic.device
                  n: bigint not null
                  level: integer
                  label: text
                  tags: text[]
                """
            }

            /// What one row after the other makes of a table.
            func store(_ readings: [Reading], in table: inout [String: Reading]) {
                for new in readings {
                    guard let old = table[new.device] else {
                        table[new.device] = new
                        continue
                    }
                    switch self {
                    case .ignore: continue
                    case .update: table[new.device] = new
                    case .updateNewer: if new.number >= old.number { table[new.device] = new }
                    case .merge, .mergeNewer:
                        if self == .mergeNewer, new.number < old.number { continue }
                        table[new.device] = Reading(
                            device: new.device, number: new.number, level: new.level ?? old.level, label: new.label ?? old.label,
                            tags: new.tags ?? old.tags)
                    }
                }
            }
        }

        private static func shown(_ table: [String: Reading]) -> [[String?]] {
            table.values.sorted { $0.device < $1.device }.map { reading in
                [
                    reading.device, "\(reading.number)", reading.level.map { "\($0)" }, reading.label,
                    reading.tags.map { "{\($0.joined(separator: ","))}" },
                ]
            }
        }

        private static func stored(_ policy: Policy, _ probe: DatabaseProbe) throws -> [[String?]] {
            try probe.rows("SELECT device, n, level, label, tags::text FROM \(policy.table) ORDER BY device COLLATE \"C\"")
        }

        /// Devices that repeat themselves, out of order, and leave much out.
        private static func readings(_ count: Int, devices: Int, _ random: inout SeededGenerator) -> [Reading] {
            (0..<count).map { _ in
                Reading(
                    device: "d\(Int.random(in: 0..<devices, using: &random))", number: Int.random(in: 0..<20, using: &random),
                    level: Bool.random(using: &random) ? Int.random(in: 0..<100, using: &random) : nil,
                    label: Int.random(in: 0..<3, using: &random) == 0 ? "l\(Int.random(in: 0..<100, using: &random))" : nil,
                    tags: Int.random(in: 0..<3, using: &random) == 0 ? (0...Int.random(in: 0..<2, using: &random)).map { "t\($0)" } : nil)
            }
        }

        @Test("rows of one key in one batch, and in the next, become what one row after the other would make of the table")
        func sequence() async throws {
            let mappings = Dictionary(uniqueKeysWithValues: Policy.allCases.map { ($0.table, $0.mapping) })
            let stage = try await BatchStage(mappings: mappings, holding: "c_ignore")
            var random = SeededGenerator()
            var tables: [Policy: [String: Reading]] = [:]
            for devices in [6, 6, 200] {
                let batch = Self.readings(400, devices: devices, &random)
                try await stage.storeInOneBatch(batch.map(\.message))
                for policy in Policy.allCases {
                    policy.store(batch, in: &tables[policy, default: [:]])
                    #expect(try Self.stored(policy, stage.probe) == Self.shown(tables[policy] ?? [:]), "\(policy), seed \(random.seed)")
                }
            }
            #expect(try stage.probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await stage.close()
        }

        @Test(
            "a row that the table does not take becomes a letter, and those of its key before and behind it are stored",
            arguments: Policy.allCases)
        func badRow(_ policy: Policy) async throws {
            let stage = try await BatchStage(mappings: ["c": policy.mapping], holding: policy.table)
            try stage.probe.run("ALTER TABLE \(policy.table) ADD CHECK (level <> 13)")
            var random = SeededGenerator()
            var batch = Self.readings(300, devices: 4, &random).map { reading in
                var reading = reading
                if reading.level == 13 { reading.level = 14 }
                return reading
            }
            let bad = [0, 120, 299]
            // Whether or not another row of its key takes its place within the batch: what is stored must not depend on how rows are folded.
            for (place, index) in bad.enumerated() {
                batch[index] = Reading(device: "bad\(place)", number: 5, level: 13)
            }
            try await stage.storeInOneBatch(batch.map(\.message))
            var table: [String: Reading] = [:]
            policy.store(batch.filter { $0.level != 13 }, in: &table)
            #expect(try Self.stored(policy, stage.probe) == Self.shown(table), "seed \(random.seed)")
            let letters = try stage.probe.rows("SELECT topic, stage, sqlstate FROM penstock.dead_letter ORDER BY topic")
            #expect(letters == bad.indices.map { ["c/bad\($0)", "row", "23514"] })
            try await stage.close()
        }

        @Test(
            "mappings that give different columns of one row store them in the order in which their messages came",
            arguments: [true, false])
        func differentColumns(hasNewer: Bool) async throws {
            func mapping(_ column: String, options: String) -> String {
                """
                topic: m/{device}/\(column)
                table: \(options)
                columns:
                  device: text not null from topic.device
                  n: bigint not null
                  \(column): integer from $.v
                """
            }
            let newer = hasNewer ? ", newer: n" : ""
            let stage = try await BatchStage(
                mappings: [
                    "a": mapping("level", options: "{name: m, key: [device], on_conflict: merge\(newer)}"),
                    "b": mapping("load", options: "m"),
                ], holding: "m")
            try await stage.storeInOneBatch(
                [("x", "level", 1, 1), ("d", "level", 10, 4), ("d", "load", 15, 5), ("d", "level", 20, 6), ("e", "load", 7, 7)]
                    .map { .init("m/\($0)/\($1)", Array("{\"n\":\($2),\"v\":\($3)}".utf8)) })
            #expect(
                try stage.probe.rows("SELECT device, n, level, load FROM m ORDER BY device")
                    == [["d", "20", "6", "5"], ["e", "7", nil, "7"], ["x", "1", "1", nil]])
            try await stage.close()
        }

        @Test("a message that comes again changes nothing where rows are ignored or replaced")
        func repeated() async throws {
            let workplace = try await Workplace(
                sessions: 2, shards: 2, mappings: ["i": Policy.ignore.mapping, "u": Policy.updateNewer.mapping])
            try await workplace.startIngester()
            let probe = try workplace.probe()
            let messages = (0..<300).map { Reading(device: "d\($0 % 100)", number: $0, level: $0).message }
            for _ in 0..<2 { try await workplace.publish(messages) }
            try await workplace.eventually("the last of each device is there") {
                try probe.number("SELECT count(*) FROM c_updatenewer WHERE level >= 200 AND n = level") == 100
            }
            #expect(try probe.number("SELECT count(*) FROM c_ignore") == 100)
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await workplace.close()
        }

        @Test("a table without a unique index on the key refuses the mapping, with the statement that mends it")
        func missingIndex() async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["u": Policy.update.mapping, "t": Mappings.telemetry])
            let probe = try workplace.probe()
            try probe.run(
                "ALTER TABLE c_update DROP CONSTRAINT c_update_pkey", "CREATE UNIQUE INDEX ON c_update (device) INCLUDE (n) WHERE level > 0"
            )
            try await workplace.startIngester()
            let words = "has no unique index on (device)"
            #expect(workplace.ingester.log.contains(words))
            #expect(workplace.ingester.log.contains("CREATE UNIQUE INDEX ON"))
            let check = try await workplace.penstock("check")
            #expect(check.errors.contains(words))
            try await workplace.close()
        }
    }
}
