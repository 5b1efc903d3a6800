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
        for table in tables { checks[table.name] = TableCheck(table, try Catalog.table(table.name, connection)) }
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

    /// Checks, makes what may be made (one transaction), and checks again.
    public static func prepare(
        _ tables: [TableDefinition], policy: DDLPolicy, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> (tables: MappedTables, executed: [String]) {
        let first = try MappedTables(checking: tables, connection)
        let statements = statements(for: tables, first.checks, policy: policy)
        guard !statements.isEmpty else { return (first, []) }
        try connection.execute("BEGIN; " + statements.joined(separator: "; ") + "; COMMIT")
        return (try MappedTables(checking: tables, connection), statements)
    }
}
