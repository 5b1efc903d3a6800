import Foundation
import Glibc
import Synchronization
import Testing

extension EndToEndTests {
    @Suite("Exactly once in the database, whatever fails")
    struct ExactlyOnceFailure {
        /// `scripts/kill-test` sets these; the short run is for every day.
        static let messageCount = Settings.number("PENSTOCK_TEST_MESSAGES", default: 10_000)
        static let killCount = Settings.number("PENSTOCK_TEST_KILLS", default: 4)

        static func mappings(qos: UInt8) -> [String: String] {
            ["telemetry": qos == 2 ? Mappings.telemetryExactlyOnce : Mappings.telemetry]
        }

        @Test("SIGKILL of the ingester at random moments: every message at QoS 2 stands in the table once")
        func killedAtRandom() async throws {
            var random = SeededGenerator()
            print("seed \(random.seed) (PENSTOCK_TEST_SEED=\(random.seed) plays the same moments again)")
            let workplace = try await Workplace(sessions: 4, shards: 2, mappings: Self.mappings(qos: 2))
            try await workplace.startIngester()
            let perSecond = Int(Double(Self.messageCount) / (0.8 * Double(Self.killCount + 1)))
            let publisher = LoadPublisher(port: workplace.brokerPort, count: Self.messageCount, perSecond: perSecond, qos: 2)
            let moments = (0..<Self.killCount).map { _ in Int.random(in: 0..<Self.messageCount, using: &random) }.sorted()
            for moment in moments {
                try await workplace.eventually("reading \(moment) is published", within: .seconds(120), every: .milliseconds(1)) {
                    publisher.acknowledgedCount >= moment
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<250, using: &random)))
                try await workplace.ingester.kill()
                // A pause of random length leaves a backlog of random size, so that the next kill also hits the catching up.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<400, using: &random)))
                try workplace.ingester.start()
            }
            try await workplace.waitUntilStoredOnce(publisher, within: .seconds(120))
            let deliveries = workplace.tap.passages.filter { $0.kind == .publish && $0.direction == .toIngester }
            print("\(Self.messageCount) messages, \(Self.killCount) kills, \(deliveries.count) deliveries")
            #expect(publisher.acknowledgedCount == Self.messageCount)
            try await workplace.close()
        }

        @Test("SIGKILL between a commit and its answer: what the broker sends again is known, and stands in the table once")
        func killedBeforeAnswer() async throws {
            let trap = Trap()
            let workplace = try await Workplace(sessions: 2, shards: 2, mappings: Self.mappings(qos: 2)) { trap.see($0) }
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 4000, perSecond: 3000, qos: 2)
            for answer in [WirePacket.Kind.publishReceived, .publishComplete, .publishReceived, .publishComplete] {
                let process = try #require(workplace.ingester.processIdentifier)
                // A connection that ends while mosquitto 2.0.11 is still sending again makes it forget which messages it had released: it then begins with
                // PUBLISH where PUBREL is due, and nobody can tell that from a message that was never received.
                try await workplace.ingester.waitForLog("session established", times: 2)
                // Seen, the answer has left the ingester; with the connection it is lost.
                trap.arm(answer) { [tap = workplace.tap] in
                    kill(process, SIGKILL)
                    tap.cut()
                }
                workplace.ingester.willBeKilled()
                _ = try await workplace.ingester.waitForEnd()
                try workplace.ingester.start()
            }
            try await workplace.waitUntilStoredOnce(publisher)
            #expect(workplace.tap.passages.contains { $0.isDuplicate && $0.direction == .toIngester }, "something was sent again")
            try await workplace.close()
        }

        /// Does something the next time a packet of a kind leaves the ingester, before it is passed on.
        private final class Trap: Sendable {
            private let armed = Mutex<(kind: WirePacket.Kind, count: Int, spring: @Sendable () -> Void)?>(nil)

            /// - Parameter kind: the hundredth of these from now on springs it.
            func arm(_ kind: WirePacket.Kind, _ spring: @escaping @Sendable () -> Void) { armed.withLock { $0 = (kind, 100, spring) } }

            func see(_ passage: WireTap.Passage) {
                armed.withLock { state in
                    guard let trap = state, trap.kind == passage.kind, passage.direction == .toBroker else { return }
                    state?.count -= 1
                    guard trap.count == 1 else { return }
                    trap.spring()
                    state = nil
                }
            }
        }

        @Test("backends that are terminated at random cost no message and make no repeat", arguments: [UInt8(1), 2])
        func terminatedBackends(qos: UInt8) async throws {
            var random = SeededGenerator()
            print("seed \(random.seed) (PENSTOCK_TEST_SEED=\(random.seed) plays the same moments again)")
            let workplace = try await Workplace(sessions: 4, shards: 2, mappings: Self.mappings(qos: qos))
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 4500, perSecond: 3000, qos: qos)
            let probe = try workplace.probe()
            var terminated = 0
            while !publisher.isFinished {
                try await Task.sleep(for: .milliseconds(Int.random(in: 10..<150, using: &random)))
                terminated += try probe.terminateIngesterBackends()
            }
            #expect(terminated >= 15)
            try await workplace.waitUntilStoredOnce(publisher)
            #expect(workplace.tap.connectionCount == 4, "the broker has not noticed")
            try await workplace.close()
        }

        @Test("a COMMIT whose answer is lost makes no repeat", arguments: [UInt8(1), 2])
        func lostAnswers(qos: UInt8) async throws {
            let tap = try DatabaseTap(databasePort: TestServers.ofThisSuite().database.port)
            defer { tap.stop() }
            let workplace = try await Workplace(sessions: 2, shards: 1, mappings: Self.mappings(qos: qos))
            try workplace.configure(databaseURL: workplace.databaseURL(throughPort: tap.port))
            try await workplace.startIngester()
            // For longer than fifteen lost answers take: a batch can hold all that waits.
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 10_000, perSecond: 2000, qos: qos)
            for round in 1...15 {
                tap.swallowNextCommit()
                try await workplace.eventually("answer \(round) is lost") { tap.swallowedCount == round }
            }
            try await workplace.waitUntilStoredOnce(publisher)
            #expect(workplace.tap.connectionCount == 2)
            // The last line of the log counts each message once.
            try await workplace.terminateIngester()
            #expect(workplace.ingester.log.contains("rows=10000"), "\(workplace.ingester.log)")
            try await workplace.close()
        }

        @Test(
            "a commit that no synchronous standby has confirmed is not acknowledged, and makes no repeat",
            arguments: ["pg_cancel_backend", "pg_terminate_backend"])
        func withoutStandby(broken function: String) async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try await workplace.startIngester()
            let probe = try workplace.probe()
            let server = try workplace.servers.administration()
            try probe.rows("SET synchronous_commit = local")
            // A standby that does not exist: commits are done here and wait for its word.
            try server.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
            defer { try? server.run("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()") }
            try await waitUntil("commits wait for a standby") {
                try probe.rows("SHOW synchronous_standby_names") == [["nobody"]]
            }
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 500, perSecond: 5000)
            // Again and again, so that also the question whether the batch is in is broken off.
            for _ in 0..<6 {
                try await workplace.eventually("a commit waits for the standby") {
                    try probe.rows(
                        """
                        SELECT \(function)(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'
                        AND application_name = 'penstock'
                        """
                    ).isEmpty == false
                }
            }
            #expect(workplace.tap.acknowledgedSequences == [])
            try server.run("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
            try await workplace.waitUntilStoredOnce(publisher)
            try await workplace.close()
        }
    }
}
