import Payload

// What a `when` asks of a value. Off the common path: clarity first.
extension Evaluator {
    mutating func passes(_ test: CompiledTest, _ value: Value) -> Bool {
        switch test {
        case .null: return value.kind == .null
        case .equals(let constant): return equals(value, constant)
        case .any(let tests):
            for test in tests where passes(test, value) { return true }
            return false
        case .all(let tests):
            for test in tests where !passes(test, value) { return false }
            return true
        case .kinds(let kinds): return isOfKind(value, kinds)
        case .not(let test): return !passes(test, value)
        case .glob(let pattern):
            guard !value.isAbsent, let text = try? text(of: value) else { return false }
            return Glob.matches(pattern[...], text[...])
        case .present(let isPresent): return (value.kind != .missing) == isPresent
        case .minimum(let bound):
            guard let number = number(of: value) else { return false }
            return number >= bound
        case .maximum(let bound):
            guard let number = number(of: value) else { return false }
            return number <= bound
        }
    }

    /// As text, and a number also by value: `1` is met by 1.0.
    mutating func equals(_ value: Value, _ constant: ComparisonText) -> Bool {
        guard !value.isAbsent, let text = try? text(of: value) else { return false }
        if text.elementsEqual(constant.bytes) { return true }
        guard let number = constant.number else { return false }
        switch value.kind {
        case .number, .integer, .unsigned, .double: return DecimalNumber(text) == number
        default: return false
        }
    }

    /// `null_if` compares texts by value too.
    mutating func equalsLoosely(_ value: Value, _ constant: ComparisonText) -> Bool {
        guard value.kind != .object, value.kind != .array, value.kind != .bytes, let text = try? text(of: value) else { return false }
        if text.elementsEqual(constant.bytes) { return true }
        guard let number = constant.number, let read = DecimalNumber(text) else { return false }
        return read == number
    }

    private mutating func number(of value: Value) -> DecimalNumber? {
        guard !value.isAbsent, let text = try? text(of: value) else { return nil }
        return DecimalNumber(text)
    }

    mutating func isOfKind(_ value: Value, _ kinds: Set<ValueKind>) -> Bool {
        switch value.kind {
        case .missing: return false
        case .null: return kinds.contains(.null)
        case .false, .true: return kinds.contains(.boolean)
        case .integer, .unsigned, .double, .number: return kinds.contains(.number) || kinds.contains(.numeric)
        case .string, .escapedString:
            if kinds.contains(.string) { return true }
            guard kinds.contains(.numeric), let text = try? text(of: value) else { return false }
            return NumberText.isNumber(text)
        case .timestamp, .bytes: return kinds.contains(.string)
        case .object: return kinds.contains(.object)
        case .array, .list: return kinds.contains(.array)
        }
    }
}

/// Globs as fnmatch reads them: `*`, `?`, `[a-z]`, `[!a]`.
enum Glob {
    static func matches(_ pattern: ArraySlice<UInt8>, _ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        var pattern = pattern
        var text = text
        // Where to go on when what follows the last star does not fit: one more byte for the star.
        var retry: (pattern: ArraySlice<UInt8>, text: Slice<UnsafeRawBufferPointer>)?
        while true {
            if let next = pattern.first {
                if next == UInt8(ascii: "*") {
                    pattern = pattern.dropFirst()
                    retry = (pattern, text)
                    continue
                }
                if let byte = text.first, let rest = step(pattern, byte) {
                    pattern = rest
                    text = text.dropFirst()
                    continue
                }
            } else if text.isEmpty {
                return true
            }
            guard let last = retry, !last.text.isEmpty else { return false }
            retry = (last.pattern, last.text.dropFirst())
            pattern = last.pattern
            text = last.text.dropFirst()
        }
    }

    /// What is left of the pattern after it has taken a byte; nil when it does not take it.
    private static func step(_ pattern: ArraySlice<UInt8>, _ byte: UInt8) -> ArraySlice<UInt8>? {
        guard let first = pattern.first else { return nil }
        if first == UInt8(ascii: "?") { return pattern.dropFirst() }
        guard first == UInt8(ascii: "["), let end = pattern.dropFirst(2).firstIndex(of: UInt8(ascii: "]")) else {
            return first == byte ? pattern.dropFirst() : nil
        }
        var set = pattern[(pattern.startIndex + 1)..<end]
        let isNegated = set.first == UInt8(ascii: "!")
        if isNegated { set = set.dropFirst() }
        var isIn = false
        while let low = set.first {
            if set.count >= 3, set[set.startIndex + 1] == UInt8(ascii: "-") {
                if low <= byte, byte <= set[set.startIndex + 2] { isIn = true }
                set = set.dropFirst(3)
            } else {
                if low == byte { isIn = true }
                set = set.dropFirst()
            }
        }
        return isIn != isNegated ? pattern[(end + 1)...] : nil
    }
}
