import ArgumentParser
import Foundation
import Ingest
import Mapping
import PostgreSQL
import Store

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the schema 'penstock' up to date, then makes missing tables and columns of the mappings.")

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print the SQL and change nothing.")
    var dryRun = false

    func run() async throws {
        let setup = try Setup(options)
        let isDry = dryRun
        try await blocking {
            let database = try setup.configuration.database.connect()
            do {
                if isDry {
                    try Self.printSQL(setup.mappings, database.connection)
                } else {
                    try Self.apply(setup.mappings, database.connection)
                }
            } catch let error as Migrator.Failure {
                throw Failure(.failed, "\(error)")
            } catch let error as PostgreSQLError {
                throw Failure(.failed, "the database: \(error)")
            }
        }
    }

    /// A person who runs this wants what is missing, whatever the running service may do.
    private static func tables(of mappings: [MappingSyntax], _ connection: borrowing Connection) throws -> [TableDefinition] {
        MappingPlan(try TablePlaces.placed(mappings, connection)).tables.map { table in
            var table = table
            table.ddl = .evolve
            return table
        }
    }

    private static func printSQL(_ mappings: [MappingSyntax], _ connection: borrowing Connection) throws {
        let pending = try Migrator.pending(connection)
        for step in pending { print("-- migration \(step.number): \(step.name)\n\(Migrator.script(of: step))\n") }
        let tables = try tables(of: mappings, connection)
        let checks = try MappedTables(checking: tables, connection)
        let statements = MappedTables.statements(for: tables, checks.checks, policy: .evolve)
        for statement in statements { print(statement + ";") }
        var later: [String] = []
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        for table in tables {
            for addition in checks.checks[table.name]?.additions ?? [] {
                // Rows wait until an index is made.
                later.append(addition)
            }
            if let maker = PartitionMaker(table) { later += try maker.statements(ahead: now, connection) }
            let removals = try PartitionRound.removals(of: table, connection)
            later += removals.statements
            for remark in removals.remarks { Terminal.note("table '\(table.name)': \(remark)") }
        }
        for statement in later { print(statement + ";") }
        if !statements.isEmpty || !pending.isEmpty { print(AnalystRights.statement(for: tables) + ";") }
        if statements.isEmpty, later.isEmpty { Terminal.note("the tables are as the mappings need them") }
    }

    private static func apply(_ mappings: [MappingSyntax], _ connection: borrowing Connection) throws {
        for step in try Migrator.apply(connection) { print("migration \(step.number) (\(step.name)) applied") }
        let tables = try tables(of: mappings, connection)
        let (prepared, executed) = try MappedTables.prepare(tables, policy: .evolve, connection)
        for statement in executed where !statement.hasPrefix("COMMENT") { print(statement + ";") }
        for addition in try MappedTables.makeAdditions(tables, connection) { print(addition + ";") }
        let round = try PartitionRound(of: tables.filter { prepared.checks[$0.name]?.problems.isEmpty ?? false }, connection)
        for partition in round.made { print("partition \(partition) made") }
        for partition in round.dropped { print("partition \(partition) dropped: all its rows were older than the table keeps") }
        for table in round.deferred { print("table '\(table)': somebody uses it; a later run makes or drops its partitions") }
        for one in round.left { Terminal.note("table '\(one.table)': \(one.reason)") }
        if round.wasTaken {
            Terminal.note(
                "no partitions were dropped: another process is at it; if this is so each time, a pooler keeps its lock (\(PartitionRound.lockName)), "
                    + "and what ends that connection frees it")
        }
        guard round.problems.isEmpty else { throw Failure(.failed, all: round.problems.map { "table '\($0.table)': \($0.reason)" }) }
        if let readable = try AnalystRights.grant(on: tables, connection) {
            for name in readable { print("penstock_analyst may read \(name)") }
        } else {
            Terminal.note("there is no role penstock_analyst, and this user may not make it: nobody was given the right to read")
        }
        let problems = tables.flatMap { prepared.checks[$0.name]?.problems ?? [] }
        guard problems.isEmpty else { throw Failure(.failed, all: problems.map(\.description)) }
        print("the schema 'penstock' and \(counted(tables.count, "table")) are up to date")
    }
}
