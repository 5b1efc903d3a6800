import CopyFormat
import Foundation
import Mapping
import PostgreSQL
import Synchronization
import Testing

@testable import Store

@Suite("Tables that are made and changed while others use them", .withDatabase, .serialized)
struct TableChangeTests {
    /// What a thread with a connection of its own came to.
    private final class Work: Sendable {
        private let failure = Mutex<String?>(nil)
        private let group = DispatchGroup()
        private let isOver = Atomic(false)

        init(_ count: Int, url: String, _ body: @escaping @Sendable (borrowing Connection) throws -> Void) {
            for _ in 0..<count {
                let thread = Thread { [self] in
                    do { try body(try Connection(url: url)) } catch { failure.withLock { $0 = $0 ?? "\(error)" } }
                    isOver.store(true, ordering: .releasing)
                    group.leave()
                }
                group.enter()
                thread.start()
            }
        }

        var hasEnded: Bool { isOver.load(ordering: .acquiring) }

        /// The first failure.
        func end() -> String? {
            group.wait()
            return failure.withLock { $0 }
        }
    }

    private struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    private func url(_ database: OpenConnection) throws -> String {
        "postgresql://127.0.0.1:\(try #require(try database.value("SELECT inet_server_port()")))/"
            + "\(try #require(try database.value("SELECT current_database()")))?user="
            + (try #require(try database.value("SELECT current_user")))
    }

    @Test("any number of processes may make the same tables, columns and indexes at the same time")
    func together() throws {
        let database = try TestDatabase.connect()
        for round in 0..<5 {
            let name = "public.together\(round)"
            let tables = try TableCheckTests.tables("name: \(name), key: [device, time], indexes: [v], latest: [device]")
            for before in ["", "CREATE TABLE \(name) (time timestamptz NOT NULL, device text NOT NULL)"] {
                try database.connection.execute("DROP TABLE IF EXISTS \(name) CASCADE; \(before)")
                let work = Work(8, url: try url(database)) { connection in
                    let prepared = try MappedTables.prepare(tables, policy: .evolve, connection).tables
                    if let problem = prepared.checks[name]?.problems.first { throw Problem(description: problem.description) }
                    _ = try MappedTables.makeAdditions(tables, connection)
                }
                #expect(work.end() == nil)
                #expect(try database.value("SELECT count(*) FROM pg_index WHERE indrelid = '\(name)'::regclass") == "2")
                let check = try MappedTables(checking: tables, database.connection).checks[name]
                #expect(check?.problems.isEmpty == true && check?.warnings.isEmpty == true && check?.additions.isEmpty == true)
            }
            try database.connection.execute("DROP TABLE \(name) CASCADE")
        }
    }

    @Test("the schema is brought up to date once, however many processes begin with that")
    func migrations() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute("DROP SCHEMA penstock CASCADE")
        let steps = Mutex(0)
        let work = Work(6, url: try url(database)) { connection in
            let applied = try Migrator.apply(connection).count
            steps.withLock { $0 += applied }
        }
        #expect(work.end() == nil)
        #expect(steps.withLock { $0 } == Migration.all.count)
    }

    @Test("who writes waits briefly while somebody reads the table that gets a column")
    func patience() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute("CREATE TABLE public.read (time timestamptz NOT NULL, device text NOT NULL)")
        let tables = try TableCheckTests.tables("name: public.read")
        let reader = try TestDatabase.connect()
        try reader.connection.execute("BEGIN; SELECT count(*) FROM public.read")
        let change = TableChange(lockTimeoutMilliseconds: 200, pauseSeconds: 0.5)
        let work = Work(1, url: try url(database)) { connection in
            _ = try MappedTables.prepare(tables, policy: .evolve, by: change, connection)
        }
        let deadline = ContinuousClock.now + .seconds(20)
        let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'public.read'::regclass AND NOT granted"
        while try database.value(waits) == "0" { try #require(ContinuousClock.now < deadline) }
        try database.connection.execute("SET lock_timeout = '20s'; INSERT INTO public.read (time, device) VALUES (now(), 'a')")
        #expect(!work.hasEnded)
        try reader.connection.execute("COMMIT")
        #expect(work.end() == nil)
        #expect(try database.value("SELECT v IS NULL FROM public.read") == "t")
        // Somebody who never goes.
        try database.connection.execute("ALTER TABLE public.read DROP COLUMN v")
        try reader.connection.execute("BEGIN; SELECT count(*) FROM public.read")
        let more = try TableCheckTests.tables("name: public.read", "name: public.unread")
        #expect {
            let change = TableChange(lockTimeoutMilliseconds: 50, pauseSeconds: 0.01, triesMaximum: 3)
            return try MappedTables.prepare(more, policy: .evolve, by: change, database.connection)
        } throws: { error in
            (error as? PostgreSQLError).map { TableChange.isLocked($0) && "\($0)".contains("table 'public.read' is in use") } ?? false
        }
        #expect(try database.value("SELECT to_regclass('public.unread') IS NOT NULL") == "t")
        try reader.connection.execute("COMMIT")
        try database.connection.execute("DROP TABLE public.read, public.unread")
    }
}
