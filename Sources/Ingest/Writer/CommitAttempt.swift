import CopyFormat
import Mapping
import PostgreSQL
import Store

/// Tries to store one batch in one transaction, and learns from each try what has to be left out.
///
/// First the batch goes whole. The CONTEXT line of a COPY's error names a row; its unit is refused and the batch goes whole once more. When a second row is
/// bad, or no row is named (constraints that are checked at the end, triggers), the batch goes in parts, each behind a savepoint: a part that fails
/// is taken back, and its bad unit is found by the row's number or by halving.
struct CommitAttempt {
    enum Result {
        case committed
        /// A unit was refused: the same again without it.
        case retry
        /// The target cannot be written as it is; nothing of the batch is in.
        case wrongTable(Int, ServerError)
        /// Rows of the target belong to partitions that are not there; nothing of the batch is in.
        case lacksPartitions(Int)
        case ended(CommitOutcome)
    }

    private enum Role: Equatable {
        case other
        case copy(Int)
        /// Brings what was copied into the table: names no row.
        case merge(Int)
        case confirmation(Int)
        case ending
        case commit

        /// Whose rows were refused, if any.
        var target: Int? {
            switch self {
            case .copy(let target), .merge(let target): target
            case .other, .confirmation, .ending, .commit: nil
            }
        }
    }

    private let connection: OpenConnection
    private let batch: Batch
    private var prologue: [ScriptStep]
    private let ending: ([CountedRows]) -> [ScriptStep]
    private let isRehearsal: Bool
    private let statements: TargetStatements
    /// What the script that is running sends as text.
    private var textRows: [TextRows] = []
    /// Made when something has to be left out.
    private lazy var rows = UnitRows(batch)
    private var hasConfirmedColumns = false
    /// Units at which a part ends after a failure, and how large the next part is.
    private var partSize = 512

    /// - Parameters:
    ///   - ending: the statements that end the transaction before COMMIT; asked for in each try with the rows that it stores, since they depend on what
    ///     was refused so far.
    ///   - isRehearsal: everything is rolled back at the end.
    init(
        connection: OpenConnection, batch: Batch, statements: TargetStatements, prologue: [ScriptStep],
        isRehearsal: Bool = false, ending: @escaping ([CountedRows]) -> [ScriptStep]
    ) {
        self.connection = connection
        self.batch = batch
        // The server would tell each time that the temporary table is there.
        let isStaging = statements.staged.contains { $0 != nil }
        self.prologue = prologue + (isStaging ? [.sql("SET LOCAL client_min_messages = warning")] : [])
        self.ending = ending
        self.isRehearsal = isRehearsal
        self.statements = statements
    }

    /// Rows that go to each target, without those that are refused.
    mutating func rowCounts() -> [(target: Int, rows: Int)] {
        batch.plan.targets.indices.filter { !batch.tables[$0].isEmpty }.map { target in
            (target, batch.refusals.isEmpty ? batch.tables[target].rowCount : rows.rowCount(of: target))
        }.filter { $0.rows > 0 }
    }

    /// Runs more at the beginning of the transaction; taken back with it where it is a rehearsal.
    mutating func precede(with statements: [String]) { prologue += statements.map { .sql($0) } }

    /// What is stored, for `penstock.freshness`. One look at each row: some nanoseconds a field, beside the work that COPY has with it.
    private mutating func counted(_ counts: [(target: Int, rows: Int)]) -> [CountedRows] {
        counts.map { target, count in
            var newest: NewestTime?
            if let field = statements.timeFields[target] {
                // A day ahead: what is later is a clock that is wrong.
                var time = NewestTime(field: field, limit: wallClockMicroseconds() - PostgreSQLTime.epochMicroseconds + 86_400_000_000)
                let pieces =
                    batch.refusals.isEmpty
                    ? [batch.tables[target].bytes(0..<batch.tables[target].count)] : rows.pieces(target, of: 0..<unitCount)
                for piece in pieces { time.add(piece) }
                newest = time
            }
            return CountedRows(table: batch.plan.targets[target].table, count: count, newestMicroseconds: newest?.microseconds)
        }
    }

    private var unitCount: Int { batch.units.pointee.units.count }

    mutating func run() -> Result { batch.goesInParts ? runInParts() : runWhole() }

    // MARK: Whole

    private mutating func runWhole() -> Result {
        var script = Script()
        prologue.forEach { script.append($0, .other) }
        let units = 0..<unitCount
        appendCopies(of: units, to: &script)
        appendEnding(to: &script)
        switch connection.run(script.steps) {
        case .done(let notices): return committed(notices)
        case .lost(let error, let mayHaveCompleted): return .ended(mayHaveCompleted ? .unknown(error) : .rolledBack(error))
        case .refused(let error, let step):
            if let lost = rollBack() { return .ended(.rolledBack(lost)) }
            return wholeRefused(error, script.roles[step], of: units)
        }
    }

    private mutating func wholeRefused(_ error: ServerError, _ role: Role, of units: Range<Int>) -> Result {
        switch role {
        case .copy(let target), .merge(let target):
            if lacksPartition(error, target) { return .lacksPartitions(target) }
            switch meaning(of: error, role) {
            case .passing: return .ended(.rolledBack(.server(error)))
            case .wrongTable: return .wrongTable(target, error)
            case .badRow:
                if let changed = changedColumns() { return changed }
                guard role == .copy(target), !batch.hasRefusedRow, let row = statements.copies[target].row(namedBy: error),
                    let unit = rows.unit(ofRow: row, target, of: units)
                else {
                    batch.goesInParts = true
                    return .retry
                }
                refuse(unit, because: error, isByRowNumber: true)
                return .retry
            }
        case .commit where error.classification != .passing:
            // A constraint or trigger that was deferred; in parts it speaks up at the COPY that it belongs to.
            batch.goesInParts = true
            return .retry
        default: return refusedOutsideOfCopy(error, role)
        }
    }

    // MARK: In parts

    private mutating func runInParts() -> Result {
        var opening = Script()
        prologue.forEach { opening.append($0, .other) }
        // What is checked at the end of the transaction must be checked with the part that it belongs to.
        opening.append(.sql("SET CONSTRAINTS ALL IMMEDIATE"), .other)
        var next = 0
        /// An error of this target's COPY has called the units up to `end` good, since it named the one behind them.
        var calledGoodBy: Int?
        var end = min(partSize, unitCount)
        while next < unitCount {
            var script = opening
            script.append(.sql("SAVEPOINT part"), .other)
            appendCopies(of: next..<end, to: &script, isPart: true)
            script.append(.sql("RELEASE SAVEPOINT part"), .other)
            switch connection.run(script.steps) {
            case .done:
                opening = Script()
                next = end
                partSize = min(partSize * 2, 8192)
                calledGoodBy = nil
                end = min(next + partSize, unitCount)
            case .lost(let error, _): return .ended(.rolledBack(error))
            case .refused(let error, let step):
                let role = script.roles[step]
                guard let target = role.target, meaning(of: error, role) != .passing else {
                    if let lost = rollBack() { return .ended(.rolledBack(lost)) }
                    return refusedOutsideOfCopy(error, role)
                }
                if lacksPartition(error, target) {
                    if let lost = rollBack() { return .ended(.rolledBack(lost)) }
                    return .lacksPartitions(target)
                }
                if meaning(of: error, role) == .wrongTable {
                    if let lost = rollBack() { return .ended(.rolledBack(lost)) }
                    return .wrongTable(target, error)
                }
                if !hasConfirmedColumns {
                    // Outside of the failed transaction; the parts stored so far are few.
                    if let lost = rollBack() { return .ended(.rolledBack(lost)) }
                    return changedColumns() ?? .retry
                }
                opening = Script()
                opening.append(.sql("ROLLBACK TO SAVEPOINT part"), .other)
                // Else each one stays open beneath the next, with a lock of its own in the server's table of locks.
                opening.append(.sql("RELEASE SAVEPOINT part"), .other)
                if calledGoodBy == target, batch.trustsRowNumbers {
                    // The numbers are not those of our rows: what was refused by them may be good.
                    batch.trustsRowNumbers = false
                    batch.refusals = batch.refusals.filter { !$0.value.isByRowNumber }
                    if let lost = rollBack() { return .ended(.rolledBack(lost)) }
                    return .retry
                }
                calledGoodBy = nil
                if role == .copy(target), batch.trustsRowNumbers, let row = statements.copies[target].row(namedBy: error),
                    let unit = rows.unit(ofRow: row, target, of: next..<end)
                {
                    refuse(unit, because: error, isByRowNumber: true)
                    calledGoodBy = target
                    // As many as are good between two bad ones, so that little is sent twice.
                    partSize = max(unit - next, 1)
                    end = unit + 1
                } else if end - next > 1 {
                    partSize = max((end - next) / 2, 1)
                    end = next + partSize
                } else {
                    refuse(next, because: error, isByRowNumber: false)
                }
            }
        }
        return finishParts(opening)
    }

    private mutating func finishParts(_ opening: Script) -> Result {
        var script = opening
        appendEnding(to: &script)
        switch connection.run(script.steps) {
        case .done(let notices): return committed(notices)
        case .lost(let error, let mayHaveCompleted): return .ended(mayHaveCompleted ? .unknown(error) : .rolledBack(error))
        case .refused(let error, let step):
            if let lost = rollBack() { return .ended(.rolledBack(lost)) }
            return refusedOutsideOfCopy(error, script.roles[step])
        }
    }

    // MARK: Errors

    /// What an error means for the rows that its statement has sent.
    private func meaning(of error: ServerError, _ role: Role) -> ErrorClassification {
        if case .copy(let target) = role, statements.copies[target].blamesValue(error) { return .badRow }
        // The table of locks is full, of the very partitions that these rows go to: tried again alike they would fill it again.
        if error.sqlState == ServerError.outOfLocks, let target = role.target, batch.plan.targets[target].partition != nil {
            return .wrongTable
        }
        return error.classification
    }

    /// Once for each batch: what has no partition after they were made is a bad row.
    private func lacksPartition(_ error: ServerError, _ target: Int) -> Bool {
        error.saysPartitionIsMissing && batch.plan.targets[target].partition?.with == .native && !batch.partitionedTargets.contains(target)
    }

    private func refusedOutsideOfCopy(_ error: ServerError, _ role: Role) -> Result {
        switch role {
        case .confirmation(let target) where error.sqlState == MappingPlan.Target.columnsChanged: .wrongTable(target, error)
        case .ending where error.sqlState == WriterRow.notAtBatch: .ended(.refusedByRow)
        default: .ended(.rolledBack(.server(error)))
        }
    }

    private func committed(_ notices: [ServerError]) -> Result {
        guard notices.contains(where: \.saysStandbyWaitWasCancelled) else { return .committed }
        return .ended(.unknown(.connection("the wait for a synchronous standby was cancelled")))
    }

    /// Ends the failed transaction; the error when the connection went with it.
    private func rollBack() -> PostgreSQLError? {
        do throws(PostgreSQLError) {
            try connection.connection.execute("ROLLBACK")
            return nil
        } catch {
            return error
        }
    }

    private func refuse(_ unit: Int, because error: ServerError, isByRowNumber: Bool) {
        batch.refusals[unit] = Refusal(
            stage: .row, sqlState: error.sqlState, column: error.column, error: error.description, isByRowNumber: isByRowNumber)
        batch.hasRefusedRow = true
    }

    /// Before rows are blamed: bytes of one type, read as another, look like bad rows.
    private mutating func changedColumns() -> Result? {
        guard !hasConfirmedColumns else { return nil }
        for (target, _) in rowCounts() {
            switch connection.run([.sql(statements.confirmations[target])]) {
            case .done: continue
            case .refused(let error, _): return .wrongTable(target, error)
            case .lost(let error, _): return .ended(.rolledBack(error))
            }
        }
        hasConfirmedColumns = true
        return nil
    }

    // MARK: Statements

    private struct Script {
        var steps: [ScriptStep] = []
        var roles: [Role] = []

        mutating func append(_ step: ScriptStep, _ role: Role) {
            steps.append(step)
            roles.append(role)
        }
    }

    /// - Parameter isPart: rows of other units may have been copied before, in this transaction.
    private mutating func appendCopies(of units: Range<Int>, to script: inout Script, isPart: Bool = false) {
        let isWhole = batch.refusals.isEmpty && units.count == unitCount
        textRows.removeAll()
        for target in batch.plan.targets.indices where !batch.tables[target].isEmpty {
            var pieces =
                isWhole ? [batch.tables[target].bytes(0..<batch.tables[target].count)] : rows.pieces(target, of: units)
            guard !pieces.isEmpty else { continue }
            if batch.plan.targets[target].isText {
                let text = TextRows(pieces, types: batch.plan.targets[target].fieldTypes)
                textRows.append(text)
                pieces = [text.bytes]
            }
            let staged = statements.staged[target]
            if let staged {
                // Also in a later part: what made it may have been taken back.
                script.append(.sql(staged.creation), .copy(target))
                if isPart { script.append(.sql(staged.clearing), .copy(target)) }
            }
            script.append(.copy(statements.copies[target], rows: pieces), .copy(target))
            for merge in staged?.merges ?? [] { script.append(.sql(merge), .merge(target)) }
        }
    }

    private mutating func appendEnding(to script: inout Script) {
        let counts = rowCounts()
        for (target, _) in counts { script.append(.sql(statements.confirmations[target]), .confirmation(target)) }
        for step in ending(counted(counts)) { script.append(step, .ending) }
        if isRehearsal { script.append(.sql("SET CONSTRAINTS ALL IMMEDIATE"), .commit) }
        script.append(.sql(isRehearsal ? "ROLLBACK" : "COMMIT"), .commit)
    }
}

/// The SQL of a plan's targets, made once.
struct TargetStatements {
    let plan: MappingPlan
    let copies: [CopyStatement]
    /// For targets whose rows may meet others of their key.
    let staged: [StagedRows?]
    let confirmations: [String]
    /// The field that says of when a row is, where there is one.
    let timeFields: [Int?]

    init(_ plan: MappingPlan) {
        self.plan = plan
        staged = plan.targets.map { target in target.conflict.map { StagedRows(target, $0) } }
        copies = zip(plan.targets, staged).map { target, staged in
            staged?.copy
                ?? CopyStatement(table: target.table, columns: target.columns.map(\.name), format: target.isText ? .text : .binary)
        }
        confirmations = plan.targets.map(\.confirmation)
        timeFields = plan.targets.indices.map { plan.timeField(of: $0) }
    }
}
