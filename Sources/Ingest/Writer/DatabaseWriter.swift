import Foundation
import Logging
import NIOCore
import PostgreSQL
import Store

/// A shard's writer: a thread of its own with the shard's only connection to PostgreSQL, since libpq blocks.
///
/// It carries out what `CommitProtocol` decides, and goes on until a batch is durable: while the database is away it tries again, with
/// exponential backoff and jitter, and the shard meanwhile reads no further than two batches.
final class DatabaseWriter: BatchWriter, Sendable {
    private let index: Int
    private let settings: DatabaseSettings
    private let logger: Logger
    private let mailbox = Mailbox<Batch>()
    private let ended = DispatchSemaphore(value: 0)

    init(index: Int, settings: DatabaseSettings, logger: Logger) {
        self.index = index
        self.settings = settings
        var logger = logger
        logger[metadataKey: "writer"] = "\(index)"
        self.logger = logger
    }

    /// Starts the thread.
    /// - Parameter report: called on the writer thread with each batch and how it ended.
    func start(report: @escaping @Sendable (Batch, BatchEnd) -> Void) {
        let thread = Thread { [self] in
            WriterLoop(settings: settings, mailbox: mailbox, logger: logger, report: report).run()
            ended.signal()
        }
        thread.name = "writer-\(index)"
        thread.stackSize = 1 << 20
        thread.start()
    }

    func write(_ batch: Batch) { mailbox.put(batch) }

    /// Ends the thread after the batch in hand, if that ends in time; its row in the database goes with it.
    func stop(waitingUpTo seconds: Double) {
        mailbox.close()
        _ = ended.wait(timeout: .now() + seconds)
    }
}

/// What runs on the writer's thread. Only that thread touches it.
private final class WriterLoop {
    private let settings: DatabaseSettings
    private let mailbox: Mailbox<Batch>
    private let logger: Logger
    private let report: @Sendable (Batch, BatchEnd) -> Void
    private var machine = CommitProtocol()
    private var open: OpenConnection?
    private var row: WriterRow?
    private var batch: Batch?
    private var takenNanoseconds: UInt64 = 0
    private var backoff = Backoff(base: .milliseconds(50), limit: .seconds(10))
    private var trouble: (since: UInt64, lastText: String)?

    init(settings: DatabaseSettings, mailbox: Mailbox<Batch>, logger: Logger, report: @escaping @Sendable (Batch, BatchEnd) -> Void) {
        self.settings = settings
        self.mailbox = mailbox
        self.logger = logger
        self.report = report
    }

    func run() {
        while step() {}
        if let row, let open { try? row.remove(open.connection) }
    }

    /// Does the next thing; false when the mailbox is closed and there is nothing more to do.
    private func step() -> Bool {
        switch machine.action {
        case .awaitBatch: return awaitBatch()
        case .reportDurable: end(.durable(commitNanoseconds: monotonicNanoseconds() &- takenNanoseconds))
        case .reportGivenUp:
            logger.error("a batch is given up; the broker sends its messages again")
            end(.givenUp)
        case .connect: return attempt { () throws(PostgreSQLError) in try connect() }
        case .register: return attempt { () throws(PostgreSQLError) in try register() }
        case .readBatchNumber: return attempt { () throws(PostgreSQLError) in try readBatchNumber() }
        case .commit(let number): return commit(number)
        }
        return true
    }

    private func awaitBatch() -> Bool {
        guard let next = mailbox.take() else { return false }
        batch = next
        takenNanoseconds = monotonicNanoseconds()
        machine.batchTaken()
        return true
    }

    private func end(_ end: BatchEnd) {
        guard let ended = batch else { preconditionFailure("what has ended was in hand") }
        batch = nil
        machine.reported()
        report(ended, end)
    }

    // MARK: Statements

    private func connect() throws(PostgreSQLError) {
        open = nil
        open = OpenConnection(try Connection(url: settings.url.value, defaults: settings.connectionDefaults))
        prologue = try makePrologue()
        machine.connected()
    }

    private func register() throws(PostgreSQLError) {
        guard let open else { preconditionFailure("connected before it registers") }
        row = try WriterRow.register(open.connection)
        machine.registered()
        recovered()
    }

    private func readBatchNumber() throws(PostgreSQLError) {
        guard let open, let row else { preconditionFailure("connected and registered before it asks") }
        machine.batchNumberRead(try row.batchNumber(open.connection))
        recovered()
    }

    private var prologue = ""

    /// Durability and time limits hold for each transaction by itself, so that a transaction-pooling PgBouncer does no harm.
    private func makePrologue() throws(PostgreSQLError) -> String {
        guard let open else { preconditionFailure("asks on a connection") }
        let level = try open.connection.query("SELECT current_setting('synchronous_commit')").first?.first.flatMap { $0 } ?? "on"
        return """
            SET LOCAL synchronous_commit = \(level == "remote_apply" ? "remote_apply" : "on"); \
            SET LOCAL statement_timeout = \(settings.statementTimeoutMilliseconds); \
            SET LOCAL lock_timeout = \(settings.lockTimeoutMilliseconds); \
            SET LOCAL idle_in_transaction_session_timeout = \(settings.statementTimeoutMilliseconds);
            """
    }

    private func commit(_ number: Int64) -> Bool {
        guard let open, let row, let batch else { preconditionFailure("connected, registered and with a batch in hand before it commits") }
        switch open.connection.transaction(prologue: prologue, copies: batch.copies, epilogue: row.advance(to: number)) {
        case .committed:
            machine.committed()
            recovered()
            return true
        case .committedWithoutStandby:
            return confirmOnStandby(open, row)
        case .rolledBack(.server(let error), _) where error.sqlState == WriterRow.notAtBatch:
            machine.refusedByRow()
            return true
        case .rolledBack(let error, let connectionIsUsable):
            machine.rolledBack()
            if !connectionIsUsable { machine.connectionLost(outcomeUnknown: false) }
            return pause(after: error)
        case .unknown(let error):
            machine.connectionLost(outcomeUnknown: true)
            return pause(after: error)
        }
    }

    /// The batch is in, but no standby has it. A later small commit that a standby confirms covers it; until then it is not durable.
    private func confirmOnStandby(_ open: OpenConnection, _ row: WriterRow) -> Bool {
        while true {
            _ = open.connection.takeNotices()
            do throws(PostgreSQLError) {
                try row.renew(open.connection)
                if open.connection.takeNotices().isEmpty {
                    machine.committed()
                    return true
                }
            } catch {
                machine.connectionLost(outcomeUnknown: true)
                return pause(after: error)
            }
            if !pause(after: .connection("the wait for a synchronous standby was cancelled")) { return false }
        }
    }

    // MARK: Trouble

    private func attempt(_ statement: () throws(PostgreSQLError) -> Void) -> Bool {
        do throws(PostgreSQLError) {
            try statement()
            return true
        } catch {
            if case .connect = machine.action {} else if open?.connection.isOpen != true { machine.connectionLost(outcomeUnknown: false) }
            return pause(after: error)
        }
    }

    /// Waits before the next try; false when the process is to end.
    private func pause(after error: PostgreSQLError) -> Bool {
        let delay = backoff.next()
        let text = error.description
        if trouble?.lastText != text {
            logger.error(
                "the database does not take a batch; nothing is acknowledged until it does",
                metadata: ["reason": "\(text)", "next_try_ms": "\(delay.nanoseconds / 1_000_000)"])
        }
        trouble = (trouble?.since ?? monotonicNanoseconds(), text)
        return !mailbox.waitUntilClosed(nanoseconds: delay.nanoseconds)
    }

    private func recovered() {
        backoff.reset()
        guard let trouble else { return }
        self.trouble = nil
        logger.notice("the database is back", metadata: ["after_ms": "\((monotonicNanoseconds() - trouble.since) / 1_000_000)"])
    }
}

/// Holds a connection that comes and goes.
private final class OpenConnection {
    let connection: Connection
    init(_ connection: consuming Connection) { self.connection = connection }
}

/// The monotonic clock, in nanoseconds.
func monotonicNanoseconds() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
