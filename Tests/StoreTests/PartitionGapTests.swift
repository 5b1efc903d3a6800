import CopyFormat
import Mapping
import Payload
import PostgreSQL
import Testing

@testable import Store

@Suite("Where partitions are made", .withDatabase, .serialized)
struct PartitionGapTests {
    private static let day: Int64 = 86_400_000_000

    private func bounds(_ table: String, _ database: OpenConnection) throws -> [Range<Int64>] {
        try PartitionList(of: table, database.connection).partitions.map { try #require($0.lower)..<(try #require($0.upper)) }
    }

    @Test("a table that is divided otherwise from now on has no hole: what days leave of a month is a partition")
    func rest() throws {
        let database = try TestDatabase.connect()
        let days = try dividedTable("changed", "partition: {by: time, every: day}", on: database)
        // 2026-11-21, and a day in the middle of December.
        let made = [1_795_219_200_000_000, 1_795_305_600_000_000, 1_795_219_200_000_000 + 24 * Self.day] as [Int64]
        _ = try #require(PartitionMaker(days)).make(startingAt: made, lockTimeoutMilliseconds: 1000, database.connection)
        var months = days
        months.partition?.every = .month
        let maker = try #require(PartitionMaker(months))
        let starts = made.map { TimeUnit.month.start(of: $0) }
        #expect(
            try maker.make(startingAt: starts, lockTimeoutMilliseconds: 1000, database.connection)
                == ["\"changed_p2026_11\"", "\"changed_p2026_11_23\"", "\"changed_p2026_12\"", "\"changed_p2026_12_16\""])
        try database.connection.execute(
            "INSERT INTO changed SELECT t, 'a', 1 FROM generate_series('2026-11-01+00'::timestamptz, '2026-12-31 23:00+00', '1 hour') AS t")
        #expect(try maker.make(startingAt: starts, lockTimeoutMilliseconds: 1000, database.connection).isEmpty)
    }

    @Test(
        "gaps between partitions",
        arguments: [
            ([], [0..<10]), ([0..<10], []), ([-5..<3], [3..<10]), ([3..<20], [0..<3]), ([2..<4, 6..<8], [0..<2, 4..<6, 8..<10]),
            ([-5..<0, 10..<12], [0..<10]),
        ] as [([Range<Int64>], [Range<Int64>])])
    func gaps(there: [Range<Int64>], expected: [Range<Int64>]) {
        let list = PartitionList(
            there.map { PartitionList.Partition(name: "", qualifiedName: "", lower: $0.lowerBound, upper: $0.upperBound) })
        #expect(list.gaps(in: 0..<10) == expected)
    }

    @Test(
        "bounds are read as they are, whatever the session's time zone and order of dates",
        arguments: ["timestamptz", "timestamp"],
        ["SET TIME ZONE 'America/New_York'", "SET TIME ZONE 'Asia/Shanghai'; SET DateStyle = 'SQL, DMY'", "SET DateStyle = 'German'"])
    func session(type: String, settings: String) throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("zoned", "partition: {by: time, every: day}", on: database)
        try database.connection.execute(
            "DROP TABLE zoned; CREATE TABLE zoned (time \(type) NOT NULL, device text NOT NULL, v real) PARTITION BY RANGE (time); \(settings)"
        )
        let start: Int64 = 1_772_928_000_000_000  // 2026-03-08
        let starts = (0..<3).map { start + $0 * Self.day }
        let maker = try #require(PartitionMaker(table))
        #expect(try maker.make(startingAt: [starts[0], starts[2]], lockTimeoutMilliseconds: 1000, database.connection).count == 2)
        #expect(try maker.make(startingAt: starts, lockTimeoutMilliseconds: 1000, database.connection).count == 1)
        #expect(try bounds("zoned", database) == starts.map { $0..<$0 + Self.day })
    }

    @Test(
        "bounds beyond the calendar are no hindrance",
        arguments: [("-infinity", "2001-01-01+00"), ("294276-01-01+00", "infinity"), ("4000-01-01 BC", "0001-01-01 BC")])
    func farAway(from: String, until: String) throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("far", "partition: {by: time, every: month}, retention: 3 months", on: database)
        try database.connection.execute("CREATE TABLE far_away PARTITION OF far FOR VALUES FROM ('\(from)') TO ('\(until)')")
        let round = try PartitionRound(of: [table], database.connection)
        #expect(round.problems.isEmpty && round.dropped.isEmpty && round.made.count >= 2, "\(round)")
    }

    @Test("partitions belong to the owner of their table, who made it in a schema and a tablespace of its own")
    func owner() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute(
            """
            CREATE ROLE the_owner; CREATE ROLE the_service IN ROLE the_owner; CREATE SCHEMA the_owner AUTHORIZATION the_owner; CREATE SCHEMA owned AUTHORIZATION the_owner;
            GRANT USAGE ON SCHEMA owned TO the_service
            """)
        let table = try dividedTable("owned.by_role", "partition: {by: time, every: day}", on: database)
        try database.connection.execute("SET allow_in_place_tablespaces = on")
        try database.connection.execute("CREATE TABLESPACE aside LOCATION ''")
        try database.connection.execute("GRANT CREATE ON TABLESPACE aside TO the_owner; ALTER TABLE owned.by_role SET TABLESPACE aside")
        // In the search path of the owner, something else has the name.
        try database.connection.execute("ALTER TABLE owned.by_role OWNER TO the_owner; CREATE TABLE the_owner.by_role (x int)")
        for name in ["owned.by_role", "by_role"] {
            var named = table
            named.name = name
            let service = try TestDatabase.connect()
            try service.connection.execute("SET search_path = \"$user\", owned, public; SET SESSION AUTHORIZATION the_service")
            let start: Int64 = name == "by_role" ? 0 : Self.day
            _ = try #require(PartitionMaker(named)).make(startingAt: [start], lockTimeoutMilliseconds: 1000, service.connection)
        }
        #expect(
            try database.rows(
                """
                SELECT DISTINCT relowner::regrole::text, relnamespace::regnamespace::text, spcname
                FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid LEFT JOIN pg_tablespace AS t ON t.oid = reltablespace
                WHERE inhparent = 'owned.by_role'::regclass
                """)
                == [["the_owner", "owned", "aside"]])
        try database.connection.execute("SET SESSION AUTHORIZATION the_owner; ALTER TABLE owned.by_role ADD COLUMN more int")
    }

    @Test("rows make no more partitions than a limit; those ahead of now are made all the same, and a round complains of very many")
    func limits() throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("bounded", "partition: {by: time, every: day}", on: database)
        var maker = try #require(PartitionMaker(table))
        maker.rowMaximum = 5
        let old = (0..<8).map { Int64($0) * Self.day }
        #expect(try maker.make(forRowsIn: Set(old), lockTimeoutMilliseconds: 1000, database.connection).count == 5)
        let outcome = try maker.make(forRowsIn: Set(old), atMost: 20, lockTimeoutMilliseconds: 1000, database.connection)
        #expect(outcome.made.isEmpty && outcome.isFull && outcome.lacking == 3, "\(outcome)")
        let round = try PartitionRound(of: [table], processNow: nil, many: 8, database.connection)
        #expect(round.made.count == 3)
        #expect(round.problems.first?.reason.contains("it has 8 partitions or more") == true, "\(round.problems)")
        #expect(try PartitionRound(of: [table], processNow: nil, many: 9, database.connection).problems.isEmpty)
    }

    @Test("some of what rows need is made in one transaction, the earliest first; one that cannot be made keeps no other")
    func some() throws {
        let database = try TestDatabase.connect()
        let table = try dividedTable("part", "partition: {by: time, every: day}", on: database)
        let maker = try #require(PartitionMaker(table))
        let starts = Set((0..<7).map { Int64($0) * Self.day })
        try database.connection.execute("DROP TABLE IF EXISTS part_p1970_01_02; CREATE TABLE part_p1970_01_02 (x int)")
        let outcome = try maker.make(forRowsIn: starts, atMost: 3, lockTimeoutMilliseconds: 1000, database.connection)
        #expect(outcome.made == ["\"part_p1970_01_01\"", "\"part_p1970_01_03\""])
        #expect(outcome.lacking == 5 && !outcome.isFull && outcome.refusal?.sqlState == "42P07", "\(outcome)")
        #expect(throws: PostgreSQLError.self) {
            try maker.make(startingAt: starts.sorted(), lockTimeoutMilliseconds: 1000, database.connection)
        }
        #expect(try bounds("part", database).count == 6)
    }
}
