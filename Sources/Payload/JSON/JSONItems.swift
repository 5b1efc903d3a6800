import Glibc

extension JSON {
    /// The items of a validated array, or the members of a validated object, in the order of the document, repeated names included.
    ///
    /// It walks the container once, whatever is asked of the items on the way.
    public struct Items {
        private let scanner: JSONScanner?
        private var place: UnsafePointer<UInt8>?
        private let isObject: Bool
        /// How many items have been given.
        public private(set) var count = 0

        /// - Parameter container: an `object` or an `array` that `decode`, `validate` or `Items` gave; anything else has no items.
        public init(_ container: Value) {
            isObject = container.kind == .object
            scanner = isObject || container.kind == .array ? JSONScanner(validated: container) : nil
            guard let scanner, let first = try? scanner.next(scanner.start + 1) else { return }
            let isEmpty = first.pointee == UInt8(ascii: "}") || first.pointee == UInt8(ascii: "]")
            place = isEmpty ? nil : first
        }

        /// Moves to the next item; false, with `key` and `item` untouched, behind the last one.
        /// - Parameter key: takes the member's name (`string` or `escapedString`), or the item's index from 0 (`integer`).
        public mutating func next(key: inout Value, item: inout Value) -> Bool {
            advance(key: &key, item: &item) { scanner, place throws(JSONError) in try scanner.value(&place, depth: 0) }
        }

        /// As `next(key:item:)`, and fills all `trie.slotCount` slots from the item in the same walk.
        public mutating func next(
            key: inout Value, item: inout Value, filling trie: PathTrie, into slots: UnsafeMutablePointer<Value>
        ) -> Bool {
            advance(key: &key, item: &item) { scanner, place throws(JSONError) in
                slots.initialize(repeating: .missing, count: trie.slotCount)
                let root = trie.memory.nodes
                let first = place
                guard JSONScanner.isOpening(first.pointee), root.pointee.childCount > 0 else {
                    let value = try scanner.value(&place, depth: 0)
                    if root.pointee.slot >= 0 { slots[Int(root.pointee.slot)] = value }
                    return value
                }
                place = try JSONFiller(scanner: scanner, trie: trie.memory, slots: slots).fillCleared(first, node: root, depth: 0)
                return Value(kind: first.pointee == UInt8(ascii: "{") ? .object : .array, start: first, count: place - first)
            }
        }

        @inline(always) private mutating func advance(
            key: inout Value, item: inout Value,
            reading read: (JSONScanner, inout UnsafePointer<UInt8>) throws(JSONError) -> Value
        ) -> Bool {
            guard let scanner, var place else { return false }
            do {
                var name = Value.integer(Int64(count))
                if isObject {
                    guard place.pointee == UInt8(ascii: "\"") else { throw scanner.unexpected(.name, at: place) }
                    name = try scanner.scalar(&place)
                    place = try scanner.overColon(place)
                }
                let value = try read(scanner, &place)
                place = try scanner.next(place)
                self.place = place.pointee == UInt8(ascii: ",") ? try scanner.next(place + 1) : nil
                key = name
                item = value
                count &+= 1
                return true
            } catch {
                // Only text against the contract comes here.
                self.place = nil
                return false
            }
        }
    }

    /// The last member of that name of a validated object; `missing` where there is none, or no object.
    public static func member(_ name: UnsafeRawBufferPointer, of object: Value) -> Value {
        guard object.kind == .object else { return .missing }
        var found = Value.missing
        var items = Items(object)
        var key = Value.missing
        var item = Value.missing
        while items.next(key: &key, item: &item) {
            if isText(key, equalTo: name) { found = item }
        }
        return found
    }

    /// The element of a validated array at `index`, counted from 0, or from the end where it is negative (−1 is the last); `missing`
    /// where there is none, or no array.
    public static func element(_ index: Int, of array: Value) -> Value {
        guard array.kind == .array else { return .missing }
        var key = Value.missing
        var item = Value.missing
        var index = index
        if index < 0 {
            var all = Items(array)
            while all.next(key: &key, item: &item) {}
            index += all.count
            guard index >= 0 else { return .missing }
            if index == all.count - 1 { return item }
        }
        var items = Items(array)
        while items.next(key: &key, item: &item) {
            if items.count - 1 == index { return item }
        }
        return .missing
    }

    /// Whether a text value of JSON (`string` or `escapedString`) spells those bytes.
    public static func isText(_ value: Value, equalTo bytes: UnsafeRawBufferPointer) -> Bool {
        let own = value.bytes
        if value.kind == .escapedString, let base = own.baseAddress {
            let start = base.assumingMemoryBound(to: UInt8.self)
            return JSONEscape.isEqual(start, end: start + own.count, to: bytes)
        }
        guard value.kind == .string, own.count == bytes.count else { return false }
        guard let one = own.baseAddress, let other = bytes.baseAddress else { return true }
        return memcmp(one, other, own.count) == 0
    }
}
