extension JSON {
    /// Writes what is left of a validated object without every member that `taken` has a slot for, as JSON text copied from the source,
    /// and gives its length; nil where nothing is left.
    ///
    /// A taken member goes with all that is below it, and an object that holds nothing else than taken members goes too, its own name
    /// included; one that no path leads into stays as it is, even empty. Paths lead through objects only: an array stays whole unless it
    /// is taken itself. The root's own slot takes nothing. A value other than an object is written whole, as `writeText` does.
    /// - Parameters:
    ///   - mayHoldNaN: whether the text was decoded with `allowsNaN`: bare nan and infinity are then written as null.
    ///   - target: has room for `textBytesMax(of:)` bytes.
    public static func writeRest(
        of value: Value, without taken: PathTrie, mayHoldNaN: Bool = false, into target: UnsafeMutableRawPointer
    ) -> Int? {
        guard value.kind == .object else { return value.isAbsent ? nil : writeText(of: value, into: target) }
        guard let scanner = JSONScanner(validated: value) else { return nil }
        var writer = JSONRestWriter(scanner: scanner, trie: taken.memory, mayHoldNaN: mayHoldNaN, text: JSONTextWriter(target))
        guard (try? writer.object(scanner.start, node: taken.memory.nodes)) != nil, writer.text.count > 0 else { return nil }
        return writer.text.count
    }
}

/// Copies the members of an object that a trie does not take; recurses no deeper than the trie.
private struct JSONRestWriter {
    let scanner: JSONScanner
    let trie: PathTrieMemory
    let mayHoldNaN: Bool
    var text: JSONTextWriter

    /// Reads the object at `opening` and writes what is left of it, which may be nothing at all; gives the place behind it.
    mutating func object(
        _ opening: JSONScanner.Place, node: UnsafePointer<PathTrie.Node>
    ) throws(JSONError) -> JSONScanner.Place {
        let begin = text.count
        text.append(byte: UInt8(ascii: "{"))
        var place = try scanner.next(opening + 1)
        guard place.pointee == UInt8(ascii: "\"") else {
            text.count = begin
            return place + 1
        }
        while true {
            let member = place
            let beforeMember = text.count
            if beforeMember > begin + 1 { text.append(byte: UInt8(ascii: ",")) }
            let name = try scanner.scalar(&place)
            place = try scanner.overColon(place)
            if let child = child(of: node, named: name) {
                let below = trie.nodes + Int(child.pointee.node)
                if below.pointee.slot >= 0 {
                    _ = try scanner.value(&place, depth: 0)
                    text.count = beforeMember
                } else if place.pointee == UInt8(ascii: "{") {
                    copy(from: member, to: place)
                    let beforeValue = text.count
                    place = try object(place, node: below)
                    if text.count == beforeValue { text.count = beforeMember }
                } else {
                    _ = try scanner.value(&place, depth: 0)
                    copy(from: member, to: place)
                }
            } else {
                _ = try scanner.value(&place, depth: 0)
                copy(from: member, to: place)
            }
            place = try scanner.next(place)
            guard place.pointee == UInt8(ascii: ",") else { break }
            place = try scanner.next(place + 1)
        }
        if text.count == begin + 1 {
            text.count = begin
        } else {
            text.append(byte: UInt8(ascii: "}"))
        }
        return place + 1
    }

    private mutating func copy(from first: JSONScanner.Place, to end: JSONScanner.Place) {
        let bytes = UnsafeRawBufferPointer(start: first, count: end - first)
        if mayHoldNaN { text.append(replacingNaN: bytes) } else { text.append(bytes) }
    }

    private func child(of node: UnsafePointer<PathTrie.Node>, named name: Value) -> UnsafePointer<PathTrie.Child>? {
        guard node.pointee.childCount > 0, let base = name.bytes.baseAddress else { return nil }
        let start = base.assumingMemoryBound(to: UInt8.self)
        let count = Int(name.count)
        if name.kind == .escapedString { return trie.child(of: node, escapedName: start, end: start + count) }
        let word = scanner.word(at: start)
        let prefix = count >= 8 ? word : word & (1 &<< UInt64(8 &* count) &- 1)
        return trie.child(of: node, prefix: prefix, name: start, count: count)
    }
}
