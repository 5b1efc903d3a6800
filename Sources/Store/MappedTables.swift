import CopyFormat
import Mapping
import PostgreSQL

/// The tables of a set of mappings, checked against the database and made where that is allowed.
public struct MappedTables: Sendable {
    /// By table.
    public var checks: [String: TableCheck] = [:]

    /// Types to write: table → column → type.
    public var types: [String: [String: StoredType]] { checks.mapValues(\.types) }

    /// Checks all tables. Changes nothing.
    public init(checking tables: [TableDefinition], _ connection: borrowing Connection) throws(PostgreSQLError) {
        var found: [String: CatalogTable] = [:]
        for table in tables {
            found[table.name] = try Catalog.table(table.name, connection)
            checks[table.name] = TableCheck(table, found[table.name])
        }
        checkNames(tables, found)
    }

    /// Mappings are held against one another by the names that they write: two names of one table show only here.
    private mutating func checkNames(_ tables: [TableDefinition], _ found: [String: CatalogTable]) {
        for (place, table) in tables.enumerated() {
            guard let identifier = found[table.name]?.identifier else { continue }
            for other in tables[..<place] where found[other.name]?.identifier == identifier {
                let names =
                    "'\(other.name)' of mapping \(other.mappings.joined(separator: ", ")) and '\(table.name)' of mapping "
                    + "\(table.mappings.joined(separator: ", ")) are one table"
                if table.partition != nil, other.partition != nil, table.retention != other.retention {
                    let message = names + " that is to be kept for different times; say 'retention' in one place, and call the table alike"
                    for name in [other.name, table.name] {
                        checks[name]?.problems.append(TableCheck.Problem(message: message, remedy: nil))
                    }
                } else {
                    checks[table.name]?.warnings.append(
                        names + ": call it alike, or what one mapping says of it does not hold for the rows of the other")
                }
            }
        }
    }

    /// The statements that make what is missing, as far as the policy goes: `create` makes tables, `evolve` adds nullable columns too.
    public static func statements(for tables: [TableDefinition], _ checks: [String: TableCheck], policy: DDLPolicy) -> [String] {
        tables.flatMap { table -> [String] in
            guard let check = checks[table.name] else { return [] }
            switch table.ddl ?? policy {
            case .off: return []
            case .create: return check.isMissing ? table.creation : []
            case .evolve: return check.isMissing ? table.creation : check.missingColumns.map { table.addition(of: $0) }
            }
        }
    }

    /// Checks, makes what may be made (a transaction for each table), and checks again. Any number of processes may do so at the same time.
    /// - Returns: the tables as they are then, and the statements that were run.
    /// - Throws: what the database says to the first statement that it refuses. Where somebody else uses a table all the time, the other tables are made
    ///   first; then that is thrown (55P03).
    public static func prepare(
        _ tables: [TableDefinition], policy: DDLPolicy, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> (tables: MappedTables, executed: [String]) {
        try prepare(tables, policy: policy, by: TableChange(), connection)
    }

    static func prepare(
        _ tables: [TableDefinition], policy: DDLPolicy, by change: TableChange, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> (tables: MappedTables, executed: [String]) {
        let first = try MappedTables(checking: tables, connection)
        guard !statements(for: tables, first.checks, policy: policy).isEmpty else { return (first, []) }
        let executed = try Self.change(tables, by: change, first, connection) { statements(for: [$0], $1.checks, policy: policy) }
        // Also where another process has done all of it.
        return (try MappedTables(checking: tables, connection), executed)
    }

    /// Makes the indexes and views that the mappings want and tables lack, each in a transaction of its own. Rows wait meanwhile.
    /// - Throws: as of `prepare`.
    /// - Returns: the statements that were run.
    public static func makeAdditions(
        _ tables: [TableDefinition], _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> [String] {
        var executed: [String] = []
        while true {
            let checked = try MappedTables(checking: tables, connection)
            // What was made and is missing still would be made without end.
            let made = try change(tables, by: TableChange(), checked, connection) { table, now in
                (now.checks[table.name]?.additions ?? []).first { !executed.contains($0) }.map { [$0] } ?? []
            }
            guard !made.isEmpty else { return executed }
            executed += made
        }
    }

    /// Runs for each table what it needs by a check that is made under the lock.
    /// - Parameter checked: the tables as they are before; what needs nothing by that is passed over.
    private static func change(
        _ tables: [TableDefinition], by change: TableChange, _ checked: MappedTables, _ connection: borrowing Connection,
        _ needed: (TableDefinition, MappedTables) -> [String]
    ) throws(PostgreSQLError) -> [String] {
        var executed: [String] = []
        var locked: PostgreSQLError?
        for table in tables where !needed(table, checked).isEmpty {
            do throws(PostgreSQLError) {
                executed += try change.run(connection) { connection throws(PostgreSQLError) in
                    needed(table, try MappedTables(checking: [table], connection))
                }
            } catch {
                guard TableChange.isLocked(error), case .server(var reason) = error else { throw error }
                reason.message = "table '\(table.name)' is in use all the time: " + reason.message
                locked = locked ?? .server(reason)
            }
        }
        if let locked { throw locked }
        return executed
    }
}
