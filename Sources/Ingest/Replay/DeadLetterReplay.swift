import Glibc
import MQTT
import Mapping
import PostgreSQL
import Sparkplug
import Store

/// Puts dead letters through today's mappings again: what becomes rows is deleted in the same transaction, what still fails stays with its new reason.
///
/// A letter belongs to the mapping that it names, since the message's other mappings have stored theirs. Each chunk is one transaction; it ends by
/// deleting its letters, which fails when somebody else has replayed one of them meanwhile. So replaying may be interrupted at any instant, run twice at
/// once, or beside the service. Calls block.
public final class DeadLetterReplay {
    /// What became of the letters so far.
    public struct Summary: Sendable {
        public var total = 0
        /// Looked at.
        public var done = 0
        /// Letters that became rows, or that today's mapping passes over.
        public var stored = 0
        public var rows = 0
        /// Letters that still fail, by reason.
        public var failing: [String: Int] = [:]
        /// Letters of tables that cannot be written.
        public var parked = 0
    }

    private let settings: DatabaseSettings
    private let plan: MappingPlan
    private let filter: DeadLetterFilter
    private let isRehearsal: Bool
    private let limits: EvaluationLimits
    private var open: OpenConnection?
    private var evaluator: Evaluator
    /// What aliases in the letters stand for.
    private var births = BirthArchive([:])
    private let batch: Batch
    private let statements: TargetStatements
    /// Not registered: stands for this run where rows are counted.
    private let counter = WriterRow()
    private var partitionLimit = 16
    public private(set) var summary = Summary()

    /// - Parameter isRehearsal: everything is done, and rolled back.
    public init(
        plan: MappingPlan, settings: DatabaseSettings, limits: EvaluationLimits, filter: DeadLetterFilter, isRehearsal: Bool = false
    ) {
        self.settings = settings
        self.plan = plan
        self.filter = filter
        self.isRehearsal = isRehearsal
        self.limits = limits
        evaluator = Evaluator(plan: plan, limits: limits)
        batch = Batch(plan: plan, clientIdentifierPrefix: "")
        statements = TargetStatements(plan)
    }

    /// Goes through the letters that are there now.
    /// - Parameters:
    ///   - progress: called after each chunk; false ends the run there.
    /// - Throws: after several tries in vain on one chunk.
    public func run(progress: (Summary) -> Bool) throws(PostgreSQLError) {
        let extent = try retrying { () throws(PostgreSQLError) in try DeadLetterTable.extent(try connection().connection, filter) }
        summary.total = extent.count
        if extent.count > 0, plan.usesSparkplug {
            births = try retrying { () throws(PostgreSQLError) in try StoredBirths.ofDeadLetters(try connection().connection) }
            evaluator = Evaluator(plan: plan, limits: limits, births: .stored(births))
        }
        var place: Int64 = 0
        while true {
            let next = try retrying { () throws(PostgreSQLError) in try replayChunk(after: place, upTo: extent.last) }
            guard let next else { return }
            place = next
            guard progress(summary) else { return }
        }
    }

    private func connection() throws(PostgreSQLError) -> OpenConnection {
        if let open, open.connection.isOpen { return open }
        let fresh = OpenConnection(try Connection(url: settings.url.value, defaults: settings.connectionDefaults))
        partitionLimit = try MissingPartitions.limit(fresh.connection)
        open = fresh
        return fresh
    }

    private func retrying<Result>(_ body: () throws(PostgreSQLError) -> Result) throws(PostgreSQLError) -> Result {
        var backoff = Backoff(base: .milliseconds(100), limit: .seconds(2))
        while true {
            do throws(PostgreSQLError) { return try body() } catch {
                guard backoff.attempts < 6, !error.isMisconfiguration else { throw error }
                usleep(UInt32(backoff.next().nanoseconds / 1000))
            }
        }
    }

    // MARK: A chunk

    /// - Returns: the last letter of the chunk; nil when there is none left.
    private func replayChunk(after place: Int64, upTo last: Int64, atMost maximum: Int = 1000) throws(PostgreSQLError) -> Int64? {
        let connection = try connection()
        let letters = try DeadLetterTable.next(
            connection.connection, filter, after: place, upTo: last, maximum: maximum, maximumBytes: 8 * 1024 * 1024)
        guard let end = letters.last?.identifier else { return nil }
        batch.reset(keepingCapacityUpTo: 8 * 1024 * 1024)
        let reasons = letters.enumerated().map { index, letter in decode(letter, number: index) }
        if letters.count > 1, reachesTooFar { return try replayChunk(after: place, upTo: last, atMost: letters.count / 2) }
        if letters.count == 1 {
            // By itself a letter may take half of the table of locks.
            for target in plan.targets.indices { MissingPartitions(of: target, batch)?.refuseAlone(beyond: partitionLimit * 4) }
        }

        var attempt = CommitAttempt(
            connection: connection, batch: batch, statements: statements, prologue: prologue(letters), isRehearsal: isRehearsal
        ) { [self] rows in
            let outcome = outcome(letters, reasons)
            return (rows.isEmpty ? [] : [.sql(counter.count(rows))])
                + [DeadLetterTable.remove(outcome.stored.map { letters[$0].identifier })]
                + outcome.failing.sorted { $0.key < $1.key }.flatMap { DeadLetterTable.update(letters[$0.key].identifier, $0.value) }
        }
        while true {
            switch attempt.run() {
            case .committed:
                count(outcome(letters, reasons), of: letters.count, rows: attempt.rowCounts().reduce(0) { $0 + $1.rows })
                return end
            case .retry: continue
            case .wrongTable(_, let error) where error.sqlState == ServerError.outOfLocks && letters.count > 1:
                return try replayChunk(after: place, upTo: last, atMost: letters.count / 2)
            case .wrongTable(let target, let error):
                // A single letter that fills the table of locks: it stays what it is until somebody makes that larger.
                let stage = error.sqlState == ServerError.outOfLocks ? DeadLetterStage.row : .table
                for segment in batch.units.pointee.segments where Int(segment.target) == target {
                    batch.refusals[Int(segment.unit)] = Refusal(
                        stage: stage, sqlState: error.sqlState, column: nil, error: error.description)
                }
            case .lacksPartitions(let target):
                batch.partitionedTargets.insert(target)
                guard let missing = MissingPartitions(of: target, batch) else { continue }
                if isRehearsal {
                    attempt.precede(with: try missing.statements(connection.connection))
                } else {
                    _ = try missing.make(
                        atMost: .max, lockTimeoutMilliseconds: settings.lockTimeoutMilliseconds, connection.connection)
                }
            case .ended(.rolledBack(let error)), .ended(.unknown(let error)): throw error
            case .ended(.refusedByRow), .ended(.committed): throw .connection("dead letters were replayed by somebody else meanwhile")
            }
        }
    }

    /// The rows belong to more partitions than one transaction should touch.
    private var reachesTooFar: Bool {
        plan.targets.indices.contains { MissingPartitions(of: $0, batch)?.reaches(beyond: partitionLimit) ?? false }
    }

    private func prologue(_ letters: [DeadLetter]) -> [ScriptStep] {
        [
            .sql("BEGIN"), .sql("SET LOCAL statement_timeout = \(settings.statementTimeoutMilliseconds)"),
            .sql("SET LOCAL lock_timeout = \(settings.lockTimeoutMilliseconds)"), DeadLetterTable.lock(letters.map(\.identifier)),
        ]
    }

    /// Decodes a letter into the batch; the reasons why it still fails.
    private func decode(_ letter: DeadLetter, number: Int) -> [DeadLetterTable.Reason] {
        var only: Int?
        if let name = letter.mapping {
            guard let index = plan.names.firstIndex(of: name) else { return [fails(letter, "there is no mapping '\(name)' any more")] }
            only = index
        }
        births.begin(wasRefused: letter.wasRefusedAsSparkplug)
        return letter.topic.withUnsafeBytes { topic in
            letter.payload.withUnsafeBytes { payload in
                let outcome = letter.properties.withUnsafeBytes { properties in
                    Array(letter.broker.utf8).withUnsafeBytes { broker in
                        evaluator.process(
                            MessageInput(
                                topic: topic, payload: payload, receivedMicroseconds: letter.receivedMicroseconds, qos: letter.qos,
                                isRetained: letter.isRetained, properties: PublishProperties(checking: properties) ?? PublishProperties(),
                                broker: broker),
                            into: batch.tables, units: batch.units, number: UInt32(number), only: only)
                    }
                }
                if outcome.matchedCount == 0 {
                    return [
                        fails(letter, letter.mapping.map { "mapping '\($0)' does not take this topic" } ?? "no mapping takes this topic")
                    ]
                }
                return evaluator.failures.map { failure in
                    DeadLetterTable.Reason(
                        mapping: plan.names[failure.mapping], stage: .decode, column: failure.column, sqlState: nil,
                        error: failure.letterText)
                }
            }
        }
    }

    private func fails(_ letter: DeadLetter, _ reason: String) -> DeadLetterTable.Reason {
        DeadLetterTable.Reason(
            mapping: letter.mapping, stage: letter.mapping == nil ? .route : .decode, column: nil, sqlState: nil, error: reason)
    }

    private struct Outcome {
        var stored: [Int] = []
        var failing: [Int: [DeadLetterTable.Reason]] = [:]
        /// Of a table that cannot be written: they stay as they are.
        var parked: Set<Int> = []
    }

    /// What becomes of each letter, by what was refused so far.
    ///
    /// A letter without a mapping can become rows of several; where some of them fail, it stays as theirs alone.
    private func outcome(_ letters: [DeadLetter], _ reasons: [[DeadLetterTable.Reason]]) -> Outcome {
        var outcome = Outcome()
        for (index, reasons) in reasons.enumerated() where !reasons.isEmpty { outcome.failing[index] = reasons }
        for (unit, refusal) in batch.refusals.sorted(by: { $0.key < $1.key }) {
            let place = batch.units.pointee.units[unit]
            let index = Int(place.message)
            if refusal.stage == .table, letters[index].mapping != nil {
                outcome.parked.insert(index)
            } else {
                outcome.failing[index, default: []].append(
                    DeadLetterTable.Reason(
                        mapping: plan.names[Int(place.mapping)], stage: refusal.stage, column: refusal.column, sqlState: refusal.sqlState,
                        error: refusal.error))
            }
        }
        outcome.stored = letters.indices.filter { outcome.failing[$0] == nil && !outcome.parked.contains($0) }
        return outcome
    }

    private func count(_ outcome: Outcome, of letters: Int, rows: Int) {
        summary.done += letters
        summary.stored += outcome.stored.count
        summary.rows += rows
        summary.parked += outcome.parked.count
        for reason in outcome.failing.values.joined() { summary.failing[reason.error, default: 0] += 1 }
    }
}
