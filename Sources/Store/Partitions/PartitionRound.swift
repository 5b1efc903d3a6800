import Mapping
import PostgreSQL

/// One look at all divided tables: partitions are made ahead, and dropped where all they hold is too old. One process at a time does it.
public struct PartitionRound: Sendable {
    public var made: [String] = []
    public var dropped: [String] = []
    /// By table: what could not be done, and why.
    public var problems: [(table: String, reason: String)] = []
    /// Tables whose old partitions somebody still reads: they go later.
    public var deferred: [String] = []
    /// Another process was at it.
    public var wasTaken = false

    /// - Parameters:
    ///   - tables: those without partitions are passed over.
    ///   - connection: without a transaction.
    public init(of tables: [TableDefinition], _ connection: borrowing Connection) throws(PostgreSQLError) {
        let tables = tables.filter { $0.partition != nil }
        guard !tables.isEmpty else { return }
        let lock = "\(PartitionMaker.lockSpace), 0"
        guard try connection.query("SELECT pg_try_advisory_lock(\(lock))").first?.first == "t" else {
            wasTaken = true
            return
        }
        defer { try? connection.execute("SELECT pg_advisory_unlock(\(lock))") }
        let now = Int64(try connection.query("SELECT (extract(epoch FROM now()) * 1000000)::bigint").first?.first.flatMap { $0 } ?? "") ?? 0
        for table in tables {
            do throws(PostgreSQLError) {
                if let maker = PartitionMaker(table) {
                    made += try maker.make(startingAt: maker.starts(ahead: now), lockTimeoutMilliseconds: 5000, connection)
                    try dropOld(table, connection)
                } else {
                    try dropOldChunks(table, connection)
                }
            } catch {
                guard case .server(let reason) = error, connection.isOpen else { throw error }
                if reason.sqlState == Self.lockNotAvailable {
                    deferred.append(table.name)
                    continue
                }
                problems.append((table.name, "\(reason)"))
            }
        }
    }

    private static let lockNotAvailable = "55P03"

    /// Detaches what is too old without a lock that anyone waits for, and drops it. What was interrupted is ended by a later round.
    private mutating func dropOld(_ table: TableDefinition, _ connection: borrowing Connection) throws(PostgreSQLError) {
        let name = quoteQualified(table.name)
        try connection.execute("SET lock_timeout = '5s'")
        for orphan in try orphans(of: table, connection) { try drop(orphan, connection) }
        guard let retention = table.retention else { return }
        let limit = try PartitionMaker.oldest(of: table, connection)
        let list = try PartitionList(of: table.name, connection)
        for partition in list.partitions where (partition.upper ?? .max) <= limit {
            guard partition.isOwned else {
                problems.append((table.name, "\(partition.name) is older than \(retention), but another role owns it"))
                continue
            }
            // From here on it is known as one to drop, also after a crash.
            try connection.execute("COMMENT ON TABLE \(partition.name) IS\(quoteLiteral(Self.mark(of: table)))")
            if partition.isBeingDetached {
                try connection.execute("ALTER TABLE \(name) DETACH PARTITION \(partition.name) FINALIZE")
            } else if connection.serverVersion >= 140_000, !list.hasDefault {
                try connection.execute("ALTER TABLE \(name) DETACH PARTITION \(partition.name) CONCURRENTLY")
            } else {
                try connection.execute("ALTER TABLE \(name) DETACH PARTITION \(partition.name)")
            }
            try drop(partition.name, connection)
        }
    }

    private mutating func drop(_ partition: String, _ connection: borrowing Connection) throws(PostgreSQLError) {
        try connection.execute("DROP TABLE \(partition)")
        dropped.append(partition)
    }

    private static func mark(of table: TableDefinition) -> String { "penstock: too old for \(table.name), to be dropped" }

    /// Detached, and not dropped since something came between.
    private func orphans(of table: TableDefinition, _ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        try connection.query(
            """
            SELECT c.oid::regclass::text FROM pg_class AS c
            WHERE c.relkind = 'r' AND NOT c.relispartition AND pg_has_role(c.relowner, 'USAGE')
              AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass($1))
              AND obj_description(c.oid, 'pg_class') = $2
            """, [quoteQualified(table.name), Self.mark(of: table)]
        ).compactMap { $0[0] }
    }

    /// A hypertable of TimescaleDB makes its chunks itself.
    private mutating func dropOldChunks(_ table: TableDefinition, _ connection: borrowing Connection) throws(PostgreSQLError) {
        guard let retention = table.retention else { return }
        let chunks = try connection.query(
            "SELECT drop_chunks($1::regclass, older_than => $2::interval)::text", [quoteQualified(table.name), retention.description])
        dropped += chunks.compactMap { $0[0] }
    }
}
