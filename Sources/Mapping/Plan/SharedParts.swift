import Payload

/// Parts that mappings of one plan have in common. Fleets of many kinds have many mappings of one shape: what is equal stands in memory once, and is still in
/// the processor's cache when the next message belongs to another mapping.
struct SharedParts {
    private var tries: [[[String]]: PathTrie] = [:]
    private var columns: [[CompiledColumn]: CompiledColumns] = [:]

    mutating func trie(of paths: [[String]]) -> PathTrie {
        if let known = tries[paths] { return known }
        let trie = PathTrie(paths: paths)
        tries[paths] = trie
        return trie
    }

    mutating func columns(_ list: [CompiledColumn]) -> CompiledColumns {
        if let known = columns[list] { return known }
        let made = CompiledColumns(list)
        columns[list] = made
        return made
    }
}

/// The columns of a block as the evaluator walks them.
final class CompiledColumns: Sendable {
    /// Written once in `init`, then only read: sharing it is safe.
    nonisolated(unsafe) let memory: UnsafeMutablePointer<CompiledColumn>

    init(_ list: [CompiledColumn]) {
        memory = .allocate(capacity: max(list.count, 1))
        for (index, column) in list.enumerated() { (memory + index).initialize(to: column) }
    }

    deinit { memory.deallocate() }
}
