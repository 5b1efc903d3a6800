/// A piece of a JSON Schema: JSON whose members keep their order.
public indirect enum SchemaNode: Sendable {
    case object([(name: String, value: SchemaNode)])
    case list([SchemaNode])
    case text(String)
    case number(Int)
    case flag(Bool)
    case null

    /// JSON text, indented by two spaces; short pieces on one line.
    public func json(indentation: Int = 0) -> String {
        let flat = flatJSON
        guard flat.count + indentation > 140 else { return flat }
        let space = String(repeating: " ", count: indentation + 2)
        let end = "\n" + String(repeating: " ", count: indentation)
        switch self {
        case .object(let members):
            let lines = members.map { "\(space)\(Self.quoted($0.name)): \($0.value.json(indentation: indentation + 2))" }
            return "{\n" + lines.joined(separator: ",\n") + end + "}"
        case .list(let items):
            return "[\n" + items.map { space + $0.json(indentation: indentation + 2) }.joined(separator: ",\n") + end + "]"
        case .text, .number, .flag, .null: return flat
        }
    }

    private var flatJSON: String {
        switch self {
        case .object(let members): "{" + members.map { "\(Self.quoted($0.name)): \($0.value.flatJSON)" }.joined(separator: ", ") + "}"
        case .list(let items): "[" + items.map(\.flatJSON).joined(separator: ", ") + "]"
        case .text(let text): Self.quoted(text)
        case .number(let number): String(number)
        case .flag(let flag): String(flag)
        case .null: "null"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Pieces that schemas are made of. Readers take every scalar as text, so what looks like a number or a truth value is one of those to an editor.
extension SchemaNode {
    /// Any single value.
    public static let scalar: SchemaNode = .object([("type", .list(["string", "number", "boolean", "null"].map { .text($0) }))])
    /// Text, also where YAML takes it for a number, a date or a truth value.
    public static let anyText: SchemaNode = .object([("type", .list(["string", "number", "boolean"].map { .text($0) }))])
    /// Text that cannot look like anything else.
    public static let plainText: SchemaNode = .object([("type", .text("string"))])
    /// `true` or `false`.
    public static let truth: SchemaNode = .object([("enum", .list([.flag(true), .flag(false), .text("true"), .text("false")]))])
    /// A number, or text that reads as one.
    public static let decimal: SchemaNode = .object([
        ("type", .list([.text("number"), .text("string")])), ("pattern", .text("^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?$")),
    ])

    /// Text of this form.
    public static func text(like pattern: String) -> SchemaNode { .object([("type", .text("string")), ("pattern", .text(pattern))]) }

    /// One of these words.
    public static func choice(_ words: [String]) -> SchemaNode { .object([("enum", .list(words.map { .text($0) }))]) }

    /// These words are offered; other text is taken too.
    public static func suggestions(_ words: [String]) -> SchemaNode { .anyOf([.choice(words), .plainText]) }

    public static func whole(_ range: ClosedRange<Int>) -> SchemaNode {
        .anyOf([
            .object([("type", .text("integer")), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound))]),
            .text(like: range.lowerBound < 0 ? "^-?[0-9]+$" : "^[0-9]+$"),
        ])
    }

    public static func anyOf(_ choices: [SchemaNode]) -> SchemaNode { .object([("anyOf", .list(choices))]) }

    public static func list(of item: SchemaNode, atLeast minimum: Int = 0) -> SchemaNode {
        .object([("type", .text("array")), ("items", item)] + (minimum > 0 ? [("minItems", .number(minimum))] : []))
    }

    /// One, or a list of them.
    public static func oneOrMore(_ item: SchemaNode) -> SchemaNode { .anyOf([item, .list(of: item)]) }

    /// Names that the file chooses, each with such a value.
    public static func map(names: String? = nil, of value: SchemaNode) -> SchemaNode {
        var members: [(name: String, value: SchemaNode)] = [("type", .text("object")), ("minProperties", .number(1))]
        if let names { members.append(("propertyNames", .object([("pattern", .text(names))]))) }
        return .object(members + [("additionalProperties", value)])
    }

    public static func reference(_ name: String) -> SchemaNode { .object([("$ref", .text("#/definitions/\(name)"))]) }

    /// With words that an editor shows. A reference must stand alone, so it is wrapped.
    public func described(_ words: String) -> SchemaNode {
        guard case .object(let members) = self else { return self }
        if members.contains(where: { $0.name == "$ref" }) { return .object([("description", .text(words)), ("allOf", .list([self]))]) }
        return .object([("description", .text(words))] + members)
    }
}
