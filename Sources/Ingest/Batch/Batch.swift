import CopyFormat
import Mapping
import Store

/// Consecutive deliveries of one session that a batch covers.
struct DeliveryRun: Equatable {
    /// The session's number in the pool.
    var session: Int
    /// Sequence numbers in the session's ledger.
    var deliveries: Range<UInt64>
}

/// What the database is to know of a session, and which of the session's wishes that fulfils.
struct SessionEntry: Equatable {
    /// The session's number in the pool.
    var session: Int
    var revision: UInt64
    /// Which state of the subscriptions the database knows with it.
    var subscriptionsRevision: Int
    var record: SessionRecord
}

/// What one transaction carries: rows for each target table, dead letters, the state of sessions, and the deliveries that are durable once it has
/// committed.
///
/// A shard owns two. It fills the open one on its event loop and hands it whole to the writer thread, which hands it whole back.
final class Batch: @unchecked Sendable {
    // @unchecked: one side owns it at a time; it changes hands only through the writer's mailbox and the event loop's queue, which order the accesses.

    let plan: MappingPlan
    /// One for each of the plan's targets.
    let tables: UnsafeMutablePointer<CopyBuffer>
    /// Messages that could not be decoded.
    let letters: UnsafeMutablePointer<CopyBuffer>
    /// Which rows belong together.
    let units: UnsafeMutablePointer<RowUnits>
    /// The messages behind the rows.
    let messages: UnsafeMutablePointer<MessageLog>
    private(set) var runs: [DeliveryRun] = []
    /// At most one for each session.
    var sessions: [SessionEntry] = []
    /// What is told to senders of messages that could not become rows, once that is durable.
    var reports: [ErrorReport] = []
    /// Birth certificates among the messages, the last one of each node and device.
    private(set) var births: [StoredBirth.Key: StoredBirth] = [:]
    /// Messages taken in, QoS 0 included.
    var messageCount = 0
    /// When they came.
    var arrivals = Arrivals()
    /// Dead letters among `letters`, by mapping.
    var undecoded: [Int: UInt64] = [:]
    /// Bytes of payload, topic and rows taken in: what bounds the batch.
    var messageBytes = 0
    /// Units whose rows the database does not take, with the reason. Found by the writer, kept from try to try.
    var refusals: [Int: Refusal] = [:]
    /// A row was refused: one more, and the batch goes in parts.
    var hasRefusedRow = false
    /// Found by the writer: more is wrong than one named row.
    var goesInParts = false
    /// The numbers that errors give to rows were right so far.
    var trustsRowNumbers = true
    /// Targets whose missing partitions were made for its rows: what still has none gets none.
    var partitionedTargets: Set<Int> = []
    /// Targets of which some rows are refused only for now: they are brought in behind this batch.
    var heldBack: Set<Int> = []
    /// What was committed of it, by target.
    var committedRows: [(target: Int, rows: Int)] = []
    private let clientIdentifierPrefix: String

    /// - Parameter clientIdentifierPrefix: with the session's number behind it, the client identifier of a session.
    init(plan: MappingPlan, clientIdentifierPrefix: String) {
        self.plan = plan
        self.clientIdentifierPrefix = clientIdentifierPrefix
        tables = .allocate(capacity: max(plan.targets.count, 1))
        for index in plan.targets.indices { (tables + index).initialize(to: CopyBuffer(capacity: 16 * 1024)) }
        letters = .allocate(capacity: 1)
        letters.initialize(to: CopyBuffer(capacity: 4096))
        units = .allocate(capacity: 1)
        units.initialize(to: RowUnits())
        messages = .allocate(capacity: 1)
        messages.initialize(to: MessageLog(keepsBroker: plan.usesBroker))
    }

    deinit {
        tables.deinitialize(count: plan.targets.count)
        tables.deallocate()
        letters.deinitialize(count: 1)
        letters.deallocate()
        units.deinitialize(count: 1)
        units.deallocate()
        messages.deinitialize(count: 1)
        messages.deallocate()
    }

    func clientIdentifier(_ session: UInt32) -> String { "\(clientIdentifierPrefix)\(session)" }

    /// Bytes in all COPY buffers.
    var copyBytes: Int { plan.targets.indices.reduce(letters.pointee.count) { $0 + tables[$1].count } }

    /// Whether there is nothing to commit and nothing to settle.
    var isEmpty: Bool { messageCount == 0 && runs.isEmpty && sessions.isEmpty }

    /// Whether the database has to hear of it; messages that were filtered, unrouted or skipped are settled as they are.
    var needsCommit: Bool { !units.pointee.isEmpty || !letters.pointee.isEmpty || !sessions.isEmpty || !births.isEmpty }

    /// Notes that the batch covers a delivery; those of one session come in order, so most of them extend the last run.
    func cover(_ delivery: UInt64, of session: Int) {
        if let last = runs.indices.last, runs[last].session == session, runs[last].deliveries.upperBound == delivery {
            runs[last].deliveries = runs[last].deliveries.lowerBound..<delivery + 1
        } else {
            runs.append(DeliveryRun(session: session, deliveries: delivery..<delivery + 1))
        }
    }

    func keep(_ birth: StoredBirth) {
        var birth = birth
        if let former = births[birth.key] { birth.replace(former) }
        births[birth.key] = birth
    }

    /// Empties it for the next transaction; memory beyond `limit` bytes a buffer is given back.
    func reset(keepingCapacityUpTo limit: Int) {
        for index in plan.targets.indices { tables[index].removeAll(keepingCapacityUpTo: limit) }
        letters.pointee.removeAll(keepingCapacityUpTo: min(limit, 1 << 20))
        units.pointee.removeAll()
        messages.pointee.removeAll(keepingCapacityUpTo: limit)
        runs.removeAll(keepingCapacity: true)
        sessions.removeAll(keepingCapacity: true)
        refusals.removeAll()
        hasRefusedRow = false
        goesInParts = false
        trustsRowNumbers = true
        partitionedTargets.removeAll()
        heldBack.removeAll()
        committedRows.removeAll(keepingCapacity: true)
        reports.removeAll()
        births.removeAll()
        arrivals.removeAll()
        if !undecoded.isEmpty { undecoded.removeAll() }
        messageCount = 0
        messageBytes = 0
    }
}

/// Why the database does not take the rows that a mapping made of a message.
struct Refusal: Sendable {
    /// `row` or `table`.
    var stage: DeadLetterStage
    var sqlState: String
    var column: String?
    var error: String
    /// The reason came with the number of the row, rather than from trying units one by one.
    var isByRowNumber = false
}
