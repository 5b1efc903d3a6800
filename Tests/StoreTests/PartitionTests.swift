import CopyFormat
import Mapping
import Payload
import PostgreSQL
import Testing

@testable import Store

@Suite("Divided tables", .withDatabase, .serialized)
struct PartitionTests {
    private static let day: Int64 = 86_400_000_000

    @Test("a round makes what rows of now and of a day ahead need, and a second round makes nothing", arguments: TimeUnit.allCases)
    func ahead(unit: TimeUnit) throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("ahead", "partition: {by: time, every: \(unit.rawValue)}", on: database)
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.problems.isEmpty, "\(round.problems)")
        #expect(!round.made.isEmpty)
        try database.connection.execute("INSERT INTO ahead VALUES (now(), 'a', 1), (now() + interval '25 hours', 'a', 2)")
        #expect(try PartitionRound(of: [table], database.connection).made.isEmpty)
        let check = try #require(try MappedTables(checking: [table], database.connection).checks["ahead"])
        #expect(check.problems.isEmpty && check.warnings.isEmpty, "\(check.problems) \(check.warnings)")
    }

    @Test("partitions have the indexes, the comments and the key of their table; an identity column is no hindrance")
    func likeTheTable() throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable(
            "alike",
            "key: [device, time], on_conflict: ignore, partition: {by: time, every: day}, indexes: [[v, time desc]], latest: [device]",
            on: database)
        try database.connection.execute("ALTER TABLE alike ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY")
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.problems.isEmpty, "\(round.problems)")
        let indexes = try database.value(
            "SELECT count(*) FROM pg_index JOIN pg_inherits ON inhrelid = indrelid WHERE inhparent = 'alike'::regclass AND indisvalid")
        // The key's, the mapping's, and a summary of the times.
        #expect(indexes == String(3 * round.made.count))
        try database.connection.execute(
            "INSERT INTO alike (time, device, v) VALUES (now(), 'a', 1), (now() - interval '1 second', 'a', 2), (now(), 'b', 3)")
        #expect(try database.rows("SELECT device, v FROM alike_latest ORDER BY device") == [["a", "1"], ["b", "3"]])
        #expect(try database.rows("SELECT count(DISTINCT n) FROM alike") == [["3"]])
    }

    @Test("what is wholly too old is dropped, and only that")
    func retention() throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("kept", "partition: {by: time, every: day}, retention: 3 days", on: database)
        let now = try databaseNow(database)
        let maker = try #require(PartitionMaker(table))
        let old = (0...6).map { TimeUnit.day.start(of: now - Int64($0) * Self.day) }
        #expect(try maker.make(startingAt: old, lockTimeoutMilliseconds: 1000, database.connection).count == 7)
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.problems.isEmpty, "\(round.problems)")
        // Of the days 4, 5 and 6 before today nothing is kept; of the third day the hours since now's.
        #expect(round.dropped.count == 3)
        let list = try PartitionList(of: "kept", database.connection)
        #expect(list.partitions.compactMap(\.lower).min() == old[3])
        // A row from then gets no partition that would go at once.
        #expect(try maker.make(forRowsIn: [old[5]], lockTimeoutMilliseconds: 1000, database.connection).isEmpty)
        #expect(try maker.make(forRowsIn: [old[3], old[2]], lockTimeoutMilliseconds: 1000, database.connection).isEmpty)
    }

    @Test("a query that runs for long holds up neither writers nor what is made; what is to be dropped waits for it, and goes later")
    func readersAndWriters() throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("busy", "partition: {by: time, every: day}, retention: 3 days", on: database)
        let now = try databaseNow(database)
        let maker = try #require(PartitionMaker(table))
        let old = TimeUnit.day.start(of: now - 10 * Self.day)
        _ = try maker.make(startingAt: [old, TimeUnit.day.start(of: now)], lockTimeoutMilliseconds: 1000, database.connection)
        let analyst = try TestDatabase.connect()
        try analyst.connection.execute("BEGIN; SELECT count(*) FROM busy")
        let writer = try TestDatabase.connect()
        try writer.connection.execute("BEGIN; INSERT INTO busy VALUES (now(), 'a', 1)")
        // Partitions are made beside both.
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.made.count == 2, "\(round.made)")
        #expect(round.dropped.isEmpty)
        #expect(round.problems.isEmpty, "\(round.problems)")
        #expect(round.deferred == ["busy"])
        try writer.connection.execute("INSERT INTO busy VALUES (now(), 'a', 2); COMMIT")
        let other = try TestDatabase.connect()
        try other.connection.execute("SET lock_timeout = '1s'; INSERT INTO busy VALUES (now(), 'b', 1)")
        try analyst.connection.execute("COMMIT")
        let next = try PartitionRound(of: [table], database.connection)
        #expect(next.problems.isEmpty, "\(next.problems)")
        #expect(next.dropped.count == 1)
        #expect(try PartitionList(of: "busy", database.connection).partitions.allSatisfy { ($0.lower ?? 0) > old })
    }

    @Test("a partition that was detached and not dropped, since somebody died in between, is dropped by the next round")
    func orphan() throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("lonely", "partition: {by: time, every: day}, retention: 3 days", on: database)
        let now = try databaseNow(database)
        let start = TimeUnit.day.start(of: now - 10 * Self.day)
        let made = try #require(PartitionMaker(table)).make(
            startingAt: [start], lockTimeoutMilliseconds: 1000, database.connection)
        try database.connection.execute(
            "COMMENT ON TABLE \(made[0]) IS 'penstock: too old, to be dropped, of lonely, rows from \(CivilTime.text(unixMicroseconds: start)) until \(CivilTime.text(unixMicroseconds: start + Self.day))'"
        )
        try database.connection.execute("ALTER TABLE lonely DETACH PARTITION \(made[0])")
        try database.connection.execute("CREATE TABLE lonely_p1999_01_01 (LIKE lonely)")
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.dropped == ["public." + made[0].replacing("\"", with: "")], "\(round.dropped)")
        // What merely looks like one stays.
        #expect(try database.value("SELECT to_regclass('lonely_p1999_01_01')") != nil)
    }

    @Test("two that make the same partitions at once make each once")
    func together() async throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("shared", "partition: {by: time, every: hour}", on: database)
        let start = TimeUnit.hour.start(of: try databaseNow(database))
        let starts = (0..<20).map { start + Int64($0) * 3_600_000_000 }
        let made = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let connection = try TestDatabase.connect()
                    return try #require(PartitionMaker(table)).make(
                        startingAt: starts, lockTimeoutMilliseconds: 10_000, connection.connection
                    ).count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(made == 20)
    }

    @Test("partitions that somebody made otherwise are left as they are, and a default partition takes what has none")
    func otherPartitions() throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("mixed", "partition: {by: time, every: day}", on: database)
        let start = TimeUnit.month.start(of: try databaseNow(database))
        let monthly = table.newPartition(of: start..<TimeUnit.month.end(from: start), every: .month, in: nil).statements
        for statement in monthly { try database.connection.execute(statement) }
        let maker = try #require(PartitionMaker(table))
        #expect(try maker.make(startingAt: [start, start + Self.day], lockTimeoutMilliseconds: 1000, database.connection).isEmpty)
        try database.connection.execute("CREATE TABLE mixed_rest PARTITION OF mixed DEFAULT")
        #expect(try maker.make(startingAt: [start - 90 * Self.day], lockTimeoutMilliseconds: 1000, database.connection).isEmpty)
    }

    @Test("what the catalog has otherwise is told with what to do")
    func otherwise() throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable(
            "plain", "partition: {by: time, every: day}, indexes: [[device, time desc]], latest: [device]", on: database)
        func said() throws -> (problems: [String], warnings: [String]) {
            let check = try #require(try MappedTables(checking: [table], database.connection).checks["plain"])
            return (check.problems.map(\.description), check.warnings)
        }
        try database.connection.execute(
            "DROP TABLE plain CASCADE; CREATE TABLE plain (time timestamptz NOT NULL, device text NOT NULL, v real)")
        #expect(try said().problems.first?.contains("is not divided") == true)
        let warnings = try said().warnings
        #expect(warnings.count == 3, "\(warnings)")
        try database.connection.execute(
            "DROP TABLE plain; CREATE TABLE plain (time timestamptz NOT NULL, device text NOT NULL, v real) PARTITION BY LIST (device)")
        #expect(try said().problems.first?.contains("divided otherwise than by range of 'time'") == true)
    }
}

/// A table `name` by the mapping's own statements, divided by `time`.
func dividedTable(_ name: String, _ options: String, on database: OpenConnection) throws -> TableDefinition {
    let text =
        "topic: t/{d}\ntable: {name: \(name), \(options)}\n"
        + "columns: {time: timestamptz not null, device: text not null from topic.d, v: real}"
    let reading = MappingReader.read(text: text, file: "t.yaml")
    try #require(reading.diagnostics.isEmpty, "\(reading.diagnostics)")
    let definition = try #require(MappingPlan(reading.mappings).tables.first)
    try database.connection.execute("DROP TABLE IF EXISTS \(name) CASCADE")
    for statement in definition.creation { try database.connection.execute(statement) }
    return definition
}

/// The database's clock, microseconds since 1970.
func databaseNow(_ database: OpenConnection) throws -> Int64 {
    try #require(Int64(try database.value("SELECT (extract(epoch FROM now()) * 1000000)::bigint") ?? ""))
}
