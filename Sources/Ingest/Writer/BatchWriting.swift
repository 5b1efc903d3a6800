import PostgreSQL
import Store

/// How a batch ended.
enum BatchEnd: Equatable, Sendable {
    /// Committed; the time from the batch's arrival at the writer to the answer.
    case durable(commitNanoseconds: UInt64)
    /// Not in the database, and not sent again: its deliveries must come again. With `lostRow` the writer's row is gone, and with it all leases.
    case givenUp(lostRow: WriterRow?)
}

/// Carries out what `CommitProtocol` decides, one action at a time. It owns no thread and no timer.
struct BatchWriting {
    enum Step {
        /// Nothing to do until a batch comes.
        case idle
        case progress
        case ended(Batch, BatchEnd)
        /// To be tried again after a while.
        case trouble(PostgreSQLError)
    }

    private var machine = CommitProtocol()
    private let store: any BatchStore
    private let clock: () -> UInt64
    private var row: WriterRow?
    private var batch: Batch?
    private var takenAt: UInt64 = 0
    private var isGivingUp = false

    /// - Parameter clock: monotonic, in nanoseconds.
    init(store: any BatchStore, clock: @escaping () -> UInt64) {
        self.store = store
        self.clock = clock
    }

    /// - Precondition: no batch is in hand.
    mutating func enroll(_ row: WriterRow) {
        machine.enrolled()
        self.row = row
    }

    /// - Precondition: no batch is in hand.
    mutating func take(_ batch: Batch) {
        self.batch = batch
        takenAt = clock()
        isGivingUp = false
        machine.batchTaken()
    }

    /// The batch in hand is to be given up as soon as it is certain that it is not in the database.
    mutating func giveUp() { isGivingUp = machine.holdsBatch }

    mutating func step() -> Step {
        if isGivingUp, machine.isUnsent { machine.giveUp() }
        switch machine.action {
        case .awaitBatch: return .idle
        case .reportDurable: return end(.durable(commitNanoseconds: clock() &- takenAt))
        case .reportGivenUp: return end(.givenUp(lostRow: machine.isEnrolled ? nil : row))
        case .connect:
            do throws(PostgreSQLError) {
                try store.connect()
                machine.connected()
                return .progress
            } catch {
                return .trouble(error)
            }
        case .readBatchNumber: return readBatchNumber()
        case .commit(let number): return commit(number)
        }
    }

    private mutating func readBatchNumber() -> Step {
        guard let row else { preconditionFailure("enrolled before it commits") }
        do throws(PostgreSQLError) {
            machine.batchNumberRead(try store.confirmedBatchNumber(of: row))
            return .progress
        } catch {
            if !store.isConnected { machine.connectionLost() }
            return .trouble(error)
        }
    }

    private mutating func commit(_ number: Int64) -> Step {
        guard let row, let batch else { preconditionFailure("enrolled and with a batch in hand before it commits") }
        let outcome = store.commit(batch, as: row, number: number)
        switch outcome {
        case .committed: machine.committed()
        case .rolledBack: machine.rolledBack()
        case .unknown: machine.outcomeUnknown()
        case .refusedByRow: machine.refusedByRow()
        }
        if !store.isConnected { machine.connectionLost() }
        switch outcome {
        case .committed, .refusedByRow: return .progress
        case .rolledBack(let error), .unknown(let error): return .trouble(error)
        }
    }

    private mutating func end(_ end: BatchEnd) -> Step {
        guard let ended = batch else { preconditionFailure("what has ended was in hand") }
        batch = nil
        isGivingUp = false
        machine.reported()
        return .ended(ended, end)
    }
}
