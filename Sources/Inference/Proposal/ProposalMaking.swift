import Mapping

/// Turns a draft into a proposal: tries it on all its messages, loosens what does not hold, finds the key, and takes some messages for tests.
struct ProposalMaking {
    let sample: Sample
    let topicCount: Int

    /// Attempts to mend a draft before it is given up for an archive of what came.
    private static let attemptsMax = 12
    private static let testsMax = 6
    /// A longer payload is of no use as a test that a person reads.
    private static let testBytesMax = 4000

    func proposal(_ draft: MappingDraft) -> Proposal {
        var draft = draft
        var trial = run(draft)
        var attempts = 0
        while attempts < Self.attemptsMax, mend(&draft, trial) {
            trial = run(draft)
            attempts += 1
        }
        if !trial.diagnostics.isEmpty {
            let reason = trial.diagnostics.first ?? ""
            draft.remarks.append("Nothing better was found than to store payloads as they come (\(reason)).")
            draft.decode = ["bytes"]
            draft.unpack = []
            draft.blocks = [DraftMaking.archive(draft.name, draft.captures, isText: false)]
            trial = run(draft)
        }
        for index in draft.blocks.indices {
            let (key, remark) = KeyGuess.key(of: draft.blocks[index], trial.outcomes) { sample.messages[$0].payload }
            draft.blocks[index].key = key
            if let remark { draft.blocks[index].remarks.append(remark) }
        }
        return finished(draft, trial)
    }

    private func text(_ draft: MappingDraft, tests: [ProposalText.Test] = []) -> String {
        ProposalText(draft: draft, tests: tests).text
    }

    private func run(_ draft: MappingDraft) -> ProposalTrial {
        ProposalTrial(text: text(draft), name: draft.name, sample: sample, messages: draft.messages)
    }

    // MARK: Mending

    /// Loosens a column that refused a value; false when there is nothing to mend.
    private func mend(_ draft: inout MappingDraft, _ trial: ProposalTrial) -> Bool {
        var hasMended = false
        var seen: Set<String> = []
        for outcome in trial.outcomes {
            guard let failure = outcome.failure, let name = failure.column, seen.insert(name).inserted else { continue }
            for block in draft.blocks.indices {
                for place in draft.blocks[block].columns.indices where draft.blocks[block].columns[place].name == name {
                    let isMissing = failure.reason.contains("not null")
                    if loosen(&draft.blocks[block].columns[place], isMissing: isMissing) { hasMended = true }
                }
            }
        }
        return hasMended
    }

    private func loosen(_ column: inout ColumnDraft, isMissing: Bool) -> Bool {
        if isMissing, column.isNotNull, column.name != "time" {
            column.isNotNull = false
            return true
        }
        if column.name == "time" {
            guard column.from != ["received"] else { return false }
            column = TimeColumn.received
            column.remark = "the payload's own times could not all be read: the time of receipt"
            return true
        }
        let next: [String: String] = ["integer": "bigint", "bigint": "numeric", "numeric": "text", "double precision": "text"]
        guard column.type != "jsonb" else { return false }
        let isLast = column.type == "text"
        column.type = isLast ? "jsonb" : next[column.type] ?? "text"
        column.parse = nil
        column.zone = nil
        column.plus = nil
        column.nullIf = []
        column.remark = "not all values fit a narrower type"
        return true
    }

    // MARK: The end

    private func finished(_ draft: MappingDraft, _ trial: ProposalTrial) -> Proposal {
        let tests = tests(of: draft, trial)
        let whole = text(draft, tests: tests)
        let reading = MappingReader.read(text: whole, file: draft.name + ".yaml")
        var problems = reading.diagnostics.map(\.description)
        for mapping in reading.mappings where problems.isEmpty { problems += MappingTestRunner.run(mapping).map(\.description) }
        var losses: [String: Int] = [:]
        for outcome in trial.outcomes {
            if let failure = outcome.failure {
                losses[failure.reason, default: 0] += 1
            } else if outcome.rowCount == 0 {
                losses["no rows: none of its fields has a value, or there is nothing to loop over", default: 0] += 1
            }
        }
        var tables: [String] = []
        for block in draft.blocks where !tables.contains(block.table) { tables.append(block.table) }
        return Proposal(
            name: draft.name, text: whole, topics: draft.topics, decoder: (draft.unpack + [decoderName(draft)]).joined(separator: ", "),
            tables: tables,
            topicCount: topicCount, messageCount: draft.messages.count, storedCount: trial.storedCount,
            rowCount: trial.outcomes.reduce(0) { $0 + ($1.failure == nil ? $1.rowCount : 0) },
            losses: losses.sorted { $0.value > $1.value }.map { ($0.key, $0.value) }, problems: problems, testCount: tests.count)
    }

    private func decoderName(_ draft: MappingDraft) -> String {
        let first = draft.decode.joined(separator: " ")
        return ["json", "csv", "text", "bytes", "binary", "msgpack", "cbor"].first { first.contains($0) } ?? first
    }

    /// Some of the seen messages: one for each table, and those that fill other columns than the ones before.
    private func tests(of draft: MappingDraft, _ trial: ProposalTrial) -> [ProposalText.Test] {
        let tableCount = Set(draft.blocks.map(\.table)).count
        let usable = trial.outcomes.filter { outcome in
            outcome.failure == nil && sample.messages[outcome.message].payload.count <= Self.testBytesMax
                && (1...ExpectedRows.rowsMax).contains(outcome.rowCount)
        }
        var known: Set<String> = []
        var chosen: [ProposalTrial.Outcome] = []
        func take(_ outcome: ProposalTrial.Outcome) {
            chosen.append(outcome)
            known.formUnion(filled(outcome))
        }
        for outcome in usable where chosen.count < Self.testsMax && !known.isSuperset(of: filled(outcome)) { take(outcome) }
        for outcome in usable.reversed() where chosen.count < 3 && !chosen.contains(where: { $0.message == outcome.message }) {
            take(outcome)
        }
        return chosen.sorted { $0.message < $1.message }.map { outcome in
            ProposalText.Test(
                name: nil, message: sample.messages[outcome.message], expect: ExpectedRows.text(outcome.rows, tableCount: tableCount))
        }
    }

    private func filled(_ outcome: ProposalTrial.Outcome) -> Set<String> {
        var names: Set<String> = []
        for part in outcome.rows {
            for row in part.rows {
                for (column, value) in zip(part.columns, row) where value != nil { names.insert(part.table + "." + column.name) }
            }
        }
        return names
    }
}
