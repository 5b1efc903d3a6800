/// The writer's decisions as a value: what to do next with the database, given what happened so far. It opens no connection and knows no clock.
///
/// It keeps one promise: a batch is reported durable if and only if it is in the database exactly once. Each transaction counts its batch in the
/// writer's own row (`penstock.advance`), so when the answer to COMMIT is lost, the row tells for certain whether the batch is in.
struct CommitProtocol: Sendable {
    /// What to do next.
    enum Action: Equatable {
        /// Open a connection to the database.
        case connect
        /// Send the batch in hand as this number.
        case commit(number: Int64)
        /// Read the number in the writer's row, waiting for an older backend to let go of it.
        case readBatchNumber
        /// The batch in hand is durable: tell the shard.
        case reportDurable
        /// The batch in hand is not in the database and will not be sent again: its deliveries stay unacknowledged.
        case reportGivenUp
        /// Nothing to do until a batch comes.
        case awaitBatch
    }

    private enum InHand: Equatable {
        case nothing
        case unsent
        /// Its COMMIT may or may not have taken effect.
        case outcomeUnknown
        /// The checks at the end of its transaction refused it.
        case refused
        case durable
        case givenUp
    }

    private var isConnected = false
    /// The writer's row is there as far as is known.
    private(set) var isEnrolled = false
    /// The number of the last batch that is known to be in the database.
    private(set) var lastNumber: Int64 = 0
    private var inHand = InHand.nothing

    var action: Action {
        switch inHand {
        case .nothing: .awaitBatch
        case .durable: .reportDurable
        case .givenUp: .reportGivenUp
        case .unsent: isConnected ? .commit(number: lastNumber + 1) : .connect
        case .outcomeUnknown, .refused: isConnected ? .readBatchNumber : .connect
        }
    }

    /// Whether a batch is in hand that is neither durable nor given up.
    var holdsBatch: Bool { inHand == .unsent || inHand == .outcomeUnknown || inHand == .refused }

    /// A new row was made for this writer, with batch 0.
    mutating func enrolled() {
        precondition(inHand == .nothing, "a row is made when nothing of the last one is under way")
        isEnrolled = true
        lastNumber = 0
    }

    /// A batch came; without a row it cannot be stored.
    mutating func batchTaken() {
        precondition(inHand == .nothing, "one batch at a time")
        inHand = isEnrolled ? .unsent : .givenUp
    }

    mutating func reported() {
        precondition(inHand == .durable || inHand == .givenUp, "only what has ended is reported")
        inHand = .nothing
    }

    mutating func connected() { isConnected = true }

    mutating func committed() {
        precondition(inHand == .unsent, "a commit ends a batch that was sent")
        lastNumber += 1
        inHand = .durable
    }

    /// The transaction certainly did not take effect.
    mutating func rolledBack() {
        precondition(inHand == .unsent, "a rollback ends a batch that was sent")
    }

    /// The transaction was sent, and what became of it only the writer's row can tell: the answer was lost, it does not stand where it should, or no
    /// synchronous standby has confirmed it.
    mutating func outcomeUnknown() {
        precondition(inHand == .unsent, "only a batch that was sent has an outcome")
        inHand = .outcomeUnknown
    }

    /// The transaction was refused: the writer's row does not stand where it should, or does not hold the sessions. The row has to tell which.
    mutating func refusedByRow() {
        precondition(inHand == .unsent, "only a batch that was sent is refused")
        inHand = .refused
    }

    mutating func connectionLost() { isConnected = false }

    /// What the writer's row says; nil when there is no such row any more.
    mutating func batchNumberRead(_ number: Int64?) {
        precondition(inHand == .outcomeUnknown || inHand == .refused, "the row is asked about a batch in hand")
        switch number {
        case lastNumber + 1:
            lastNumber += 1
            inHand = .durable
        case lastNumber where inHand == .outcomeUnknown:
            inHand = .unsent
        default:
            // Somebody has declared this writer dead, or its sessions are not its own any more. What it holds belongs to the broker again.
            isEnrolled = false
            inHand = .givenUp
        }
    }

    /// Whether the batch in hand is certainly not in the database.
    var isUnsent: Bool { inHand == .unsent }

    /// The database has been away for too long: what is certainly not in it is left to the broker.
    mutating func giveUp() {
        precondition(inHand == .unsent, "what may be in the database is not given up")
        inHand = .givenUp
    }
}
