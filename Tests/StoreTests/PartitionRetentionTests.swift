import CopyFormat
import Mapping
import Payload
import PostgreSQL
import Testing

@testable import Store

@Suite("What retention destroys, and what it leaves alone", .withDatabase, .serialized)
struct PartitionRetentionTests {
    private static let day: Int64 = 86_400_000_000

    /// A table divided by day that keeps three, with a partition of ten days ago that holds a row.
    private func tableWithOldDay(
        _ name: String, _ database: OpenConnection
    ) throws -> (table: TableDefinition, old: String, start: Int64) {
        let table = try dividedTable(name, "partition: {by: time, every: day}, retention: 3 days", on: database)
        let start = TimeUnit.day.start(of: try databaseNow(database) - 10 * Self.day)
        let made = try #require(PartitionMaker(table)).make(startingAt: [start], lockTimeoutMilliseconds: 1000, database.connection)
        try database.connection.execute("INSERT INTO \(name) VALUES ('\(CivilTime.text(unixMicroseconds: start))', 'old', 1)")
        return (table, try #require(made.first), start)
    }

    private func keeping(_ retention: String?, _ table: TableDefinition) -> TableDefinition {
        var table = table
        table.retention = retention.flatMap { RetentionSyntax($0) }
        return table
    }

    /// A round that cannot end the detachment of a partition, since somebody reads the table.
    private func interruptedRound(of table: TableDefinition, _ database: OpenConnection) throws {
        let analyst = try TestDatabase.connect()
        try analyst.connection.execute("BEGIN; SELECT count(*) FROM \(table.name)")
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.deferred == [table.name])
        #expect(round.dropped.isEmpty)
        try analyst.connection.execute("COMMIT")
    }

    @Test(
        "an archive that somebody attached stays, and a note says so",
        arguments: [("2001-01-01", "2002-01-01"), ("2001-01-01", "2001-01-03")])
    func archive(from: String, until: String) throws {
        let database = try TestDatabase.connect()
        let (table, old, _) = try tableWithOldDay("archived", database)
        try database.connection.execute(
            """
            DROP TABLE IF EXISTS archive; CREATE TABLE archive PARTITION OF archived FOR VALUES FROM ('\(from)+00') TO ('\(until)+00');
            INSERT INTO archived VALUES ('2001-01-02', 'a', 1)
            """)
        let removals = try PartitionRound.removals(of: table, database.connection)
        #expect(removals.statements.count == 2)
        #expect(removals.statements.allSatisfy { $0.contains(old.replacing("\"", with: "")) }, "\(removals.statements)")
        #expect(removals.remarks.count == 1)
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.problems.isEmpty, "\(round.problems)")
        #expect(round.dropped == ["public." + old.replacing("\"", with: "")])
        #expect(
            round.left.count == 1 && round.left.first?.reason.contains("public.archive is older than 3 days and stays") == true,
            "\(round.left)")
        #expect(try database.rows("SELECT device FROM archived") == [["a"]])
    }

    @Test("what a round would drop is printed as it would do it, with a default partition and without")
    func removals() throws {
        let database = try TestDatabase.connect()
        let (table, old, _) = try tableWithOldDay("printed", database)
        let partition = "public." + old.replacing("\"", with: "")
        #expect(
            try PartitionRound.removals(of: table, database.connection).statements
                == ["ALTER TABLE public.printed DETACH PARTITION \(partition) CONCURRENTLY", "DROP TABLE \(partition)"])
        try database.connection.execute("CREATE TABLE printed_rest PARTITION OF printed DEFAULT")
        let statements = try PartitionRound.removals(of: table, database.connection).statements
        #expect(statements == ["ALTER TABLE public.printed DETACH PARTITION \(partition)", "DROP TABLE \(partition)"])
        for statement in statements { try database.connection.execute(statement) }
        #expect(try PartitionRound.removals(of: table, database.connection).statements.isEmpty)
    }

    @Test("partitions that were made when the table was divided otherwise are dropped when they are too old")
    func formerWidth() throws {
        let database = try TestDatabase.connect()
        var (table, _, _) = try tableWithOldDay("widened", database)
        table.partition?.every = .hour
        #expect(try PartitionRound(of: [table], database.connection).dropped.count == 1)
        #expect(try database.value("SELECT count(*) FROM widened") == "0")
    }

    @Test(
        "a partition whose detachment was interrupted comes back with its rows when it is not too old any more",
        arguments: ["30 days", nil])
    func takenBack(retention: String?) throws {
        let database = try TestDatabase.connect()
        let (table, _, start) = try tableWithOldDay("returned", database)
        try interruptedRound(of: table, database)
        #expect(try database.value("SELECT count(*) FROM returned") == "0")
        let round = try PartitionRound(of: [keeping(retention, table)], database.connection)
        #expect(round.problems.isEmpty && round.dropped.isEmpty, "\(round)")
        #expect(try database.rows("SELECT device FROM returned") == [["old"]])
        try database.connection.execute("INSERT INTO returned VALUES ('\(CivilTime.text(unixMicroseconds: start))', 'late', 1)")
        // With the retention of before it goes again.
        #expect(try PartitionRound(of: [table], database.connection).dropped.count == 1)
    }

    @Test("one that was interrupted goes in the end, if it is still too old")
    func finished() throws {
        let database = try TestDatabase.connect()
        let (table, old, _) = try tableWithOldDay("ended", database)
        try interruptedRound(of: table, database)
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.problems.isEmpty, "\(round.problems)")
        #expect(round.dropped.count == 1)
        #expect(try database.value("SELECT to_regclass('\(old)')") == nil)
    }

    @Test("what somebody detached by hand is never dropped", arguments: ["FINALIZE", ""])
    func byHand(end: String) throws {
        let database = try TestDatabase.connect()
        let (table, old, _) = try tableWithOldDay("saved", database)
        if end.isEmpty {
            // As after a crash just before the partition is detached.
            var mark = try #require(try PartitionList(of: "saved", database.connection).partitions.first?.mark)
            mark.state = .detaching
            try database.connection.execute("COMMENT ON TABLE \(old) IS \(quoteLiteral(mark.text))")
        } else {
            try interruptedRound(of: table, database)
        }
        try database.connection.execute("ALTER TABLE saved DETACH PARTITION \(old) \(end)")
        for retention in ["3 days", "30 days", nil] {
            let round = try PartitionRound(of: [keeping(retention, table)], database.connection)
            #expect(round.dropped.isEmpty)
            #expect(round.problems.isEmpty, "\(round.problems)")
            #expect(round.left.first?.reason.contains("was detached before its round had ended, or by hand") == true, "\(round.left)")
        }
        #expect(try database.rows("SELECT device FROM \(old)") == [["old"]])
        try database.connection.execute("COMMENT ON TABLE \(old) IS NULL")
        #expect(try PartitionRound(of: [table], database.connection).left.isEmpty)
        try database.connection.execute("DROP TABLE \(old)")
    }

    @Test("what was detached and not dropped comes back when retention has been raised since")
    func orphanComesBack() throws {
        let database = try TestDatabase.connect()
        let (table, old, _) = try tableWithOldDay("raised", database)
        var mark = try #require(try PartitionList(of: "raised", database.connection).partitions.first?.mark)
        mark.state = .dropping
        try database.connection.execute("ALTER TABLE raised DETACH PARTITION \(old); COMMENT ON TABLE \(old) IS \(quoteLiteral(mark.text))")
        let round = try PartitionRound(of: [keeping("30 days", table)], database.connection)
        #expect(round.problems.isEmpty && round.dropped.isEmpty, "\(round)")
        #expect(try database.rows("SELECT device FROM raised") == [["old"]])
    }

    @Test("a partition that somebody else began to detach is left to them")
    func detachedByOthers() throws {
        let database = try TestDatabase.connect()
        let (table, old, _) = try tableWithOldDay("theirs", database)
        let analyst = try TestDatabase.connect()
        try analyst.connection.execute("BEGIN; SELECT count(*) FROM theirs")
        let admin = try TestDatabase.connect()
        try admin.connection.execute("SET lock_timeout = '100ms'")
        #expect(throws: PostgreSQLError.self) { try admin.connection.execute("ALTER TABLE theirs DETACH PARTITION \(old) CONCURRENTLY") }
        try analyst.connection.execute("COMMIT")
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.dropped.isEmpty)
        #expect(round.problems.first?.reason.contains("FINALIZE") == true, "\(round.problems)")
        try admin.connection.execute("ALTER TABLE theirs DETACH PARTITION \(old) FINALIZE")
        #expect(try PartitionRound(of: [table], database.connection).dropped.isEmpty)
        #expect(try database.rows("SELECT device FROM \(old)") == [["old"]])
        try database.connection.execute("DROP TABLE \(old)")
    }

    @Test("a clock alone destroys nothing: the one that is behind counts, and far apart none does")
    func clocks() throws {
        let database = try TestDatabase.connect()
        let (table, _, _) = try tableWithOldDay("clocked", database)
        let now = try databaseNow(database)
        for wrong in [now - 30 * Self.day, now + 30 * Self.day] {
            let round = try PartitionRound(of: [table], processNow: wrong, database.connection)
            #expect(round.dropped.isEmpty)
            #expect(round.problems.first?.reason.contains("more than a day apart") == true, "\(round.problems)")
            #expect(try PartitionList(of: "clocked", database.connection).partitions.count > 2, "partitions ahead")
        }
        // A day that ended three days and a few hours ago is gone by the one clock, not by the other that is 23 hours behind.
        let start = TimeUnit.day.start(of: now - 4 * Self.day)
        _ = try #require(PartitionMaker(table)).make(startingAt: [start], lockTimeoutMilliseconds: 1000, database.connection)
        let behind = max(start + 4 * Self.day - 1, now - Self.day + 60_000_000)
        #expect(try PartitionRound(of: [table], processNow: behind, database.connection).dropped.count == 1)
        #expect(try PartitionRound(of: [table], processNow: now, database.connection).dropped.count == 1)
    }

    @Test("what cannot be dropped does not keep the others: a view needs it, or it is a foreign table")
    func oneByOne() throws {
        let database = try TestDatabase.connect()
        let (table, viewed, start) = try tableWithOldDay("several", database)
        let more = try #require(PartitionMaker(table)).make(
            startingAt: [start + Self.day, start + 2 * Self.day], lockTimeoutMilliseconds: 1000, database.connection)
        let foreign = CivilTime.text(unixMicroseconds: start - Self.day)
        try database.connection.execute(
            """
            CREATE VIEW of_one AS SELECT * FROM \(viewed);
            CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
            CREATE FOREIGN TABLE several_far PARTITION OF several FOR VALUES FROM ('\(foreign)') TO ('\(CivilTime.text(unixMicroseconds: start))') SERVER far
            """)
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.dropped == more.map { "public." + $0.replacing("\"", with: "") })
        #expect(round.problems.count == 1 && round.problems.first?.reason.contains("2BP01") == true, "\(round.problems)")
        #expect(round.left.first?.reason.contains("several_far") == true, "\(round.left)")
        // Once the view is gone, so is the table.
        try database.connection.execute("DROP VIEW of_one; DROP FOREIGN TABLE several_far")
        let next = try PartitionRound(of: [table], database.connection)
        #expect(next.problems.isEmpty, "\(next.problems)")
        #expect(next.dropped == ["public." + viewed.replacing("\"", with: "")])
    }

    @Test("with a default partition, a writer waits a moment at most for what is to be dropped behind a slow query")
    func defaultPartition() throws {
        let database = try TestDatabase.connect()
        let (table, _, _) = try tableWithOldDay("slow", database)
        try database.connection.execute("CREATE TABLE slow_rest PARTITION OF slow DEFAULT")
        let analyst = try TestDatabase.connect()
        try analyst.connection.execute("BEGIN; SELECT count(*) FROM slow")
        let start = ContinuousClock.now
        let round = try PartitionRound(of: [table], database.connection)
        #expect(ContinuousClock.now - start < .seconds(3))
        #expect(round.deferred == ["slow"] && round.dropped.isEmpty && round.problems.isEmpty, "\(round)")
        try analyst.connection.execute("COMMIT")
        #expect(try PartitionRound(of: [table], database.connection).dropped.count == 1)
    }

    @Test("while another process has the round partitions are made, and nothing is dropped")
    func taken() throws {
        let database = try TestDatabase.connect()
        let (table, _, _) = try tableWithOldDay("taken", database)
        let other = try TestDatabase.connect()
        try other.connection.execute("SELECT pg_advisory_lock(\(PartitionMaker.lockSpace), 0)")
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.wasTaken && round.made.count == 3 && round.dropped.isEmpty, "\(round)")
        try other.connection.execute("SELECT pg_advisory_unlock_all()")
        let next = try PartitionRound(of: [table], database.connection)
        #expect(!next.wasTaken && next.dropped.count == 1, "\(next)")
    }

    @Test(
        "a comment of other people is no mark",
        arguments: [
            "", "penstock: made for t", "penstock: made for t, rows from x until y",
            "penstock: gone for t, rows from 2026-01-01T00:00:00Z until 2026-01-02T00:00:00Z",
            "penstock: made for t, rows from 2026-01-02T00:00:00Z until 2026-01-01T00:00:00Z", "penstock: made for t until , rows from ",
        ])
    func noMark(comment: String) { #expect(PartitionMark(comment) == nil) }

    @Test("a mark reads as it was written", arguments: ["t", "a, rows from b until c", "Größe"])
    func mark(table: String) {
        for state in PartitionMark.State.allCases {
            let mark = PartitionMark(state, of: "s." + table, from: -5_000_001, until: 1_767_225_600_000_000)
            #expect(PartitionMark(mark.text) == mark, "\(mark.text)")
        }
    }
}
