import Payload

/// Blocks: their loops, and the tests that guard them.
extension MappingCompiler {
    mutating func compile(_ block: BlockSyntax, targets: inout TargetList) -> CompiledBlock {
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
            columns: block.columns.map { column in
                MappingPlan.Column(
                    name: column.name, stored: targets.tableTypes[block.table.name]?[column.name] ?? StoredType(column.type))
            })
        let types = targets.targets[target].columns.map(\.stored)
        var columns: [(CompiledColumn, ColumnDetails)] = []
        for (column, type) in zip(block.columns, types) { columns.append(compile(column, wire: type, in: block)) }
        return CompiledBlock(
            target: target, isNumbered: targets.targets[target].conflict != nil, loops: compiledLoops, conditions: early,
            keepEmpty: block.keepEmpty, columns: columns)
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
        case .match(let glob): .glob(Array(glob.utf8))
        case .present(let isPresent): .present(isPresent)
        case .minimum(let text): DecimalNumber(text).map { .minimum($0) } ?? .any([])
        case .maximum(let text): DecimalNumber(text).map { .maximum($0) } ?? .any([])
        }
    }
}
