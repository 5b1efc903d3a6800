import Foundation
import Logging
import NIOCore
import PostgreSQL
import Store

/// Takes one batch at a time and reports its end back on the shard's event loop.
protocol BatchWriter: AnyObject {
    /// From now on batches are counted in this row.
    func enroll(_ row: WriterRow)
    func write(_ batch: Batch)
    /// The batch in hand is to be left to the broker, once it is certain that it is not in the database.
    func giveUp()
}

/// What a writer tells its shard.
enum WriterReport: @unchecked Sendable {
    // @unchecked: a batch is handed over whole; see `Batch`.
    case ended(Batch, BatchEnd)
    /// A batch cannot be stored for now, and why: told once, and again with another reason.
    case troubled(String)
    /// The database takes batches again.
    case recovered
}

/// A shard's writer: a thread of its own with the shard's only connection to PostgreSQL, since libpq blocks.
///
/// It goes on until a batch is durable: while the database is away it tries again, with exponential backoff and jitter, and the shard meanwhile
/// reads no further than two batches.
final class DatabaseWriter: BatchWriter, Sendable {
    private enum Message: @unchecked Sendable {
        // @unchecked: a batch is handed over whole; see `Batch`.
        case enroll(WriterRow)
        case write(Batch)
        case giveUp
    }

    private let index: Int
    private let logger: Logger
    private let mailbox = Mailbox<Message>()
    private let ended = DispatchSemaphore(value: 0)

    init(index: Int, logger: Logger) {
        self.index = index
        var logger = logger
        logger[metadataKey: "writer"] = "\(index)"
        self.logger = logger
    }

    /// Starts the thread.
    /// - Parameters:
    ///   - store: made on the thread.
    ///   - report: called on the thread.
    func start(store: @escaping @Sendable () -> any BatchStore, report: @escaping @Sendable (WriterReport) -> Void) {
        let thread = Thread { [self] in
            run(BatchWriting(store: store(), clock: monotonicNanoseconds), report)
            ended.signal()
        }
        thread.name = "writer-\(index)"
        thread.stackSize = 1 << 20
        thread.start()
    }

    func enroll(_ row: WriterRow) { mailbox.put(.enroll(row)) }
    func write(_ batch: Batch) { mailbox.put(.write(batch)) }
    func giveUp() { mailbox.put(.giveUp) }

    /// Ends the thread after the batch in hand, if that ends in time.
    func stop(waitingUpTo seconds: Double) {
        mailbox.close()
        _ = ended.wait(timeout: .now() + seconds)
    }

    private func run(_ start: BatchWriting, _ report: @Sendable (WriterReport) -> Void) {
        var writing = start
        var backoff = Backoff(base: .milliseconds(50), limit: .seconds(5))
        var trouble: (since: UInt64, text: String)?
        while true {
            switch writing.step() {
            case .progress: continue
            case .idle:
                guard let message = mailbox.take() else { return }
                take(message, &writing)
            case .ended(let batch, let end):
                if case .durable = end, let last = trouble {
                    logger.notice("the database is back", metadata: ["after_ms": "\((monotonicNanoseconds() - last.since) / 1_000_000)"])
                    report(.recovered)
                }
                if case .givenUp = end { logger.error("a batch is given up; the broker sends its messages again") }
                backoff.reset()
                trouble = nil
                report(.ended(batch, end))
            case .trouble(let error):
                let delay = backoff.next()
                let text = error.description
                if trouble?.text != text {
                    logger.error(
                        "the database does not take a batch; nothing is acknowledged until it does",
                        metadata: ["reason": "\(text)", "next_try_ms": "\(delay.nanoseconds / 1_000_000)"])
                }
                if trouble?.text != text { report(.troubled(text)) }
                trouble = (trouble?.since ?? monotonicNanoseconds(), text)
                switch mailbox.take(within: delay.nanoseconds) {
                case .message(let message): take(message, &writing)
                case .timedOut: continue
                case .closed: return
                }
            }
        }
    }

    private func take(_ message: Message, _ writing: inout BatchWriting) {
        switch message {
        case .enroll(let row): writing.enroll(row)
        case .write(let batch): writing.take(batch)
        case .giveUp: writing.giveUp()
        }
    }
}

/// The monotonic clock, in nanoseconds.
func monotonicNanoseconds() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
