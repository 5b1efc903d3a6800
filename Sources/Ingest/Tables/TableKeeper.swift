import Foundation
import Logging
import Mapping
import NIOCore
import PostgreSQL
import Store
import Synchronization

/// Looks after tables that grow: makes partitions ahead of time, drops those that are too old, and deletes dead letters that were kept for long enough. It has a
/// thread and a connection of its own, so no batch waits for it.
///
/// Each process looks now and then; one at a time works on partitions.
final class TableKeeper: Sendable {
    private let settings: DatabaseSettings
    /// How long dead letters are kept; nil: for ever.
    private let lettersAge: TimeAmount?
    private let logger: Logger
    private let tables: Mutex<[TableDefinition]>
    private let mailbox = Mailbox<Void>()
    private let ended = DispatchSemaphore(value: 0)

    /// Between two looks. Partitions are made for more than a day ahead, so nothing depends on it.
    private static let intervalNanoseconds: Int64 = 600 * 1_000_000_000

    init(plan: MappingPlan, settings: DatabaseSettings, lettersAge: TimeAmount?, logger: Logger) {
        tables = Mutex(plan.tables)
        self.settings = settings
        self.lettersAge = lettersAge
        self.logger = logger
    }

    func start() {
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "tables"
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
        var report = TableReport(logger: logger)
        defer { report.tellRemoved() }
        var backoff = Backoff(base: .seconds(1), limit: .seconds(60))
        while true {
            var pause = Self.intervalNanoseconds
            do throws(PostgreSQLError) {
                try look(&report)
                backoff.reset()
            } catch {
                // The writers tell of a database that is away.
                pause = backoff.next().nanoseconds
            }
            switch mailbox.take(within: pause) {
            case .message, .timedOut: continue
            case .closed: return
            }
        }
    }

    private func look(_ report: inout TableReport) throws(PostgreSQLError) {
        let tables = tables.withLock { $0.filter { $0.partition != nil } }
        guard !tables.isEmpty || lettersAge != nil else { return }
        let connection = try Connection(url: settings.url.value, defaults: settings.connectionDefaults)
        var round = try PartitionRound(of: tables, connection)
        var letters = 0
        if let lettersAge {
            do throws(PostgreSQLError) {
                letters = try OldLetters.delete(olderThanSeconds: lettersAge.nanoseconds / 1_000_000_000, connection)
            } catch {
                guard case .server(let reason) = error, connection.isOpen else { throw error }
                round.problems.append(("penstock.dead_letter", "letters older than dead_letter.keep cannot be deleted: \(reason)"))
            }
        }
        report.tell(round, lettersDeleted: letters)
    }
}
