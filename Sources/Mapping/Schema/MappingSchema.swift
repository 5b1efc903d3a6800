/// The JSON Schema of a mapping file, for editors: made of the tables of keys beside the readers.
///
/// It is of draft 7, which every YAML language server knows. What it cannot say (captures, types that fit, units) `penstock check` says.
public enum MappingSchema {
    /// JSON text with a newline at its end.
    public static var text: String { document.json() + "\n" }

    static var document: SchemaNode {
        var members: [(name: String, value: SchemaNode)] = [
            ("$schema", .text("http://json-schema.org/draft-07/schema#")), ("title", .text("A mapping of Penstock")),
            ("description", .text("Messages on these topics, decoded so, become rows of these tables.")),
        ]
        if case .object(let file) = MappingKeys.file.schema { members += file }
        members.append(
            (
                "anyOf",
                .list([
                    .object([("required", .list([.text("rows")]))]), .object([("required", .list([.text("table"), .text("columns")]))]),
                ])
            ))
        return .object(members + [("definitions", .object(definitions))])
    }

    private static var definitions: [(name: String, value: SchemaNode)] {
        [
            ("topic", .text(like: "^(?!\\$share/)([^{}]|\\{[A-Za-z_][A-Za-z0-9_]*(\\.\\.\\.)?\\})+$")),
            ("source", .text(like: sourcePattern)), ("loop", .text(like: "\\.\\*$")),
            ("when", .map(names: sourcePattern, of: .reference("condition"))),
            (
                "condition",
                .anyOf([.scalar, .list(of: .reference("condition")), MappingKeys.test.schema])
            ),
            ("embed", MappingKeys.embed.schema), ("block", MappingKeys.block.schema),
            ("table", .anyOf([.plainText, MappingKeys.table.schema])), ("partition", MappingKeys.partition.schema),
            ("shortColumn", .text(like: "^[A-Za-z].*$").described("TYPE [not null] [from SOURCE]")),
            ("column", MappingKeys.column.schema), ("plus", MappingKeys.plus.schema), ("sign", MappingKeys.sign.schema),
            ("decode", decode), ("json", MappingKeys.json.schema), ("csv", MappingKeys.csv.schema), ("binary", MappingKeys.binary.schema),
            ("sparkplug", MappingKeys.sparkplug.schema),
            (
                "fields",
                .map(
                    of: .anyOf([
                        .text(
                            like:
                                "^(\(MappingKeys.fieldTypes.filter { !["bcd", "text", "bytes"].contains($0) }.joined(separator: "|"))) +at +-?[0-9]+$"
                        ),
                        MappingKeys.field.schema,
                    ]))
            ), ("group", MappingKeys.group.schema), ("tagged", MappingKeys.tagged.schema), ("taggedType", MappingKeys.taggedType.schema),
            ("test", MappingKeys.mappingTest.schema), ("testMQTT", MappingKeys.testMQTT.schema),
        ]
    }

    /// A root, then names with dots between.
    private static let sourcePattern = "^(\\$|[A-Za-z_][A-Za-z0-9_]*)(@key|@index)?(\\..+)?$"

    private static var decode: SchemaNode {
        let options = MappingKeys.decoders.map { name, words, options -> (name: String, value: SchemaNode) in
            let none: SchemaNode = .object([("type", .list([.text("object"), .text("null")])), ("maxProperties", .number(0))])
            return (name, (options.map { .reference($0) } ?? none).described(words))
        }
        return .anyOf([
            .choice(MappingKeys.decoders.map(\.name)),
            .object([
                ("type", .text("object")), ("additionalProperties", .flag(false)), ("minProperties", .number(1)),
                ("maxProperties", .number(1)),
                ("properties", .object(options)),
            ]),
        ])
    }
}
