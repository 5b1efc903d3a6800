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
            return pattern.matches(text)
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
        case .array: return kinds.contains(.array)
        }
    }
}
