import Foundation
import Mapping
import Testing

extension EndToEndTests {
    /// Each mapping of `Tests/MappingTests/Cases` and `mappings/examples` shows with its `tests:` which rows a message becomes. Elsewhere they run without
    /// broker and database; here every message goes through a real mosquitto, and the rows are those of a real PostgreSQL, in tables that the service
    /// made by itself.
    ///
    /// The files stand beside each other as they are (`CaseGroup`). Their first tests are published together, then all is compared and the tables are
    /// emptied, then the second ones, and so on: what one file's tests say to one another stays in order, and each row is one test's.
    @Suite("Messages of real devices become the same rows in a table")
    struct CaseRows {
        /// A topic that no wildcard takes. Its row is there when all that was published before is stored.
        private static let mark = """
            topic: $mark/{number}
            decode: text
            table: mark
            columns: {number: integer not null from topic.number}
            """

        /// The broker keeps these topics to itself: it refuses whatever is published there.
        private static let cannotBePublished = "$SYS/"

        private static let groups = Result { try CaseGroup.all() }

        @Test("every row that a mapping's own tests expect stands in its table, and no other", arguments: try groups.get())
        func rows(group: CaseGroup) async throws {
            let mappings = Dictionary(uniqueKeysWithValues: group.files.map { ($0.name, $0.text) })
            // A mapping of all topics would take the service's own status for one more message.
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: mappings.merging(["mark": Self.mark]) { _, mark in mark },
                broker: "version: 5\nstatus_topic: null")
            var publisher = try CasePublisher(port: workplace.brokerPort)
            let stage = try Stage(workplace, group)
            let live = group.files.map { file in
                zip(file.mapping.tests, ReceivedColumns.all(of: file.mapping)).filter { !$0.0.topic.hasPrefix(Self.cannotBePublished) }
            }
            // A message is marked as retained only for those that subscribe after it was published.
            let earlier = live.map { tests in tests.filter { $0.0.isRetained } }
            #expect(earlier.allSatisfy { $0.count <= 1 }, "each file's retained messages would meet in its tables")
            let start = Self.now
            try publisher.publish(earlier.flatMap { $0.map(\.0) })
            try await workplace.startIngester()
            try await workplace.eventually("all subscriptions are granted") {
                try stage.probe.number("SELECT count(subscribed) FROM penstock.session") == 1
            }
            try await stage.compare(earlier.map(\.first), since: start, &publisher)
            let later = live.map { tests in tests.filter { !$0.0.isRetained } }
            for round in 0..<(later.map(\.count).max() ?? 0) {
                let start = Self.now
                let tests = later.map { $0.dropFirst(round).first }
                try publisher.publish(tests.compactMap { $0?.0 })
                try await stage.compare(tests, since: start, &publisher)
            }
            #expect(!workplace.ingester.log.contains("cannot be written"), "\(workplace.ingester.log)")
            let check = try await workplace.penstock("check")
            #expect(check.end == .exit(0), "\(check.output)\(check.errors)")
            try await workplace.close()
        }

        private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

        /// The tables of a group, and how often the mark was set.
        private final class Stage {
            let probe: DatabaseProbe
            private let workplace: Workplace
            private let group: CaseGroup
            private let comparison: TableComparison
            private var markCount = 0

            init(_ workplace: Workplace, _ group: CaseGroup) throws {
                self.workplace = workplace
                self.group = group
                probe = try workplace.probe()
                comparison = try TableComparison(probe, tables: group.files.flatMap(\.tables))
            }

            /// Waits until all that was published is stored, and compares it.
            /// - Parameter tests: one of each file, or none.
            func compare(
                _ tests: [(test: TestSyntax, received: ReceivedColumns)?], since start: Int64, _ publisher: inout CasePublisher
            ) async throws {
                markCount += 1
                try publisher.publish("$mark/\(markCount)", "x")
                try await workplace.eventually("what was published is stored") {
                    try probe.number("SELECT count(*) FROM mark") == markCount
                }
                // What the database refused is stored once more, row by row, and its letters come late.
                let deadline = ContinuousClock.now + .seconds(2)
                for (file, test) in zip(group.files, tests) {
                    if let obstacle = test?.received.obstacle { Issue.record("\(file.name): test '\(test?.test.name ?? "")': \(obstacle)") }
                    var difference = try self.difference(file, test, since: start)
                    while difference != nil, ContinuousClock.now < deadline {
                        try await Task.sleep(for: .milliseconds(50))
                        difference = try self.difference(file, test, since: start)
                    }
                    guard let difference else { continue }
                    let place = test.map { "\($0.test.mark): test '\($0.test.name)'" } ?? "\(file.name).yaml: no test of this file"
                    Issue.record("\(place): \(difference)")
                }
                try comparison.clear()
            }

            private func difference(
                _ file: CaseFile, _ test: (test: TestSyntax, received: ReceivedColumns)?, since start: Int64
            ) throws -> String? {
                try comparison.difference(in: file, test: test?.test, test?.received, start...CaseRows.now)
            }
        }

        @Test("the files are there")
        func areThere() throws { #expect(try Self.groups.get().map(\.files.count).reduce(0, +) >= 86) }
    }
}
