import Mapping
import PostgreSQL

/// Makes partitions of a table, a few in each transaction. Any number of processes may do so at the same time.
public struct PartitionMaker {
    /// Rows get no more partitions once their table has so many: clocks gone wrong must not fill the catalog. Those ahead of now are always made.
    public static let rowPartitionsMaximum = 2000
    /// "Penstock" as the first key of our advisory locks.
    static let lockSpace = 0x50656E
    /// Each takes a few entries of the server's table of locks until the transaction ends.
    private static let together = 20

    let table: TableDefinition
    let partition: PartitionSyntax
    var rowMaximum = Self.rowPartitionsMaximum

    /// What rows got of the partitions that they need.
    public struct Outcome: Sendable {
        /// The names of those that were made.
        public var made: [String] = []
        /// How many are lacking still: they were too many at once, or the table is full, or the database refused them.
        public var lacking = 0
        /// The table has as many as rows may make.
        public var isFull = false
        /// What the database says to the first that cannot be made; the others are made all the same.
        public var refusal: ServerError?
    }

    /// Nil for a table that has no partitions of PostgreSQL's own.
    public init?(_ table: TableDefinition) {
        guard let partition = table.partition, partition.with == .native else { return nil }
        self.table = table
        self.partition = partition
    }

    /// Makes those that are missing; where others hold a part of their time, what is left of it.
    /// - Parameters:
    ///   - starts: when they begin, microseconds since 1970.
    ///   - lockTimeoutMilliseconds: how long to wait for somebody who changes the table, each time.
    /// - Returns: the names of those that were made.
    /// - Throws: what the database says to the first that cannot be made; the others are made.
    public func make(
        startingAt starts: [Int64], lockTimeoutMilliseconds: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> [String] {
        let outcome = try make(starts, upTo: .max, lockTimeoutMilliseconds, connection)
        if let refusal = outcome.refusal { throw .server(refusal) }
        return outcome.made
    }

    /// Makes what rows need, except for partitions that would be too old at once, and for those beyond `rowPartitionsMaximum`.
    /// - Parameters: as of `make(startingAt:…)`.
    public func make(
        forRowsIn starts: Set<Int64>, lockTimeoutMilliseconds: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> [String] {
        let outcome = try make(kept(of: starts, connection), upTo: rowMaximum, lockTimeoutMilliseconds, connection)
        if let refusal = outcome.refusal { throw .server(refusal) }
        return outcome.made
    }

    /// Makes some of what rows need, the earliest first, in one transaction.
    /// - Parameters:
    ///   - atMost: how many are made.
    ///   - lockTimeoutMilliseconds: as of `make(startingAt:…)`.
    public func make(
        forRowsIn starts: Set<Int64>, atMost: Int, lockTimeoutMilliseconds: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> Outcome {
        let starts = try kept(of: starts, connection)
        guard !starts.isEmpty else { return Outcome() }
        return try makeTogether(starts, atMost: atMost, upTo: rowMaximum, lockTimeoutMilliseconds, connection)
    }

    /// What `make(forRowsIn:…)` would run.
    public func statements(forRowsIn starts: Set<Int64>, _ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        try statements(startingAt: kept(of: starts, connection), upTo: rowMaximum, connection)
    }

    /// What would make partitions ahead of now: for a table that is not there yet, too.
    /// - Parameter now: microseconds since 1970.
    public func statements(ahead now: Int64, _ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        try statements(startingAt: starts(ahead: now), upTo: .max, connection)
    }

    private func statements(
        startingAt starts: [Int64], upTo maximum: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> [String] {
        let list = try PartitionList(of: table.name, connection)
        return gaps(in: list, starts).prefix(max(maximum - list.partitions.count, 0))
            .flatMap { table.newPartition(of: $0, every: partition.every, in: list.parent).statements }
    }

    // MARK: Making

    func make(
        _ starts: [Int64], upTo maximum: Int, _ lockTimeoutMilliseconds: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> Outcome {
        var outcome = Outcome()
        guard !starts.isEmpty else { return outcome }
        let list = try PartitionList(of: table.name, connection)
        var rest = starts.filter { !gaps(in: list, [$0]).isEmpty }[...]
        while !rest.isEmpty {
            let some = try makeTogether(Array(rest.prefix(Self.together)), atMost: .max, upTo: maximum, lockTimeoutMilliseconds, connection)
            rest = rest.dropFirst(Self.together)
            outcome.made += some.made
            outcome.lacking += some.lacking
            outcome.refusal = outcome.refusal ?? some.refusal
            outcome.isFull = some.isFull
            if some.isFull {
                outcome.lacking += rest.count
                break
            }
        }
        return outcome
    }

    /// One transaction; what is there already is listed once in it.
    private func makeTogether(
        _ starts: [Int64], atMost: Int, upTo maximum: Int, _ lockTimeoutMilliseconds: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> Outcome {
        var outcome = Outcome()
        do throws(PostgreSQLError) {
            try connection.execute("BEGIN; SET LOCAL lock_timeout = \(lockTimeoutMilliseconds); \(PartitionList.settings)")
            // One process at a time; the others find it made.
            try connection.execute("SELECT pg_advisory_xact_lock(\(Self.lockSpace), hashtext(\(quoteLiteral(table.name))))")
            let list = try PartitionList(inTransaction: connection, of: table.name)
            let gaps = gaps(in: list, starts)
            let room = max(maximum - list.partitions.count, 0)
            outcome.isFull = gaps.count > room
            // As the owner: a role that merely may do as the owner does would own what it makes, and the owner could not change the table any more.
            if let role = list.parent?.role { try connection.execute("SET LOCAL ROLE \(role)") }
            for gap in gaps.prefix(min(atMost, room)) {
                let new = table.newPartition(of: gap, every: partition.every, in: list.parent)
                do throws(PostgreSQLError) {
                    try connection.execute("SAVEPOINT one; " + new.statements.joined(separator: "; ") + "; RELEASE one")
                    outcome.made.append(new.name)
                } catch {
                    guard case .server(let refusal) = error, refusal.isOfOnePartition, connection.isOpen else { throw error }
                    try connection.execute("ROLLBACK TO one; RELEASE one")
                    outcome.refusal = outcome.refusal ?? refusal
                }
            }
            outcome.lacking = gaps.count - outcome.made.count
            try connection.execute("COMMIT")
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
        return outcome
    }

    /// What is not there yet, in the order of time. A default partition takes all that no other one does.
    func gaps(in list: PartitionList, _ starts: [Int64]) -> [Range<Int64>] {
        guard !list.hasDefault else { return [] }
        return Set(starts).sorted().flatMap { list.gaps(in: $0..<partition.every.end(from: $0)) }
    }

    func kept(of starts: Set<Int64>, _ connection: borrowing Connection) throws(PostgreSQLError) -> [Int64] {
        let oldest = table.retention == nil ? .min : try PartitionClock(connection).oldest(of: table, connection)
        return starts.filter { partition.every.end(from: $0) > oldest }.sorted()
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

extension ServerError {
    /// Not of the moment, and not of the table as a whole: another partition may well be made.
    fileprivate var isOfOnePartition: Bool { !isOfTheMoment && classification != .passing }

    /// Somebody held what was needed for longer than `lock_timeout` or `statement_timeout`.
    var isOfTheMoment: Bool { sqlState == "55P03" || sqlState == "57014" }
}
