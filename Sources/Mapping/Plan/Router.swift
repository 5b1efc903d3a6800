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

    /// A place in the trie, with the name by which it is reached: the nodes of one pattern lie side by side, so a look-up touches few cache lines.
    private struct Node {
        var name = LevelName()
        /// Where the bytes of `name` begin in `names`.
        var nameStart: Int32 = 0
        var parent: Int32 = -1
        /// The child for `+` and captures, or −1.
        var any: Int32 = -1
        /// The child for a literal level where there is one alone; −1 for none, `many` where the table is asked.
        var literal: Int32 = -1
        /// Patterns that end here, and behind them those that take the rest from here (`#`, `{name...}`): places in `terminals`.
        var ends: Int32 = 0
        var endCount: Int32 = 0
        var restCount: Int32 = 0

        static let many: Int32 = -2
    }

    private let nodes: UnsafeMutableBufferPointer<Node>
    private let terminals: UnsafeMutableBufferPointer<Terminal>
    private let names: UnsafeMutableBufferPointer<UInt8>
    /// The children of nodes with several literal levels below them, in one open-addressing table: half empty at most, a power of two of places, −1 for none.
    private let table: UnsafeMutableBufferPointer<Int32>
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
            var placed = Node()
            placed.any = Int32(node.any)
            placed.ends = Int32(terminals.count)
            placed.endCount = Int32(node.ends.count)
            placed.restCount = Int32(node.rests.count)
            nodes.append(placed)
            terminals += (node.ends + node.rests).map { Terminal(mapping: Int32($0.mapping), pattern: Int32($0.pattern)) }
        }
        let inTable = draft.nodes.reduce(0) { $0 + ($1.literals.count > 1 ? $1.literals.count : 0) }
        var size = 16
        while size < inTable * 2 { size *= 2 }
        var table = Array(repeating: Int32(-1), count: size)
        var names: [UInt8] = []
        for (parent, node) in draft.nodes.enumerated() {
            nodes[parent].literal = node.literals.count > 1 ? Node.many : Int32(node.literals.values.first ?? -1)
            for (bytes, child) in node.literals {
                let name = bytes.withUnsafeBytes(LevelName.init)
                nodes[child].name = name
                nodes[child].nameStart = Int32(names.count)
                nodes[child].parent = Int32(parent)
                names += bytes
                guard node.literals.count > 1 else { continue }
                var bucket = name.hash(below: Int32(parent)) & (size - 1)
                while table[bucket] >= 0 { bucket = (bucket + 1) & (size - 1) }
                table[bucket] = Int32(child)
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
            let literal = node.literal == -1 ? -1 : literalChild(of: place, node.literal, named: topic[level])
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

    /// - Parameter only: the node's `literal`.
    private func literalChild(of node: Int32, _ only: Int32, named bytes: UnsafeRawBufferPointer) -> Int32 {
        let name = LevelName(bytes)
        guard only == Node.many else { return isNamed(only, name, bytes) ? only : -1 }
        let mask = table.count - 1
        var bucket = name.hash(below: node) & mask
        while table[bucket] >= 0 {
            let child = table[bucket]
            if nodes[Int(child)].parent == node, isNamed(child, name, bytes) { return child }
            bucket = (bucket + 1) & mask
        }
        return -1
    }

    private func isNamed(_ child: Int32, _ name: LevelName, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard nodes[Int(child)].name == name else { return false }
        // Up to 16 bytes the name is all of them.
        guard name.count > 16, let start = bytes.baseAddress, let known = names.baseAddress else { return true }
        return memcmp(known + Int(nodes[Int(child)].nameStart), start, bytes.count) == 0
    }
}

/// A level's name as far as three words tell it: its length, its first 8 bytes and its last 8. Names of up to 16 bytes are equal when these are.
private struct LevelName: Equatable {
    var head: UInt64 = 0
    var tail: UInt64 = 0
    var count: UInt32 = 0

    init() {}

    init(_ bytes: UnsafeRawBufferPointer) {
        count = UInt32(truncatingIfNeeded: bytes.count)
        guard let start = bytes.baseAddress else { return }
        switch bytes.count {
        case 8...:
            head = start.loadUnaligned(as: UInt64.self)
            tail = start.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self)
        case 4...7:
            head = UInt64(start.loadUnaligned(as: UInt32.self))
            tail = UInt64(start.loadUnaligned(fromByteOffset: bytes.count &- 4, as: UInt32.self))
        default:
            for byte in bytes { head = head << 8 | UInt64(byte) }
        }
    }

    func hash(below node: Int32) -> Int {
        var hash = UInt64(truncatingIfNeeded: node) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: count)
        hash = (hash ^ head) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ tail) &* 0xC4CE_B9FE_1A85_EC53
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
