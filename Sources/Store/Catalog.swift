import CopyFormat
import PostgreSQL

/// A mapped table as the database has it.
public struct CatalogTable: Sendable {
    public struct Column: Sendable {
        public var name: String
        public var stored: StoredType
        public var isNotNull: Bool
        /// A default, an identity or a generated value stands in for a missing one.
        public var hasDefault: Bool
        /// Computed by PostgreSQL: may not be written.
        public var isGenerated: Bool
        public var mayInsert: Bool
    }

    public var columns: [Column]
    /// Its rows do not survive a crash of the server.
    public var isUnlogged: Bool
    public var mayInsert: Bool
    /// May be read, if only in some columns: `ON CONFLICT` asks for that of the key.
    public var mayRead: Bool
    /// May be read and changed, as `on_conflict: update` and `merge` do.
    public var mayUpdate: Bool
    /// Temporary tables may be made in the database.
    public var mayStage: Bool
    /// The name of the database that it is in.
    public var database: String
    /// Who asked: the role that is to have what it lacks.
    public var role: String
    /// A table or a partitioned one: not a view or a foreign table.
    public var isTable: Bool
    public var uniqueIndexes: [UniqueIndex]

    public struct UniqueIndex: Sendable {
        public var name: String
        /// Its key columns, without those that are only included; nil for one over an expression or a part of the rows.
        public var columns: [String]?
        /// Checked with each row, so that `ON CONFLICT` can go by it.
        public var isImmediate: Bool
    }
}

/// Questions to the system catalog.
public enum Catalog {
    /// A table or view by its name, found as the search path says; nil when there is none.
    public static func table(_ name: String, _ connection: borrowing Connection) throws(PostgreSQLError) -> CatalogTable? {
        let quoted = quoteQualified(name)
        let head = try connection.query(
            """
            SELECT relpersistence = 'u', has_table_privilege(oid, 'INSERT') OR has_any_column_privilege(oid, 'INSERT'),
                   has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'SELECT'), relkind IN ('r', 'p'),
                   has_database_privilege(current_database(), 'TEMPORARY'),
                   has_table_privilege(oid, 'SELECT') OR has_any_column_privilege(oid, 'SELECT'),
                   current_database(), current_user
            FROM pg_class WHERE oid = to_regclass($1)
            """, [quoted])
        guard let row = head.first else { return nil }
        let columns = try connection.query(
            """
            SELECT attname, attnum, attnotnull, atthasdef OR attidentity <> '', attgenerated <> '' OR attidentity = 'a',
                   has_column_privilege(attrelid, attnum, 'INSERT')
            FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """, [quoted])
        let types = try CatalogTypes(ofTable: quoted, connection)
        let indexes = try connection.query(
            """
            SELECT indexrelid::regclass::text, indexprs IS NULL AND indpred IS NULL,
                   (SELECT string_agg(attname, chr(1)) FROM pg_attribute
                    WHERE attrelid = indrelid AND attnum = ANY ((indkey::smallint[])[0:indnkeyatts - 1])),
                   indimmediate
            FROM pg_index WHERE indrelid = to_regclass($1) AND indisunique AND indisvalid
            """, [quoted])
        return CatalogTable(
            columns: columns.map { column in
                CatalogTable.Column(
                    name: column[0] ?? "", stored: types.type(ofAttribute: column[1] ?? ""), isNotNull: column[2] == "t",
                    hasDefault: column[3] == "t", isGenerated: column[4] == "t", mayInsert: column[5] == "t")
            }, isUnlogged: row[0] == "t", mayInsert: row[1] == "t", mayRead: row[5] == "t", mayUpdate: row[2] == "t",
            mayStage: row[4] == "t", database: row[6] ?? "", role: row[7] ?? "", isTable: row[3] == "t",
            uniqueIndexes: indexes.map { index in
                CatalogTable.UniqueIndex(
                    name: index[0] ?? "", columns: index[1] == "t" ? (index[2] ?? "").split(separator: "\u{1}").map(String.init) : nil,
                    isImmediate: index[3] == "t")
            })
    }

    /// Why the database cannot take every text: topics and dead letters are UTF-8, and a letter that cannot be stored would hold up its batch for ever.
    public static func encodingProblem(_ connection: borrowing Connection) throws(PostgreSQLError) -> String? {
        let encoding = try connection.query("SELECT current_setting('server_encoding')").first?.first.flatMap { $0 } ?? "UTF8"
        guard encoding != "UTF8", encoding != "SQL_ASCII" else { return nil }
        return
            "the database is encoded in \(encoding), which cannot hold every text that a message may carry; use one created with ENCODING 'UTF8'"
    }

    /// Server settings on which durability depends.
    public static func durabilityWarnings(_ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        var warnings: [String] = []
        for name in ["fsync", "full_page_writes"] where try connection.query("SELECT current_setting($1)", [name]).first?.first == "off" {
            warnings.append(
                "the server runs with \(name) = off: what it has committed does not survive a crash of its machine, so neither does the promise"
            )
        }
        return warnings
    }
}
