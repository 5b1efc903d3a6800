import CopyFormat
import Mapping
import PostgreSQL
import Store

/// The partitions to which rows of a batch belong and that may not be there.
struct MissingPartitions {
    let table: TableDefinition
    private let target: Int
    private let batch: Batch
    private let maker: PartitionMaker
    private let needs: PartitionNeeds

    /// Nil where the target's table has none.
    init?(of target: Int, _ batch: Batch) {
        let destination = batch.plan.targets[target]
        guard let table = batch.plan.tables.first(where: { $0.name == destination.table }), let maker = PartitionMaker(table),
            let needs = PartitionNeeds(destination)
        else { return nil }
        self.target = target
        self.batch = batch
        self.table = table
        self.maker = maker
        self.needs = needs
    }

    /// When the partitions begin that the rows need.
    private var starts: Set<Int64> {
        var needs = needs
        guard !batch.refusals.isEmpty else {
            // As it mostly is: one look at the whole buffer.
            needs.add(batch.tables[target].bytes(0..<batch.tables[target].count))
            return needs.starts
        }
        for (_, rows) in UnitRows(batch).units(of: target) { needs.add(rows) }
        return needs.starts
    }

    /// What was made; rows of the others are refused for now.
    struct Outcome {
        var made: [String] = []
        /// There are more than may be made at once.
        var isPartial = false
        /// Why partitions cannot be made.
        var reason: ServerError?
    }

    /// Makes them, outside of any transaction, the newest ones first. Units with rows of the others become letters of stage `table`, which are brought in later.
    ///
    /// What is older than the table keeps gets none: such rows are refused one by one.
    /// - Throws: what passes: the same again, later.
    func make(
        atMost maximum: Int, lockTimeoutMilliseconds: Int, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> Outcome {
        var outcome = Outcome()
        let lacking = try maker.lacking(starts, connection)
        let first = Set(lacking.sorted().suffix(maximum))
        do throws(PostgreSQLError) {
            outcome.made = try maker.make(forRowsIn: first, lockTimeoutMilliseconds: lockTimeoutMilliseconds, connection)
            outcome.isPartial = refuse(
                lacking.subtracting(first), sqlState: "23514",
                "its partition is not there yet: \(lacking.count) were missing at once, and they are made in turn")
        } catch {
            guard case .server(let reason) = error, reason.classification != .passing || reason.sqlState == ServerError.outOfLocks else {
                throw error
            }
            outcome.reason = reason
            _ = refuse(
                try maker.lacking(first, connection).union(lacking.subtracting(first)), sqlState: reason.sqlState,
                "its partition cannot be made: \(reason)")
        }
        return outcome
    }

    /// Holds back units whose rows would take one transaction to more partitions than that: the server locks each with all its indexes, and when its table of
    /// locks is full, nobody can do anything. The newest rows stay.
    /// - Returns: whether there are some.
    func refuse(beyond limit: Int) -> Bool {
        let starts = starts
        guard starts.count > limit else { return false }
        return refuse(
            Set(starts.sorted().prefix(starts.count - limit)), sqlState: "53200",
            "rows for \(starts.count) partitions came at once, and \(limit) are the most for one transaction: the older ones are brought in in turn"
        )
    }

    /// Whether the rows belong to more partitions than that.
    func reaches(beyond limit: Int) -> Bool { batch.tables[target].rowCount > limit && starts.count > limit }

    /// Refuses, for good, the rows of a message that reaches beyond that by itself.
    func refuseAlone(beyond limit: Int) {
        guard reaches(beyond: limit) else { return }
        let starts = starts
        _ = refuse(
            starts, stage: .row, sqlState: ServerError.outOfLocks,
            "it has rows for \(starts.count) partitions, and \(limit) are the most for one transaction: raise max_locks_per_transaction, or make the partitions larger"
        )
    }

    private func refuse(_ starts: Set<Int64>, stage: DeadLetterStage = .table, sqlState: String, _ reason: String) -> Bool {
        guard !starts.isEmpty else { return false }
        var refused: Set<Int> = []
        for (unit, rows) in UnitRows(batch).units(of: target) {
            var needs = needs
            needs.add(rows)
            if !needs.starts.isDisjoint(with: starts) { refused.insert(unit) }
        }
        for unit in refused { batch.refusals[unit] = Refusal(stage: stage, sqlState: sqlState, column: nil, error: reason) }
        return !refused.isEmpty
    }

    /// How many partitions rows of one transaction may belong to, so that they take no more than an eighth of the server's table of locks, at four
    /// relations each.
    static func limit(_ connection: borrowing Connection) throws(PostgreSQLError) -> Int {
        let slots =
            try connection.query(
                """
                SELECT current_setting('max_locks_per_transaction')::bigint
                  * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint)
                """
            ).first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 6400
        return max(slots / 32, 16)
    }

    /// The statements that would make them.
    func statements(_ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        try maker.statements(forRowsIn: starts, connection)
    }
}
