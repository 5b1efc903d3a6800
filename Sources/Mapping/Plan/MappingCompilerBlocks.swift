import CopyFormat
import Payload

/// Blocks: their loops, and the tests that guard them.
extension MappingCompiler {
    mutating func compile(_ syntax: BlockSyntax, targets: inout TargetList) -> CompiledBlock {
        loops = [:]
        for loop in syntax.each { loops[loop.variable] = LoopSlots(over: loop.over, key: table.newSlot(), index: table.newSlot()) }
        // Each test is applied as soon as all that it names is known: $.quality.{i@index} waits for the loop i.
        var early: [CompiledCondition] = []
        var guards: [[CompiledCondition]] = Array(repeating: [], count: syntax.each.count)
        for test in syntax.when {
            let compiled = condition(test)
            let variables = test.source.loopVariables
            if let place = syntax.each.lastIndex(where: { variables.contains($0.variable) }) {
                guards[place].append(compiled)
            } else {
                early.append(compiled)
            }
        }
        var compiledLoops: [CompiledLoop] = []
        for (loop, conditions) in zip(syntax.each, guards) { compiledLoops.append(compile(loop, conditions)) }
        let target = targets.target(of: syntax)
        var columns: [(CompiledColumn, ColumnDetails)] = []
        for column in targets.targets[target].columns {
            if let own = syntax.columns.first(where: { $0.name == column.name }) {
                columns.append(compile(own, wire: column.stored, in: syntax))
            } else {
                columns.append(absent(column))
            }
        }
        return CompiledBlock(
            target: target, isNumbered: targets.targets[target].conflict != nil, loops: compiledLoops, conditions: early,
            keepEmpty: syntax.keepEmpty, columns: columns)
    }

    // MARK: Loops

    private mutating func compile(_ loop: LoopSyntax, _ conditions: [CompiledCondition]) -> CompiledLoop {
        let root = SlotTable.Root.loop(block: block, variable: loop.variable)
        let (trie, base) = table.trie(below: root)
        return CompiledLoop(
            variable: loop.variable, text: "\(loop.over).*", items: items(of: loop, trie), trie: trie, base: base,
            keySlot: loops[loop.variable]?.key ?? 0, indexSlot: loops[loop.variable]?.index ?? 0, conditions: conditions)
    }

    /// Lines and records are read one by one where a loop runs over all of them; anything else is an array or an object of JSON text.
    private mutating func items(of loop: LoopSyntax, _ trie: PathTrie) -> CompiledLoop.Items {
        guard case .document(let root, let path) = loop.over, let document = documents[root] else { return .values(resolve(loop.over)) }
        let wanted = table.wanted(below: .loop(block: block, variable: loop.variable))
        func slots(_ fields: [BinaryField]) -> [Int] {
            fields.map { field in wanted.first { $0.path == [field.name] }?.slot ?? -1 }
        }
        switch document.decode {
        case .csv(let options, _) where path.isEmpty:
            let cells = wanted.filter { $0.path.count == 1 }
            return .csvLines(
                document,
                CSVDocument(
                    options: options, paths: cells.map { $0.path[0] }, slots: cells.map(\.slot), slotCount: trie.slotCount,
                    wholeSlot: wanted.first { $0.path.isEmpty }?.slot))
        case .json(_, lines: true) where path.isEmpty: return .jsonLines(document)
        case .binary(let layout):
            guard path.count == 1, case .name(let name) = path[0] else { break }
            if let group = layout.groups.firstIndex(where: { $0.name == name }) {
                return .records(document, group: group, wantedFields: slots(layout.groups[group].fields))
            }
            if let tagged = layout.tagged, tagged.lists.contains(name) {
                return .taggedRecords(document, wantedFields: tagged.types.map { $0.list == name ? slots($0.fields) : nil })
            }
        default: break
        }
        return .values(resolve(loop.over))
    }

    // MARK: Tests

    mutating func condition(_ syntax: ConditionSyntax) -> CompiledCondition {
        CompiledCondition(source: resolve(syntax.source), test: Self.compile(syntax.test))
    }

    static func compile(_ test: TestExpression) -> CompiledTest {
        switch test {
        case .equals(.null): .null
        case .equals(.text(let text)): .equals(ComparisonText(text))
        case .anyOf(let tests): .any(tests.map(compile))
        case .allOf(let tests): .all(tests.map(compile))
        case .isKind(let kinds): .kinds(kinds)
        case .not(let test): .not(compile(test))
        case .match(let glob): .glob(Glob(glob))
        case .present(let isPresent): .present(isPresent)
        case .minimum(let text): DecimalNumber(text).map { .minimum($0) } ?? .any([])
        case .maximum(let text): DecimalNumber(text).map { .maximum($0) } ?? .any([])
        }
    }
}

extension Source {
    /// The loops whose items, keys or places it reads.
    fileprivate var loopVariables: [String] {
        switch self {
        case .loopKey(let variable), .loopIndex(let variable): return [variable]
        case .document(let root, let path):
            var variables: [String] = if case .loop(let variable) = root { [variable] } else { [] }
            for segment in path {
                switch segment {
                case .indexOf(let variable), .keyOf(let variable): variables.append(variable)
                case .name: break
                }
            }
            return variables
        default: return []
        }
    }
}
