import Mapping
import PostgreSQL

/// One look at all divided tables: partitions are made ahead, and dropped where all they hold is too old. One process at a time drops.
public struct PartitionRound: Sendable {
    public var made: [String] = []
    public var dropped: [String] = []
    /// By table: what could not be done, and why.
    public var problems: [(table: String, reason: String)] = []
    /// By table: what stays although it is old, and why.
    public var left: [(table: String, reason: String)] = []
    /// Tables whose partitions somebody uses just now: they are made or dropped later.
    public var deferred: [String] = []
    /// Another process was at it, so nothing was dropped here.
    public var wasTaken = false

    /// The lock of the round, as `pg_locks` has it.
    public static let lockName = "pg_locks: locktype advisory, classid \(PartitionMaker.lockSpace), objid 0"
    /// With more of them each plan and each commit pays.
    public static let partitionsMany = 10_000
    /// How long to wait for a lock where nobody waits behind us.
    private static let lockTimeoutMilliseconds = 5000
    /// The same where everybody does.
    private static let briefLockTimeoutMilliseconds = 200

    /// - Parameters:
    ///   - tables: those without partitions are passed over.
    ///   - connection: without a transaction, and to the server itself: a pooler of transactions would keep the lock of the round.
    public init(of tables: [TableDefinition], _ connection: borrowing Connection) throws(PostgreSQLError) {
        try self.init(of: tables, processNow: nil, many: Self.partitionsMany, connection)
    }

    /// - Parameter processNow: this machine's clock, microseconds since 1970.
    init(of tables: [TableDefinition], processNow: Int64?, many: Int = partitionsMany, _ connection: borrowing Connection)
        throws(PostgreSQLError)
    {
        let tables = tables.filter { $0.partition != nil }
        guard !tables.isEmpty else { return }
        let clock = try PartitionClock(process: processNow, connection)
        // Any number of processes may make them at once, so this waits for no round of another one.
        for table in tables { try makeAhead(table, clock, many, connection) }

        let lock = "\(PartitionMaker.lockSpace), 0"
        guard try connection.query("SELECT pg_try_advisory_lock(\(lock))").first?.first == "t" else {
            wasTaken = true
            return
        }
        defer { try? connection.execute("RESET lock_timeout; SELECT pg_advisory_unlock(\(lock))") }
        try connection.execute("SET lock_timeout = \(Self.lockTimeoutMilliseconds)")
        for table in tables {
            if let reason = clock.disagreement {
                if table.retention != nil { problems.append((table.name, reason)) }
            } else if table.partition?.with == .native {
                try attempt(table, connection) { (round, connection) throws(PostgreSQLError) in try round.retain(table, clock, connection) }
            } else {
                try attempt(table, connection) { (round, connection) throws(PostgreSQLError) in
                    try round.dropOldChunks(table, clock, connection)
                }
            }
        }
    }

    /// What a round would run on partitions that are too old, and why it leaves others.
    public static func removals(
        of table: TableDefinition, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> (statements: [String], remarks: [String]) {
        let clock = try PartitionClock(connection)
        if let reason = clock.disagreement { return ([], table.retention == nil ? [] : [reason]) }
        guard let (retention, list) = try retention(of: table, clock, connection) else { return ([], []) }
        let name = list.parent?.qualifiedName ?? quoteQualified(table.name)
        var statements: [String] = []
        var remarks: [String] = []
        for step in retention.steps {
            switch step {
            case .drop(let partition): statements.append("DROP TABLE \(partition)")
            case .attachAgain(let partition, let mark): statements.append(attachment(of: partition, to: name, mark))
            case .remove(let partition, _):
                let isConcurrent = detachesConcurrently(list, connection)
                statements += [
                    "ALTER TABLE \(name) DETACH PARTITION \(partition)\(isConcurrent ? " CONCURRENTLY" : "")", "DROP TABLE \(partition)",
                ]
            case .finishRemoving(let partition, _):
                statements += ["ALTER TABLE \(name) DETACH PARTITION \(partition) FINALIZE", "DROP TABLE \(partition)"]
            case .takeBack(let partition, let mark):
                statements += ["ALTER TABLE \(name) DETACH PARTITION \(partition) FINALIZE", attachment(of: partition, to: name, mark)]
            case .unmark: break
            case .leave(let reason), .complain(let reason): remarks.append(reason)
            }
        }
        return (statements, remarks)
    }

    // MARK: Ahead

    private mutating func makeAhead(
        _ table: TableDefinition, _ clock: PartitionClock, _ many: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) {
        guard let maker = PartitionMaker(table) else { return }
        try attempt(table, connection) { (round, connection) throws(PostgreSQLError) in
            let outcome = try maker.make(maker.starts(ahead: clock.database), upTo: .max, Self.lockTimeoutMilliseconds, connection)
            round.made += outcome.made
            if let refusal = outcome.refusal { round.problems.append((table.name, "partitions ahead cannot be made: \(refusal)")) }
            let count = try connection.query(
                "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass($1)", [quoteQualified(table.name)])
            if let count = count.first?.first.flatMap({ $0 }).flatMap({ Int($0) }), count >= many {
                round.problems.append(
                    (
                        table.name,
                        "it has \(many) partitions or more, which makes everything slow: divide it by something longer, or set a retention"
                    ))
            }
        }
    }

    /// What goes wrong with one table or partition is no matter of the others.
    /// - Returns: false where nothing more of this table is to be tried now.
    @discardableResult
    private mutating func attempt(
        _ table: TableDefinition, _ connection: borrowing Connection,
        _ body: (inout Self, borrowing Connection) throws(PostgreSQLError) -> Void
    ) throws(PostgreSQLError) -> Bool {
        do throws(PostgreSQLError) {
            try body(&self, connection)
            return true
        } catch {
            guard case .server(let reason) = error, connection.isOpen else { throw error }
            if reason.isOfTheMoment {
                if !deferred.contains(table.name) { deferred.append(table.name) }
                return false
            }
            problems.append((table.name, "\(reason)"))
            return true
        }
    }

    // MARK: Retention

    private static func retention(
        of table: TableDefinition, _ clock: PartitionClock, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> (PartitionRetention, PartitionList)? {
        guard let partition = table.partition, partition.with == .native else { return nil }
        let list = try PartitionList(of: table.name, connection)
        let retention = PartitionRetention(
            of: table, every: partition.every, limit: try clock.oldest(of: table, connection), list,
            detached: try PartitionRetention.detached(from: table, connection))
        return (retention, list)
    }

    private mutating func retain(
        _ table: TableDefinition, _ clock: PartitionClock, _ connection: borrowing Connection
    ) throws(PostgreSQLError) {
        guard let (retention, list) = try Self.retention(of: table, clock, connection) else { return }
        let isConcurrent = Self.detachesConcurrently(list, connection)
        let name = list.parent?.qualifiedName ?? quoteQualified(table.name)
        for step in retention.steps {
            let goesOn = try attempt(table, connection) { (round, connection) throws(PostgreSQLError) in
                switch step {
                case .drop(let partition): try round.drop(partition, connection)
                case .attachAgain(let partition, let mark):
                    try Self.transaction(
                        [Self.attachment(of: partition, to: name, mark), Self.comment(on: partition, mark, .made)], connection)
                case .remove(let partition, let mark) where isConcurrent: try round.remove(partition, of: name, mark, connection)
                case .remove(let partition, let mark):
                    try round.removeAtOnce(
                        partition, mark, by: "ALTER TABLE \(name) DETACH PARTITION \(partition)", Self.briefLockTimeoutMilliseconds,
                        connection)
                case .finishRemoving(let partition, let mark):
                    try round.removeAtOnce(
                        partition, mark, by: "ALTER TABLE \(name) DETACH PARTITION \(partition) FINALIZE", Self.lockTimeoutMilliseconds,
                        connection)
                case .takeBack(let partition, let mark):
                    try Self.transaction(
                        [
                            "ALTER TABLE \(name) DETACH PARTITION \(partition) FINALIZE", Self.attachment(of: partition, to: name, mark),
                            Self.comment(on: partition, mark, .made),
                        ], connection)
                case .unmark(let partition, let mark): try connection.execute(Self.comment(on: partition, mark, .made))
                case .leave(let reason): round.left.append((table.name, reason))
                case .complain(let reason): round.problems.append((table.name, reason))
                }
            }
            guard goesOn else { return }
        }
    }

    /// Where there is a default partition PostgreSQL detaches only while nobody reads or writes.
    private static func detachesConcurrently(_ list: PartitionList, _ connection: borrowing Connection) -> Bool {
        connection.serverVersion >= 140_000 && !list.hasDefault
    }

    /// Detaches without a lock that anyone waits for, and drops. What is interrupted is known by its comment.
    private mutating func remove(
        _ partition: String, of table: String, _ mark: PartitionMark, _ connection: borrowing Connection
    ) throws(PostgreSQLError) {
        try connection.execute(Self.comment(on: partition, mark, .detaching))
        try connection.execute("ALTER TABLE \(table) DETACH PARTITION \(partition) CONCURRENTLY")
        do throws(PostgreSQLError) { try drop(partition, connection) } catch {
            try? connection.execute(Self.comment(on: partition, mark, .dropping))
            throw error
        }
    }

    /// Detaches and drops in one transaction. What cannot be dropped (a view needs it) is detached all the same.
    private mutating func removeAtOnce(
        _ partition: String, _ mark: PartitionMark, by detach: String, _ lockTimeoutMilliseconds: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) {
        do throws(PostgreSQLError) {
            // In one go: others may wait for what this locks.
            try connection.execute(
                "BEGIN; SET LOCAL lock_timeout = \(lockTimeoutMilliseconds); \(detach); SAVEPOINT detached; DROP TABLE \(partition); COMMIT"
            )
            dropped.append(partition)
        } catch {
            do throws(PostgreSQLError) {
                try connection.execute("ROLLBACK TO detached; \(Self.comment(on: partition, mark, .dropping)); COMMIT")
            } catch {
                try? connection.execute("ROLLBACK")
            }
            throw error
        }
    }

    private mutating func drop(_ partition: String, _ connection: borrowing Connection) throws(PostgreSQLError) {
        try connection.execute("DROP TABLE \(partition)")
        dropped.append(partition)
    }

    private static func transaction(_ statements: [String], _ connection: borrowing Connection) throws(PostgreSQLError) {
        do throws(PostgreSQLError) {
            try connection.execute("BEGIN; " + statements.joined(separator: "; ") + "; COMMIT")
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    private static func attachment(of partition: String, to table: String, _ mark: PartitionMark) -> String {
        TableDefinition.attachment(of: partition, to: table, from: mark.lower, until: mark.upper)
    }

    private static func comment(on partition: String, _ mark: PartitionMark, _ state: PartitionMark.State) -> String {
        var mark = mark
        mark.state = state
        return "COMMENT ON TABLE \(partition) IS\(quoteLiteral(mark.text))"
    }

    /// A hypertable of TimescaleDB makes its chunks itself.
    private mutating func dropOldChunks(
        _ table: TableDefinition, _ clock: PartitionClock, _ connection: borrowing Connection
    ) throws(PostgreSQLError) {
        guard let retention = table.retention else { return }
        // Counted from the database's clock, so that much longer where that is ahead of this machine's.
        let chunks = try connection.query(
            "SELECT drop_chunks($1::regclass, older_than => $2::interval + $3::bigint * interval '1 microsecond')::text",
            [quoteQualified(table.name), retention.description, String(max(clock.database - clock.process, 0))])
        dropped += chunks.compactMap { $0[0] }
    }
}
