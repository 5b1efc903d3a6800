/// The paths that a mapping reads below one root, as a trie over member names: a decoder walks it along with the document and
/// fills one slot a path, in one pass, and skips everything else.
///
/// Slots are numbered in depth-first order, so the slots of a subtree are one range: a member that comes a second time clears the range
/// first, and the last one wins, as in PostgreSQL's jsonb.
public final class PathTrie: Sendable {
    /// One node: a place in the document.
    public struct Node: BitwiseCopyable, Sendable {
        /// Index of the first child in `children`.
        public var firstChild: Int32
        /// How many children follow from there.
        public var childCount: Int32
        /// The slot that takes the value at this place, or −1.
        public var slot: Int32
        /// The first slot of this node and everything below it.
        public var slotsBegin: Int32
        /// One behind the last slot of this node and everything below it.
        public var slotsEnd: Int32
        /// The largest index of an array among the children, or −1.
        public var lastArrayIndex: Int32 = -1
        /// Where this node's hash table starts in `PathTrieMemory.buckets`.
        var firstBucket: Int32 = 0
        /// Buckets of the table less one, or −1 where the children are few enough to be tried one by one.
        var bucketMask: Int32 = -1
    }

    /// One edge: a member's name, or an index of an array.
    public struct Child: BitwiseCopyable, Sendable {
        /// The name's first 8 bytes in memory order, zero-padded.
        public var prefix: UInt64
        /// The name's length in bytes.
        public var nameCount: Int32
        /// Where the name's bytes start in `names`.
        public var nameStart: Int32
        /// The name read as an index of an array (not negative), or −1.
        public var arrayIndex: Int32
        /// Index in `nodes` of the place the edge leads to.
        public var node: Int32
        /// The slot of the child's node where that has no children of its own, or −1.
        var leafSlot: Int32 = -1
        /// How a JSON text spells the name.
        var spelling = Spelling()
    }

    /// A name as it stands in a JSON text, its closing quote included, for comparison without looking for that quote first: as far as 16
    /// bytes reach, and for names that hold nothing a string escapes and nothing beyond ASCII.
    struct Spelling: BitwiseCopyable, Sendable {
        /// The first 8 bytes, zero-padded, and which of them count. Nothing equals the initial values.
        var head: UInt64 = 1
        var headMask: UInt64 = 0
        /// The last 8 bytes, where there are more than 8.
        var tail: UInt64 = 0

        init() {}

        init(_ name: [UInt8]) {
            let bytes = name + [UInt8(ascii: "\"")]
            guard bytes.count <= 16, name.allSatisfy({ $0 >= 0x20 && $0 < 0x80 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
            else { return }
            func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
            head = word(bytes.prefix(8))
            headMask = word(bytes.prefix(8).map { _ in 0xFF }[...])
            tail = word(bytes.suffix(8))
        }
    }

    /// The same nodes, children and names at addresses that stay, and the hash tables: what the hot path reads.
    let memory: PathTrieMemory
    /// How many slots a decoder fills.
    public let slotCount: Int
    /// Root first.
    public let nodes: [Node]
    /// The children of each node stand together.
    public let children: [Child]
    /// The bytes of all names, one after the other.
    public let names: [UInt8]
    /// The slot of each path, in the order in which they were given.
    public let slots: [Int]

    /// Builds the trie. Equal paths share a slot; an empty path is the root itself.
    /// - Parameter paths: each a list of member names; a name of digits also reads as an index of an array.
    public init(paths: [[String]]) {
        final class Draft {
            var slot: Int?
            var children: [(name: [UInt8], draft: Draft)] = []
        }
        let root = Draft()
        var ends: [Draft] = []
        for path in paths {
            var place = root
            for name in path {
                let bytes = Array(name.utf8)
                if let known = place.children.first(where: { $0.name == bytes }) {
                    place = known.draft
                } else {
                    let next = Draft()
                    place.children.append((bytes, next))
                    place = next
                }
            }
            place.slot = -1
            ends.append(place)
        }

        var nodes: [Node] = []
        var children: [Child] = []
        var names: [UInt8] = []
        var nextSlot = 0
        func place(_ draft: Draft) -> Int32 {
            let index = nodes.count
            let begin = Int32(nextSlot)
            if draft.slot != nil {
                draft.slot = nextSlot
                nextSlot += 1
            }
            nodes.append(Node(firstChild: 0, childCount: 0, slot: Int32(draft.slot ?? -1), slotsBegin: begin, slotsEnd: begin))
            let first = children.count
            for (name, _) in draft.children {
                var prefix: UInt64 = 0
                withUnsafeMutableBytes(of: &prefix) { $0.copyBytes(from: name.prefix(8)) }
                let arrayIndex = Self.arrayIndex(name)
                children.append(
                    Child(
                        prefix: prefix, nameCount: Int32(name.count), nameStart: Int32(names.count), arrayIndex: arrayIndex, node: -1,
                        spelling: Spelling(name)))
                nodes[index].lastArrayIndex = max(nodes[index].lastArrayIndex, arrayIndex)
                names += name
            }
            for (offset, child) in draft.children.enumerated() {
                children[first + offset].node = place(child.draft)
                if child.draft.children.isEmpty { children[first + offset].leafSlot = Int32(child.draft.slot ?? -1) }
            }
            nodes[index].firstChild = Int32(first)
            nodes[index].childCount = Int32(draft.children.count)
            nodes[index].slotsEnd = Int32(nextSlot)
            return Int32(index)
        }
        _ = place(root)
        self.memory = PathTrieMemory(nodes: &nodes, children: children, names: names)
        self.nodes = nodes
        self.children = children
        self.names = names
        self.slotCount = nextSlot
        self.slots = ends.map { $0.slot ?? -1 }
    }

    deinit { memory.deallocate() }

    private static func arrayIndex(_ bytes: [UInt8]) -> Int32 {
        guard !bytes.isEmpty, bytes.count <= 9, bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return -1 }
        guard bytes.count == 1 || bytes[0] != 0x30 else { return -1 }
        return bytes.reduce(0) { $0 * 10 + Int32($1 - 0x30) }
    }
}
