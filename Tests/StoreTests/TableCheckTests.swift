import CopyFormat
import Mapping
import PostgreSQL
import Testing

@testable import Store

@Suite("Tables held against the catalog", .withDatabase, .serialized)
struct TableCheckTests {
    /// The tables of a mapping for each of these table options, with the columns time, device and v.
    static func tables(_ options: String...) throws -> [TableDefinition] { MappingPlan(try mappings(options)).tables }

    private static func mappings(_ options: [String]) throws -> [MappingSyntax] {
        var mappings: [MappingSyntax] = []
        for (number, options) in options.enumerated() {
            let text =
                "topic: t\(number)/{d}\ntable: {\(options)}\n"
                + "columns: {time: timestamptz not null, device: text not null from topic.d, v: real}"
            let reading = MappingReader.read(text: text, file: "m\(number).yaml")
            try #require(reading.diagnostics.isEmpty, "\(reading.diagnostics)")
            mappings += reading.mappings
        }
        return mappings
    }

    private static let daily = "partition: {by: time, every: day}"

    @Test("a table that two mappings call differently is not dropped after the shorter time of the two")
    func names() throws {
        let database = try TestDatabase.connect()
        func check(_ one: String, _ other: String) throws -> MappedTables {
            let tables = try Self.tables("name: twofold, \(one)", "name: public.twofold, \(other)")
            try database.connection.execute("DROP TABLE IF EXISTS twofold")
            for statement in tables[0].creation { try database.connection.execute(statement) }
            return try MappedTables(checking: tables, database.connection)
        }
        for other in ["\(Self.daily), retention: 7 days", Self.daily] {
            let different = try check("\(Self.daily), retention: 90 days", other)
            for name in ["twofold", "public.twofold"] {
                let problems = different.checks[name]?.problems.map(\.message) ?? []
                #expect(problems.count == 1 && problems[0].contains("is to be kept for different times"), "\(problems)")
            }
        }
        let same = try check("\(Self.daily), retention: 90 days", "\(Self.daily), retention: 90 days")
        #expect(same.checks.values.allSatisfy { $0.problems.isEmpty })
        #expect(same.checks["public.twofold"]?.warnings.contains { $0.contains("are one table") } == true)
        try database.connection.execute("DROP TABLE twofold")
    }

    @Test(
        "where the search path makes two names one, rows are kept for the longest time that is said",
        arguments: [(", retention: 4 months", "4 months"), (", retention: 3 months", "92 days"), ("", nil)])
    func longest(other: String, kept: String?) throws {
        var mappings = try Self.mappings([
            "name: a, \(Self.daily), retention: 92 days", "name: s.a, \(Self.daily)\(other)", "name: s.a",
        ])
        mappings[0].blocks[0].table.name = "s.a"
        for mappings in [mappings, mappings.reversed()] {
            let tables = MappingPlan(mappings).tables
            #expect(tables.count == 1)
            #expect(tables[0].retention?.description == kept)
        }
    }

    @Test("a divided table of another role is a matter for its owner, and can be written all the same")
    func otherOwner() throws {
        let database = try TestDatabase.connect()
        let tables = try Self.tables("name: owned, \(Self.daily)")
        for statement in tables[0].creation { try database.connection.execute(statement) }
        try database.connection.execute("CREATE ROLE writes_only; GRANT INSERT ON owned TO writes_only; SET ROLE writes_only")
        let check = try #require(try MappedTables(checking: tables, database.connection).checks["owned"])
        #expect(check.problems.isEmpty, "\(check.problems)")
        #expect(check.warnings.contains { $0.contains("its owner makes and drops the partitions") }, "\(check.warnings)")
        try database.connection.execute("RESET ROLE; DROP TABLE owned; DROP ROLE writes_only")
    }

    @Test("the view of the last rows gets the columns that its table gets", arguments: ["device", "device, v"])
    func view(of latest: String) throws {
        let database = try TestDatabase.connect()
        try database.connection.execute(
            "DROP TABLE IF EXISTS viewed CASCADE; CREATE TABLE viewed (time timestamptz NOT NULL, device text NOT NULL, old integer)")
        var tables = try Self.tables("name: viewed, key: [device, time], latest: [\(latest)]")
        if latest == "device, v" { try database.connection.execute("ALTER TABLE viewed ADD COLUMN v real") }
        _ = try MappedTables.makeAdditions(tables, database.connection)
        var new = tables[0].columns[2]
        new.name = "new"
        tables[0].columns.append(new)
        let prepared = try MappedTables.prepare(tables, policy: .evolve, database.connection).tables
        #expect(prepared.checks["viewed"]?.warnings.contains { $0.contains("lacks columns of its table (") } == true)
        #expect(try MappedTables.makeAdditions(tables, database.connection).count == 1)
        try database.connection.execute("INSERT INTO viewed VALUES (now(), 'a', 1, 2, 3)")
        #expect(try database.rows("SELECT device, old, v, new FROM viewed_latest") == [["a", "1", "2", "3"]])
        let check = try #require(try MappedTables(checking: tables, database.connection).checks["viewed"])
        #expect(check.warnings.isEmpty && check.additions.isEmpty, "\(check.warnings)")
        // Somebody's own view of that name is his.
        try database.connection.execute("DROP VIEW viewed_latest; CREATE VIEW viewed_latest AS SELECT time FROM viewed")
        #expect(try MappedTables(checking: tables, database.connection).checks["viewed"]?.additions == [])
        try database.connection.execute("DROP TABLE viewed CASCADE")
    }

    @Test("indexes whose tables' and columns' names run together are both made")
    func indexNames() throws {
        let database = try TestDatabase.connect()
        var tables = try Self.tables("name: run, indexes: [v]", "name: run_together, indexes: [v]")
        // A table `run` with a column `together_v`.
        tables[0].columns[2].name = "together_v"
        tables[0].indexes[0].columns[0].name = "together_v"
        let (prepared, _) = try MappedTables.prepare(tables, policy: .create, database.connection)
        for name in ["run", "run_together"] { #expect(prepared.checks[name]?.warnings == []) }
        try database.connection.execute("DROP TABLE run, run_together")
    }
}
