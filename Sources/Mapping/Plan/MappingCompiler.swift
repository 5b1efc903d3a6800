import CopyFormat
import Payload

/// Turns one mapping's syntax into a `CompiledMapping`: gives every source a slot, builds the path tries, resolves every column.
///
/// It walks the syntax twice with the same code, see `SlotTable`: no source can be resolved that was not collected.
struct MappingCompiler {
    let syntax: MappingSyntax
    var table = SlotTable()
    private var captures: [String: Int] = [:]
    private var userProperties: [String: Int] = [:]
    private var usesProperties = false
    private var usesBroker = false
    private var constants: [(slot: Int, value: Value)] = []
    private(set) var memory = ConstantMemory()
    /// `$` and the embeds.
    private(set) var documents: [DocumentRoot: CompiledDocument] = [:]
    /// The number of the block being compiled, and its loops by variable.
    var block = 0
    var loops: [String: LoopSlots] = [:]
    private var cursors = 0

    struct LoopSlots {
        var over: Source
        var key: Int
        var index: Int
    }

    static func compile(_ syntax: MappingSyntax, targets: inout TargetList) -> CompiledMapping {
        var compiler = MappingCompiler(syntax: syntax)
        _ = compiler.compile(targets: &targets)
        var table = compiler.table
        table.close()
        compiler = MappingCompiler(syntax: syntax)
        compiler.table = table
        return compiler.compile(targets: &targets)
    }

    private init(syntax: MappingSyntax) { self.syntax = syntax }

    private mutating func compile(targets: inout TargetList) -> CompiledMapping {
        var patterns: [CompiledPattern] = []
        for topic in syntax.topics { patterns.append(CompiledPattern(topic.value) { captureSlot($0) }) }
        var exclude: [CompiledPattern] = []
        for topic in syntax.exclude { exclude.append(CompiledPattern(topic.value) { captureSlot($0) }) }
        let document = document(
            .payload, syntax.decode, name: "", unpack: syntax.unpack, source: nil, bytesSlot: FixedSlot.rawPayload.rawValue)
        var embeds: [CompiledDocument] = []
        for embed in syntax.embeds {
            embeds.append(
                self.document(
                    .embed(embed.name), embed.decode, name: embed.name, unpack: embed.unpack, source: resolve(embed.from),
                    bytesSlot: table.newSlot()))
        }
        let filter = syntax.when.map { condition($0) }
        var blocks: [CompiledBlock] = []
        for (number, block) in syntax.blocks.enumerated() {
            self.block = number
            blocks.append(compile(block, targets: &targets))
        }
        return CompiledMapping(
            name: syntax.name, patterns: patterns, exclude: exclude, syntax: syntax, document: document, embeds: embeds, filter: filter,
            blocks: blocks, slotCount: table.slotCount, constants: constants,
            userProperties: userProperties.map { (Array($0.key.utf8), $0.value) }, usesProperties: usesProperties,
            usesBroker: usesBroker, captureNames: captures.map { ($0.key, $0.value) },
            captureSlots: syntax.topics.count > 1 ? captures.values.sorted() : [], constantMemory: memory, cursorCount: cursors)
    }

    // MARK: Documents

    private mutating func document(
        _ root: DocumentRoot, _ decode: DecodeSyntax, name: String, unpack: [UnpackStep], source: SlotSource?, bytesSlot: Int
    ) -> CompiledDocument {
        let (trie, base) = table.trie(below: .document(root))
        let wanted = table.wanted(below: .document(root))
        var wants: BinaryWants?
        // Lines and records are walked without the whole; what asks for more finds the payload written as JSON.
        var isWrittenAsText = false
        switch decode {
        case .csv, .json(_, lines: true): isWrittenAsText = !wanted.isEmpty
        case .binary(let layout):
            func slots(_ fields: [BinaryField]) -> [Int] {
                fields.map { field in wanted.first { $0.path == [field.name] }.map { base + $0.slot } ?? -1 }
            }
            let tagged = layout.tagged?.types.map { $0.list == nil ? $0.fields : [] } ?? []
            wants = BinaryWants(fields: slots(layout.fields), tagged: tagged.map { slots($0) })
            let names = Set((layout.fields + tagged.joined()).map { [$0.name] })
            isWrittenAsText = wanted.contains { !names.contains($0.path) }
        default: break
        }
        let document = CompiledDocument(
            name: name, decode: decode, unpack: unpack, source: source, bytesSlot: bytesSlot, trie: trie, base: base, binary: wants,
            isWrittenAsText: isWrittenAsText)
        documents[root] = document
        return document
    }

    /// How the document is decoded that a root is, or a loop runs over.
    func decode(of root: DocumentRoot) -> DecodeSyntax {
        switch root {
        case .payload: return syntax.decode
        case .embed(let name): return syntax.embeds.first { $0.name == name }?.decode ?? syntax.decode
        case .loop(let variable):
            guard case .document(let outer, _) = loops[variable]?.over, outer != root else { return syntax.decode }
            return decode(of: outer)
        }
    }

    // MARK: Sources

    private mutating func captureSlot(_ name: String) -> Int {
        if let known = captures[name] { return known }
        let slot = table.newSlot()
        captures[name] = slot
        return slot
    }

    /// What paths that start from a root are collected under.
    func place(of root: DocumentRoot) -> SlotTable.Root {
        if case .loop(let variable) = root { .loop(block: block, variable: variable) } else { .document(root) }
    }

    mutating func resolve(_ source: Source) -> SlotSource {
        switch source {
        case .document(let root, let path):
            if let place = cellFromEnd(root, path) { return .slot(table.slot(of: [place], below: self.place(of: root))) }
            let (prefix, rest) = Self.split(path)
            let found = seek(from: table.slot(of: prefix, below: place(of: root)), rest)
            return isWrittenBytes(root, path) ? .base64(found) : found
        case .loopKey(let variable): return .slot(loops[variable]?.key ?? missingSlot())
        case .loopIndex(let variable): return .slot(loops[variable]?.index ?? missingSlot())
        case .topic: return .slot(FixedSlot.topic.rawValue)
        case .capture(let name): return .slot(captureSlot(name))
        case .received: return .slot(FixedSlot.received.rawValue)
        case .rawPayload: return .slot(FixedSlot.rawPayload.rawValue)
        case .constant(let literal):
            let slot = table.newSlot()
            constants.append((slot, memory.value(literal)))
            return .slot(slot)
        case .mqtt(.user(let name)):
            if let known = userProperties[name] { return .slot(known) }
            let slot = table.newSlot()
            userProperties[name] = slot
            return .slot(slot)
        case .mqtt(let property):
            let slot = Self.fixedSlot(of: property)
            if FixedSlot.properties.contains(slot) { usesProperties = true }
            if slot == .broker { usesBroker = true }
            return .slot(slot.rawValue)
        case .rest: return .slot(missingSlot())
        }
    }

    /// `line.-1` of a loop over the lines of CSV: the decoder counts cells from their end itself.
    private func cellFromEnd(_ root: DocumentRoot, _ path: [PathSegment]) -> String? {
        guard case .loop(let variable) = root, case .document(let document, let whole) = loops[variable]?.over, whole.isEmpty,
            case .csv = decode(of: document), path.count == 1, case .name(let name) = path[0], (PathSegment.arrayIndex(name) ?? 0) < 0
        else { return nil }
        return name
    }

    /// A field of bytes that is reached by its record's place: it comes from the payload written as text.
    private func isWrittenBytes(_ root: DocumentRoot, _ path: [PathSegment]) -> Bool {
        if case .loop = root { return false }
        guard path.count > 1, case .binary = decode(of: root) else { return false }
        var shape = DocumentShape(decode(of: root))
        for segment in path {
            guard let next = try? shape.member(segment) else { return false }
            shape = next
        }
        if case .bytes = shape { return true }
        return false
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

    mutating func missingSlot() -> Int {
        let slot = table.newSlot()
        constants.append((slot, .missing))
        return slot
    }

    // MARK: Paths

    /// The members that lead from the root to what a trie can fill; the rest has to be sought at run time.
    static func split(_ path: [PathSegment]) -> (prefix: [String], rest: ArraySlice<PathSegment>) {
        var prefix: [String] = []
        for (index, segment) in path.enumerated() {
            guard case .name(let name) = segment, (PathSegment.arrayIndex(name) ?? 0) >= 0 else { return (prefix, path[index...]) }
            prefix.append(name)
        }
        return (prefix, [])
    }

    private mutating func seek(from container: Int, _ rest: ArraySlice<PathSegment>) -> SlotSource {
        guard !rest.isEmpty else { return .slot(container) }
        let steps = rest.map { segment -> SeekStep in
            switch segment {
            case .name(let name): PathSegment.arrayIndex(name).map { .index($0) } ?? .name(Array(name.utf8))
            case .indexOf(let variable): .slot(loops[variable]?.index ?? 0)
            case .keyOf(let variable): .slot(loops[variable]?.key ?? 0)
            }
        }
        defer { cursors += 1 }
        return .seek(container: container, steps: steps, cursor: cursors)
    }
}

extension PathSegment {
    /// The element of an array that a name means: digits without a zero in front, counted from 0, or from the end behind a minus (−1 is the last).
    static func arrayIndex(_ name: String) -> Int? {
        let digits = name.utf8.first == UInt8(ascii: "-") ? name.utf8.dropFirst() : name.utf8[...]
        guard let first = digits.first, digits.allSatisfy({ (0x30...0x39).contains($0) }), first != 0x30 || name == "0" else { return nil }
        return Int(name)
    }
}
