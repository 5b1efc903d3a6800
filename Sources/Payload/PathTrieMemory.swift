import Glibc

/// A trie's nodes, children and names in memory of its own, so that a decoder reads them by address: no retain, no bounds check, no closure
/// a member. The trie that made it gives it back.
///
/// It is written once, in `init`, before anyone else sees it, and only read from then on: that makes it safe to share.
struct PathTrieMemory: @unchecked Sendable {
    let nodes: UnsafePointer<PathTrie.Node>
    let children: UnsafePointer<PathTrie.Child>
    let names: UnsafePointer<UInt8>
    /// Open-addressing tables of the nodes with many children, one after the other: an index in `children`, or −1.
    let buckets: UnsafePointer<Int32>
    /// All four: a document that is read after many others finds them with few accesses to far memory.
    private let block: UnsafeMutableRawPointer

    /// Up to so many children are compared one by one: 8 comparisons of a register cost less than a hash and its cache line.
    static let linearChildrenMax = 8

    /// Copies the arrays and builds the tables; writes each table's place into its node.
    init(nodes: inout [PathTrie.Node], children: [PathTrie.Child], names: [UInt8]) {
        var buckets: [Int32] = []
        for index in nodes.indices where Int(nodes[index].childCount) > Self.linearChildrenMax {
            // Half empty at most, so that a name nobody planned meets an empty bucket soon.
            var size = 16
            while size < 2 * Int(nodes[index].childCount) { size *= 2 }
            let base = buckets.count
            nodes[index].firstBucket = Int32(base)
            nodes[index].bucketMask = Int32(size - 1)
            buckets += Array(repeating: -1, count: size)
            let first = Int(nodes[index].firstChild)
            for child in first..<first + Int(nodes[index].childCount) {
                let start = Int(children[child].nameStart)
                let hash = names[start..<start + Int(children[child].nameCount)].withUnsafeBufferPointer {
                    Self.hash(prefix: children[child].prefix, name: $0.baseAddress, count: $0.count)
                }
                var bucket = Int(truncatingIfNeeded: hash) & (size - 1)
                while buckets[base + bucket] >= 0 { bucket = (bucket + 1) & (size - 1) }
                buckets[base + bucket] = Int32(child)
            }
        }
        // The children of the root and its node, which every document needs, lie side by side.
        let sizes = (
            children: children.count * MemoryLayout<PathTrie.Child>.stride, nodes: nodes.count * MemoryLayout<PathTrie.Node>.stride
        )
        block = .allocate(byteCount: sizes.children + sizes.nodes + buckets.count * 4 + names.count + 1, alignment: 64)
        self.children = Self.copy(children, to: block)
        self.nodes = Self.copy(nodes, to: block + sizes.children)
        self.buckets = Self.copy(buckets, to: block + sizes.children + sizes.nodes)
        self.names = Self.copy(names, to: block + sizes.children + sizes.nodes + buckets.count * 4)
    }

    private static func copy<Element: BitwiseCopyable>(_ array: [Element], to place: UnsafeMutableRawPointer) -> UnsafePointer<Element> {
        let memory = place.bindMemory(to: Element.self, capacity: array.count)
        memory.initialize(from: array, count: array.count)
        return UnsafePointer(memory)
    }

    func deallocate() { block.deallocate() }

    /// The node's children, as addresses from the first up to, not including, the second.
    @inline(always) func children(
        of node: UnsafePointer<PathTrie.Node>
    ) -> (first: UnsafePointer<PathTrie.Child>, end: UnsafePointer<PathTrie.Child>) {
        let first = children + Int(node.pointee.firstChild)
        return (first, first + Int(node.pointee.childCount))
    }

    /// Whether a JSON text spells the child's name, closing quote included, from `place` on; never for names that the spelling does not
    /// cover. At least 16 bytes can be read there.
    @inline(always) func isSpelled(_ child: UnsafePointer<PathTrie.Child>, at place: UnsafePointer<UInt8>) -> Bool {
        let spelling = child.pointee.spelling
        guard EightBytes.load(place) & spelling.headMask == spelling.head else { return false }
        return child.pointee.nameCount < 8 || EightBytes.load(place + Int(child.pointee.nameCount) - 7) == spelling.tail
    }

    /// The child of that name, or nil.
    /// - Parameters:
    ///   - prefix: the name's first 8 bytes, zero-padded.
    ///   - name: the name's `count` bytes, without escapes.
    @inline(always) func child(
        of node: UnsafePointer<PathTrie.Node>, prefix: UInt64, name: UnsafePointer<UInt8>, count: Int
    ) -> UnsafePointer<PathTrie.Child>? {
        if _slowPath(node.pointee.bucketMask >= 0) { return hashed(node, prefix: prefix, name: name, count: count) }
        var (child, end) = children(of: node)
        while child < end {
            if isName(of: child, prefix: prefix, name: name, count: count) { return child }
            child += 1
        }
        return nil
    }

    @inline(never) private func hashed(
        _ node: UnsafePointer<PathTrie.Node>, prefix: UInt64, name: UnsafePointer<UInt8>, count: Int
    ) -> UnsafePointer<PathTrie.Child>? {
        let table = buckets + Int(node.pointee.firstBucket)
        let mask = Int(node.pointee.bucketMask)
        var bucket = Int(truncatingIfNeeded: Self.hash(prefix: prefix, name: name, count: count)) & mask
        while table[bucket] >= 0 {
            let child = children + Int(table[bucket])
            if isName(of: child, prefix: prefix, name: name, count: count) { return child }
            bucket = (bucket &+ 1) & mask
        }
        return nil
    }

    @inline(always) private func isName(
        of child: UnsafePointer<PathTrie.Child>, prefix: UInt64, name: UnsafePointer<UInt8>, count: Int
    ) -> Bool {
        guard child.pointee.prefix == prefix, Int(child.pointee.nameCount) == count else { return false }
        return count <= 8 || isRestEqual(name, names + Int(child.pointee.nameStart), count: count)
    }

    /// Whether two names of more than 8 bytes with the same first 8 are the same: the last 8, then what lies between.
    @inline(always) private func isRestEqual(_ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>, count: Int) -> Bool {
        let last = count &- 8
        guard Self.word(one + last) == Self.word(other + last) else { return false }
        return count <= 16 || memcmp(one + 8, other + 8, count &- 16) == 0
    }

    @inline(always) private static func word(_ place: UnsafePointer<UInt8>) -> UInt64 {
        UnsafeRawPointer(place).loadUnaligned(as: UInt64.self)
    }

    /// Mixes all of the name, 8 bytes a step: names of one family ("measurement_001", "measurement_002") differ late.
    private static func hash(prefix: UInt64, name: UnsafePointer<UInt8>?, count: Int) -> UInt64 {
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        var hash = (prefix ^ UInt64(truncatingIfNeeded: count)) &* factor
        hash ^= hash >> 32
        guard let name, count > 8 else { return hash }
        var offset = 8
        while offset < count {
            // The last step reads the last 8 bytes again rather than past the end.
            hash = (hash ^ word(name + min(offset, count &- 8))) &* factor
            hash ^= hash >> 32
            offset &+= 8
        }
        return hash
    }
}
