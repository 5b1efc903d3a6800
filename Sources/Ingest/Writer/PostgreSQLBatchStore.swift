import CopyFormat
import Logging
import Mapping
import NIOCore
import PostgreSQL
import Store

/// Stores batches in PostgreSQL, each in one transaction.
///
/// A batch goes whole. When the database refuses a row that it can name, the unit of that row becomes a dead letter and the batch goes once more; when more
/// is wrong, it goes in parts (`PartedTransaction`), still in one transaction. A table that is wrong is parked.
final class PostgreSQLBatchStore: BatchStore {
    private let settings: DatabaseSettings
    private let idleLimitMilliseconds: Int
    private let logger: Logger
    private let parkingChanged: ParkingObserver
    private let mendCount: @Sendable () -> Int
    private let metrics: IngestMetrics
    private var hasBeenConnected = false
    private var lastMendCount = 0
    private var open: OpenConnection?
    private var statements: TargetStatements?
    /// Statements that begin each transaction.
    private var prologue: [ScriptStep] = []
    private var synchronousCommit = "on"
    private var parked = ParkedTargets()
    private var timeoutsInSequence = 0
    /// How many partitions of a table rows of one transaction may belong to.
    private var partitionLimit = 16

    /// Told of mappings whose table is wrong, at each try, and of those whose table takes rows again. Called on the writer's thread.
    typealias ParkingObserver = @Sendable (_ mappings: [String], _ parkedBecause: String?) -> Void

    /// - Parameters:
    ///   - idleLimitMilliseconds: how long a transaction may stand still before the server ends it: shorter than a lease, so that a stopped process
    ///     holds no lock for longer.
    ///   - mendCount: grows when somebody has found a table right again.
    init(
        settings: DatabaseSettings, idleLimitMilliseconds: Int, logger: Logger, parkingChanged: @escaping ParkingObserver,
        mendCount: @escaping @Sendable () -> Int, metrics: IngestMetrics = IngestMetrics()
    ) {
        self.settings = settings
        self.idleLimitMilliseconds = idleLimitMilliseconds
        self.logger = logger
        self.parkingChanged = parkingChanged
        self.mendCount = mendCount
        self.metrics = metrics
    }

    var isConnected: Bool { open?.connection.isOpen == true }

    func connect() throws(PostgreSQLError) {
        open = nil
        let fresh: OpenConnection
        do throws(PostgreSQLError) {
            fresh = OpenConnection(
                try Connection(url: settings.url.value, defaults: settings.connectionDefaults), metrics: metrics)
        } catch {
            metrics.databaseError(sqlState: error.sqlState)
            throw error
        }
        if hasBeenConnected { metrics.databaseReconnects.increment() }
        hasBeenConnected = true
        let level = try fresh.connection.query("SELECT current_setting('synchronous_commit')").first?.first.flatMap { $0 } ?? "on"
        synchronousCommit = level == "remote_apply" ? "remote_apply" : "on"
        partitionLimit = try MissingPartitions.limit(fresh.connection)
        // Durability and time limits hold for each transaction by itself, so that a transaction-pooling PgBouncer does no harm.
        prologue = [
            .sql("BEGIN"), .sql("SET LOCAL synchronous_commit = \(synchronousCommit)"),
            .sql("SET LOCAL statement_timeout = \(settings.statementTimeoutMilliseconds)"),
            .sql("SET LOCAL lock_timeout = \(settings.lockTimeoutMilliseconds)"),
            .sql("SET LOCAL idle_in_transaction_session_timeout = \(idleLimitMilliseconds)"),
        ]
        open = fresh
    }

    func confirmedBatchNumber(of row: WriterRow) throws(PostgreSQLError) -> Int64? {
        guard let open else { preconditionFailure("asks on a connection") }
        _ = open.connection.takeNotices()
        let number = try row.confirmedBatchNumber(open.connection, synchronousCommit: synchronousCommit)
        if open.connection.takeNotices().contains(where: \.saysStandbyWaitWasCancelled) {
            throw .connection("the wait for a synchronous standby was cancelled")
        }
        return number
    }

    func commit(_ batch: Batch, as row: WriterRow, number: Int64) -> CommitOutcome {
        guard let open else { preconditionFailure("commits on a connection") }
        if statements?.plan !== batch.plan {
            // Parked are targets of a plan: those of another one are tried anew.
            if let former = statements?.plan {
                for target in parked.targets.keys { parkingChanged(mappings(of: target, former), nil) }
                parked = ParkedTargets()
            }
            statements = TargetStatements(batch.plan)
        }
        guard let statements else { preconditionFailure("made just now") }
        let refusals = RefusalLetters()
        var attempt = CommitAttempt(connection: open, batch: batch, statements: statements, prologue: prologue) { rows in
            var steps: [ScriptStep] = []
            if !batch.letters.pointee.isEmpty {
                steps.append(.copy(DeadLetterCopy.statement, rows: [batch.letters.pointee.bytes(0..<batch.letters.pointee.count)]))
            }
            if !batch.refusals.isEmpty {
                refusals.write(refusalsOf: batch)
                steps.append(.copy(DeadLetterCopy.statement, rows: [refusals.bytes]))
            }
            if !batch.births.isEmpty { steps.append(.sql(BirthCertificateTable.upsert(Array(batch.births.values)))) }
            // The writer's row before the sessions': the order in which another process takes both away.
            steps.append(.sql(row.advance(to: number, storing: rows)))
            if !batch.sessions.isEmpty { steps.append(.sql(row.record(batch.sessions.map(\.record)))) }
            return steps
        }
        if !parked.isEmpty, mendCount() != lastMendCount {
            lastMendCount = mendCount()
            parked.tryNow(.now())
        }
        boundPartitions(of: batch)
        while true {
            for closed in parked.closed(now: .now()) { refuseAll(of: closed.target, batch, because: closed.error) }
            switch attempt.run() {
            case .committed:
                timeoutsInSequence = 0
                batch.committedRows = attempt.rowCounts()
                letInHeldBack(of: batch)
                reopen(batch.committedRows.map(\.target), batch.plan)
                return .committed
            case .retry: continue
            case .wrongTable(let target, let error): park(target, batch, because: error)
            case .lacksPartitions(let target):
                if let lost = makePartitions(target, batch, open) { return .rolledBack(lost) }
            case .ended(let outcome):
                // It may turn out to be in.
                if case .unknown = outcome {
                    batch.committedRows = attempt.rowCounts()
                    letInHeldBack(of: batch)
                }
                if case .rolledBack(.server(let error)) = outcome, error.sqlState == "57014" {
                    timeoutsInSequence += 1
                    // What takes too long as one statement may pass as several.
                    if timeoutsInSequence > 1 { batch.goesInParts = true }
                }
                return outcome
            }
        }
    }

    /// No transaction may fill the server's table of locks.
    private func boundPartitions(of batch: Batch) {
        for (number, target) in batch.plan.targets.enumerated() where target.partition?.with == .native {
            guard batch.tables[number].rowCount > partitionLimit, let partitions = MissingPartitions(of: number, batch) else { continue }
            if partitions.refuse(beyond: partitionLimit) { batch.heldBack.insert(number) }
        }
    }

    /// Letters of rows that were held back are in: somebody else may bring them in now.
    private func letInHeldBack(of batch: Batch) {
        for target in batch.heldBack { parkingChanged(mappings(of: target, batch.plan), nil) }
    }

    /// Made for one batch; more are left to the thread that brings in dead letters, so that no other table waits for them.
    private static let partitionsPerBatch = 20

    /// Makes the partitions that a batch's rows lack, outside of its transaction.
    /// - Returns: why the batch cannot go on for now.
    private func makePartitions(_ target: Int, _ batch: Batch, _ open: OpenConnection) -> PostgreSQLError? {
        batch.partitionedTargets.insert(target)
        guard let missing = MissingPartitions(of: target, batch) else { return nil }
        do throws(PostgreSQLError) {
            let outcome = try missing.make(
                atMost: Self.partitionsPerBatch, lockTimeoutMilliseconds: settings.lockTimeoutMilliseconds, open.connection)
            if outcome.isPartial { batch.heldBack.insert(target) }
            if let reason = outcome.reason {
                parkingChanged(mappings(of: target, batch.plan), "partitions cannot be made: \(reason)")
                logger.error(
                    "partitions cannot be made; rows without one become dead letters until they can",
                    metadata: ["table": "\(missing.table.name)", "reason": "\(reason)"])
            } else if !outcome.made.isEmpty {
                logger.debug(
                    "partitions made for rows that came early or late",
                    metadata: [
                        "table": "\(missing.table.name)", "partitions": "\(outcome.made.prefix(5).joined(separator: ", "))",
                        "count": "\(outcome.made.count)",
                    ])
            }
            return nil
        } catch {
            // The whole batch is tried again, this too.
            batch.partitionedTargets.remove(target)
            return error
        }
    }

    private func park(_ target: Int, _ batch: Batch, because error: ServerError) {
        let names = mappings(of: target, batch.plan)
        if parked.park(target, because: error, now: .now()) {
            logger.error(
                "a table cannot be written; its messages become dead letters until it can",
                metadata: [
                    "table": "\(batch.plan.targets[target].table)", "mappings": "\(names.joined(separator: ", "))", "reason": "\(error)",
                ])
        }
        parkingChanged(names, error.description)
        refuseAll(of: target, batch, because: error)
    }

    private func refuseAll(of target: Int, _ batch: Batch, because error: ServerError) {
        for segment in batch.units.pointee.segments where Int(segment.target) == target && batch.refusals[Int(segment.unit)] == nil {
            batch.refusals[Int(segment.unit)] = Refusal(
                stage: .table, sqlState: error.sqlState, column: error.column, error: error.description)
        }
    }

    private func reopen(_ targets: [Int], _ plan: MappingPlan) {
        guard !parked.isEmpty else { return }
        for target in targets where parked.unpark(target) {
            logger.notice("the table can be written again", metadata: ["table": "\(plan.targets[target].table)"])
            parkingChanged(mappings(of: target, plan), nil)
        }
    }

    private func mappings(of target: Int, _ plan: MappingPlan) -> [String] { plan.mappingNames(writing: target) }
}

/// Holds a connection that comes and goes.
final class OpenConnection {
    let connection: Connection
    private let metrics: IngestMetrics

    init(_ connection: consuming Connection, metrics: IngestMetrics = IngestMetrics()) {
        self.connection = connection
        self.metrics = metrics
    }

    /// Runs a script, and counts the error if there is one.
    func run(_ steps: [ScriptStep]) -> ScriptOutcome {
        let result = connection.run(steps)
        switch result {
        case .done: break
        case .refused(let error, _): metrics.databaseError(sqlState: error.sqlState)
        case .lost(let error, _): metrics.databaseError(sqlState: error.sqlState)
        }
        return result
    }
}
