import CopyFormat
import Payload

/// Turns one mapping's syntax into a `CompiledMapping`: gives every source a slot, builds the path tries, resolves every column.
struct MappingCompiler {
    private let syntax: MappingSyntax
    private var nextSlot = FixedSlot.allCases.count
    private var captures: [String: Int] = [:]
    private var userProperties: [String: Int] = [:]
    private var usesProperties = false
    private var constants: [(slot: Int, value: Value)] = []
    private let memory = ConstantMemory()
    /// Paths below `$` of the whole mapping.
    private var document = PathCollector()
    /// Loops of the block being compiled, by variable.
    private var loops: [String: LoopDraft] = [:]
    private var loopOrder: [String] = []
    private var cursors = 0

    private struct LoopDraft {
        var paths = PathCollector()
        var keySlot: Int
        var indexSlot: Int
    }

    /// Sources are met before their tries are built, so places in them are promises until then.
    private struct PathCollector {
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

    private mutating func newSlot() -> Int {
        defer { nextSlot += 1 }
        return nextSlot
    }

    private mutating func compile(targets: inout TargetList) -> CompiledMapping {
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
    private static func split(_ path: [PathSegment]) -> (prefix: [String], rest: ArraySlice<PathSegment>) {
        var prefix: [String] = []
        for (index, segment) in path.enumerated() {
            guard case .name(let name) = segment, !(name.hasPrefix("-") && Int(name) != nil) else { return (prefix, path[index...]) }
            prefix.append(name)
        }
        return (prefix, [])
    }

    private mutating func resolve(_ source: Source) -> SlotSource {
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

    private mutating func seek(from container: Int, _ rest: ArraySlice<PathSegment>) -> SlotSource {
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
    private static func sources(of block: BlockSyntax) -> [Source] {
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

    // MARK: Blocks

    private var loopSlots: [String: [Int]] = [:]

    private mutating func compile(_ block: BlockSyntax, targets: inout TargetList) -> CompiledBlock {
        loops = [:]
        loopSlots = [:]
        let inner = block.each.last?.variable
        for loop in block.each {
            var draft = LoopDraft(keySlot: newSlot(), indexSlot: newSlot())
            for source in Self.sources(of: block) {
                if case .document(.loop(loop.variable), let path) = source { _ = draft.paths.promise(Self.split(path).prefix) }
            }
            if loop.variable == inner, block.columns.contains(where: { $0.from.contains(.rest) }) { _ = draft.paths.promise([]) }
            loops[loop.variable] = draft
        }
        var compiledLoops: [CompiledLoop] = []
        for loop in block.each {
            guard let draft = loops[loop.variable] else { continue }
            let trie = PathTrie(paths: draft.paths.paths)
            let base = nextSlot
            nextSlot += trie.slotCount
            loopSlots[loop.variable] = trie.slots.map { $0 + base }
            compiledLoops.append(
                CompiledLoop(
                    variable: loop.variable, text: "\(loop.over).*", over: resolve(loop.over), trie: trie, base: base,
                    keySlot: draft.keySlot,
                    indexSlot: draft.indexSlot, conditions: [], csv: csvDocument(draft, trie), groupWants: groupWants(draft, trie)))
        }
        // Each test is applied as soon as its root is known.
        var early: [CompiledCondition] = []
        for test in block.when {
            let compiled = condition(test)
            switch test.source {
            case .document(.loop(let variable), _), .loopKey(let variable), .loopIndex(let variable):
                if let place = block.each.firstIndex(where: { $0.variable == variable }) {
                    compiledLoops[place].conditions.append(compiled)
                }
            default: early.append(compiled)
            }
        }
        let target = targets.target(
            table: block.table.name,
            columns: block.columns.map { ($0.name, targets.tableTypes[block.table.name]?[$0.name] ?? $0.type) })
        let types = targets.targets[target].columns.map(\.type)
        var columns: [(CompiledColumn, ColumnDetails)] = []
        for (column, type) in zip(block.columns, types) { columns.append(compile(column, wire: type, in: block)) }
        return CompiledBlock(target: target, loops: compiledLoops, conditions: early, keepEmpty: block.keepEmpty, columns: columns)
    }

    private func csvDocument(_ draft: LoopDraft, _ trie: PathTrie) -> CSVDocument? {
        guard case .csv(let options, _) = syntax.decode else { return nil }
        let single = zip(draft.paths.paths, trie.slots).filter { $0.0.count == 1 }
        return CSVDocument(options: options, paths: single.map { $0.0[0] }, slots: single.map(\.1), slotCount: trie.slotCount)
    }

    private func groupWants(_ draft: LoopDraft, _ trie: PathTrie) -> [[Int]] {
        guard case .binary(let layout) = syntax.decode else { return [] }
        return layout.groups.map { group in
            group.fields.map { field in draft.paths.paths.firstIndex(of: [field.name]).map { trie.slots[$0] } ?? -1 }
        }
    }

    // MARK: Conditions

    private mutating func condition(_ syntax: ConditionSyntax) -> CompiledCondition {
        CompiledCondition(source: resolve(syntax.source), test: Self.compile(syntax.test))
    }

    private static func compile(_ test: TestExpression) -> CompiledTest {
        switch test {
        case .equals(.null): .null
        case .equals(.text(let text)): .equals(ComparisonText(text))
        case .anyOf(let tests): .any(tests.map(compile))
        case .allOf(let tests): .all(tests.map(compile))
        case .isKind(let kinds): .kinds(kinds)
        case .not(let test): .not(compile(test))
        case .match(let glob): .glob(Array(glob.utf8))
        case .present(let isPresent): .present(isPresent)
        case .minimum(let text): DecimalNumber(text).map { .minimum($0) } ?? .any([])
        case .maximum(let text): DecimalNumber(text).map { .maximum($0) } ?? .any([])
        }
    }

    // MARK: Columns

    private mutating func compile(_ column: ColumnSyntax, wire: ColumnType, in block: BlockSyntax) -> (CompiledColumn, ColumnDetails) {
        var steps: ColumnSteps = []
        var details = ColumnDetails(name: column.name, declared: column.type, wire: wire)
        var slot = 0
        if column.from == [.rest] {
            details.gather = rest(of: block)
        } else if let separator = column.joinSeparator {
            details.gather = .join(column.from.map { resolve($0) }, separator: Array(separator.utf8))
        } else if column.from.count > 1 {
            details.gather = .first(column.from.map { resolve($0) })
        } else {
            switch resolve(column.from[0]) {
            case .slot(let found): slot = found
            case .seek(let container, let path, let cursor):
                details.gather = .single(.seek(container: container, steps: path, cursor: cursor))
            }
        }
        if details.gather != nil { steps.insert(.gathers) }
        details.conditions = column.when.map { condition($0) }
        details.kinds = column.isKind
        if !column.when.isEmpty || column.isKind != nil { steps.insert(.hasCondition) }
        if column.trim { steps.insert(.trims) }
        details.nullIf = column.nullIf.map { ComparisonText($0) }
        if !column.nullIf.isEmpty { steps.insert(.hasNullIf) }
        details.map = column.map.map { (Array($0.key.utf8), memory.value($0.value)) }
        details.mapElse = column.mapElse.map { memory.value($0) }
        if !column.map.isEmpty || column.mapElse != nil { steps.insert(.maps) }
        details.parse = parse(of: column)
        if case .none = details.parse {} else { steps.insert(.hasParse) }
        details.zone = column.zone.flatMap { try? TimeZoneRules($0) }
        if details.zone != nil { steps.insert(.hasParse) }
        calculation(of: column, &details, &steps)
        switch column.defaultValue {
        case .received: details.defaultValue = Value(kind: .timestamp)
        case .literal(let text):
            // A date stands for its midnight, as the reader has checked it.
            let time = column.type.isTime ? time(text) : nil
            details.defaultValue = memory.value(time.map { CivilTime.text(unixMicroseconds: $0) } ?? text)
        case nil: break
        }
        if details.defaultValue != nil { steps.insert(.hasDefault) }
        if column.isNotNull { steps.insert(.isNotNull) }
        let readsPayload = column.from.contains { source in
            switch source {
            case .document, .rawPayload: true
            default: false
            }
        }
        if readsPayload, !column.isNotNull { steps.insert(.countsAsValue) }
        let compiled = CompiledColumn(
            slot: Int32(slot), encoding: CompiledColumn.Encoding(wire), policy: column.onError ?? syntax.onError, steps: steps,
            declaredBits: Self.declaredBits(of: column.type), characterLimit: Self.characterLimit(of: column.type))
        return (compiled, details)
    }

    private mutating func calculation(of column: ColumnSyntax, _ details: inout ColumnDetails, _ steps: inout ColumnSteps) {
        if column.scale != nil || column.offset != nil || column.convert != nil {
            let scale = column.scale.flatMap { DecimalNumber($0) } ?? DecimalNumber(1 as Int64)
            let offset = column.offset.flatMap { DecimalNumber($0) } ?? DecimalNumber(0 as Int64)
            let factor = DecimalNumber(column.convert?.multiplier ?? 1)
            let addend = DecimalNumber(column.convert?.addend ?? 0)
            // ((v × scale + offset) × multiplier + addend) ÷ divisor
            details.affine = (
                scale.multiplied(by: factor) ?? scale, offset.multiplied(by: factor)?.adding(addend) ?? addend,
                UInt64(column.convert?.divisor ?? 1)
            )
            steps.insert(.calculates)
        }
        if let sign = column.sign {
            details.sign = (resolve(sign.from), sign.negative.map { Array($0.utf8) })
            steps.insert(.calculates)
        }
        if let plus = column.plus {
            details.plus = (resolve(plus.from), plus.by.map { resolve($0) }, plus.timesNanoseconds)
            steps.insert(.shiftsTime)
        }
        details.minimum = column.minimum.map { (Self.compile($0), $0.text) }
        details.maximum = column.maximum.map { (Self.compile($0), $0.text) }
        if column.minimum != nil || column.maximum != nil { steps.insert(column.type.isTime ? .shiftsTime : .calculates) }
    }

    private static func compile(_ bound: Bound) -> CompiledBound {
        switch bound {
        case .number(let text): .number(DecimalNumber(text) ?? DecimalNumber(0 as Int64))
        case .time(let microseconds): .time(microseconds)
        case .fromReceived(let microseconds): .fromReceived(microseconds)
        }
    }

    private func parse(of column: ColumnSyntax) -> CompiledParse {
        switch column.parse {
        case .unix(let unit): return .unix(unit)
        case .pattern(let text): return (try? TimePattern(text)).map { .pattern($0) } ?? .none
        case .decimalComma: return .decimalComma
        case .hex: return .hex
        case .ddmm: return .ddmm
        case .base64: return .base64
        case .json: return .json
        case .rfc3339: return .none
        case nil:
            if case .csv(_, hasDecimalComma: true) = syntax.decode, column.type.isNumeric { return .decimalComma }
            return .none
        }
    }

    /// `rest`: the row's object without what columns and `ignore` name.
    private mutating func rest(of block: BlockSyntax) -> Gather {
        let root: DocumentRoot = block.each.last.map { .loop($0.variable) } ?? .payload
        var taken: [[String]] = []
        for column in block.columns {
            let named = column.from + [column.plus?.from, column.plus?.by, column.sign?.from].compactMap { $0 }
            for case .document(root, let path) in named { taken.append(Self.split(path).prefix) }
        }
        for case .document(root, let path) in syntax.ignore { taken.append(Self.split(path).prefix) }
        guard case .slot(let container) = resolve(.document(root, [])) else { return .first([]) }
        var mayHoldNaN = false
        if case .json(let allowsNaN, _) = syntax.decode { mayHoldNaN = allowsNaN }
        return .rest(container: container, taken: PathTrie(paths: taken.filter { !$0.isEmpty }), mayHoldNaN: mayHoldNaN)
    }

    private static func declaredBits(of type: ColumnType) -> UInt8 {
        switch type {
        case .smallint: 16
        case .integer, .real: 32
        default: 64
        }
    }

    private static func characterLimit(of type: ColumnType) -> Int32 {
        switch type {
        case .varchar(let limit?): Int32(truncatingIfNeeded: limit)
        case .array(let element): characterLimit(of: element)
        default: 0
        }
    }
}

extension ColumnType {
    var isTime: Bool { self == .timestamptz || self == .timestamp || self == .date }

    var isNumeric: Bool {
        switch self {
        case .smallint, .integer, .bigint, .real, .doublePrecision, .numeric: true
        case .array(let element): element.isNumeric
        default: false
        }
    }
}

extension Bound {
    /// As a mapping writes it.
    var text: String {
        switch self {
        case .number(let text): text
        case .time(let microseconds): CivilTime.text(unixMicroseconds: microseconds)
        case .fromReceived(let microseconds): (microseconds < 0 ? "-" : "+") + "\(Double(microseconds.magnitude) / 1e6) s"
        }
    }
}
