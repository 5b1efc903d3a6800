import Glibc
import Payload

/// All topic patterns of all mappings in one trie over levels: the cost of a look-up depends on the topic, not on the number of mappings.
///
/// The trie lies in memory of its own, as plain numbers: a look-up counts no references and checks no bounds of arrays.
final class Router: @unchecked Sendable {
    // @unchecked: the memory is written in `init`, before anyone else sees it, and only read from then on.

    /// Where a pattern ends.
    private struct Terminal {
        var mapping: Int32
        /// The pattern's place in the mapping's list: of several that match, the first one gives the captures.
        var pattern: Int32
    }

    private struct Node {
        /// The child for `+` and captures, or −1.
        var any: Int32 = -1
        var hasLiterals = false
        /// Patterns that end here, and behind them those that take the rest from here (`#`, `{name...}`): places in `terminals`.
        var ends: Int32 = 0
        var endCount: Int32 = 0
        var restCount: Int32 = 0
    }

    /// An edge for a literal level, in one open-addressing table for the whole trie.
    private struct Edge {
        var parent: Int32 = -1
        var child: Int32 = -1
        var nameStart: Int32 = 0
        var nameCount: Int32 = 0
    }

    private let nodes: UnsafeMutableBufferPointer<Node>
    private let terminals: UnsafeMutableBufferPointer<Terminal>
    private let names: UnsafeMutableBufferPointer<UInt8>
    /// Half empty at most; a power of two of them; `child` is −1 where there is none.
    private let table: UnsafeMutableBufferPointer<Edge>
    private let patterns: [[CompiledPattern]]

    /// - Parameter patterns: for each mapping its patterns, in order.
    init(_ patterns: [[CompiledPattern]]) {
        self.patterns = patterns
        var draft = RouterDraft()
        for (mapping, list) in patterns.enumerated() {
            for (index, pattern) in list.enumerated() { draft.insert(pattern, mapping: mapping, index: index) }
        }
        var terminals: [Terminal] = []
        var nodes: [Node] = []
        for node in draft.nodes {
            nodes.append(
                Node(
                    any: Int32(node.any), hasLiterals: !node.literals.isEmpty, ends: Int32(terminals.count),
                    endCount: Int32(node.ends.count),
                    restCount: Int32(node.rests.count)))
            terminals += (node.ends + node.rests).map { Terminal(mapping: Int32($0.mapping), pattern: Int32($0.pattern)) }
        }
        let edgeCount = draft.nodes.reduce(0) { $0 + $1.literals.count }
        var size = 16
        while size < edgeCount * 2 { size *= 2 }
        var table = Array(repeating: Edge(), count: size)
        var names: [UInt8] = []
        for (parent, node) in draft.nodes.enumerated() {
            for (name, child) in node.literals {
                var bucket = name.withUnsafeBytes { Self.hash($0, Int32(parent)) } & (size - 1)
                while table[bucket].child >= 0 { bucket = (bucket + 1) & (size - 1) }
                table[bucket] = Edge(
                    parent: Int32(parent), child: Int32(child), nameStart: Int32(names.count), nameCount: Int32(name.count))
                names += name
            }
        }
        self.nodes = Self.copy(nodes)
        self.terminals = Self.copy(terminals)
        self.names = Self.copy(names)
        self.table = Self.copy(table)
    }

    deinit {
        nodes.deallocate()
        terminals.deallocate()
        names.deallocate()
        table.deallocate()
    }

    private static func copy<Element>(_ array: [Element]) -> UnsafeMutableBufferPointer<Element> {
        let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(array.count, 1))
        _ = memory.initialize(from: array)
        return memory
    }

    /// Finds the mappings that take a topic, in their order; of each the first pattern that matches.
    /// - Returns: how many were written to `matches`, which has room for all mappings.
    func route(_ topic: TopicLevels, into matches: UnsafeMutablePointer<RouteMatch>) -> Int {
        var count = 0
        visit(0, level: 0, topic, matches, &count)
        return count
    }

    private func visit(
        _ start: Int32, level first: Int, _ topic: TopicLevels, _ matches: UnsafeMutablePointer<RouteMatch>, _ count: inout Int
    ) {
        var place = start
        var level = first
        while true {
            let node = nodes[Int(place)]
            // [MQTT-4.7.2-1]: a wildcard at the first level takes no topic that starts with $.
            let wildcardsApply = level > 0 || !topic.startsWithDollar
            if wildcardsApply, node.restCount > 0 { add(node.ends + node.endCount, node.restCount, topic, matches, &count) }
            guard level < topic.count else {
                if node.endCount > 0 { add(node.ends, node.endCount, topic, matches, &count) }
                return
            }
            let literal = node.hasLiterals ? literalChild(of: place, named: topic[level]) : -1
            let any = wildcardsApply ? node.any : -1
            level += 1
            if literal >= 0, any >= 0 { visit(literal, level: level, topic, matches, &count) }
            // Where only one way goes on, no call is needed.
            place = any >= 0 ? any : literal
            if place < 0 { return }
        }
    }

    private func add(
        _ first: Int32, _ number: Int32, _ topic: TopicLevels, _ matches: UnsafeMutablePointer<RouteMatch>, _ count: inout Int
    ) {
        for index in Int(first)..<Int(first + number) {
            let terminal = terminals[index]
            guard patterns[Int(terminal.mapping)][Int(terminal.pattern)].details(match: topic) else { continue }
            var place = count
            while place > 0, matches[place - 1].mapping >= terminal.mapping { place -= 1 }
            if place < count, matches[place].mapping == terminal.mapping {
                matches[place].pattern = min(matches[place].pattern, terminal.pattern)
                continue
            }
            for index in stride(from: count, to: place, by: -1) { matches[index] = matches[index - 1] }
            matches[place] = RouteMatch(mapping: terminal.mapping, pattern: terminal.pattern)
            count += 1
        }
    }

    private func literalChild(of node: Int32, named name: UnsafeRawBufferPointer) -> Int32 {
        let mask = table.count - 1
        var bucket = Self.hash(name, node) & mask
        while table[bucket].child >= 0 {
            let edge = table[bucket]
            if edge.parent == node, Int(edge.nameCount) == name.count, isSame(Int(edge.nameStart), name) { return edge.child }
            bucket = (bucket + 1) & mask
        }
        return -1
    }

    private func isSame(_ start: Int, _ name: UnsafeRawBufferPointer) -> Bool {
        guard let bytes = name.baseAddress, let base = names.baseAddress else { return name.isEmpty }
        return memcmp(base + start, bytes, name.count) == 0
    }

    /// Length, the first and the last 8 bytes: cheap, and apart for the names that levels have.
    private static func hash(_ name: UnsafeRawBufferPointer, _ node: Int32) -> Int {
        var hash = UInt64(truncatingIfNeeded: node) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: name.count)
        if name.count >= 8 {
            hash = (hash ^ name.loadUnaligned(fromByteOffset: 0, as: UInt64.self)) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= name.loadUnaligned(fromByteOffset: name.count - 8, as: UInt64.self)
        } else {
            var word: UInt64 = 0
            for byte in name { word = word << 8 | UInt64(byte) }
            hash ^= word
        }
        hash = hash &* 0xC4CE_B9FE_1A85_EC53
        return Int(truncatingIfNeeded: hash >> 20)
    }
}

/// The trie while it is being built.
private struct RouterDraft {
    struct Node {
        var any = -1
        var literals: [[UInt8]: Int] = [:]
        var ends: [(mapping: Int, pattern: Int)] = []
        var rests: [(mapping: Int, pattern: Int)] = []
    }

    var nodes = [Node()]

    mutating func insert(_ pattern: CompiledPattern, mapping: Int, index: Int) {
        var place = 0
        for level in pattern.levels {
            switch level {
            case .literal(let name):
                if let known = nodes[place].literals[name] {
                    place = known
                } else {
                    nodes[place].literals[name] = nodes.count
                    place = nodes.count
                    nodes.append(Node())
                }
            case .any, .capture, .parts:
                if nodes[place].any < 0 {
                    nodes[place].any = nodes.count
                    nodes.append(Node())
                }
                place = nodes[place].any
            case .rest, .captureRest:
                nodes[place].rests.append((mapping, index))
                return
            }
        }
        nodes[place].ends.append((mapping, index))
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
        if let start = bytes.baseAddress {
            for index in 0..<min(bytes.count, Self.levelsMaximum &- 1)
            where start.load(fromByteOffset: index, as: UInt8.self) == UInt8(ascii: "/") {
                starts[count] = Int32(truncatingIfNeeded: index &+ 1)
                count &+= 1
            }
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
