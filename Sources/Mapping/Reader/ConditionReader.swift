import Payload

/// Reads `when: {SOURCE: TEST}`.
struct ConditionReader {
    let sources: SourceReader
    let diagnostics: DiagnosticList

    func read(_ node: StrictNode?) -> [ConditionSyntax] {
        guard let node else { return [] }
        guard let members = node.members else {
            diagnostics.add(at: node.mark, "'when' needs sources with a test each, such as {$.kind: status}, not \(node.kindInWords)")
            return []
        }
        if members.isEmpty { diagnostics.add(at: node.mark, "'when' tests nothing", hint: "leave it out, or name a source with its test") }
        return members.compactMap { key, value in
            guard let source = sources.read(key), let test = test(value) else { return nil }
            return ConditionSyntax(source: source, mark: key.mark, test: test)
        }
    }

    private func test(_ node: StrictNode) -> TestExpression? {
        if let items = node.items {
            if items.isEmpty { diagnostics.add(at: node.mark, "a test that is an empty list never holds") }
            let tests = items.compactMap(test)
            return tests.count == items.count ? .anyOf(tests) : nil
        }
        guard node.members != nil else { return .equals(node.isNull ? .null : .text(node.text ?? "")) }
        guard let object = ObjectReader(node, "a test", keys: Keys.test, diagnostics) else { return nil }
        var tests: [TestExpression] = []
        if node.members?.isEmpty == true { diagnostics.add(at: node.mark, "a test needs one of \(Keys.test.joined(separator: ", "))") }
        if object["is"] != nil { tests.append(.isKind(kinds(object, "a test"))) }
        if let inner = object["not"] { if let test = test(inner) { tests.append(.not(test)) } }
        if let glob = object.text("match") { tests.append(.match(glob)) }
        if let isPresent = object.flag("present") { tests.append(.present(isPresent)) }
        for (key, make) in [("min", TestExpression.minimum), ("max", TestExpression.maximum)] {
            guard let node = object[key], let text = object.text(key) else { continue }
            if DecimalNumber(text) == nil {
                diagnostics.add(at: node.mark, "'\(key)' of a test is a number, not '\(text)'")
            } else {
                tests.append(make(text))
            }
        }
        return .allOf(tests)
    }

    /// The kinds that `is` names, one or a list.
    func kinds(_ object: ObjectReader, _ place: String) -> Set<ValueKind> {
        var kinds: Set<ValueKind> = []
        let nodes = object.list("is")
        if nodes.isEmpty { diagnostics.add(at: object.mark(of: "is"), "'is' of \(place) names no kind of value, so it never holds") }
        for node in nodes {
            if let kind = node.text.flatMap({ ValueKind(rawValue: $0) }) {
                kinds.insert(kind)
            } else {
                let known = ValueKind.allCases.map(\.rawValue)
                let isPattern = node.text?.contains { "*?[".contains($0) } == true
                diagnostics.add(
                    at: node.mark, "'\(node.text ?? node.kindInWords)' is no kind of value",
                    hint: isPattern
                        ? "for a pattern of text use 'match'"
                        : node.text.flatMap { suggestion(for: $0, among: known) } ?? "kinds are \(known.joined(separator: ", "))")
            }
        }
        return kinds
    }
}
