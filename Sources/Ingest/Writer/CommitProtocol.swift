/// The writer's decisions as a value: what to do next with the database, given what happened so far. It opens no connection and knows no clock.
///
/// It keeps one promise: a batch is reported durable if and only if it is in the database exactly once. Each transaction counts its batch in the
/// writer's own row (`penstock.advance`), so when the answer to COMMIT is lost, the row tells for certain whether the batch is in.
struct CommitProtocol: Sendable {
    /// What to do next.
    enum Action: Equatable {
        /// Open a connection to the database.
        case connect
        /// Make this writer's row, with batch 0.
        case register
        /// Send the batch in hand as this number.
        case commit(number: Int64)
        /// Read the number in the writer's row, waiting for an older backend to let go of it.
        case readBatchNumber
        /// The batch in hand is durable: tell the shard.
        case reportDurable
        /// The batch in hand can neither be proved durable nor sent again: its deliveries stay unacknowledged.
        case reportGivenUp
        /// Nothing to do until a batch comes.
        case awaitBatch
    }

    private enum InHand: Equatable {
        case nothing
        case unsent
        /// Its COMMIT may or may not have taken effect.
        case outcomeUnknown
        case durable
        case givenUp
    }

    private var isConnected = false
    private var isRegistered = false
    /// The number of the last batch that is known to be in the database.
    private(set) var lastNumber: Int64 = 0
    private var inHand = InHand.nothing

    var action: Action {
        switch inHand {
        case .durable: return .reportDurable
        case .givenUp: return .reportGivenUp
        case .nothing, .unsent, .outcomeUnknown: break
        }
        if !isConnected { return .connect }
        if !isRegistered { return .register }
        switch inHand {
        case .unsent: return .commit(number: lastNumber + 1)
        case .outcomeUnknown: return .readBatchNumber
        case .nothing, .durable, .givenUp: return .awaitBatch
        }
    }

    /// Whether a batch is in hand that is neither durable nor given up.
    var holdsBatch: Bool { inHand == .unsent || inHand == .outcomeUnknown }

    mutating func batchTaken() {
        precondition(inHand == .nothing, "one batch at a time")
        inHand = .unsent
    }

    mutating func reported() {
        precondition(inHand == .durable || inHand == .givenUp, "only what has ended is reported")
        inHand = .nothing
    }

    mutating func connected() { isConnected = true }

    mutating func registered() {
        isRegistered = true
        lastNumber = 0
    }

    mutating func committed() {
        precondition(inHand == .unsent, "a commit ends a batch that was sent")
        lastNumber += 1
        inHand = .durable
    }

    /// The transaction certainly did not take effect; the connection still serves.
    mutating func rolledBack() {
        precondition(inHand == .unsent, "a rollback ends a batch that was sent")
    }

    /// The transaction was refused because the writer's row does not stand where it should: the row has to say where it stands.
    mutating func refusedByRow() {
        precondition(inHand == .unsent, "only a batch that was sent is refused")
        inHand = .outcomeUnknown
    }

    /// The connection is gone; `outcomeUnknown` when COMMIT had possibly reached the server.
    mutating func connectionLost(outcomeUnknown: Bool) {
        isConnected = false
        if outcomeUnknown {
            precondition(holdsBatch, "only a batch in hand has an outcome")
            inHand = .outcomeUnknown
        }
    }

    /// What the writer's row says; nil when there is no such row any more.
    mutating func batchNumberRead(_ number: Int64?) {
        precondition(inHand == .outcomeUnknown, "the row is asked about a batch in hand")
        switch number {
        case lastNumber + 1:
            lastNumber += 1
            inHand = .durable
        case lastNumber:
            inHand = .unsent
        default: registrationLost()
        }
    }

    /// The writer's row is gone or counts otherwise: somebody has declared this writer dead. What it holds belongs to the broker again.
    mutating func registrationLost() {
        isRegistered = false
        if holdsBatch { inHand = .givenUp }
    }
}
