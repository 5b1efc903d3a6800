import Mapping
import PostgreSQL

/// Makes partitions of a table, one transaction each. Any number of processes may do so at the same time.
public struct PartitionMaker {
    /// More partitions than these are made for no row: a clock gone wrong must not fill the catalog.
    public static let partitionsMaximum = 4000
    /// "Penstock" as the first key of our advisory locks.
    static let lockSpace = 0x50656E

    let table: TableDefinition
    let partition: PartitionSyntax

    /// Nil for a table that has no partitions of PostgreSQL's own.
    public init?(_ table: TableDefinition) {
        guard let partition = table.partition, partition.with == .native else { return nil }
        self.table = table
        self.partition = partition
    }

    /// Makes those that are missing.
    /// - Parameters:
    ///   - starts: when they begin, microseconds since 1970.
    ///   - lockTimeoutMilliseconds: how long to wait for somebody who changes the table, per partition.
    /// - Returns: the names of those that were made.
    /// - Throws: what the database says to the first that cannot be made; those before it stay.
    public func make(
        startingAt starts: [Int64], lockTimeoutMilliseconds: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> [String] {
        var made: [String] = []
        var existing = try PartitionList(of: table.name, connection)
        guard !existing.hasDefault else { return [] }
        for start in Set(starts).sorted() {
            let end = partition.every.end(from: start)
            guard !existing.covers(start, end), existing.partitions.count < Self.partitionsMaximum else { continue }
            let new = table.newPartition(from: start, every: partition.every)
            do throws(PostgreSQLError) {
                try connection.execute("BEGIN; SET LOCAL lock_timeout = \(lockTimeoutMilliseconds)")
                // One process at a time; the others find it made.
                try connection.execute("SELECT pg_advisory_xact_lock(\(Self.lockSpace), hashtext(\(quoteLiteral(table.name))))")
                existing = try PartitionList(of: table.name, connection)
                if !existing.covers(start, end) {
                    for statement in new.statements { try connection.execute(statement) }
                    made.append(new.name)
                    existing = try PartitionList(of: table.name, connection)
                }
                try connection.execute("COMMIT")
            } catch {
                try? connection.execute("ROLLBACK")
                throw error
            }
        }
        return made
    }

    /// Makes what rows need, except for partitions that would be too old at once.
    /// - Parameters: as of `make(startingAt:…)`.
    public func make(
        forRowsIn starts: Set<Int64>, lockTimeoutMilliseconds: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> [String] {
        try make(startingAt: kept(of: starts, connection), lockTimeoutMilliseconds: lockTimeoutMilliseconds, connection)
    }

    /// What `make(forRowsIn:…)` would run.
    public func statements(forRowsIn starts: Set<Int64>, _ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        try statements(startingAt: kept(of: starts, connection), connection)
    }

    /// What would make partitions ahead of now: for a table that is not there yet, too.
    /// - Parameter now: microseconds since 1970.
    public func statements(ahead now: Int64, _ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        try statements(startingAt: starts(ahead: now), connection)
    }

    private func statements(startingAt starts: [Int64], _ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        let existing = try PartitionList(of: table.name, connection)
        guard !existing.hasDefault else { return [] }
        return starts.sorted().filter { !existing.covers($0, partition.every.end(from: $0)) }
            .prefix(max(Self.partitionsMaximum - existing.partitions.count, 0))
            .flatMap { table.newPartition(from: $0, every: partition.every).statements }
    }

    private func kept(of starts: Set<Int64>, _ connection: borrowing Connection) throws(PostgreSQLError) -> [Int64] {
        let oldest = try PartitionMaker.oldest(of: table, connection)
        return starts.filter { partition.every.end(from: $0) > oldest }.sorted()
    }

    /// What ended before is too old for the table, microseconds since 1970.
    static func oldest(of table: TableDefinition, _ connection: borrowing Connection) throws(PostgreSQLError) -> Int64 {
        guard let retention = table.retention else { return .min }
        let rows = try connection.query(
            "SELECT (extract(epoch FROM (now() AT TIME ZONE 'UTC' - $1::interval) AT TIME ZONE 'UTC') * 1000000)::bigint",
            [retention.description])
        return rows.first?.first.flatMap { $0 }.flatMap { Int64($0) } ?? .min
    }

    /// The partitions that rows of now need, up to `range`'s end and one further: microseconds since 1970.
    func starts(ahead now: Int64) -> [Int64] {
        var starts: [Int64] = []
        var start = partition.every.start(of: now)
        let horizon = partition.every.end(from: partition.every.start(of: now + Self.aheadMicroseconds))
        while start <= horizon {
            starts.append(start)
            start = partition.every.end(from: start)
        }
        return starts
    }

    /// How far ahead of now rows are taken.
    static let aheadMicroseconds: Int64 = 86_400_000_000
}
