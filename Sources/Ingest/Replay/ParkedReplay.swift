import Foundation
import Logging
import Mapping
import NIOCore
import PostgreSQL
import Store
import Synchronization

/// Brings in the dead letters of tables that were wrong, once they are right again: a thread that sleeps as long as there are none.
final class ParkedReplay: Sendable {
    private enum Message { case tableWasParked }

    private let plan: Mutex<MappingPlan>
    private let settings: DatabaseSettings
    private let limits: EvaluationLimits
    private let parkedMappings: ParkedMappings
    private let logger: Logger
    /// Counts the times that a table was found right again: writers then try theirs at once.
    private let mends = Atomic(0)
    private let mailbox = Mailbox<Message>()
    private let ended = DispatchSemaphore(value: 0)

    init(plan: MappingPlan, settings: DatabaseSettings, limits: EvaluationLimits, parkedMappings: ParkedMappings, logger: Logger) {
        self.plan = Mutex(plan)
        self.settings = settings
        self.limits = limits
        self.parkedMappings = parkedMappings
        self.logger = logger
    }

    func start() {
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "replay"
        thread.stackSize = 1 << 20
        thread.start()
    }

    var mendCount: Int { mends.load(ordering: .relaxed) }

    /// Other mappings hold from now on; their tables may be right where the old ones' were not.
    func change(to plan: MappingPlan) {
        self.plan.withLock { $0 = plan }
        tableWasParked()
    }

    /// There are letters to bring in, once their table is right.
    func tableWasParked() { mailbox.put(.tableWasParked) }

    /// Ends the thread after the chunk in hand, if that ends in time.
    func stop(waitingUpTo seconds: Double) {
        mailbox.close()
        _ = ended.wait(timeout: .now() + seconds)
    }

    /// Letters of a former process may be there at the start; afterwards somebody says so.
    private func run() {
        var backoff = Backoff(base: .seconds(1), limit: .seconds(30))
        /// So many more looks, though there may be no letters: they are written a moment after a table is found wrong.
        var looks = 1
        while true {
            if looks > 0 {
                let plan = plan.withLock { $0 }
                let replay = DeadLetterReplay(
                    plan: plan, settings: settings, limits: limits, filter: DeadLetterFilter(mappings: plan.names, stage: .table))
                do throws(PostgreSQLError) {
                    try replay.run { _ in !mailbox.waitUntilClosed(nanoseconds: 1) }
                    looks = replay.summary.parked > 0 ? max(looks, 1) : looks - 1
                    if replay.summary.stored > 0 {
                        backoff.reset()
                        mends.add(1, ordering: .relaxed)
                        if replay.summary.parked == 0 { parkedMappings.tablesAreRight() }
                        logger.notice(
                            "dead letters of a table that was wrong are stored",
                            metadata: ["letters": "\(replay.summary.stored)", "rows": "\(replay.summary.rows)"])
                    }
                } catch {
                    logger.debug("dead letters cannot be replayed", metadata: ["reason": "\(error)"])
                }
            }
            let next: Mailbox<Message>.Taken
            if looks > 0 {
                next = mailbox.take(within: backoff.next().nanoseconds)
            } else {
                next = mailbox.take().map { .message($0) } ?? .closed
            }
            switch next {
            case .message:
                looks = 5
                backoff.reset()
            case .timedOut: continue
            case .closed: return
            }
        }
    }
}
