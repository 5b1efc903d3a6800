/// Walks the planned part of a document along a path trie and fills its slots; the scanner checks and skips the rest.
///
/// It recurses only where the trie has children, so no deeper than the mapping's own paths.
struct JSONFiller {
    typealias Place = JSONScanner.Place
    typealias Node = UnsafePointer<PathTrie.Node>
    typealias Child = UnsafePointer<PathTrie.Child>

    let scanner: JSONScanner
    let trie: PathTrieMemory
    let slots: UnsafeMutablePointer<Value>

    /// A node with children: clears their slots first, since the member may be there a second time.
    @inline(never) func fillBranch(_ first: Place, node: Node, depth: Int) throws(JSONError) -> Place {
        for slot in Int(node.pointee.slotsBegin)..<Int(node.pointee.slotsEnd) { slots[slot] = .missing }
        return try fillCleared(first, node: node, depth: depth)
    }

    /// A node whose slots are all `missing`. Only a root may have no children: its object is then skipped like any other value.
    @inline(always) func fillCleared(_ first: Place, node: Node, depth: Int) throws(JSONError) -> Place {
        var place = first
        var value = Value.missing
        switch first.pointee {
        case UInt8(ascii: "{") where node.pointee.childCount > 0:
            place = try fillObject(first, node: node, depth: depth)
            value = Value(kind: .object, start: first, count: place - first)
        case UInt8(ascii: "[") where node.pointee.lastArrayIndex >= 0:
            place = try fillArray(first, node: node, depth: depth)
            value = Value(kind: .array, start: first, count: place - first)
        default:
            value = try scanner.value(&place, depth: depth)
        }
        if node.pointee.slot >= 0 { slots[Int(node.pointee.slot)] = value }
        return place
    }

    @inline(never) private func fillObject(_ opening: Place, node: Node, depth: Int) throws(JSONError) -> Place {
        assert(node.pointee.childCount > 0, "the first guess is a child")
        try scanner.checkDepth(depth, at: opening)
        var place = try scanner.next(opening + 1)
        if place.pointee == UInt8(ascii: "}") { return place + 1 }
        guard place.pointee == UInt8(ascii: "\"") else { throw scanner.unexpected(.nameOrEnd, at: place) }
        let (firstChild, endOfChildren) = trie.children(of: node)
        var guess = firstChild
        while true {
            let child = try member(&place, node: node, guess: guess)
            var slot: Int32 = -1
            if let child {
                guess = child + 1 == endOfChildren ? firstChild : child + 1
                slot = child.pointee.leafSlot
            }
            if let child, slot < 0 {
                place = try fillBranch(place, node: trie.nodes + Int(child.pointee.node), depth: depth &+ 1)
            } else {
                let value = try scanner.value(&place, depth: depth &+ 1)
                if slot >= 0 { slots[Int(slot)] = value }
            }
            if _fastPath(scanner.end - place >= 2 && EightBytes.loadPair(place) == 0x222C) {  // ,"
                place += 1
                continue
            }
            place = try scanner.next(place)
            guard place.pointee == UInt8(ascii: ",") else {
                guard place.pointee == UInt8(ascii: "}") else { throw scanner.unexpected(.commaOrBrace, at: place) }
                return place + 1
            }
            place = try scanner.next(place + 1)
            guard place.pointee == UInt8(ascii: "\"") else { throw scanner.unexpected(.name, at: place) }
        }
    }

    /// Reads the name whose opening quote stands at `place`, moves to the member's value and gives the planned child of that name, if any.
    ///
    /// Devices send their members in one order, so `guess`, the child after the last hit, is compared first, before the name's end is
    /// known. Any other name of up to 7 bytes is measured and compared in one register.
    @inline(always) private func member(_ place: inout Place, node: Node, guess: Child) throws(JSONError) -> Child? {
        let name = place + 1
        // Within 18 bytes: a name of 15, its quote, the colon, what comes next.
        if _fastPath(scanner.end - name >= 18) {
            if _fastPath(trie.isSpelled(guess, at: name)) {
                place = name + Int(guess.pointee.nameCount) + 1
                if _fastPath(place.pointee == UInt8(ascii: ":") && place[1] > 0x20) {
                    place += 1
                } else {
                    place = try scanner.overColon(place)
                }
                return guess
            }
            let word = EightBytes.load(name)
            let mask = EightBytes.special(word)
            let count = EightBytes.first(mask)
            if _fastPath(mask != 0 && EightBytes.loadPair(name + count) == 0x3A22) {  // ":
                place = name + count + 2
                if _slowPath(place.pointee <= 0x20) { place = try scanner.next(place) }
                return trie.child(of: node, prefix: word & EightBytes.below(mask), name: name, count: count)
            }
        }
        return try longMember(&place, node: node)
    }

    /// Any name, with anything around the colon.
    @inline(never) private func longMember(_ place: inout Place, node: Node) throws(JSONError) -> Child? {
        let name = place + 1
        let (quote, isEscaped) = try scanner.closingQuote(from: name)
        let count = quote - name
        place = try scanner.overColon(quote + 1)
        guard !isEscaped else { return trie.child(of: node, escapedName: name, end: quote) }
        let word = scanner.word(at: name)
        let prefix = count >= 8 ? word : word & (1 &<< UInt64(8 &* count) &- 1)
        return trie.child(of: node, prefix: prefix, name: name, count: count)
    }

    private func fillArray(_ opening: Place, node: Node, depth: Int) throws(JSONError) -> Place {
        try scanner.checkDepth(depth, at: opening)
        var place = try scanner.next(opening + 1)
        if place.pointee == UInt8(ascii: "]") { return place + 1 }
        let (firstChild, endOfChildren) = trie.children(of: node)
        var guess = firstChild
        var index: Int32 = 0
        while true {
            if let child = element(index, node: node, guess: guess) {
                guess = child + 1 == endOfChildren ? firstChild : child + 1
                if child.pointee.leafSlot < 0 {
                    place = try fillBranch(place, node: trie.nodes + Int(child.pointee.node), depth: depth &+ 1)
                } else {
                    slots[Int(child.pointee.leafSlot)] = try scanner.value(&place, depth: depth &+ 1)
                }
            } else {
                _ = try scanner.value(&place, depth: depth &+ 1)
            }
            // Stops counting behind the last index that is planned.
            if index <= node.pointee.lastArrayIndex { index &+= 1 }
            place = try scanner.next(place)
            guard place.pointee == UInt8(ascii: ",") else {
                guard place.pointee == UInt8(ascii: "]") else { throw scanner.unexpected(.commaOrBracket, at: place) }
                return place + 1
            }
            place = try scanner.next(place + 1)
        }
    }

    @inline(always) private func element(_ index: Int32, node: Node, guess: Child) -> Child? {
        guard index <= node.pointee.lastArrayIndex else { return nil }
        if guess.pointee.arrayIndex == index { return guess }
        var (child, end) = trie.children(of: node)
        while child < end {
            if child.pointee.arrayIndex == index { return child }
            child += 1
        }
        return nil
    }
}

extension PathTrieMemory {
    /// The child whose name the escaped text from `name` to `end` spells, or nil. Such names are rare: each child is compared in turn.
    func child(of node: UnsafePointer<PathTrie.Node>, escapedName name: UnsafePointer<UInt8>, end nameEnd: UnsafePointer<UInt8>)
        -> UnsafePointer<PathTrie.Child>?
    {
        var (child, end) = children(of: node)
        while child < end {
            let plain = UnsafeRawBufferPointer(start: names + Int(child.pointee.nameStart), count: Int(child.pointee.nameCount))
            if JSONEscape.isEqual(name, end: nameEnd, to: plain) { return child }
            child += 1
        }
        return nil
    }
}
