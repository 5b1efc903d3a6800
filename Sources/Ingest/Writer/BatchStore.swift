import PostgreSQL
import Store

/// Where a writer puts its batches. Calls block; one thread makes them.
protocol BatchStore: AnyObject {
    /// Opens a connection, in place of one that is there.
    func connect() throws(PostgreSQLError)

    /// Stores a batch in one transaction that counts it as `number` in the writer's row. What the database refuses of it for good becomes dead
    /// letters in the same transaction.
    func commit(_ batch: Batch, as row: WriterRow, number: Int64) -> CommitOutcome

    /// The number of the last batch in the writer's row, for certain and as durable as any commit; nil when there is no such row.
    ///
    /// - Throws: also when it is not durable yet, since no synchronous standby has it.
    func confirmedBatchNumber(of row: WriterRow) throws(PostgreSQLError) -> Int64?

    /// Whether the connection stands, as far as is known.
    var isConnected: Bool { get }
}

/// How a try to commit a batch ended.
enum CommitOutcome {
    case committed
    /// Nothing of it is in the database; the same again, later.
    case rolledBack(PostgreSQLError)
    /// It may be in or not, or in on the primary alone: the writer's row has to tell.
    case unknown(PostgreSQLError)
    /// The writer's row does not stand where it should.
    case refusedByRow
}
