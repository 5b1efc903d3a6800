import CopyFormat
import Mapping
import PostgreSQL
import Store

/// Consecutive deliveries of one session that a batch covers.
struct DeliveryRun: Equatable {
    /// The session's place in its shard.
    var session: Int
    /// Sequence numbers in the session's ledger.
    var deliveries: Range<UInt64>
}

/// What one transaction carries: a COPY buffer for each target table, one for dead letters, and the deliveries that are durable once it has committed.
///
/// A shard owns two. It fills the open one on its event loop and hands it whole to the writer thread, which hands it whole back.
final class Batch: @unchecked Sendable {
    // @unchecked: one side owns it at a time; it changes hands only through the writer's mailbox and the event loop's queue, which order the accesses.

    /// One for each of the plan's targets.
    private let statements: [CopyStatement]
    /// Beside it, its rows.
    let tables: UnsafeMutablePointer<CopyBuffer>
    let tableCount: Int
    /// Dead letters; behind a pointer like the tables, since both go into one transaction.
    let letters: UnsafeMutablePointer<CopyBuffer>
    private(set) var runs: [DeliveryRun] = []
    /// Messages taken in, QoS 0 included.
    var messageCount = 0
    /// Bytes of payload and topic taken in: with the COPY buffers, what bounds the batch.
    var messageBytes = 0

    init(plan: MappingPlan) {
        statements = plan.targets.map { CopyStatement(table: $0.table, columns: $0.columns.map(\.name)) }
        tableCount = plan.targets.count
        letters = .allocate(capacity: 1)
        letters.initialize(to: CopyBuffer(capacity: 4096))
        tables = .allocate(capacity: max(tableCount, 1))
        for index in 0..<tableCount { (tables + index).initialize(to: CopyBuffer(capacity: 16 * 1024)) }
    }

    deinit {
        tables.deinitialize(count: tableCount)
        tables.deallocate()
        letters.deinitialize(count: 1)
        letters.deallocate()
    }

    /// Bytes in all COPY buffers.
    var copyBytes: Int {
        var sum = letters.pointee.count
        for index in 0..<tableCount { sum += tables[index].count }
        return sum
    }

    /// Rows and letters that the transaction would write.
    var rowCount: Int {
        var sum = letters.pointee.rowCount
        for index in 0..<tableCount { sum += tables[index].rowCount }
        return sum
    }

    /// Whether there is nothing to commit and nothing to settle.
    var isEmpty: Bool { messageCount == 0 && runs.isEmpty }

    /// Notes that the batch covers a delivery; those of one session come in order, so most of them extend the last run.
    func cover(_ delivery: UInt64, of session: Int) {
        if let last = runs.indices.last, runs[last].session == session, runs[last].deliveries.upperBound == delivery {
            runs[last].deliveries = runs[last].deliveries.lowerBound..<delivery + 1
        } else {
            runs.append(DeliveryRun(session: session, deliveries: delivery..<delivery + 1))
        }
    }

    /// Ends the streams of rows; nothing is appended after it, and the batch may be written any number of times.
    func seal() {
        for index in 0..<tableCount where !tables[index].isEmpty { tables[index].finish() }
        if !letters.pointee.isEmpty { letters.pointee.finish() }
    }

    /// The COPYs of the transaction: every table with rows, and the dead letters.
    var copies: [(statement: CopyStatement, buffer: UnsafePointer<CopyBuffer>)] {
        var copies: [(statement: CopyStatement, buffer: UnsafePointer<CopyBuffer>)] = []
        for index in 0..<tableCount where !tables[index].isEmpty { copies.append((statements[index], UnsafePointer(tables + index))) }
        if !letters.pointee.isEmpty { copies.append((DeadLetterCopy.statement, UnsafePointer(letters))) }
        return copies
    }

    /// Empties it for the next transaction; memory beyond `limit` bytes a buffer is given back.
    func reset(keepingCapacityUpTo limit: Int) {
        for index in 0..<tableCount { tables[index].removeAll(keepingCapacityUpTo: limit) }
        letters.pointee.removeAll(keepingCapacityUpTo: min(limit, 1 << 20))
        runs.removeAll(keepingCapacity: true)
        messageCount = 0
        messageBytes = 0
    }
}
