/// JSON (RFC 8259) read in place: one pass checks every byte and fills the slots of the paths that are wanted.
///
/// Nothing is allocated and nothing copied: values point into the text and are valid as long as it stays where it is.
public enum JSON {
    /// What is taken beyond, and refused within, the standard.
    public struct Options: Sendable {
        /// How deep objects and arrays may be nested (RFC 8259 §9 allows a limit): 1 to 1,024.
        public var maximumDepth: Int = 64
        /// Whether bare nan, inf and infinity, in any case and perhaps with a minus, read as null.
        public var allowsNaN = false

        /// 64 levels, and nothing beyond the standard.
        public init() {}

        /// - Parameter maximumDepth: brought into 1 … 1,024.
        public init(maximumDepth: Int = 64, allowsNaN: Bool) {
            self.maximumDepth = maximumDepth
            self.allowsNaN = allowsNaN
        }
    }

    /// The largest value of `Options.maximumDepth`.
    public static let depthLimit = 1024

    /// Checks the whole text and fills all `trie.slotCount` slots: `missing` where a path leads nowhere, the last of repeated members.
    ///
    /// Where it throws, the slots hold what had been read until then. A text has less than 4 GiB.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, options: Options = Options(), trie: PathTrie, into slots: UnsafeMutablePointer<Value>
    ) throws(JSONError) {
        slots.initialize(repeating: .missing, count: trie.slotCount)
        let scanner = try scanner(of: bytes, options: options)
        let filler = JSONFiller(scanner: scanner, trie: trie.memory, slots: slots)
        let first = try scanner.firstByte()
        let place = try filler.fillCleared(first, node: trie.memory.nodes, depth: 0)
        try scanner.finish(at: place)
    }

    /// Checks the whole text and gives its value.
    @discardableResult public static func validate(_ bytes: UnsafeRawBufferPointer, options: Options = Options()) throws(JSONError) -> Value
    {
        let scanner = try scanner(of: bytes, options: options)
        var place = try scanner.firstByte()
        let value = try scanner.value(&place, depth: 0)
        try scanner.finish(at: place)
        return value
    }

    /// Fills all `trie.slotCount` slots from a value that `decode`, `validate` or `Items` gave; the root's slot takes the value itself.
    public static func fill(_ value: Value, trie: PathTrie, into slots: UnsafeMutablePointer<Value>) {
        slots.initialize(repeating: .missing, count: trie.slotCount)
        let root = trie.memory.nodes
        if root.pointee.slot >= 0 { slots[Int(root.pointee.slot)] = value }
        guard root.pointee.childCount > 0, value.kind == .object || value.kind == .array else { return }
        guard let scanner = JSONScanner(validated: value) else { return }
        // A validated text cannot fail; a value against the contract leaves the slots as far as they came.
        _ = try? JSONFiller(scanner: scanner, trie: trie.memory, slots: slots).fillCleared(scanner.start, node: root, depth: 0)
    }

    @inline(always) private static func scanner(of bytes: UnsafeRawBufferPointer, options: Options) throws(JSONError) -> JSONScanner {
        guard let base = bytes.baseAddress else { throw JSONError(.unexpectedEnd, byteOffset: 0) }
        guard bytes.count <= Int(UInt32.max) else { throw JSONError(.tooLong, byteOffset: 0) }
        let start = base.assumingMemoryBound(to: UInt8.self)
        return JSONScanner(
            start: start, end: start + bytes.count, maximumDepth: min(max(options.maximumDepth, 1), depthLimit),
            allowsNaN: options.allowsNaN)
    }
}

extension JSONScanner {
    /// A scanner of text that another one has accepted, under whatever options; nil where the value holds no text.
    init?(validated value: Value) {
        let bytes = value.bytes
        guard let base = bytes.baseAddress, bytes.count > 0 else { return nil }
        let start = base.assumingMemoryBound(to: UInt8.self)
        self.init(start: start, end: start + bytes.count, maximumDepth: JSON.depthLimit, allowsNaN: true)
    }

    /// The first byte of the value. RFC 8259 §8.1: a parser may refuse a byte order mark, and one in front of JSON is the sign of a file
    /// sent as a message.
    @inline(always) func firstByte() throws(JSONError) -> Place {
        let first = try next(start)
        if first.pointee == 0xEF, word(at: first) & 0xFF_FFFF == 0xBF_BBEF { throw failure(.byteOrderMark, at: first) }
        return first
    }

    @inline(always) func finish(at place: Place) throws(JSONError) {
        guard _slowPath(place != end) else { return }
        let rest = afterSpace(place)
        guard rest == end else { throw failure(.trailing(rest.pointee), at: rest) }
    }
}
