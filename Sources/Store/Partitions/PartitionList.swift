import PostgreSQL

/// The partitions of a table, as the database has them.
public struct PartitionList: Sendable {
    public struct Partition: Sendable {
        /// Quoted and qualified as SQL takes it.
        public var name: String
        /// Microseconds since 1970; nil: from the beginning of time.
        public var lower: Int64?
        /// Microseconds since 1970, not included; nil: to the end of time.
        public var upper: Int64?
        /// It is ours to drop: the role owns it.
        public var isOwned: Bool
        /// Somebody began to detach it and did not end.
        public var isBeingDetached: Bool

        func overlaps(_ start: Int64, _ end: Int64) -> Bool { (lower ?? .min) < end && start < (upper ?? .max) }
    }

    public var partitions: [Partition] = []
    /// A partition takes what no other one does, so no row is ever without one.
    public var hasDefault = false

    /// - Parameter table: as a mapping names it.
    public init(of table: String, _ connection: borrowing Connection) throws(PostgreSQLError) {
        let rows = try connection.query(
            """
            WITH part AS (
                SELECT c.oid, pg_get_expr(c.relpartbound, c.oid) AS bound, pg_has_role(c.relowner, 'USAGE') AS owned,
                       coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false) AS detaching
                FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass($1))
            SELECT oid::regclass::text, owned, detaching, bound = 'DEFAULT',
                   (extract(epoch FROM (regexp_match(bound, 'FROM \\(''([^'']*)''\\)'))[1]::timestamptz) * 1000000)::bigint,
                   (extract(epoch FROM (regexp_match(bound, 'TO \\(''([^'']*)''\\)'))[1]::timestamptz) * 1000000)::bigint
            FROM part ORDER BY 5 NULLS FIRST
            """, [quoteQualified(table)])
        for row in rows {
            if row[3] == "t" {
                hasDefault = true
                continue
            }
            partitions.append(
                Partition(
                    name: row[0] ?? "", lower: row[4].flatMap { Int64($0) }, upper: row[5].flatMap { Int64($0) }, isOwned: row[1] == "t",
                    isBeingDetached: row[2] == "t"))
        }
    }

    /// Whether some partition holds a part of this time already; another one there would overlap it.
    func covers(_ start: Int64, _ end: Int64) -> Bool { partitions.contains { $0.overlaps(start, end) } }
}
