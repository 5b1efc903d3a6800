/// What a key of a file is for, and which values it takes: for editors.
public struct KeyDescription: Sendable {
    public var name: String
    /// Shown when someone points at the key.
    public var words: String
    public var value: SchemaNode

    public init(_ name: String, _ words: String, _ value: SchemaNode) {
        self.name = name
        self.words = words
        self.value = value
    }
}

/// All keys of one kind of object.
public struct ObjectDescription: Sendable {
    public var keys: [KeyDescription]
    public var required: [String]

    public init(required: [String] = [], _ keys: [KeyDescription]) {
        self.keys = keys
        self.required = required
    }

    /// An object with these keys and no others.
    public var schema: SchemaNode {
        var members: [(name: String, value: SchemaNode)] = [("type", .text("object")), ("additionalProperties", .flag(false))]
        if !required.isEmpty { members.append(("required", .list(required.map { .text($0) }))) }
        members.append(("properties", .object(keys.map { ($0.name, $0.value.described($0.words)) })))
        return .object(members)
    }
}
