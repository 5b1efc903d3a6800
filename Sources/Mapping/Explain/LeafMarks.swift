import Payload

/// Says of each place of a payload which columns take it: walks the loops of every block, as the evaluator does, over the nodes.
struct LeafMarks: ~Copyable {
    /// Nodes that are looked at; what is beyond them keeps the marks that it has.
    private static let visitsMaximum = 2_000_000

    private let probe: MappingProbe
    private let root: PayloadNode
    private let embeds: [String: PayloadNode]
    /// Only asked what its tests say of a value.
    private var evaluator: Evaluator
    private var visits = 0
    /// Answers about tests that no loop has a part in.
    private var known: [String: Bool] = [:]

    private struct Place {
        var node: PayloadNode
        var key: String
        var index: Int
    }

    private init(_ probe: MappingProbe, _ root: PayloadNode, _ embeds: [PayloadNode]) {
        self.probe = probe
        self.root = root
        self.embeds = Dictionary(embeds.map { ($0.key, $0) }) { first, _ in first }
        evaluator = Evaluator(plan: MappingPlan([]), limits: probe.limits)
    }

    /// - Parameter isFiltered: the message filter does not take the message, so no block sees it.
    static func mark(_ root: PayloadNode, embeds: [PayloadNode], _ probe: MappingProbe, isFiltered: Bool) {
        var marks = LeafMarks(probe, root, embeds)
        for embed in probe.mapping.embeds { marks.resolve(embed.from, [:])?.forEachLeaf { $0.use(by: "embed \(embed.name)") } }
        for test in probe.mapping.when { marks.note(test, [:]) }
        for source in probe.mapping.ignore { marks.resolve(source, [:])?.forEachLeaf { $0.isIgnored = true } }
        for block in probe.mapping.blocks { marks.mark(block, isFiltered: isFiltered) }
    }

    // MARK: Blocks

    private mutating func mark(_ block: BlockSyntax, isFiltered: Bool) {
        for test in block.when where Self.variables(test).isEmpty { note(test, [:]) }
        guard !isFiltered else { return }
        // A test is applied as soon as the last of its variables has a value.
        var levels = [[ConditionSyntax]](repeating: [], count: block.each.count + 1)
        for test in block.when {
            let needed = Self.variables(test)
            let level = block.each.lastIndex { needed.contains($0.variable) }.map { $0 + 1 } ?? 0
            levels[level].append(test)
        }
        iterate(0, block, levels, [:])
    }

    private mutating func iterate(_ level: Int, _ block: BlockSyntax, _ levels: [[ConditionSyntax]], _ places: [String: Place]) {
        for test in levels[level] {
            if level > 0 { note(test, places) }
            guard holds(test, places) else { return }
        }
        guard level < block.each.count else { return markRow(block, places) }
        let loop = block.each[level]
        guard let container = resolve(loop.over, places), container.isContainer else { return }
        for (index, child) in container.children.enumerated() {
            guard visits < Self.visitsMaximum else { return }
            visits += 1
            var inner = places
            inner[loop.variable] = Place(node: child, key: child.key, index: index)
            iterate(level + 1, block, levels, inner)
        }
    }

    private mutating func markRow(_ block: BlockSyntax, _ places: [String: Place]) {
        let object = block.each.last.flatMap { places[$0.variable]?.node } ?? root
        for source in probe.mapping.ignore { resolve(source, places)?.forEachLeaf { $0.isIgnored = true } }
        var taken: Set<ObjectIdentifier> = []
        var restColumns: [String] = []
        for column in block.columns {
            let name = block.table.name + "." + column.name
            if column.from.contains(.rest) { restColumns.append(name) }
            let isMet = column.when.allSatisfy { holds($0, places) }
            for source in column.from + [column.plus?.from, column.plus?.by, column.sign?.from].compactMap({ $0 }) {
                switch source {
                case .loopKey(let variable), .loopIndex(let variable): places[variable]?.node.useName(by: name)
                default:
                    guard let node = resolve(source, places) else { continue }
                    taken.insert(ObjectIdentifier(node))
                    guard isMet, isOfKind(node, column.isKind) else { continue }
                    visit(node) { $0.use(by: name) }
                }
            }
        }
        for column in restColumns { markRest(object, column, taken) }
    }

    private mutating func markRest(_ node: PayloadNode, _ column: String, _ taken: Set<ObjectIdentifier>) {
        guard visits < Self.visitsMaximum, !taken.contains(ObjectIdentifier(node)) else { return }
        visits += 1
        guard node.children.isEmpty else {
            for child in node.children { markRest(child, column, taken) }
            return
        }
        if !node.isIgnored { node.useAsRest(by: column) }
    }

    private mutating func visit(_ node: PayloadNode, _ body: (PayloadNode) -> Void) {
        guard visits < Self.visitsMaximum else { return }
        visits += 1
        guard !node.children.isEmpty else { return body(node) }
        for child in node.children { visit(child, body) }
    }

    // MARK: Sources

    private func resolve(_ source: Source, _ places: [String: Place]) -> PayloadNode? {
        guard case .document(let start, let path) = source else { return nil }
        let first: PayloadNode? =
            switch start {
            case .payload: root
            case .embed(let name): embeds[name]
            case .loop(let variable): places[variable]?.node
            }
        guard var node = first else { return nil }
        for segment in path {
            let next: PayloadNode? =
                switch segment {
                case .name(let name): node.child(name)
                case .indexOf(let variable): places[variable].flatMap { node.child(String($0.index)) }
                case .keyOf(let variable): places[variable].flatMap { node.child($0.key) }
                }
            guard let next else { return nil }
            node = next
        }
        return node
    }

    private static func variables(_ test: ConditionSyntax) -> Set<String> {
        switch test.source {
        case .loopKey(let variable), .loopIndex(let variable): return [variable]
        case .document(let start, let path):
            var variables: Set<String> = []
            if case .loop(let variable) = start { variables.insert(variable) }
            for segment in path {
                switch segment {
                case .indexOf(let variable), .keyOf(let variable): variables.insert(variable)
                case .name: break
                }
            }
            return variables
        default: return []
        }
    }

    // MARK: Tests

    private mutating func note(_ test: ConditionSyntax, _ places: [String: Place]) {
        resolve(test.source, places)?.forEachLeaf { $0.isTested = true }
    }

    private mutating func holds(_ test: ConditionSyntax, _ places: [String: Place]) -> Bool {
        switch test.source {
        case .document: return passes(test.test, resolve(test.source, places))
        case .loopIndex(let variable):
            return passes(test.test, places[variable].map { PayloadNode(key: "", kind: .number, text: String($0.index)) })
        case .loopKey(let variable):
            let isNumber = places[variable]?.node.isElement ?? false
            return passes(test.test, places[variable].map { PayloadNode(key: "", kind: isNumber ? .number : .string, text: $0.key) })
        default:
            if let answer = known[test.description] { return answer }
            let answer = probe.holds(test)
            known[test.description] = answer
            return answer
        }
    }

    private mutating func passes(_ test: TestExpression, _ node: PayloadNode?) -> Bool {
        let compiled = MappingCompiler.compile(test)
        return Self.withValue(of: node) { evaluator.passes(compiled, $0) }
    }

    private mutating func isOfKind(_ node: PayloadNode, _ kinds: Set<ValueKind>?) -> Bool {
        guard let kinds, node.kind != .null else { return true }
        return Self.withValue(of: node) { evaluator.isOfKind($0, kinds) }
    }

    private static func withValue<Result>(of node: PayloadNode?, _ body: (Value) -> Result) -> Result {
        guard let node else { return body(.missing) }
        return Array(node.text.utf8).withUnsafeBytes { bytes in
            switch node.kind {
            case .null: body(.null)
            case .boolean: body(Value(kind: node.text == "true" ? .true : .false))
            case .number: body(Value(kind: .number, bytes: bytes))
            case .string, .bytes, .time: body(Value(kind: .string, bytes: bytes))
            case .object: body(Value(kind: .object, bytes: bytes))
            case .array: body(Value(kind: .array, bytes: bytes))
            }
        }
    }
}

extension PayloadNode {
    /// Its key is a place, not a name.
    var isElement: Bool { Int(key).map { String($0) == key } ?? false }
}
