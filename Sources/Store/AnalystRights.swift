import Mapping
import PostgreSQL

/// The rights of those who only read: the role `penstock_analyst`.
public enum AnalystRights {
    /// Lets the role read tables and their views `…_latest`, each once: what an administrator revokes later stays so. Tables of other owners are left out.
    /// - Returns: what it may read now and could not before; nil when there is no such role.
    public static func grant(on tables: [TableDefinition], _ connection: borrowing Connection) throws(PostgreSQLError) -> [String]? {
        guard try connection.query("SELECT to_regrole('penstock_analyst') IS NOT NULL").first?.first == "t" else { return nil }
        return try connection.query(statement(for: tables)).compactMap { $0.first ?? nil }
    }

    /// The statement that does it.
    public static func statement(for tables: [TableDefinition]) -> String {
        "SELECT penstock.grant_to_analysts(ARRAY[\(tables.map { quoteLiteral($0.name) }.joined(separator: ","))]::text[])"
    }
}
