import CopyFormat
import MQTT
import Payload
import Sparkplug

/// What one mapping makes of one message, and why: the answer of `penstock try`.
public struct Explanation {
    /// What became of the message.
    public enum Outcome {
        /// No pattern takes the topic: each with where it parts from it.
        case notMatched([(pattern: Located<TopicPattern>, mismatch: TopicMismatch)])
        case excluded(by: Located<TopicPattern>)
        /// A policy passes it over; why, in words.
        case skipped(String)
        case deadLetter(Letter)
        /// The message filter, or no block, takes it.
        case filtered
        /// Blocks took it and made no row; why, in words.
        case noRows(String)
        case rows
    }

    /// Why it is a dead letter.
    public struct Letter {
        public var reason: String
        public var column: String?
        public var table: String?
        /// Where the column stands, or the mapping.
        public var mark: SourceMark
        /// What the column reads, as JSON writes it; nil where there is nothing.
        public var values: [(source: String, value: String?)]
    }

    /// A test of a `when` that does not hold.
    public struct FailedTest {
        public var mark: SourceMark
        /// As the mapping writes it.
        public var test: String
        /// What was met, as JSON writes it, different values once each; empty where nothing was there.
        public var values: [String]
    }

    /// What a block did.
    public struct Block {
        public var table: String
        public var mark: SourceMark
        public var rowCount: Int
        /// Tests that held for no iteration.
        public var failedTests: [FailedTest]
        /// Each test holds somewhere, but not all of them for one item.
        public var failsTogether: Bool
        public var noValues: Int
        public var skippedRows: Int
        public var nulledColumns: Int
    }

    public var mapping: String
    /// The pattern that took the topic.
    public var pattern: Located<TopicPattern>?
    public var outcome: Outcome
    /// Tests of the message filter that do not hold.
    public var failedTests: [FailedTest] = []
    public var blocks: [Block] = []
    /// The decoded payload with marks; nil where it was not decoded.
    public var payload: PayloadNode?
    /// Payloads inside it, by the embed's name, with marks.
    public var embeds: [PayloadNode] = []
    public var rows: [DecodedRows] = []

    public var isMatched: Bool {
        switch outcome {
        case .notMatched, .excluded: false
        default: true
        }
    }

    /// Tries a message with one mapping.
    /// - Parameter births: what aliases of Sparkplug B stand for; nil: what the message says itself.
    public init(
        _ mapping: MappingSyntax, _ message: TrialMessage, limits: EvaluationLimits = EvaluationLimits(), births: BirthArchive? = nil
    ) {
        self.mapping = mapping.name
        let probe = MappingProbe(mapping: mapping, message: message, limits: limits, births: births)
        let trial = probe.trial(mapping)
        guard trial.outcome.matchedCount > 0 else {
            let parts = mapping.topics.compactMap { topic in topic.value.mismatch(with: message.topic).map { (topic, $0) } }
            let excluding = mapping.exclude.first { $0.value.mismatch(with: message.topic) == nil }
            if parts.count < mapping.topics.count, let excluding {
                outcome = .excluded(by: excluding)
            } else {
                outcome = .notMatched(parts)
            }
            return
        }
        pattern = mapping.topics.first { $0.value.mismatch(with: message.topic) == nil }
        let counters = trial.counters.first ?? MappingCounters()
        if counters.retainedSkipped > 0 {
            outcome = .skipped("the message is retained (retained: \(mapping.retained.rawValue))")
            return
        }
        if counters.emptySkipped > 0 {
            outcome = .skipped("the payload is empty (empty_payload: \(mapping.emptyPayload.rawValue))")
            return
        }
        rows = trial.rows
        outcome = .rows
        failedTests = Self.failedFilter(probe)
        if failedTests.isEmpty { blocks = mapping.blocks.map { Self.block($0, probe) } }
        if let failure = trial.failures.first {
            outcome = .deadLetter(Self.letter(failure, probe))
        } else if rows.isEmpty {
            outcome = counters.filtered > 0 ? .filtered : .noRows(Self.words(counters, blocks))
        }
        payload = Self.tree(probe)
        guard let payload else { return }
        embeds = mapping.embeds.compactMap { embed in
            probe.json(of: .embed(embed.name)).flatMap { PayloadReading.read(json: $0, key: embed.name) }
        }
        LeafMarks.mark(payload, embeds: embeds, probe, isFiltered: !failedTests.isEmpty)
    }

    private static func words(_ counters: MappingCounters, _ blocks: [Block]) -> String {
        if counters.noValues > 0 { return "none of the nullable columns has a value (keep_empty: true would keep the row)" }
        if counters.skippedRows > 0 { return "all rows were skipped (on_error: skip_row)" }
        if blocks.contains(where: { !$0.failedTests.isEmpty || $0.failsTogether }) { return "no item of its loops is taken by 'when'" }
        return "its loops have no items"
    }

    private static func tree(_ probe: MappingProbe) -> PayloadNode? {
        guard !probe.message.payload.isEmpty, probe.message.payload.count <= probe.limits.maximumPayloadBytes,
            let payload = probe.unpackedPayload()
        else { return nil }
        return PayloadReading.read(payload, probe.mapping.decode, maximumDepth: probe.limits.maximumDepth) { probe.json(of: .payload) }
    }

    // MARK: Tests

    private static func failedFilter(_ probe: MappingProbe) -> [FailedTest] {
        guard var block = probe.mapping.blocks.first else { return [] }
        block.each = []
        return failed(probe.mapping.when, of: block, probe)
    }

    private static func failed(_ tests: [ConditionSyntax], of block: BlockSyntax, _ probe: MappingProbe) -> [FailedTest] {
        tests.compactMap { test in
            guard probe.count(of: block, when: [test]) == 0 else { return nil }
            var values: [String] = []
            for row in probe.values([test.source], in: block, when: []) {
                if let value = row.first ?? nil, !values.contains(value) { values.append(value) }
                if values.count == 3 { break }
            }
            return FailedTest(mark: test.mark, test: test.description, values: values)
        }
    }

    private static func block(_ block: BlockSyntax, _ probe: MappingProbe) -> Block {
        let trial = probe.trial(probe.variant([block]))
        let counters = trial.counters.first ?? MappingCounters()
        var result = Block(
            table: block.table.name, mark: block.mark, rowCount: trial.outcome.rowCount, failedTests: [], failsTogether: false,
            noValues: Int(clamping: counters.noValues), skippedRows: Int(clamping: counters.skippedRows),
            nulledColumns: Int(clamping: counters.nulledColumns))
        guard result.rowCount == 0, counters.failures == 0, !block.when.isEmpty, probe.count(of: block, when: block.when) == 0,
            probe.count(of: block, when: []) > 0
        else { return result }
        result.failedTests = failed(block.when, of: block, probe)
        result.failsTogether = result.failedTests.isEmpty
        return result
    }

    // MARK: Dead letters

    private static func letter(_ failure: MappingFailure, _ probe: MappingProbe) -> Letter {
        var letter = Letter(
            reason: failure.reason, column: failure.column, table: nil, mark: failure.mark ?? probe.mapping.mark, values: [])
        for block in probe.mapping.blocks {
            let alone = probe.trial(probe.variant([block]))
            guard alone.failures.first?.reason == failure.reason else { continue }
            if let name = failure.column {
                letter.table = block.table.name
                letter.values = probe.failingValues(of: name, in: block).map { ($0.source.description, $0.value) }
                return letter
            }
            if let loop = block.each.first(where: { failure.reason.hasPrefix("\($0.over).*:") }) {
                letter.table = block.table.name
                letter.mark = loop.mark
                return letter
            }
        }
        return letter
    }
}
