import Foundation
import Logging
import Mapping
import PostgreSQL
import Store
import Synchronization

/// Makes partitions ahead of time and drops those that are too old, on a thread and a connection of its own: no batch waits for it.
///
/// Each process looks now and then; one at a time works.
final class PartitionKeeper: Sendable {
    private let settings: DatabaseSettings
    private let logger: Logger
    private let tables: Mutex<[TableDefinition]>
    private let mailbox = Mailbox<Void>()
    private let ended = DispatchSemaphore(value: 0)

    /// Between two looks. Partitions are made for more than a day ahead, so nothing depends on it.
    private static let intervalNanoseconds: Int64 = 600 * 1_000_000_000

    init(plan: MappingPlan, settings: DatabaseSettings, logger: Logger) {
        tables = Mutex(plan.tables)
        self.settings = settings
        self.logger = logger
    }

    func start() {
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "partitions"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Takes the tables of other mappings, and looks at them now.
    func change(to plan: MappingPlan) {
        tables.withLock { $0 = plan.tables }
        mailbox.put(())
    }

    func stop(waitingUpTo seconds: Double) {
        mailbox.close()
        _ = ended.wait(timeout: .now() + seconds)
    }

    private func run() {
        var told: Set<String> = []
        var backoff = Backoff(base: .seconds(1), limit: .seconds(60))
        while true {
            var pause = Self.intervalNanoseconds
            let tables = tables.withLock { $0.filter { $0.partition != nil } }
            if !tables.isEmpty {
                do throws(PostgreSQLError) {
                    let connection = try Connection(url: settings.url.value, defaults: settings.connectionDefaults)
                    tell(try PartitionRound(of: tables, connection), &told)
                    backoff.reset()
                } catch {
                    // The writers tell of a database that is away.
                    pause = backoff.next().nanoseconds
                }
            }
            switch mailbox.take(within: pause) {
            case .message, .timedOut: continue
            case .closed: return
            }
        }
    }

    /// What goes wrong each time is told once.
    private func tell(_ round: PartitionRound, _ told: inout Set<String>) {
        if !round.made.isEmpty {
            logger.info("partitions made ahead", metadata: ["count": "\(round.made.count)", "last": "\(round.made.last ?? "")"])
        }
        if !round.dropped.isEmpty {
            logger.notice(
                "partitions dropped: all their rows were older than the table keeps",
                metadata: ["count": "\(round.dropped.count)", "partitions": "\(round.dropped.prefix(5).joined(separator: ", "))"])
        }
        var now: Set<String> = []
        for table in round.deferred {
            now.insert(table)
            if !told.contains(table) {
                logger.notice(
                    "partitions wait for somebody who uses the table; they are made or dropped later", metadata: ["table": "\(table)"])
            }
        }
        for problem in round.problems {
            let text = "\(problem.table): \(problem.reason)"
            now.insert(text)
            if !told.contains(text) {
                logger.error("a table's partitions need attention", metadata: ["table": "\(problem.table)", "reason": "\(problem.reason)"])
            }
        }
        if !round.wasTaken { told = now }
    }
}
