import PostgreSQL

/// The partitions of a table, as the database has them.
public struct PartitionList: Sendable {
    public struct Partition: Sendable {
        /// Quoted, and qualified where the search path does not lead to it.
        public var name: String
        /// Quoted and qualified, whatever the search path.
        public var qualifiedName: String
        /// Microseconds since 1970; nil: from the beginning of time.
        public var lower: Int64?
        /// Microseconds since 1970, not included; nil: to the end of time.
        public var upper: Int64?
        /// It is ours to drop: the role owns it.
        public var isOwned = true
        /// It keeps its rows itself: no foreign table.
        public var isTable = true
        /// Somebody began to detach it and did not end.
        public var isBeingDetached = false
        /// What its comment says of it, where the comment is ours and still true.
        var mark: PartitionMark?

        func overlaps(_ start: Int64, _ end: Int64) -> Bool { (lower ?? .min) < end && start < (upper ?? .max) }
    }

    /// The divided table itself.
    struct Parent: Sendable {
        /// Quoted and qualified, whatever the search path.
        var qualifiedName: String
        /// Quoted.
        var schema: String
        /// Quoted; nil: the database's own.
        var tablespace: String?
        /// The owner, quoted, where it is another role and may be taken on: partitions have to be its own, or it cannot change its table any more.
        var role: String?
    }

    public var partitions: [Partition] = []
    /// A partition takes what no other one does, so no row is ever without one.
    public var hasDefault = false
    /// Nil where there is no such table.
    var parent: Parent?

    /// As a value, for what is decided by it.
    init(_ partitions: [Partition]) { self.partitions = partitions }

    /// Bounds are told in the session's time zone and order of day and month: in a transaction with these they are what they look like.
    static let settings = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL standard_conforming_strings = on"

    /// - Parameters:
    ///   - table: as a mapping names it.
    ///   - connection: without a transaction.
    public init(of table: String, _ connection: borrowing Connection) throws(PostgreSQLError) {
        do throws(PostgreSQLError) {
            try connection.execute("BEGIN; \(Self.settings)")
            self = try Self(inTransaction: connection, of: table)
            try connection.execute("COMMIT")
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    /// - Parameter connection: in a transaction with `settings`.
    init(inTransaction connection: borrowing Connection, of table: String) throws(PostgreSQLError) {
        let quoted = quoteQualified(table)
        parent = try Self.parent(quoted, connection)
        // Times that microseconds in 64 bits cannot count from 1970, and infinity, are as far away as it gets.
        func microseconds(_ bound: String) -> String {
            "CASE WHEN \(bound) IS NOT NULL THEN least(greatest(extract(epoch FROM \(bound)) * 1000000, -9e18), 9e18)::bigint END"
        }
        let rows = try connection.query(
            """
            WITH part AS (
                SELECT c.oid, nspname, relname, relkind, pg_get_expr(relpartbound, c.oid) AS bound, pg_has_role(relowner, 'USAGE') AS owned,
                       coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false) AS detaching, obj_description(c.oid, 'pg_class') AS comment
                FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = inhrelid JOIN pg_namespace AS n ON n.oid = relnamespace
                WHERE inhparent = to_regclass($1)
            ), bounded AS (
                SELECT *, (regexp_match(bound, 'FROM \\(''([^'']*)''\\)'))[1]::timestamptz AS lower,
                       (regexp_match(bound, 'TO \\(''([^'']*)''\\)'))[1]::timestamptz AS upper
                FROM part)
            SELECT oid::regclass::text, format('%I.%I', nspname, relname), owned, relkind <> 'f', detaching, comment, bound = 'DEFAULT',
                   \(microseconds("lower")), \(microseconds("upper"))
            FROM bounded ORDER BY 8 NULLS FIRST
            """, [quoted])
        for row in rows {
            if row[6] == "t" {
                hasDefault = true
                continue
            }
            let lower = row[7].flatMap { Int64($0) }
            let upper = row[8].flatMap { Int64($0) }
            let mark = row[5].flatMap { PartitionMark($0) }
            partitions.append(
                Partition(
                    name: row[0] ?? "", qualifiedName: row[1] ?? "", lower: lower, upper: upper, isOwned: row[2] == "t",
                    isTable: row[3] == "t", isBeingDetached: row[4] == "t",
                    mark: mark.flatMap { $0.lower == lower && $0.upper == upper ? $0 : nil }))
        }
    }

    private static func parent(_ quoted: String, _ connection: borrowing Connection) throws(PostgreSQLError) -> Parent? {
        let right = connection.serverVersion >= 160_000 ? "SET" : "MEMBER"
        let rows = try connection.query(
            """
            SELECT format('%I.%I', nspname, relname), quote_ident(nspname), quote_ident(spcname), quote_ident(pg_get_userbyid(relowner)),
                   pg_get_userbyid(relowner) <> current_user AND pg_has_role(session_user, relowner, $2)
                   AND has_schema_privilege(relowner, relnamespace, 'CREATE')
            FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace LEFT JOIN pg_tablespace AS t ON t.oid = reltablespace
            WHERE pg_class.oid = to_regclass($1)
            """, [quoted, right])
        guard let row = rows.first else { return nil }
        return Parent(qualifiedName: row[0] ?? quoted, schema: row[1] ?? "", tablespace: row[2], role: row[4] == "t" ? row[3] : nil)
    }

    /// What no partition holds of a span of time: other ones in it would overlap those that are there.
    func gaps(in span: Range<Int64>) -> [Range<Int64>] {
        var gaps: [Range<Int64>] = []
        var place = span.lowerBound
        for partition in partitions where partition.overlaps(span.lowerBound, span.upperBound) {
            let lower = partition.lower ?? .min
            if place < lower { gaps.append(place..<lower) }
            place = max(place, partition.upper ?? .max)
        }
        if place < span.upperBound { gaps.append(place..<span.upperBound) }
        return gaps
    }
}
