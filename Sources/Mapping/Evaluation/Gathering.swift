import Payload

// Values of sources: a slot, a place to be sought, or several put together.
extension Evaluator {
    mutating func value(of source: SlotSource, _ slots: UnsafeMutablePointer<Value>) -> Value {
        switch source {
        case .slot(let slot): return slots[slot]
        case .seek(let container, let steps, let cursor):
            var value = slots[container]
            for (place, step) in steps.enumerated() {
                switch step {
                case .name(let name): value = name.withUnsafeBytes { JSON.member($0, of: value) }
                case .index(let index):
                    value = value.kind == .object ? member(named: index, of: value) : JSON.element(index, of: value)
                case .slot(let slot): value = step1(slots[slot], of: value, cursor: place == 0 ? cursor : nil)
                }
            }
            return value
        case .base64(let source): return bytes(inBase64: value(of: source, slots))
        }
    }

    /// What we have written in base64 ourselves.
    private mutating func bytes(inBase64 text: Value) -> Value {
        guard text.kind == .string else { return text }
        let target = scratch.allocate(text.bytes.count)
        guard let count = try? Unpack.base64(text.bytes, into: target) else { return text }
        return Value(kind: .bytes, start: target, count: count)
    }

    private func member(named index: Int, of object: Value) -> Value {
        Array(String(index).utf8).withUnsafeBytes { JSON.member($0, of: object) }
    }

    /// One step by a loop's index or key.
    private mutating func step1(_ key: Value, of container: Value, cursor: Int?) -> Value {
        if key.kind == .integer {
            let index = Int(Int64(bitPattern: key.word))
            guard container.kind == .array else { return member(named: index, of: container) }
            guard let cursor else { return JSON.element(index, of: container) }
            return element(index, of: container, cursor: cursor)
        }
        guard key.kind == .escapedString else { return JSON.member(key.bytes, of: container) }
        let target = scratch.allocate(Int(key.count))
        return JSON.member(UnsafeRawBufferPointer(start: target, count: JSON.unescape(key, into: target)), of: container)
    }

    /// An element of an array that is walked beside a loop: goes on from where it was last.
    private mutating func element(_ index: Int, of container: Value, cursor: Int) -> Value {
        if cursors[cursor].container != container.word || cursors[cursor].index > index || cursors[cursor].items == nil {
            cursors[cursor] = SeekCursor(container: container.word, items: JSON.Items(container))
        }
        var key = Value.missing
        while cursors[cursor].index < index {
            var item = Value.missing
            guard cursors[cursor].items?.next(key: &key, item: &item) == true else { return .missing }
            cursors[cursor].item = item
            cursors[cursor].index += 1
        }
        return cursors[cursor].item
    }

    /// The value of a column that takes more than one slot.
    mutating func gathered(_ gather: Gather, _ slots: UnsafeMutablePointer<Value>) throws(EvaluationError) -> Value {
        switch gather {
        case .single(let source): return value(of: source, slots)
        case .first(let sources):
            var found = Value.missing
            for source in sources {
                let next = value(of: source, slots)
                if !next.isAbsent { return next }
                if next.kind == .null { found = next }
            }
            return found
        case .join(let sources, let separator): return try joined(sources, separator, slots)
        case .rest(let container, let taken, let mayHoldNaN):
            let object = slots[container]
            guard object.kind == .object else { return object.isAbsent ? .missing : object }
            let room = JSON.textBytesMax(of: object)
            let target = scratch.allocate(room)
            guard let count = JSON.writeRest(of: object, without: taken, mayHoldNaN: mayHoldNaN, into: target) else {
                scratch.giveBack(room)
                return .missing
            }
            scratch.giveBack(room - count)
            return Value(kind: .object, start: target, count: count)
        }
    }

    private mutating func joined(
        _ sources: [SlotSource], _ separator: [UInt8], _ slots: UnsafeMutablePointer<Value>
    ) throws(EvaluationError) -> Value {
        let parts = sources.map { value(of: $0, slots) }
        // Nothing is joined where a part is missing, whatever the others are.
        guard !parts.contains(where: \.isAbsent) else { return .missing }
        var texts: [UnsafeRawBufferPointer] = []
        for part in parts { texts.append(try text(of: part)) }
        let count = texts.reduce(0) { $0 + $1.count } + separator.count * (texts.count - 1)
        let target = UnsafeMutableRawBufferPointer(start: scratch.allocate(count), count: count)
        var place = 0
        for (index, text) in texts.enumerated() {
            if index > 0 {
                separator.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[place...]).copyMemory(from: $0) }
                place += separator.count
            }
            UnsafeMutableRawBufferPointer(rebasing: target[place...]).copyMemory(from: text)
            place += text.count
        }
        return Value(kind: .string, bytes: UnsafeRawBufferPointer(target))
    }

    // MARK: Text

    /// A value's text: as it stands in the payload, escapes decoded, numbers of binary fields written out.
    mutating func text(of value: Value) throws(EvaluationError) -> UnsafeRawBufferPointer {
        switch value.kind {
        case .string, .number: return value.bytes
        case .escapedString:
            let target = scratch.allocate(Int(value.count))
            let count = JSON.unescape(value, into: target)
            scratch.giveBack(Int(value.count) - count)
            return UnsafeRawBufferPointer(start: target, count: count)
        case .true: return Self.bytes(of: "true")
        case .false: return Self.bytes(of: "false")
        case .double where !Double(bitPattern: value.word).isFinite:
            // As `null_if: nan` writes it.
            let number = Double(bitPattern: value.word)
            return Self.bytes(of: number.isNaN ? "nan" : number < 0 ? "-inf" : "inf")
        case .integer, .unsigned, .double:
            let room = JSON.textBytesMax(of: value)
            let target = scratch.allocate(room)
            guard let count = JSON.writeText(of: value, into: target) else { throw .because("the value has no text") }
            scratch.giveBack(room - count)
            return UnsafeRawBufferPointer(start: target, count: count)
        case .timestamp: return copied(CivilTime.text(unixMicroseconds: Int64(bitPattern: value.word)))
        case .bytes:
            guard UTF8Text.isValid(value.bytes) else { throw .because("the bytes are not valid UTF-8") }
            return value.bytes
        case .object, .array: throw .because("object or array where a single value is expected")
        case .missing, .null: return UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    static func bytes(of text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    mutating func copied(_ text: String) -> UnsafeRawBufferPointer {
        let bytes = Array(text.utf8)
        let target = UnsafeMutableRawBufferPointer(start: scratch.allocate(bytes.count), count: bytes.count)
        target.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(target)
    }
}

/// White space at both ends taken off.
@inline(__always)
func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let first = bytes.first, let last = bytes.last, first <= 0x20 || last <= 0x20 else { return bytes }
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
    var start = 0
    var end = bytes.count
    while start < end, isSpace(bytes[start]) { start += 1 }
    while end > start, isSpace(bytes[end - 1]) { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
}
