import Payload

/// A decoded payload, or a part of one, as a tree that can be looked at again and again.
indirect enum SampleValue: Equatable, Sendable {
    struct Member: Equatable, Sendable {
        var name: String
        var value: SampleValue
    }

    case null
    case boolean(Bool)
    /// The text of the number, as it stood there.
    case number(String)
    case text(String)
    case array([SampleValue])
    case object([Member])

    /// Reads JSON by the rules of the decoder; nil where the text is none.
    init?(json bytes: [UInt8], allowsNaN: Bool = false) {
        let read = bytes.withUnsafeBytes { bytes -> SampleValue? in
            guard let value = try? JSON.validate(bytes, options: JSON.Options(allowsNaN: allowsNaN)) else { return nil }
            return SampleValue(value)
        }
        guard let read else { return nil }
        self = read
    }

    /// - Parameter value: validated; the text that it stands in is still there.
    private init(_ value: Value) {
        switch value.kind {
        case .false: self = .boolean(false)
        case .true: self = .boolean(true)
        case .number: self = .number(String(decoding: value.bytes, as: UTF8.self))
        case .string, .escapedString: self = .text(Self.text(value))
        case .array:
            var list: [SampleValue] = []
            Self.forEachItem(of: value) { _, item in list.append(SampleValue(item)) }
            self = .array(list)
        case .object:
            var members: [Member] = []
            Self.forEachItem(of: value) { key, item in members.append(Member(name: Self.text(key), value: SampleValue(item))) }
            self = .object(members)
        default: self = .null
        }
    }

    private static func forEachItem(of container: Value, _ body: (Value, Value) -> Void) {
        var items = JSON.Items(container)
        var key = Value.missing
        var item = Value.missing
        while items.next(key: &key, item: &item) { body(key, item) }
    }

    private static func text(_ value: Value) -> String {
        let room = max(Int(value.count), 1)
        return withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { target in
            guard let start = target.baseAddress else { return "" }
            let count = JSON.unescape(value, into: start)
            return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }

    /// The documents of newline-delimited JSON; nil where one of the lines is none, or there is only one.
    static func lines(of bytes: [UInt8]) -> [SampleValue]? {
        let lines = bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).filter { !$0.allSatisfy { $0 == 0x20 || $0 == 0x09 } }
        guard lines.count >= 2 else { return nil }
        var documents: [SampleValue] = []
        for line in lines {
            guard let document = SampleValue(json: Array(line)), document.isContainer else { return nil }
            documents.append(document)
        }
        return documents
    }

    var isContainer: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }

    var isObject: Bool { if case .object = self { true } else { false } }

    /// Members of an object; none of anything else.
    var members: [Member] { if case .object(let members) = self { members } else { [] } }

    /// Items of an array; none of anything else.
    var items: [SampleValue] { if case .array(let items) = self { items } else { [] } }

    /// The last member of that name, or the element at that index.
    func member(_ name: String) -> SampleValue? {
        switch self {
        case .object(let members): return members.last { $0.name == name }?.value
        case .array(let items):
            guard let index = Int(name), items.indices.contains(index) else { return nil }
            return items[index]
        default: return nil
        }
    }

    func member(at path: [String]) -> SampleValue? {
        var place: SampleValue? = self
        for name in path { place = place?.member(name) }
        return place
    }

    /// What stands there as text: of a scalar only.
    var scalarText: String? {
        switch self {
        case .boolean(let value): value ? "true" : "false"
        case .number(let text), .text(let text): text
        case .null, .array, .object: nil
        }
    }
}
