import Payload

/// Gives every path that a mapping reads its slot.
///
/// A trie numbers its slots when all its paths are known, so the compiler walks a mapping twice with the same code: while the table is open the
/// walk only leaves its paths here, and each gets slot 0; then the table is closed, and the second walk meets the same paths and their slots.
struct SlotTable {
    /// What paths start from. Loops of two blocks may have one name.
    enum Root: Hashable {
        case document(DocumentRoot)
        case loop(block: Int, variable: String)
    }

    /// Paths of one root, and the trie made of them.
    private struct Paths {
        var paths: [[String]] = []
        var trie = PathTrie(paths: [])
        var base = 0
    }

    private var roots: [Root: Paths] = [:]
    /// In the order in which they were met, so that a plan is the same every time.
    private var order: [Root] = []
    private var isOpen = true
    private var nextSlot = FixedSlot.allCases.count

    /// How many slots there are.
    var slotCount: Int { nextSlot }

    /// The slot of a path; 0 while the table is open.
    mutating func slot(of path: [String], below root: Root) -> Int {
        if isOpen {
            if roots[root] == nil { order.append(root) }
            if roots[root]?.paths.contains(path) != true { roots[root, default: Paths()].paths.append(path) }
            return 0
        }
        guard let known = roots[root], let place = known.paths.firstIndex(of: path) else {
            assertionFailure("the second walk over a mapping meets a path that the first one did not: \(root) \(path)")
            return newSlot()
        }
        return known.base + known.trie.slots[place]
    }

    /// A slot that belongs to no path.
    mutating func newSlot() -> Int {
        defer { nextSlot += 1 }
        return nextSlot
    }

    /// Paths below a root, and their slots in its trie; none while the table is open.
    func wanted(below root: Root) -> [(path: [String], slot: Int)] {
        guard !isOpen, let known = roots[root] else { return [] }
        return Array(zip(known.paths, known.trie.slots))
    }

    /// The trie of a root and its first slot, once the table is closed.
    func trie(below root: Root) -> (trie: PathTrie, base: Int) { roots[root].map { ($0.trie, $0.base) } ?? (PathTrie(paths: []), 0) }

    /// Builds the tries and numbers their slots; other slots that were given are void.
    mutating func close(_ shared: inout SharedParts) {
        nextSlot = FixedSlot.allCases.count
        for root in order {
            let trie = shared.trie(of: roots[root]?.paths ?? [])
            roots[root]?.trie = trie
            roots[root]?.base = nextSlot
            nextSlot += trie.slotCount
        }
        isOpen = false
    }
}
