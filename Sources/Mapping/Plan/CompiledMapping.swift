import CopyFormat
import Payload

/// Slots that every mapping has, at the same places.
enum FixedSlot: Int, CaseIterable {
    case received, qos, retain, topic, rawPayload, contentType, responseTopic, correlationData, messageExpiry, broker

    /// What is filled only for mappings that name it.
    static let properties: [FixedSlot] = [.contentType, .responseTopic, .correlationData, .messageExpiry, .broker]
}

/// One mapping of a plan: everything resolved to slots.
final class CompiledMapping: Sendable {
    let name: String
    let patterns: [CompiledPattern]
    let exclude: [CompiledPattern]
    let retained: RetainedPolicy
    let emptyPayload: EmptyPayloadPolicy
    let decode: DecodeSyntax
    /// The message's payload.
    let document: CompiledDocument
    /// Payloads inside others, in the order in which they are decoded.
    let embeds: [CompiledDocument]
    let filter: [CompiledCondition]
    let blocks: [CompiledBlock]
    let slotCount: Int
    /// Slots whose values never change.
    let constants: [(slot: Int, value: Value)]
    /// User properties that sources name, and their slots.
    let userProperties: [(name: [UInt8], slot: Int)]
    /// Sources name properties of MQTT 5.0, user properties among them or not, or the broker.
    let usesProperties: Bool
    /// A source names the broker.
    let usesBroker: Bool
    let errorReportTopic: TopicPattern?
    /// Captures of the patterns, and their slots.
    let captureNames: [(name: String, slot: Int)]
    /// Slots of captures that not every pattern fills.
    let captureSlots: [Int]
    /// Keeps the bytes that constants point to.
    let constantMemory: ConstantMemory
    /// Targets that this mapping writes, each once.
    let targets: [Int]
    let cursorCount: Int
    /// Each message's lines of NDJSON are all decoded by a loop that nothing keeps from running, and so need no check before.
    let readsAllLines: Bool

    init(
        name: String, patterns: [CompiledPattern], exclude: [CompiledPattern], syntax: MappingSyntax, document: CompiledDocument,
        embeds: [CompiledDocument], filter: [CompiledCondition], blocks: [CompiledBlock], slotCount: Int,
        constants: [(slot: Int, value: Value)], userProperties: [(name: [UInt8], slot: Int)], usesProperties: Bool,
        usesBroker: Bool, captureNames: [(name: String, slot: Int)],
        captureSlots: [Int],
        constantMemory: ConstantMemory, cursorCount: Int
    ) {
        self.name = name
        errorReportTopic = syntax.errorReportTopic
        self.captureNames = captureNames
        self.patterns = patterns
        self.exclude = exclude
        retained = syntax.retained
        emptyPayload = syntax.emptyPayload
        decode = syntax.decode
        self.document = document
        self.embeds = embeds
        self.filter = filter
        self.blocks = blocks
        self.slotCount = slotCount
        self.constants = constants
        self.userProperties = userProperties
        self.usesProperties = usesProperties || !userProperties.isEmpty
        self.usesBroker = usesBroker
        self.captureSlots = captureSlots
        self.constantMemory = constantMemory
        self.cursorCount = cursorCount
        readsAllLines =
            !document.isWrittenAsText && filter.isEmpty
            && blocks.contains { block in
                guard block.conditions.isEmpty, case .jsonLines(let read)? = block.loops.first?.items else { return false }
                return read === document
            }
        var seen: [Int] = []
        for block in blocks where !seen.contains(block.target) { seen.append(block.target) }
        targets = seen
    }
}

/// One block of rows.
final class CompiledBlock: Sendable {
    let target: Int
    /// Rows carry their number before the columns (`MappingPlan.Target.fieldCount`).
    let isNumbered: Bool
    let loops: [CompiledLoop]
    /// Tests that need no loop.
    let conditions: [CompiledCondition]
    let keepEmpty: Bool
    let details: [ColumnDetails]
    /// As many as `details`; written once in `init`, then only read: sharing it is safe.
    nonisolated(unsafe) let columns: UnsafeMutablePointer<CompiledColumn>
    let columnCount: Int
    /// Whether any column counts for the row rule.
    let hasCountedColumns: Bool

    init(
        target: Int, isNumbered: Bool, loops: [CompiledLoop], conditions: [CompiledCondition], keepEmpty: Bool,
        columns: [(CompiledColumn, ColumnDetails)]
    ) {
        self.target = target
        self.isNumbered = isNumbered
        self.loops = loops
        self.conditions = conditions
        self.keepEmpty = keepEmpty
        details = columns.map(\.1)
        columnCount = columns.count
        self.columns = .allocate(capacity: max(columns.count, 1))
        for (index, column) in columns.enumerated() { (self.columns + index).initialize(to: column.0) }
        hasCountedColumns = columns.contains { $0.0.steps.contains(.countsAsValue) }
    }

    deinit { columns.deallocate() }
}

/// Bytes that constants of a plan point to.
final class ConstantMemory: @unchecked Sendable {
    // @unchecked: filled while the plan is compiled, by one thread; afterwards only read.
    private var pieces: [UnsafeMutableRawBufferPointer] = []

    func value(_ text: String) -> Value {
        let bytes = Array(text.utf8)
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
        piece.copyBytes(from: bytes)
        pieces.append(piece)
        return Value(kind: .string, start: UnsafeRawPointer(piece.baseAddress), count: bytes.count)
    }

    /// The value that a JSON text says; the text as a string where it is no JSON.
    func json(_ text: String) -> Value {
        let value = value(text)
        return (try? JSON.validate(value.bytes)) ?? value
    }

    func value(_ literal: Literal) -> Value {
        switch literal {
        case .null: .null
        case .text(let text): value(text)
        }
    }

    deinit { for piece in pieces { piece.deallocate() } }
}
