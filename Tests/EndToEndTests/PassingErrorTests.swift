import Foundation
import Testing

extension EndToEndTests {
    @Suite("Errors of PostgreSQL that pass")
    struct PassingError {
        @Test("hold everything up, refuse no row, and cost nothing when they are over")
        func raisedForAWhile() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try await workplace.startIngester()
            let probe = try workplace.probe()
            try probe.rows(
                """
                CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = TG_ARGV[0]; END $$
                """)
            // Serialization failure, deadlock, disk full, out of memory, cannot connect now, I/O error, read-only transaction.
            let states = ["40001", "40P01", "53100", "53200", "57P03", "58030", "25006"]
            for (round, state) in states.enumerated() {
                try probe.rows("CREATE TRIGGER fail BEFORE INSERT ON readings FOR EACH ROW EXECUTE FUNCTION fail('\(state)')")
                let acknowledged = workplace.tap.count(.publishAcknowledgement, .toBroker)
                try await workplace.publish((round * 50..<round * 50 + 50).map(LoadPublisher.reading))
                try await workplace.ingester.waitForLog("SQLSTATE \(state)")
                #expect(workplace.tap.count(.publishAcknowledgement, .toBroker) == acknowledged, "\(state)")
                try probe.rows("DROP TRIGGER fail ON readings")
                try await workplace.waitUntilRows(["readings": round * 50 + 50, "penstock.dead_letter": 0])
            }
            #expect(try StoredReadings(probe).missing(of: 0..<states.count * 50) == [])
            try await workplace.close()
        }

        @Test("a statement that takes longer than statement_timeout is tried again")
        func statementTimeout() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, database: "statement_timeout: 200ms")
            try await workplace.startIngester()
            let probe = try workplace.probe()
            try probe.run(
                "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN NULL; END $$",
                "CREATE TRIGGER wait AFTER INSERT ON readings FOR EACH STATEMENT EXECUTE FUNCTION wait()")
            try await workplace.publish((0..<100).map(LoadPublisher.reading))
            try await workplace.ingester.waitForLog("SQLSTATE 57014")
            #expect(workplace.tap.count(.publishAcknowledgement, .toBroker) == 0)
            try probe.rows("DROP TRIGGER wait ON readings")
            try await workplace.waitUntilRows(["readings": 100, "penstock.dead_letter": 0])
            try await workplace.close()
        }

        @Test("a deadlock of which the ingester is the victim costs a retry")
        func deadlock() async throws {
            // One message with a row for each of two tables.
            let audit = Mappings.telemetry.replacing("table: readings", with: "table: audit")
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["audit": audit, "telemetry": Mappings.telemetry])
            try await workplace.startIngester()
            let probe = try workplace.probe()
            let rival = try workplace.probe()
            // The rival never looks for deadlocks, so the ingester is the one who finds it.
            try rival.run("SET deadlock_timeout = '10min'", "BEGIN", "LOCK TABLE readings IN ACCESS EXCLUSIVE MODE")
            try await workplace.publish([LoadPublisher.reading(0)])
            try await workplace.eventually("the ingester has written to one table and waits for the other") {
                try probe.number(
                    "SELECT count(*) FROM pg_locks WHERE relation IN ('readings'::regclass, 'audit'::regclass) AND NOT granted")
                    == 1
            }
            let thread = Thread { _ = try? rival.run("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE", "COMMIT") }
            thread.start()
            try await workplace.ingester.waitForLog("SQLSTATE 40P01")
            try await workplace.waitUntilRows(["readings": 1, "audit": 1, "penstock.dead_letter": 0])
            try await waitUntil("the rival is through") { thread.isFinished }
            try await workplace.close()
        }

        @Test("a table of the service's own that somebody has locked for longer than lock_timeout holds everything up and deposes nobody")
        func ownTableLocked() async throws {
            let workplace = try await Workplace(
                sessions: 2, shards: 2, mappings: ["telemetry": Mappings.telemetryExactlyOnce], database: "lock_timeout: 200ms", lease: "1s"
            )
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 2700, perSecond: 1000, qos: 2)
            try await workplace.eventually("messages flow") { publisher.acknowledgedCount > 200 }
            let (probe, intruder) = (try workplace.probe(), try workplace.probe())
            let writers = try probe.rows("SELECT id FROM penstock.writer ORDER BY id")
            for table in ["session", "writer"] {
                try intruder.run("BEGIN", "LOCK TABLE penstock.\(table) IN ACCESS EXCLUSIVE MODE")
                // Longer than a lease.
                try await Task.sleep(for: .milliseconds(1200))
                try intruder.rows("COMMIT")
            }
            try await workplace.waitUntilStoredOnce(publisher)
            #expect(workplace.ingester.log.contains("SQLSTATE 55P03"))
            #expect(try probe.rows("SELECT id FROM penstock.writer ORDER BY id") == writers)
            #expect(workplace.tap.connectionCount == 2)
            try await workplace.close()
        }

        @Test("too many connections, at the start and after a reconnection: it waits for a place")
        func tooManyConnections() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, role: "limited")
            let server = try workplace.servers.administration()
            defer { _ = try? server.rows("ALTER ROLE limited CONNECTION LIMIT -1") }
            try server.rows("ALTER ROLE limited CONNECTION LIMIT 0")
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("too many connections")
            try server.rows("ALTER ROLE limited CONNECTION LIMIT -1")
            try await workplace.waitUntilSubscribed()

            let publisher = LoadPublisher(port: workplace.brokerPort, count: 1500, perSecond: 1500)
            try await workplace.eventually("messages flow") { publisher.acknowledgedCount > 300 }
            try server.rows("ALTER ROLE limited CONNECTION LIMIT 0")
            _ = try workplace.probe().terminateIngesterBackends()
            try await workplace.ingester.waitForLog("does not take a batch")
            try server.rows("ALTER ROLE limited CONNECTION LIMIT -1")
            try await workplace.waitUntilStoredOnce(publisher)
            try await workplace.close()
        }

        @Test("of two hosts the one that is there is used, and after it has gone the other one")
        func twoHosts() async throws {
            let port = try TestServers.ofThisSuite().database.port
            let first = try DatabaseTap(databasePort: port)
            let second = try DatabaseTap(databasePort: port)
            defer { second.stop() }
            let workplace = try await Workplace(sessions: 2, shards: 2)
            let nobody = try Listener().port
            let hosts = "127.0.0.1:\(nobody),127.0.0.1:\(first.port),127.0.0.1:\(second.port)"
            try workplace.configure(
                databaseURL: workplace.databaseURL.replacing("127.0.0.1:\(port)", with: hosts) + "?target_session_attrs=read-write")
            try await workplace.startIngester()
            #expect(first.connectionCount > 0 && second.connectionCount == 0)
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 3000, perSecond: 3000)
            try await workplace.eventually("messages flow") { publisher.acknowledgedCount > 500 }
            first.stop()
            try await workplace.waitUntilStoredOnce(publisher)
            try await workplace.eventually("two writers and the leases have found the other host") { second.connectionCount >= 3 }
            #expect(workplace.tap.connectionCount == 2)
            try await workplace.close()
        }

        @Test("a server that has become read-only, as after a failover, is left until there is one that writes")
        func readOnlyServer() async throws {
            let workplace = try await Workplace(sessions: 2, shards: 1)
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 1500, perSecond: 1500)
            try await workplace.eventually("messages flow") { publisher.acknowledgedCount > 300 }
            let probe = try workplace.probe()
            let name = try #require(workplace.databaseURL.split(separator: "/").last)
            try probe.rows("ALTER DATABASE \(name) SET default_transaction_read_only = on")
            _ = try probe.terminateIngesterBackends()
            try await workplace.ingester.waitForLog("read-only")
            let stored = try StoredReadings(probe).rowCount
            try probe.rows("ALTER DATABASE \(name) RESET default_transaction_read_only")
            try await workplace.waitUntilStoredOnce(publisher)
            #expect(try StoredReadings(probe).rowCount > stored)
            try await workplace.close()
        }
    }
}
