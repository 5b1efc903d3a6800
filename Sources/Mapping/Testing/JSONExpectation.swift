import Payload

/// Whether a JSON text says what a test expects of a jsonb column.
enum JSONExpectation {
    /// A text in quotes that is itself an object or an array stands for that; any other text in quotes is a string. Plain words are numbers and truth
    /// values where they read as such.
    static func holds(_ expected: ExpectedValue, of text: String) -> Bool {
        Array(text.utf8).withUnsafeBytes { bytes in
            guard let value = try? JSON.validate(bytes, options: JSON.Options(maximumDepth: JSON.depthLimit, allowsNaN: false)) else {
                return false
            }
            guard case .scalar(.text(let own), _) = expected, own.utf8.contains(where: { "{[\"".utf8.contains($0) }) else {
                return matches(value, expected)
            }
            let isSame = Array(own.utf8).withUnsafeBytes { bytes in
                (try? JSON.validate(bytes, options: JSON.Options(maximumDepth: JSON.depthLimit, allowsNaN: false))).map {
                    isEqual(value, $0)
                } ?? false
            }
            return isSame || matches(value, expected)
        }
    }

    private static func matches(_ value: Value, _ expected: ExpectedValue) -> Bool {
        switch expected {
        case .scalar(.null, _): return value.kind == .null
        case .scalar(.text(let text), let isQuoted):
            switch value.kind {
            case .string, .escapedString:
                return JSON.isText(value, equalTo: text) && (isQuoted || !isPlainValue(text))
            case .true, .false: return !isQuoted && text == (value.kind == .true ? "true" : "false")
            case .number: return !isQuoted && isSameNumber(String(decoding: value.bytes, as: UTF8.self), text)
            default: return false
            }
        case .list(let items):
            guard value.kind == .array else { return false }
            let values = self.items(of: value).map(\.value)
            return values.count == items.count && zip(values, items).allSatisfy { matches($0, $1) }
        case .object(let members):
            guard value.kind == .object else { return false }
            let own = lastMembers(of: value)
            return own.count == members.count && members.allSatisfy { member in own[member.key].map { matches($0, member.value) } ?? false }
        }
    }

    private static func isEqual(_ left: Value, _ right: Value) -> Bool {
        switch (left.kind, right.kind) {
        case (.object, .object):
            let (left, right) = (lastMembers(of: left), lastMembers(of: right))
            return left.count == right.count && left.allSatisfy { name, value in right[name].map { isEqual(value, $0) } ?? false }
        case (.array, .array):
            let (left, right) = (items(of: left), items(of: right))
            return left.count == right.count && zip(left, right).allSatisfy { isEqual($0.value, $1.value) }
        case (.number, .number):
            return isSameNumber(String(decoding: left.bytes, as: UTF8.self), String(decoding: right.bytes, as: UTF8.self))
        case (.string, _), (.escapedString, _): return (right.kind == .string || right.kind == .escapedString) && text(left) == text(right)
        default: return left.kind == right.kind
        }
    }

    /// Exactly, but where both have fractions within 10⁻⁹: sums of binary fractions end in noise.
    private static func isSameNumber(_ left: String, _ right: String) -> Bool {
        if let left = DecimalNumber(left), let right = DecimalNumber(right), left == right { return true }
        guard left.contains(where: { ".eE".contains($0) }), let left = Double(left), let right = Double(right) else { return false }
        return abs(left - right) <= 1e-9 * max(1, abs(left))
    }

    /// What JSON would not write in quotes.
    private static func isPlainValue(_ text: String) -> Bool {
        text == "true" || text == "false" || Array(text.utf8).withUnsafeBytes { (try? JSON.validate($0))?.kind == .number }
    }

    // MARK: Walking

    private static func items(of container: Value) -> [(key: String, value: Value)] {
        var iterator = JSON.Items(container)
        var key = Value.missing
        var item = Value.missing
        var all: [(key: String, value: Value)] = []
        while iterator.next(key: &key, item: &item) { all.append((text(key), item)) }
        return all
    }

    /// As jsonb keeps them: of members with one name the last.
    private static func lastMembers(of object: Value) -> [String: Value] {
        Dictionary(items(of: object).map { ($0.key, $0.value) }) { _, last in last }
    }

    private static func text(_ value: Value) -> String {
        guard value.kind == .string || value.kind == .escapedString else { return "" }
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(value.count) + 1) { target, count in
            count = target.baseAddress.map { JSON.unescape(value, into: UnsafeMutableRawPointer($0)) } ?? 0
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension JSON {
    fileprivate static func isText(_ value: Value, equalTo text: String) -> Bool {
        Array(text.utf8).withUnsafeBytes { isText(value, equalTo: $0) }
    }
}
