import Foundation
import Testing

extension EndToEndTests {
    @Suite("Several processes with one configuration share the sessions")
    struct Leases {
        @Test("fair shares as processes join, are killed, come back and leave; nothing is lost, nothing stored twice at QoS 2")
        func joiningAndLeaving() async throws {
            let workplace = try await Workplace(sessions: 12, shards: 2, mappings: ["telemetry": Mappings.telemetryExactlyOnce])
            let shares = try Shares(workplace)
            let (first, second, third) = (workplace.ingester, workplace.addIngester(), workplace.addIngester())
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 1_000_000, perSecond: 1500, qos: 2)

            try second.start()
            try await shares.become([first: 6, second: 6], within: .seconds(5), "a second process joins")
            try third.start()
            try await shares.become([first: 4, second: 4, third: 4], within: .seconds(5), "a third process joins")
            third.terminate()
            try await shares.become([first: 6, second: 6], within: .seconds(2), "SIGTERM of one of three")
            #expect(try await third.waitForEnd() == .exit(0))
            try await second.kill()
            try await shares.become([first: 12], within: .seconds(10), "SIGKILL of one of two")
            try second.start()
            try await shares.become([first: 6, second: 6], within: .seconds(5), "the killed one is started again")

            publisher.stop()
            try await workplace.waitUntilStoredOnce(publisher)
            #expect(publisher.acknowledgedCount > 2000, "there was load meanwhile")
            #expect(try workplace.takeoverCount() == 0, "no connection was thrown out by another one")
            try await workplace.close()
        }

        @Test(
            "a process that is stopped loses its sessions; awake again it repeats nothing, fights for no client identifier and gets its share"
        )
        func stoppedProcess() async throws {
            let workplace = try await Workplace(sessions: 8, shards: 2, mappings: ["telemetry": Mappings.telemetryExactlyOnce])
            let shares = try Shares(workplace)
            let (first, second) = (workplace.ingester, workplace.addIngester())
            try await workplace.startIngester()
            try second.start()
            try await shares.become([first: 4, second: 4], within: .seconds(5), "a second process joins")
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 1_000_000, perSecond: 1500, qos: 2)
            try await workplace.eventually("messages flow") { publisher.acknowledgedCount > 500 }

            second.suspend()
            try await shares.become([first: 8], within: .seconds(10), "SIGSTOP of one of two")
            // What it held is delivered to the other one by now.
            let moment = publisher.acknowledgedCount
            try await workplace.eventually("messages flow again") { publisher.acknowledgedCount > moment + 1000 }
            second.resume()
            try await shares.become([first: 4, second: 4], within: .seconds(8), "SIGCONT")
            try await workplace.eventually("the deposed process has said so") {
                second.log.contains("another process has taken over")
            }

            publisher.stop()
            try await workplace.waitUntilStoredOnce(publisher)
            #expect(try workplace.takeoverCount() <= 4, "each of its sessions changed hands once")
            try await workplace.close()
        }

        @Test("a process for which there is no session stands by, and takes the one of a process that is killed")
        func standby() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 2, mappings: ["telemetry": Mappings.telemetryExactlyOnce])
            let shares = try Shares(workplace)
            let (first, second) = (workplace.ingester, workplace.addIngester())
            try await workplace.startIngester()
            try second.start()
            try await second.waitForLog("starting")
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 2500, perSecond: 1500, qos: 2)
            try await workplace.eventually("messages flow") { publisher.acknowledgedCount > 500 }
            let (holder, other) = try shares.holder() == first.processIdentifier ? (first, second) : (second, first)
            try await holder.kill()
            try await shares.become([other: 1], within: .seconds(10), "SIGKILL of the one that works")
            try await workplace.waitUntilStoredOnce(publisher)
            try await workplace.close()
        }

        @Test(
            "rows of leases that change beneath the process: what is under way is left to the broker, and the sessions are taken again",
            arguments: [UInt8(1), 2])
        func rowsChanged(qos: UInt8) async throws {
            let workplace = try await Workplace(sessions: 2, shards: 2, mappings: ExactlyOnceFailure.mappings(qos: qos))
            let shares = try Shares(workplace)
            try await workplace.startIngester()
            let probe = try workplace.probe()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 1_000_000, perSecond: 1500, qos: qos)
            let harms = [
                "DELETE FROM penstock.writer",
                // Each of the two shards has the other's session, by what the database says.
                "UPDATE penstock.session AS s SET writer = (SELECT id FROM penstock.writer AS w WHERE w.id <> s.writer)",
                "UPDATE penstock.session SET writer = NULL",
            ]
            for harm in harms {
                let moment = publisher.acknowledgedCount
                try await workplace.eventually("messages flow") { publisher.acknowledgedCount > moment + 300 }
                try probe.rows(harm)
                let last = publisher.acknowledgedCount + 500
                try await workplace.eventually("all is stored again after: \(harm)") {
                    try probe.number("SELECT count(DISTINCT seq) FROM readings WHERE seq < \(last)") == last
                }
                try await shares.become([workplace.ingester: 2], within: .seconds(5), harm)
            }
            publisher.stop()
            if qos == 2 {
                try await workplace.waitUntilStoredOnce(publisher)
            } else {
                try await workplace.waitUntilStored(publisher.acknowledged)
            }
            #expect(try workplace.takeoverCount() <= 2 * harms.count, "no shard fights with another one for a client identifier")
            try await workplace.close()
        }

        @Test("a process that is started right after SIGKILL takes its sessions back at once: its predecessor is known to be dead")
        func restartedAtOnce() async throws {
            let workplace = try await Workplace(sessions: 4, shards: 2, lease: "60s")
            let shares = try Shares(workplace)
            try await workplace.startIngester()
            for life in 2...3 {
                try await workplace.ingester.kill()
                try workplace.ingester.start()
                try await shares.become([workplace.ingester: 4], within: .seconds(4), "SIGKILL and start, with a lease of 60 s")
                try await workplace.eventually("all sessions are connected again") {
                    workplace.tap.count(.connectAcknowledgement, .toIngester) >= 4 * life
                }
            }
            try await workplace.close()
        }

        @Test("PostgreSQL away for longer than a lease deposes nobody, and makes no repeat at QoS 1", arguments: ["stopped", "frozen"])
        func databaseAway(how: String) async throws {
            let workplace = try await Workplace(sessions: 8, shards: 2, lease: "1s")
            let shares = try Shares(workplace)
            let (first, second) = (workplace.ingester, workplace.addIngester())
            try await workplace.startIngester()
            try second.start()
            try await shares.become([first: 4, second: 4], within: .seconds(5), "a second process joins")
            try await workplace.eventually("all sessions are connected") {
                workplace.tap.count(.connectAcknowledgement, .toIngester) >= 12
            }
            let connections = workplace.tap.connectionCount
            let holders = try shares.holders()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 4500, perSecond: 1500)
            try await workplace.eventually("messages flow") { publisher.acknowledgedCount > 500 }

            if how == "stopped" { try await workplace.servers.stopDatabase() } else { workplace.servers.database.suspend() }
            try await Task.sleep(for: .seconds(2))
            try await workplace.servers.startDatabase()
            try await workplace.waitUntilStoredOnce(publisher)
            #expect(try Shares(workplace).holders() == holders, "every session is still with the writer that had it")
            #expect(workplace.tap.connectionCount == connections, "the broker has not noticed")
            #expect(!(first.log + second.log).contains("taken over"))
            try await workplace.close()
        }

        /// Who holds how many sessions, by what the database says.
        private struct Shares {
            private let workplace: Workplace
            private let probe: DatabaseProbe

            init(_ workplace: Workplace) throws {
                self.workplace = workplace
                probe = try workplace.probe()
            }

            /// Waits until each of these holds so many sessions and nobody else holds one, and prints how long that took.
            func become(_ expected: KeyValuePairs<Ingester, Int>, within limit: Duration, _ after: String) async throws {
                let start = ContinuousClock.now
                let wanted = Dictionary(uniqueKeysWithValues: expected.map { ("\($0.key.processIdentifier ?? 0)", $0.value) })
                try await workplace.eventually("\(after): the sessions are \(expected.map(\.value))", within: limit) {
                    let rows = try probe.rows(
                        """
                        SELECT w.process, count(*) FROM penstock.session AS s JOIN penstock.writer AS w ON w.id = s.writer GROUP BY w.process
                        """)
                    return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] ?? "", $0[1].flatMap { Int($0) } ?? 0) }) == wanted
                }
                print("\(after): \(expected.map(\.value)) after \(ContinuousClock.now - start)")
            }

            /// The process that holds the only session.
            func holder() throws -> pid_t? {
                let rows = try probe.rows("SELECT w.process FROM penstock.session AS s JOIN penstock.writer AS w ON w.id = s.writer")
                return rows.first?.first.flatMap { $0 }.flatMap { pid_t($0) }
            }

            /// Writers by session.
            func holders() throws -> [[String?]] { try probe.rows("SELECT client_id, writer FROM penstock.session ORDER BY client_id") }
        }
    }
}
