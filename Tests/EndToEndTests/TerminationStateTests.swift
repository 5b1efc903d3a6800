import Foundation
import Glibc
import Testing

extension EndToEndTests {
    @Suite("SIGTERM in whatever state the ingester is")
    struct TerminationState {
        /// Ends the ingester and wants that to take no longer than this.
        private func terminate(_ workplace: Workplace, within limit: Duration) async throws {
            let start = ContinuousClock.now
            workplace.ingester.terminate()
            let end = try await workplace.ingester.waitForEnd(within: .seconds(30))
            let time = ContinuousClock.now - start
            #expect(end == .exit(0), "\(workplace.ingester.log)")
            #expect(time < limit, "\(workplace.ingester.log)")
        }

        @Test("no broker")
        func withoutBroker() async throws {
            let workplace = try await Workplace(sessions: 2, shards: 2, withoutBroker: try Listener().port)
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("no connection to the broker", times: 2)
            try await terminate(workplace, within: .seconds(2))
            try await workplace.close()
        }

        @Test("a broker that takes the connection and never answers CONNECT")
        func silentBroker() async throws {
            let broker = try ScriptedBroker { connection, _ in _ = try connection.waitForEnd(without: .subscribe) }
            defer { broker.stop() }
            let workplace = try await Workplace(sessions: 1, shards: 1, withoutBroker: broker.port)
            try workplace.ingester.start()
            try await workplace.eventually("it has connected") { broker.connectionCount == 1 }
            try await terminate(workplace, within: .seconds(2))
            try await workplace.close()
        }

        @Test("no database at the start")
        func withoutDatabase() async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1, databaseURL: "postgresql://nobody@127.0.0.1:1/telemetry", isMigrated: false)
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("waiting for the database")
            try await terminate(workplace, within: .seconds(2))
            try await workplace.close()
        }

        @Test("a database that takes the connection and never answers, at the start")
        func silentDatabase() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try workplace.configure(databaseURL: workplace.databaseURL + "?connect_timeout=2")
            workplace.servers.database.suspend()
            try workplace.ingester.start()
            try await Task.sleep(for: .milliseconds(300))
            try await terminate(workplace, within: .seconds(4))
            try await workplace.close()
        }

        @Test("a frozen database under load: it ends by its time limit, and each message at QoS 2 is stored once in the end")
        func frozenDatabase() async throws {
            let workplace = try await Workplace(
                sessions: 2, shards: 2, mappings: ["telemetry": Mappings.telemetryExactlyOnce], more: "shutdown_timeout: 1s")
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 3000, perSecond: 2000, qos: 2)
            try await workplace.eventually("messages flow") { publisher.acknowledgedCount > 500 }
            workplace.servers.database.suspend()
            try await workplace.eventually("some wait") { publisher.acknowledgedCount > 1000 }
            workplace.ingester.terminate()
            let start = ContinuousClock.now
            _ = try await workplace.ingester.waitForEnd()
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(workplace.ingester.log.contains("not everything could be committed"))
            // The old server processes find out only now that nobody listens to them any more.
            workplace.servers.database.resume()
            try workplace.ingester.start()
            try await workplace.waitUntilStoredOnce(publisher)
            try await workplace.close()
        }

        @Test("a table that is parked: what could not be a row is a letter")
        func parkedTable() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try await workplace.startIngester()
            let probe = try workplace.probe()
            try probe.rows("DROP TABLE readings")
            try await workplace.publish((0..<100).map(LoadPublisher.reading))
            try await workplace.ingester.waitForLog("a table cannot be written")
            try await terminate(workplace, within: .seconds(2))
            let acknowledged = workplace.tap.count(.publishAcknowledgement, .toBroker)
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter WHERE stage = 'table'") == acknowledged)
            try await workplace.close()
        }

        @Test("a table that somebody has locked: it ends by its time limit, and the broker keeps what is unacknowledged")
        func lockedTable() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, more: "shutdown_timeout: 1s")
            try await workplace.startIngester()
            let intruder = try workplace.probe()
            try intruder.run("BEGIN", "LOCK TABLE readings IN ACCESS EXCLUSIVE MODE")
            try await workplace.publish((0..<100).map(LoadPublisher.reading))
            try await workplace.eventually("all are delivered") { workplace.tap.count(.publish, .toIngester) >= 20 }
            workplace.ingester.terminate()
            let start = ContinuousClock.now
            _ = try await workplace.ingester.waitForEnd()
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(workplace.tap.count(.publishAcknowledgement, .toBroker) == 0)
            try intruder.rows("COMMIT")
            try workplace.ingester.start()
            try await workplace.waitUntilStored(Set(0..<100))
            try await workplace.close()
        }

        @Test("right after the start, at any moment")
        func rightAfterStart() async throws {
            let workplace = try await Workplace(sessions: 4, shards: 2)
            for milliseconds in stride(from: 0, through: 240, by: 20) {
                try workplace.ingester.start()
                try await Task.sleep(for: .milliseconds(milliseconds))
                workplace.ingester.terminate()
                let end = try await workplace.ingester.waitForEnd(within: .seconds(5))
                // Before it listens to signals, the signal itself ends it.
                #expect(end == .exit(0) || end == .signal(SIGTERM), "after \(milliseconds) ms: \(workplace.ingester.log)")
            }
            #expect(try workplace.probe().number("SELECT count(*) FROM penstock.session WHERE writer IS NOT NULL") == 0)
            try await workplace.close()
        }

        @Test("a second SIGTERM ends it at once")
        func secondSignal() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, more: "shutdown_timeout: 60s")
            try await workplace.startIngester()
            workplace.servers.database.suspend()
            try await workplace.publish([LoadPublisher.reading(0)])
            workplace.ingester.terminate()
            try await workplace.ingester.waitForLog("stopping")
            try await Task.sleep(for: .milliseconds(200))
            #expect(workplace.ingester.isAlive, "the first one waits for the database")
            let start = ContinuousClock.now
            workplace.ingester.terminate()
            #expect(try await workplace.ingester.waitForEnd() == .exit(1))
            #expect(ContinuousClock.now - start < .milliseconds(500))
            workplace.servers.database.resume()
            try workplace.ingester.start()
            try await workplace.waitUntilStored([0])
            try await workplace.close()
        }
    }
}
