import FuzzSupport
import Payload

/// What must hold for a value that was accepted, and for all below it.
struct JSONValueClaims {
    let text: UnsafeRawBufferPointer
    let options: JSON.Options
    let tries: [PathTrie]

    /// - Parameter budget: how many values are still looked at: each costs a walk over all that is below it.
    func hold(for value: Value, budget: inout Int) {
        guard budget > 0 else { return }
        budget -= 1
        claim(text.holds(value.bytes), "a value outside the text")
        let written = written(value)
        writtenAgain(written, value)
        switch value.kind {
        case .number: number(value)
        case .string, .escapedString: string(value, written: written)
        case .object, .array:
            for trie in tries { rest(value, trie) }
            items(value, budget: &budget)
            if value.kind == .object { members(value) }
        case .null, .true, .false: break
        default: claim(false, "\(value.kind) is no kind of JSON")
        }
    }

    // MARK: Writing

    private func written(_ value: Value) -> [UInt8] {
        let room = UnsafeMutableRawPointer.allocate(byteCount: JSON.textBytesMax(of: value), alignment: 1)
        defer { room.deallocate() }
        guard let count = JSON.writeText(of: value, into: room) else {
            claim(false, "\(value.kind) has no text")
            return []
        }
        claim(count <= JSON.textBytesMax(of: value), "\(count) bytes written of at most \(JSON.textBytesMax(of: value))")
        return Array(UnsafeRawBufferPointer(start: room, count: count))
    }

    /// What is written is JSON without leave, and is written once more as the same.
    private func writtenAgain(_ written: [UInt8], _ value: Value) {
        written.withUnsafeBytes { bytes in
            guard let again = try? JSON.validate(bytes, options: JSON.Options(maximumDepth: JSON.depthLimit, allowsNaN: false)) else {
                return claim(false, "written \(String(decoding: bytes, as: UTF8.self)), which is no JSON")
            }
            claim(again.kind == value.kind, "\(value.kind) was written as \(again.kind)")
            claim(self.written(again) == written, "written twice, in two ways")
            if !options.allowsNaN, value.kind == .object || value.kind == .array || value.kind == .number {
                claim(value.bytes.elementsEqual(written), "not written as it stood")
            }
        }
    }

    private func rest(_ value: Value, _ trie: PathTrie) {
        let room = UnsafeMutableRawPointer.allocate(byteCount: JSON.textBytesMax(of: value), alignment: 1)
        defer { room.deallocate() }
        guard let count = JSON.writeRest(of: value, without: trie, mayHoldNaN: options.allowsNaN, into: room) else { return }
        claim(count <= JSON.textBytesMax(of: value), "\(count) bytes of rest, of at most \(JSON.textBytesMax(of: value))")
        let rest = UnsafeRawBufferPointer(start: room, count: count)
        guard let left = try? JSON.validate(rest, options: JSON.Options(maximumDepth: JSON.depthLimit, allowsNaN: false)) else {
            return claim(false, "the rest is no JSON: \(String(decoding: rest, as: UTF8.self))")
        }
        guard value.kind == .object else { return }
        // What was taken is not there any more. An index leads into no array here.
        fill(left, trie) { slots in
            for (path, slot) in zip(trie.slots.indices, trie.slots) where slot >= 0 && trie.nodes[0].slot != slot {
                let isThroughArray = slots[slot].kind != .missing && isBelowArray(left, slot, trie)
                claim(slots[slot].kind == .missing || isThroughArray, "path \(path) was taken and is still there")
            }
        }
    }

    /// Whether the slot's path leads through an array somewhere.
    private func isBelowArray(_ value: Value, _ slot: Int, _ trie: PathTrie) -> Bool {
        var value = value
        var node = trie.nodes[0]
        while true {
            if value.kind == .array { return true }
            let children = trie.children[Int(node.firstChild)..<Int(node.firstChild + node.childCount)]
            guard
                let child = children.first(where: {
                    (trie.nodes[Int($0.node)].slotsBegin..<trie.nodes[Int($0.node)].slotsEnd).contains(Int32(slot))
                })
            else { return false }
            let name = trie.names[Int(child.nameStart)..<Int(child.nameStart + child.nameCount)]
            value = Array(name).withUnsafeBytes { JSON.member($0, of: value) }
            node = trie.nodes[Int(child.node)]
        }
    }

    // MARK: Scalars

    private func number(_ value: Value) {
        let digits = String(decoding: value.bytes, as: UTF8.self)
        claim(NumberText.isNumber(value.bytes), "no number: \(digits)")
        if let reference = Double(digits) {
            let read = try? NumberText.double(value.bytes)
            claim(read?.bitPattern == (reference.isFinite ? reference.bitPattern : nil), "\(digits) reads as \(String(describing: read))")
        }
        if let reference = Float(digits) {
            let read = try? NumberText.float(value.bytes)
            claim(read?.bitPattern == (reference.isFinite ? reference.bitPattern : nil), "\(digits) as float: \(String(describing: read))")
        }
        let whole = try? NumberText.int64(value.bytes)
        if let reference = Int64(digits) { claim(whole == reference, "\(digits) reads as \(String(describing: whole))") }
        guard let decimal = DecimalNumber(value.bytes) else { return claim(false, "no decimal number: \(digits)") }
        claim((try? decimal.int64()) == whole, "\(digits): two whole numbers")
        guard decimal.isExact else { return }
        var text = decimal.description
        let again = text.withUTF8 { DecimalNumber(UnsafeRawBufferPointer($0)) }
        claim(again == decimal && decimal.normalized == decimal, "\(digits) is written as \(text)")
    }

    private func string(_ value: Value, written: [UInt8]) {
        let plain = unescaped(value)
        claim(plain.count == JSON.unescapedCount(value) && plain.count <= Int(value.count), "unescaped to \(plain.count) bytes")
        plain.withUnsafeBytes { bytes in
            claim(UTF8Text.isValid(bytes) && String(validating: bytes, as: UTF8.self) != nil, "unescaped to what is no UTF-8")
            claim(JSON.isText(value, equalTo: bytes), "is not its own text")
            claim(JSON.containsNUL(value) == UTF8Text.containsNUL(bytes), "NUL where there is none, or none seen")
        }
        written.withUnsafeBytes { bytes in
            if let again = try? JSON.validate(bytes) { claim(unescaped(again) == plain, "another text after writing") }
        }
    }

    private func unescaped(_ value: Value) -> [UInt8] {
        let room = UnsafeMutableRawPointer.allocate(byteCount: Int(value.count), alignment: 1)
        defer { room.deallocate() }
        return Array(UnsafeRawBufferPointer(start: room, count: JSON.unescape(value, into: room)))
    }

    // MARK: Containers

    private func fill(_ value: Value, _ trie: PathTrie, _ body: (UnsafeMutablePointer<Value>) -> Void) {
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: trie.slotCount)
        defer { slots.deallocate() }
        JSON.fill(value, trie: trie, into: slots)
        body(slots)
    }

    private func isSame(_ one: Value, _ other: Value) -> Bool {
        one.kind == other.kind && one.count == other.count && one.word == other.word
    }

    private func items(_ container: Value, budget: inout Int) {
        var plain = JSON.Items(container)
        var filling = JSON.Items(container)
        var (key, item, otherKey, otherItem) = (Value.missing, Value.missing, Value.missing, Value.missing)
        var index = 0
        while budget > 0, plain.next(key: &key, item: &item) {
            let trie = tries[index % tries.count]
            fill(item, trie) { slots in
                let others = UnsafeMutablePointer<Value>.allocate(capacity: trie.slotCount)
                defer { others.deallocate() }
                claim(filling.next(key: &otherKey, item: &otherItem, filling: trie, into: others), "an item is lost")
                claim(isSame(item, otherItem) && isSame(key, otherKey), "another item")
                for slot in 0..<trie.slotCount { claim(isSame(slots[slot], others[slot]), "slot \(slot) is filled in two ways") }
            }
            if container.kind == .array, index < 4 { claim(isSame(JSON.element(index, of: container), item), "another element") }
            index += 1
            claim(plain.count == index, "item \(index) counted as \(plain.count)")
            hold(for: item, budget: &budget)
        }
        if container.kind == .array, budget > 0, index > 0 {
            claim(isSame(JSON.element(-1, of: container), item), "another last element")
            claim(JSON.element(index, of: container).kind == .missing, "an element behind the last")
        }
    }

    /// A trie of the object's own names leads to its members.
    private func members(_ object: Value) {
        var names: [[UInt8]] = []
        var items = JSON.Items(object)
        var (key, item) = (Value.missing, Value.missing)
        while names.count < 24, items.next(key: &key, item: &item) {
            let name = unescaped(key)
            if !names.contains(name) { names.append(name) }
        }
        let trie = PathTrie(paths: names.map { [String(decoding: $0, as: UTF8.self)] })
        fill(object, trie) { slots in
            for (name, slot) in zip(names, trie.slots) {
                let member = name.withUnsafeBytes { JSON.member($0, of: object) }
                claim(isSame(slots[slot], member), "\(String(decoding: name, as: UTF8.self)) leads to two members")
            }
        }
    }
}
