import Foundation
import Logging
import NIOCore
import PostgreSQL
import Store

/// The thread that keeps this process's leases, since libpq blocks.
final class LeaseThread: ShardLeaseObserver, Sendable {
    private enum Message {
        case shardIsReady(Int)
        case shardLostRow(Int, WriterRow)
        case shardAsksForFilters(Int)
    }

    private let mailbox = Mailbox<Message>()
    private let ended = DispatchSemaphore(value: 0)
    private let logger: Logger
    private let interval: TimeAmount
    /// Why leases cannot be renewed.
    let troubles = TroubleBoard()

    init(interval: TimeAmount, logger: Logger) {
        self.interval = interval
        self.logger = logger
    }

    /// Starts the thread.
    /// - Parameters:
    ///   - store: made on the thread.
    ///   - report: called on the thread.
    func start(
        keeper: LeaseKeeper, store: @escaping @Sendable () -> any LeaseStore, report: @escaping @Sendable (Int, LeaseReport) -> Void
    ) {
        let keeper = UncheckedBox(keeper)
        let thread = Thread { [self] in
            run(keeper.value, store(), report)
            ended.signal()
        }
        thread.name = "leases"
        thread.stackSize = 1 << 20
        thread.start()
    }

    func isReady(_ shard: Int) { mailbox.put(.shardIsReady(shard)) }
    func lostRow(_ shard: Int, _ row: WriterRow) { mailbox.put(.shardLostRow(shard, row)) }

    func asksForFilters(_ shard: Int) { mailbox.put(.shardAsksForFilters(shard)) }

    /// Gives all leases back and ends the thread.
    func stop(waitingUpTo seconds: Double) {
        mailbox.close()
        _ = ended.wait(timeout: .now() + seconds)
    }

    private func run(_ keeper: LeaseKeeper, _ store: any LeaseStore, _ report: (Int, LeaseReport) -> Void) {
        var keeper = keeper
        var problem: String?
        var nextLook = NIODeadline.now()
        while true {
            if NIODeadline.now() >= nextLook || keeper.isEnrollmentDue {
                do throws(PostgreSQLError) {
                    try keeper.step(store, now: { .now() }, report: report)
                    if problem != nil { logger.notice("leases are renewed again") }
                    problem = nil
                    troubles.end()
                } catch {
                    troubles.begin(error.description)
                    if problem != error.description {
                        logger.warning("leases cannot be renewed", metadata: ["reason": "\(error)"])
                    }
                    problem = error.description
                }
                nextLook = .now() + interval
            }
            switch mailbox.take(within: max((nextLook - .now()).nanoseconds, 1_000_000)) {
            case .message(.shardIsReady(let index)): keeper.shardIsReady(index)
            case .message(.shardLostRow(let index, let row)): keeper.shardLostRow(index, row)
            case .message(.shardAsksForFilters(let index)): keeper.shardAsksForFilters(index)
            case .timedOut: continue
            case .closed:
                try? store.withdraw(keeper.rows)
                return
            }
            // After a failure the next try waits for its time, whatever is due.
            if problem != nil { _ = mailbox.waitUntilClosed(nanoseconds: max((nextLook - .now()).nanoseconds, 1)) }
        }
    }
}

/// Carries a value to the thread that owns it from then on.
private struct UncheckedBox<Value>: @unchecked Sendable {
    // @unchecked: handed over once, before the thread starts.
    let value: Value
    init(_ value: Value) { self.value = value }
}
