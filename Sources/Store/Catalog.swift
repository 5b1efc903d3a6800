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

    /// The same for one table, whatever name leads to it.
    public var identifier: String
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
    /// The role owns it, or is of the role that does.
    public var isOwned: Bool
    /// It has partitions of PostgreSQL's own.
    public var isDivided: Bool
    /// The column by whose range it is divided; nil where it is not divided, or otherwise.
    public var partitionColumn: String?
    /// All indexes that are whole and valid: their columns, ` desc` behind those.
    public var indexes: [[String]]
    /// There is something of the table's name and `_latest`.
    public var hasLatestView: Bool
    /// The columns of that where it is a view as a mapping makes it.
    public var latestColumns: [String]?
    /// The database has TimescaleDB.
    public var hasTimescale = false
    /// The column by which a hypertable is divided; nil for other tables.
    public var hypertableColumn: String?

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
                   current_database(), current_user, pg_has_role(relowner, 'USAGE'),
                   (SELECT attname FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid AND attnum = partattrs[0]
                    WHERE partrelid = pg_class.oid AND partstrat = 'r' AND partnatts = 1),
                   to_regclass($2) IS NOT NULL, to_regclass('timescaledb_information.dimensions') IS NOT NULL, relkind = 'p', oid
            FROM pg_class WHERE oid = to_regclass($1)
            """, [quoted, quoteQualified(name + "_latest")])
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
        let allIndexes = try connection.query(
            """
            SELECT string_agg(attname || CASE WHEN (indoption::smallint[])[place - 1] & 1 = 1 THEN ' desc' ELSE '' END, chr(1) ORDER BY place)
            FROM pg_index CROSS JOIN LATERAL unnest((indkey::smallint[])[0:indnkeyatts - 1]) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute ON attrelid = indrelid AND attnum = number
            WHERE indrelid = to_regclass($1) AND indisvalid AND indexprs IS NULL AND indpred IS NULL GROUP BY indexrelid
            """, [quoted])
        var latest: [String]?
        if row[10] == "t" {
            latest = try connection.query(
                """
                SELECT string_agg(attname, chr(1) ORDER BY attnum) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
                WHERE pg_class.oid = to_regclass($1) AND relkind = 'v' AND pg_get_viewdef(pg_class.oid) ~ '^ *(WITH RECURSIVE "?value"? AS|SELECT DISTINCT ON)'
                """, [quoteQualified(name + "_latest")]
            ).first?.first.flatMap { $0?.split(separator: "\u{1}").map(String.init) }
        }
        var hypertable: String?
        if row[11] == "t" {
            hypertable = try connection.query(
                """
                SELECT column_name FROM timescaledb_information.dimensions
                WHERE to_regclass(quote_ident(hypertable_schema) || '.' || quote_ident(hypertable_name)) = to_regclass($1) AND dimension_number = 1
                """, [quoted]
            ).first?.first.flatMap { $0 }
        }
        return CatalogTable(
            identifier: row[13] ?? "",
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
            },
            isOwned: row[8] == "t", isDivided: row[12] == "t", partitionColumn: row[9],
            indexes: allIndexes.compactMap { $0[0]?.split(separator: "\u{1}").map(String.init) }, hasLatestView: row[10] == "t",
            latestColumns: latest, hasTimescale: row[11] == "t", hypertableColumn: hypertable)
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
