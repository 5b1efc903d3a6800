extension ConditionSyntax: CustomStringConvertible {
    /// As a mapping writes it: `$.kind: [batch, backfill]`.
    public var description: String { "\(source): \(test)" }
}

extension TestExpression: CustomStringConvertible {
    /// As a mapping writes it.
    public var description: String {
        switch self {
        case .equals(let literal): literal.description
        case .anyOf(let tests): "[" + tests.map(\.description).joined(separator: ", ") + "]"
        case .allOf(let tests):
            tests.count == 1 ? "{\(tests[0].member)}" : "{" + tests.map(\.member).joined(separator: ", ") + "}"
        default: "{\(member)}"
        }
    }

    /// As a member of `{ }`.
    private var member: String {
        switch self {
        case .isKind(let kinds):
            kinds.count == 1
                ? "is: " + kinds.map(\.rawValue).joined() : "is: [" + kinds.map(\.rawValue).sorted().joined(separator: ", ") + "]"
        case .not(let test): "not: \(test)"
        case .match(let glob): "match: \(Literal.text(glob))"
        case .present(let isPresent): "present: \(isPresent)"
        case .minimum(let text): "min: \(text)"
        case .maximum(let text): "max: \(text)"
        case .equals, .anyOf, .allOf: description
        }
    }
}

extension Literal: CustomStringConvertible {
    /// Text that YAML could take for something else stands in quotes.
    public var description: String {
        guard case .text(let text) = self else { return "null" }
        let isPlain =
            !text.isEmpty && text != "null" && text != "~" && !text.contains { ":#,[]{}&*!|>'\"%@`? ".contains($0) || $0.isNewline }
        return isPlain ? text : "'" + text.replacing("'", with: "''") + "'"
    }
}
