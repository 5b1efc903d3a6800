import CopyFormat
import Payload
import Sparkplug

/// A message as it is tried: nothing of it is stored.
public struct TrialMessage: Sendable {
    public var topic: String
    public var payload: [UInt8]
    /// Microseconds since 1970, UTC.
    public var receivedMicroseconds: Int64
    public var qos: UInt8
    public var isRetained: Bool
    /// As `PublishPropertiesWriter` makes them.
    public var properties: [UInt8]
    /// The address of the broker that handed it over; empty where there is none.
    public var broker: String

    public init(
        topic: String, payload: [UInt8], receivedMicroseconds: Int64, qos: UInt8 = 1, isRetained: Bool = false, properties: [UInt8] = [],
        broker: String = ""
    ) {
        self.topic = topic
        self.payload = payload
        self.receivedMicroseconds = receivedMicroseconds
        self.qos = qos
        self.isRetained = isRetained
        self.properties = properties
        self.broker = broker
    }
}

/// Asks the production code single questions about a message, each by a variant of the mapping that answers only this one.
///
/// So an explanation cannot differ from what the service does: it is made of the service's own answers.
struct MappingProbe {
    let mapping: MappingSyntax
    let message: TrialMessage
    let limits: EvaluationLimits
    /// What aliases of Sparkplug B stand for; nil: what the message says itself.
    let births: BirthArchive?

    func trial(_ mapping: MappingSyntax) -> Trial {
        Trial(
            MappingPlan([mapping]), topic: message.topic, payload: message.payload, receivedMicroseconds: message.receivedMicroseconds,
            qos: message.qos, isRetained: message.isRetained, properties: message.properties, broker: message.broker,
            limits: limits, births: births.map { .stored($0) } ?? .seen(BirthRegistry()))
    }

    /// The mapping with these blocks alone, and without its message filter.
    func variant(_ blocks: [BlockSyntax]) -> MappingSyntax {
        var variant = mapping
        variant.when = []
        variant.blocks = blocks
        variant.retained = .use
        return variant
    }

    /// A block in the place of another one, with other tests and columns; its rows are kept whatever they hold.
    func block(_ block: BlockSyntax, when: [ConditionSyntax], columns: [ColumnSyntax]) -> BlockSyntax {
        var variant = block
        variant.table = TableSyntax(name: "probe", mark: block.table.mark)
        variant.when = when
        variant.columns = columns
        variant.keepEmpty = true
        return variant
    }

    func column(_ name: String, _ type: ColumnType, _ source: Source) -> ColumnSyntax {
        var column = ColumnSyntax(
            name: name, mark: mapping.mark, type: type, isNotNull: false, from: [source], trim: false, nullIf: [], when: [], map: [])
        column.onError = .setNull
        return column
    }

    private var presence: ColumnSyntax { column("present", .text, .constant(.text("yes"))) }

    /// How many iterations of a block's loops meet these tests.
    func count(of block: BlockSyntax, when: [ConditionSyntax]) -> Int {
        trial(variant([self.block(block, when: when, columns: [presence])])).outcome.rowCount
    }

    /// Whether a test holds that no loop has a part in.
    func holds(_ test: ConditionSyntax) -> Bool {
        guard var block = mapping.blocks.first else { return false }
        block.each = []
        return count(of: block, when: [test]) > 0
    }

    /// The values of sources in each iteration, as JSON writes them; nil where there is none.
    func values(_ sources: [Source], in block: BlockSyntax, when: [ConditionSyntax]) -> [[String?]] {
        let columns = sources.enumerated().map { column("v\($0)", .jsonb, $1) }
        let trial = trial(variant([self.block(block, when: when, columns: columns + [presence])]))
        return trial.rows.flatMap { part in part.rows.map { row in row.dropLast().map { $0?.text } } }
    }

    /// The bytes that the decoder gets; nil where unpacking fails.
    func unpackedPayload() -> [UInt8]? {
        guard !mapping.unpack.isEmpty, let first = mapping.blocks.first else { return message.payload }
        var raw = first
        raw.each = []
        var variant = variant([block(raw, when: [], columns: [column("payload", .bytea, .rawPayload)])])
        variant.embeds = []
        variant.decode = .bytes
        guard case .bytes(let bytes)?? = trial(variant).rows.first?.rows.first?.first else { return nil }
        return bytes
    }

    /// A document as JSON text, where it has one.
    /// - Parameter root: `$` or an embed.
    func json(of root: DocumentRoot) -> [UInt8]? {
        guard var block = mapping.blocks.first else { return nil }
        block.each = []
        var variant = variant([self.block(block, when: [], columns: [column("document", .jsonb, .document(root, []))])])
        if root == .payload { variant.embeds = [] }
        guard case .json(let text)?? = trial(variant).rows.first?.rows.first?.first else { return nil }
        return Array(text.utf8)
    }

    // MARK: Which iteration fails

    /// What a failing column reads in the first iteration in which it fails.
    func failingValues(of name: String, in block: BlockSyntax) -> [(source: Source, value: String?)] {
        guard let failing = block.columns.first(where: { $0.name == name }) else { return [] }
        var skipping = failing
        skipping.onError = .skipRow
        let places = block.each.enumerated().map { column("p\($0)", .bigint, .loopIndex($1.variable)) }
        let kept = trial(variant([self.block(block, when: block.when, columns: places + [skipping])]))
            .rows.flatMap(\.rows).map { Array($0.prefix(places.count)) }
        let sources = (failing.from + [failing.plus?.from, failing.plus?.by, failing.sign?.from].compactMap { $0 }).filter {
            if case .constant = $0 { false } else { $0 != .rest }
        }
        let read = places + sources.enumerated().map { column("v\($0)", .jsonb, $1) } + [presence]
        let all = trial(variant([self.block(block, when: block.when, columns: read)])).rows.flatMap(\.rows)
        let first = all.enumerated().first { place, row in place >= kept.count || kept[place] != Array(row.prefix(places.count)) }
        guard let row = first?.element else { return [] }
        return zip(sources, row.dropFirst(places.count)).map { ($0, $1?.text) }
    }
}
