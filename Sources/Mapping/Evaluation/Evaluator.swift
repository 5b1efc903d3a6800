import CopyFormat
import MQTT
import Payload
import Sparkplug

/// Turns messages into rows, straight into COPY buffers. One for each shard: it owns the scratch memory that makes the way free of allocations.
///
/// `process` never fails: a mapping that cannot make rows of a message takes back what it has written of it, and leaves a `MappingFailure`.
public struct Evaluator: ~Copyable {
    let plan: MappingPlan
    let limits: EvaluationLimits
    /// The slots of the mapping at hand. All mappings share them, so that a message finds them in the processor's cache whichever mapping came before.
    let slotMemory: UnsafeMutablePointer<Value>
    private let matches: UnsafeMutablePointer<RouteMatch>
    private let levelStarts: UnsafeMutablePointer<Int32>
    private var marks: [CopyBuffer.Mark] = []
    var scratch = ScratchMemory()
    var cursors: [SeekCursor]
    var sparkplug: SparkplugMessages
    var received: Int64 = 0
    /// Subscription identifiers of the message at hand; empty where it is for whoever takes its topic.
    private var copyIdentifiers: [UInt32] = []
    /// Of the message processed last; empty when it had none.
    public private(set) var failures: [MappingFailure] = []
    /// By mapping.
    public private(set) var counters: [MappingCounters]

    /// - Parameter births: where aliases of Sparkplug B are looked up; of its own where nothing is said.
    public init(
        plan: MappingPlan, limits: EvaluationLimits = EvaluationLimits(), births: SparkplugDecoder.Births = .seen(BirthRegistry())
    ) {
        sparkplug = SparkplugMessages(births: births, isUsed: plan.usesSparkplug)
        self.plan = plan
        self.limits = limits
        let slots = max(plan.mappings.map(\.slotCount).max() ?? 0, 1)
        slotMemory = .allocate(capacity: slots)
        slotMemory.initialize(repeating: .missing, count: slots)
        matches = .allocate(capacity: max(plan.mappings.count, 1))
        levelStarts = .allocate(capacity: TopicLevels.levelsMaximum + 1)
        counters = Array(repeating: MappingCounters(), count: plan.mappings.count)
        cursors = Array(repeating: SeekCursor(), count: plan.mappings.map(\.cursorCount).max() ?? 0)
    }

    deinit {
        slotMemory.deallocate()
        matches.deallocate()
        levelStarts.deallocate()
    }

    /// Routes, decodes and writes one message.
    /// - Parameters:
    ///   - buffers: one for each of the plan's targets.
    ///   - units: takes down which rows the message made, as those of message `number`; nil where nobody asks.
    ///   - only: of all mappings this one alone, by its index; nil: all.
    public mutating func process(
        _ message: borrowing MessageInput, into buffers: UnsafeMutablePointer<CopyBuffer>, units: UnsafeMutablePointer<RowUnits>? = nil,
        number: UInt32 = 0, only: Int? = nil
    ) -> MessageOutcome {
        if !failures.isEmpty { failures.removeAll() }
        let topic = TopicLevels(message.topic, starts: levelStarts)
        let matched = plan.router.route(topic, into: matches)
        received = message.receivedMicroseconds
        if plan.usesSparkplug { sparkplug.begin(message.topic, receivedMicroseconds: received, plan) }
        var outcome = MessageOutcome()
        if !plan.identifiersInUse.isEmpty { readIdentifiers(of: message.properties) }
        for index in 0..<matched {
            let match = matches[index]
            if let only, Int(match.mapping) != only { continue }
            if !copyIdentifiers.isEmpty, !isMeant(for: match) {
                counters[Int(match.mapping)].otherCopies &+= 1
                outcome.matchedCount += 1
                continue
            }
            let mapping = plan.mappings[Int(match.mapping)]
            if !mapping.exclude.isEmpty, mapping.exclude.contains(where: { $0.matches(topic) }) { continue }
            outcome.matchedCount += 1
            let rowsBefore = outcome.rowCount
            run(mapping, match, topic, message, buffers, &outcome)
            if let units, outcome.rowCount > rowsBefore {
                units.pointee.append(message: number, mapping: Int(match.mapping), targets: mapping.targets, marks: marks, buffers)
            }
        }
        return outcome
    }

    /// The subscriptions that this copy of the message is for, if it says so. One that this plan does not know, such as one that is just being ended, says
    /// nothing: a message that comes twice is better than one that comes never.
    private mutating func readIdentifiers(of properties: PublishProperties) {
        if !copyIdentifiers.isEmpty { copyIdentifiers.removeAll(keepingCapacity: true) }
        guard !properties.isEmpty else { return }
        var identifiers = copyIdentifiers
        properties.forEachSubscriptionIdentifier { identifiers.append($0) }
        if identifiers.allSatisfy(plan.identifiersInUse.contains) { copyIdentifiers = identifiers }
    }

    private func isMeant(for match: RouteMatch) -> Bool {
        let identifier = plan.subscriptionIdentifiers[Int(match.mapping)][Int(match.pattern)]
        return identifier == 0 || copyIdentifiers.contains(identifier)
    }

    /// The mappings that take a topic, by index.
    public func mappings(for topic: UnsafeRawBufferPointer) -> [Int] {
        let topic = TopicLevels(topic, starts: levelStarts)
        return (0..<plan.router.route(topic, into: matches)).map { Int(matches[$0].mapping) }
            .filter { mapping in !plan.mappings[mapping].exclude.contains { $0.matches(topic) } }
    }

    /// The birth certificate that the message processed last is, to be stored with it.
    public var birth: SparkplugDecoder.Birth? { sparkplug.notes.birth }

    /// Messages of its edge node are missing before the message processed last.
    public var hasSequenceGap: Bool { sparkplug.notes.hasGap }

    /// What asks the edge node of the message processed last for its births, where a mapping wants that and it would help; once in a while for each node.
    public mutating func rebirthCommand() -> RebirthCommand? { sparkplug.rebirthCommand() }

    private mutating func run(
        _ mapping: CompiledMapping, _ match: RouteMatch, _ topic: TopicLevels, _ message: borrowing MessageInput,
        _ buffers: UnsafeMutablePointer<CopyBuffer>, _ outcome: inout MessageOutcome
    ) {
        let index = Int(match.mapping)
        counters[index].received &+= 1
        // QoS is 0, 1 or 2: no branch.
        counters[index].receivedAtLeastOnce &+= UInt64(message.qos & 1)
        counters[index].receivedExactlyOnce &+= UInt64(message.qos &>> 1)
        counters[index].lastReceivedMicroseconds = message.receivedMicroseconds
        if message.isRetained, mapping.retained == .skip {
            counters[index].retainedSkipped &+= 1
            return
        }
        if message.payload.isEmpty, mapping.emptyPayload == .skip {
            counters[index].emptySkipped &+= 1
            return
        }
        let slots = slotMemory
        // What another mapping left there is no value of this one.
        assert(spoil(slots, count: mapping.slotCount))
        fill(slots, of: mapping, message)
        for constant in mapping.constants { slots[constant.slot] = constant.value }
        for slot in mapping.captureSlots { slots[slot] = .missing }
        mapping.patterns[Int(match.pattern)].capture(topic, into: slots)

        marks.removeAll(keepingCapacity: true)
        var bytesBefore = 0
        for target in mapping.targets {
            marks.append(buffers[target].mark)
            bytesBefore &+= buffers[target].count
        }
        scratch.reset()
        // The next payload may lie where the last one lay: what was found there is forgotten.
        for cursor in 0..<mapping.cursorCount { cursors[cursor].items = nil }
        var run = MappingRun(mapping: mapping, index: index, slots: slots, payload: message.payload)
        do throws(EvaluationError) {
            try run.evaluate(&self, buffers)
            outcome.rowCount += run.rows
            counters[index].rows &+= UInt64(run.rows)
            for target in mapping.targets { outcome.writtenBytes &+= buffers[target].count }
            outcome.writtenBytes &-= bytesBefore
        } catch {
            for (target, mark) in zip(mapping.targets, marks) { buffers[target].truncate(to: mark) }
            counters[index].failures &+= 1
            outcome.failureCount += 1
            let reason = error.column.map { "column '\($0)': \(error.reason)" } ?? error.reason
            failures.append(MappingFailure(mapping: index, column: error.column, mark: error.mark, reason: reason))
        }
        counters[index].filtered &+= run.wasFiltered ? 1 : 0
        counters[index].noValues &+= run.noValues
        counters[index].skippedRows &+= run.skippedRows
        counters[index].nulledColumns &+= run.nulledColumns
    }

    /// In debug builds a slot that is read before it was filled shows in the row.
    private func spoil(_ slots: UnsafeMutablePointer<Value>, count: Int) -> Bool {
        let words: StaticString = "a slot that nothing filled"
        slots.update(repeating: Value(kind: .string, start: words.utf8Start, count: words.utf8CodeUnitCount), count: count)
        return true
    }

    /// What is known of a message before it is decoded.
    @inline(__always)
    private func fill(_ slots: UnsafeMutablePointer<Value>, of mapping: CompiledMapping, _ message: borrowing MessageInput) {
        slots[FixedSlot.received.rawValue] = Value(kind: .timestamp, word: UInt64(bitPattern: message.receivedMicroseconds))
        slots[FixedSlot.qos.rawValue] = .integer(Int64(message.qos))
        slots[FixedSlot.retain.rawValue] = Value(kind: message.isRetained ? .true : .false)
        slots[FixedSlot.topic.rawValue] = Value(kind: .string, bytes: message.topic)
        slots[FixedSlot.rawPayload.rawValue] = Value(kind: .bytes, bytes: message.payload)
        guard mapping.usesProperties else { return }
        for slot in FixedSlot.properties { slots[slot.rawValue] = .missing }
        if !message.broker.isEmpty { slots[FixedSlot.broker.rawValue] = Value(kind: .string, bytes: message.broker) }
        for property in mapping.userProperties { slots[property.slot] = .missing }
        if !message.properties.isEmpty { fill(slots, of: mapping, message.properties) }
    }

    @inline(never)
    private func fill(_ slots: UnsafeMutablePointer<Value>, of mapping: CompiledMapping, _ properties: PublishProperties) {
        func set(_ slot: FixedSlot, _ text: UnsafeRawBufferPointer?) {
            if let text { slots[slot.rawValue] = Value(kind: .string, bytes: text) }
        }
        set(.contentType, properties.contentType)
        set(.responseTopic, properties.responseTopic)
        if let data = properties.correlationData {
            slots[FixedSlot.correlationData.rawValue] = Value(
                kind: UTF8Text.isValid(data) && !UTF8Text.containsNUL(data) ? .string : .bytes, bytes: data)
        }
        if let seconds = properties.messageExpirySeconds { slots[FixedSlot.messageExpiry.rawValue] = .integer(Int64(seconds)) }
        for property in mapping.userProperties {
            if let value = properties.userProperty(property.name) { slots[property.slot] = Value(kind: .string, bytes: value) }
        }
    }
}

/// Where a seek into an array was last.
struct SeekCursor {
    var container: UInt64 = 0
    var items: JSON.Items?
    var index = -1
    var item = Value.missing
}
