import Payload

/// All topic patterns of all mappings in one trie over levels: the cost of a look-up depends on the topic, not on the number of mappings.
struct Router: Sendable {
    /// Where a pattern ends.
    private struct Terminal: Sendable {
        var mapping: Int32
        /// The pattern's place in the mapping's list: of several that match, the first one gives the captures.
        var pattern: Int32
    }

    private struct Node: Sendable {
        /// The child for `+` and captures, or −1.
        var any: Int32 = -1
        /// Patterns that end here.
        var terminals: [Terminal] = []
        /// Patterns that take the rest from here: `#` and `{name...}`.
        var rests: [Terminal] = []
    }

    /// An edge for a literal level, in one open-addressing table for the whole trie.
    private struct Edge: Sendable {
        var parent: Int32
        var child: Int32
        var nameStart: Int32
        var nameCount: Int32
    }

    private var nodes: [Node] = [Node()]
    private var names: [UInt8] = []
    private var edges: [Edge] = []
    /// Indexes in `edges`, or −1; a power of two of them.
    private var table: [Int32] = []
    private let patterns: [[CompiledPattern]]

    /// - Parameter patterns: for each mapping its patterns, in order.
    init(_ patterns: [[CompiledPattern]]) {
        self.patterns = patterns
        var byName: [[UInt8]: Int32] = [:]
        func child(of node: Int32, named name: [UInt8]) -> Int32 {
            let key = withUnsafeBytes(of: node) { Array($0) } + name
            if let known = byName[key] { return known }
            let made = Int32(nodes.count)
            nodes.append(Node())
            edges.append(Edge(parent: node, child: made, nameStart: Int32(names.count), nameCount: Int32(name.count)))
            names += name
            byName[key] = made
            return made
        }
        for (mapping, list) in patterns.enumerated() {
            for (index, pattern) in list.enumerated() {
                let terminal = Terminal(mapping: Int32(mapping), pattern: Int32(index))
                var node: Int32 = 0
                var takesRest = false
                for level in pattern.levels {
                    switch level {
                    case .literal(let name): node = child(of: node, named: name)
                    case .any, .capture, .parts:
                        if nodes[Int(node)].any < 0 {
                            nodes[Int(node)].any = Int32(nodes.count)
                            nodes.append(Node())
                        }
                        node = nodes[Int(node)].any
                    case .rest, .captureRest: takesRest = true
                    }
                }
                if takesRest { nodes[Int(node)].rests.append(terminal) } else { nodes[Int(node)].terminals.append(terminal) }
            }
        }
        var size = 16
        while size < edges.count * 2 { size *= 2 }
        table = Array(repeating: -1, count: size)
        for (index, edge) in edges.enumerated() {
            let hash = names[Int(edge.nameStart)..<Int(edge.nameStart + edge.nameCount)].withUnsafeBytes { Self.hash($0, edge.parent) }
            var bucket = hash & (size - 1)
            while table[bucket] >= 0 { bucket = (bucket + 1) & (size - 1) }
            table[bucket] = Int32(index)
        }
    }

    /// Finds the mappings that take a topic, in their order; of each the first pattern that matches.
    /// - Returns: how many were written to `matches`, which has room for all mappings.
    func route(_ topic: TopicLevels, into matches: UnsafeMutablePointer<RouteMatch>) -> Int {
        var count = 0
        visit(0, level: 0, topic, matches, &count)
        return count
    }

    private func visit(_ node: Int32, level: Int, _ topic: TopicLevels, _ matches: UnsafeMutablePointer<RouteMatch>, _ count: inout Int) {
        let place = Int(node)
        // [MQTT-4.7.2-1]: a wildcard at the first level takes no topic that starts with $.
        let wildcardsApply = level > 0 || !topic.startsWithDollar
        if wildcardsApply { for terminal in nodes[place].rests { add(terminal, topic, matches, &count) } }
        guard level < topic.count else {
            for terminal in nodes[place].terminals { add(terminal, topic, matches, &count) }
            return
        }
        if let child = literalChild(of: node, named: topic[level]) { visit(child, level: level + 1, topic, matches, &count) }
        if wildcardsApply, nodes[place].any >= 0 { visit(nodes[place].any, level: level + 1, topic, matches, &count) }
    }

    private func add(_ terminal: Terminal, _ topic: TopicLevels, _ matches: UnsafeMutablePointer<RouteMatch>, _ count: inout Int) {
        guard patterns[Int(terminal.mapping)][Int(terminal.pattern)].details(match: topic) else { return }
        var place = count
        while place > 0, matches[place - 1].mapping >= terminal.mapping { place -= 1 }
        if place < count, matches[place].mapping == terminal.mapping {
            matches[place].pattern = min(matches[place].pattern, terminal.pattern)
            return
        }
        var index = count
        while index > place {
            matches[index] = matches[index - 1]
            index -= 1
        }
        matches[place] = RouteMatch(mapping: terminal.mapping, pattern: terminal.pattern)
        count += 1
    }

    private func literalChild(of node: Int32, named name: UnsafeRawBufferPointer) -> Int32? {
        guard !edges.isEmpty else { return nil }
        var bucket = Self.hash(name, node) & (table.count - 1)
        while table[bucket] >= 0 {
            let edge = edges[Int(table[bucket])]
            if edge.parent == node, Int(edge.nameCount) == name.count, isName(of: edge, equalTo: name) { return edge.child }
            bucket = (bucket + 1) & (table.count - 1)
        }
        return nil
    }

    private func isName(of edge: Edge, equalTo name: UnsafeRawBufferPointer) -> Bool {
        for index in 0..<name.count where names[Int(edge.nameStart) + index] != name[index] { return false }
        return true
    }

    private static func hash(_ name: UnsafeRawBufferPointer, _ node: Int32) -> Int {
        var hash = UInt64(truncatingIfNeeded: node) &* 0x9E37_79B9_7F4A_7C15
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ hash >> 29) & 0x7FFF_FFFF_FFFF)
    }
}

/// One mapping that takes a topic.
struct RouteMatch {
    var mapping: Int32
    var pattern: Int32
}

/// A topic with the places of its levels, which live in memory of the evaluator.
struct TopicLevels {
    let bytes: UnsafeRawBufferPointer
    /// Offset of each level, and one behind the last (counting a separator that is not there).
    let starts: UnsafeMutablePointer<Int32>
    let count: Int

    /// Most levels that a topic of 65,535 bytes can have.
    static let levelsMaximum = 65_536

    /// - Parameter starts: has room for `levelsMaximum` + 1 places.
    init(_ bytes: UnsafeRawBufferPointer, starts: UnsafeMutablePointer<Int32>) {
        self.bytes = bytes
        self.starts = starts
        var count = 1
        starts[0] = 0
        for index in 0..<min(bytes.count, Self.levelsMaximum - 1) where bytes[index] == UInt8(ascii: "/") {
            starts[count] = Int32(truncatingIfNeeded: index &+ 1)
            count &+= 1
        }
        starts[count] = Int32(truncatingIfNeeded: bytes.count &+ 1)
        self.count = count
    }

    var startsWithDollar: Bool { bytes.first == UInt8(ascii: "$") }

    subscript(level: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[Int(starts[level])..<Int(starts[level + 1]) - 1])
    }

    /// From a level to the end.
    func rest(from level: Int) -> UnsafeRawBufferPointer {
        guard level < count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: bytes[Int(starts[level])...])
    }
}
