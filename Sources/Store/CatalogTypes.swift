import CopyFormat
import PostgreSQL

/// The types of a table's columns: through domains to what is beneath them, and through arrays to their elements.
struct CatalogTypes {
    private struct Step {
        var oid: UInt32
        var name: String
        var isDomain: Bool
        var isArray: Bool
        /// Of an enum, in their order.
        var labels: [String]?
    }

    /// By the number of the attribute, each the first type and those behind it.
    private var steps: [String: [Step]] = [:]

    /// - Parameter table: quoted.
    init(ofTable table: String, _ connection: borrowing Connection) throws(PostgreSQLError) {
        let rows = try connection.query(
            """
            WITH RECURSIVE step AS (
                SELECT attnum, atttypid AS type, atttypmod AS modifier, 0 AS depth
                FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
                UNION ALL
                SELECT s.attnum, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END,
                       CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE s.modifier END, s.depth + 1
                FROM step AS s JOIN pg_catalog.pg_type AS t ON t.oid = s.type
                WHERE t.typtype = 'd' OR EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray = t.oid)
            )
            SELECT s.attnum, s.type, format_type(s.type, s.modifier), t.typtype,
                   EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray = t.oid),
                   (SELECT string_agg(enumlabel, chr(1) ORDER BY enumsortorder) FROM pg_catalog.pg_enum WHERE enumtypid = s.type)
            FROM step AS s JOIN pg_catalog.pg_type AS t ON t.oid = s.type ORDER BY s.attnum, s.depth
            """, [table])
        for row in rows {
            let isEnum = row[3] == "e"
            steps[row[0] ?? "", default: []].append(
                Step(
                    oid: row[1].flatMap { UInt32($0) } ?? 0, name: row[2] ?? "", isDomain: row[3] == "d", isArray: row[4] == "t",
                    labels: isEnum ? (row[5] ?? "").split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init) : nil))
        }
    }

    func type(ofAttribute number: String) -> StoredType {
        let steps = steps[number] ?? []
        guard let first = steps.first else { return StoredType(.other("")) }
        var stored = StoredType(type: .other(first.name), sql: first.name, oid: first.oid, elementOID: 0)
        let beneath = steps.drop { $0.isDomain }
        guard let base = beneath.first else { return stored }
        guard base.isArray else {
            stored.type = plain(base)
            return stored
        }
        let elements = beneath.dropFirst()
        stored.elementOID = elements.first?.oid ?? 0
        // Arrays whose elements are a domain over arrays are left to the database.
        if let element = elements.first(where: { !$0.isDomain }), !element.isArray { stored.type = .array(plain(element)) }
        return stored
    }

    private func plain(_ step: Step) -> ColumnType {
        if let labels = step.labels { return .enumeration(name: step.name, labels: labels) }
        return ColumnType(parsing: step.name) ?? .other(step.name)
    }
}
