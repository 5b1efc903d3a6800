import CopyFormat
import Payload

/// Turns one mapping's syntax into a `CompiledMapping`: gives every source a slot, builds the path tries, resolves every column.
struct MappingCompiler {
    let syntax: MappingSyntax
    var nextSlot = FixedSlot.allCases.count
    private var captures: [String: Int] = [:]
    private var userProperties: [String: Int] = [:]
    private var usesProperties = false
    private var constants: [(slot: Int, value: Value)] = []
    let memory = ConstantMemory()
    /// Paths below `$` of the whole mapping.
    var document = PathCollector()
    /// Loops of the block being compiled, by variable.
    var loops: [String: LoopDraft] = [:]
    private var loopOrder: [String] = []
    var loopSlots: [String: [Int]] = [:]
    private var cursors = 0

    struct LoopDraft {
        var paths = PathCollector()
        var keySlot: Int
        var indexSlot: Int
    }

    /// Sources are met before their tries are built, so places in them are promises until then.
    struct PathCollector {
        var paths: [[String]] = []

        mutating func promise(_ path: [String]) -> Int {
            if let known = paths.firstIndex(of: path) { return known }
            paths.append(path)
            return paths.count - 1
        }
    }

    static func compile(_ syntax: MappingSyntax, targets: inout TargetList) -> CompiledMapping {
        var compiler = MappingCompiler(syntax: syntax)
        return compiler.compile(targets: &targets)
    }

    private init(syntax: MappingSyntax) { self.syntax = syntax }

    mutating func newSlot() -> Int {
        defer { nextSlot += 1 }
        return nextSlot
    }

    mutating func compile(targets: inout TargetList) -> CompiledMapping {
        // The document's trie must know all paths before slots are numbered: a first walk collects, a second one resolves.
        collectDocumentPaths()
        let trie = PathTrie(paths: document.paths)
        let documentBase = nextSlot
        nextSlot += trie.slotCount
        documentSlots = trie.slots.map { $0 + documentBase }

        var patterns: [CompiledPattern] = []
        for topic in syntax.topics { patterns.append(CompiledPattern(topic.value) { captureSlot($0) }) }
        var exclude: [CompiledPattern] = []
        for topic in syntax.exclude { exclude.append(CompiledPattern(topic.value) { captureSlot($0) }) }
        let filter = syntax.when.map { condition($0) }
        var blocks: [CompiledBlock] = []
        for block in syntax.blocks { blocks.append(compile(block, targets: &targets)) }
        return CompiledMapping(
            name: syntax.name, patterns: patterns, exclude: exclude, syntax: syntax, document: trie, documentBase: documentBase,
            binary: binaryWants(), filter: filter, blocks: blocks, slotCount: nextSlot, constants: constants,
            userProperties: userProperties.map { (Array($0.key.utf8), $0.value) }, usesProperties: usesProperties,
            captureNames: captures.map { ($0.key, $0.value) },
            captureSlots: syntax.topics.count > 1 ? captures.values.sorted() : [], constantMemory: memory, cursorCount: cursors)
    }

    // MARK: Sources

    private var documentSlots: [Int] = []

    private mutating func captureSlot(_ name: String) -> Int {
        if let known = captures[name] { return known }
        let slot = newSlot()
        captures[name] = slot
        return slot
    }

    /// The members that lead from the root to what a trie can fill; the rest has to be sought at run time.
    static func split(_ path: [PathSegment]) -> (prefix: [String], rest: ArraySlice<PathSegment>) {
        var prefix: [String] = []
        for (index, segment) in path.enumerated() {
            guard case .name(let name) = segment, !(name.hasPrefix("-") && Int(name) != nil) else { return (prefix, path[index...]) }
            prefix.append(name)
        }
        return (prefix, [])
    }

    mutating func resolve(_ source: Source) -> SlotSource {
        switch source {
        case .document(.payload, let path):
            let (prefix, rest) = Self.split(path)
            return seek(from: documentSlots[document.promise(prefix)], rest)
        case .document(.loop(let variable), let path):
            let (prefix, rest) = Self.split(path)
            guard let slots = loopSlots[variable], let place = loops[variable]?.paths.promise(prefix) else { return .slot(missingSlot()) }
            return seek(from: slots[place], rest)
        case .loopKey(let variable): return .slot(loops[variable]?.keySlot ?? missingSlot())
        case .loopIndex(let variable): return .slot(loops[variable]?.indexSlot ?? missingSlot())
        case .topic: return .slot(FixedSlot.topic.rawValue)
        case .capture(let name): return .slot(captureSlot(name))
        case .received: return .slot(FixedSlot.received.rawValue)
        case .rawPayload: return .slot(FixedSlot.rawPayload.rawValue)
        case .constant(let literal):
            let slot = newSlot()
            constants.append((slot, memory.value(literal)))
            return .slot(slot)
        case .mqtt(.user(let name)):
            if let known = userProperties[name] { return .slot(known) }
            let slot = newSlot()
            userProperties[name] = slot
            return .slot(slot)
        case .mqtt(let property):
            let slot = Self.fixedSlot(of: property)
            if FixedSlot.properties.contains(slot) { usesProperties = true }
            return .slot(slot.rawValue)
        case .rest: return .slot(missingSlot())
        }
    }

    private static func fixedSlot(of property: MessageProperty) -> FixedSlot {
        switch property {
        case .qos: .qos
        case .retain: .retain
        case .contentType: .contentType
        case .responseTopic: .responseTopic
        case .correlationData: .correlationData
        case .messageExpiry: .messageExpiry
        case .broker, .user: .broker
        }
    }

    private mutating func missingSlot() -> Int {
        let slot = newSlot()
        constants.append((slot, .missing))
        return slot
    }

    mutating func seek(from container: Int, _ rest: ArraySlice<PathSegment>) -> SlotSource {
        guard !rest.isEmpty else { return .slot(container) }
        let steps = rest.map { segment -> SeekStep in
            switch segment {
            case .name(let name): Int(name).map { .index($0) } ?? .name(Array(name.utf8))
            case .indexOf(let variable): .slot(loops[variable]?.indexSlot ?? 0)
            case .keyOf(let variable): .slot(loops[variable]?.keySlot ?? 0)
            }
        }
        defer { cursors += 1 }
        return .seek(container: container, steps: steps, cursor: cursors)
    }

    // MARK: Paths

    /// All sources of a block or of the whole mapping.
    static func sources(of block: BlockSyntax) -> [Source] {
        var all = block.each.map(\.over) + block.when.map(\.source)
        for column in block.columns {
            all += column.from + column.when.map(\.source)
            all += [column.plus?.from, column.plus?.by, column.sign?.from].compactMap { $0 }
        }
        return all
    }

    private mutating func collectDocumentPaths() {
        for source in syntax.when.map(\.source) + syntax.blocks.flatMap(Self.sources) {
            if case .document(.payload, let path) = source { _ = document.promise(Self.split(path).prefix) }
        }
        // `rest` needs the whole object, and so does a text or bytes payload.
        let needsRoot = syntax.blocks.contains { block in block.each.isEmpty && block.columns.contains { $0.from.contains(.rest) } }
        if needsRoot { _ = document.promise([]) }
        if case .binary(let layout) = syntax.decode {
            for group in layout.groups { _ = document.promise([group.name]) }
        }
    }

    private func binaryWants() -> BinaryWants? {
        guard case .binary(let layout) = syntax.decode else { return nil }
        func slot(_ name: String) -> Int { document.paths.firstIndex(of: [name]).map { documentSlots[$0] } ?? -1 }
        return BinaryWants(fields: layout.fields.map { slot($0.name) }, groups: layout.groups.map { slot($0.name) })
    }
}
