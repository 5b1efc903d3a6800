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
