extension Source: CustomStringConvertible {
    /// As a mapping writes it.
    public var description: String {
        switch self {
        case .document(.payload, let path): Self.text("$", path)
        case .document(.embed(let name), let path), .document(.loop(let name), let path): Self.text(name, path)
        case .loopKey(let variable): variable + "@key"
        case .loopIndex(let variable): variable + "@index"
        case .topic: "topic"
        case .capture(let name): "topic." + name
        case .received: "received"
        case .rawPayload: "payload"
        case .rest: "rest"
        case .mqtt(let property): "mqtt." + property.text
        case .constant(.null): "null"
        case .constant(.text(let text)): "'\(text)'"
        }
    }

    private static func text(_ root: String, _ path: [PathSegment]) -> String {
        path.reduce(root) { text, segment in
            switch segment {
            case .name(let name):
                text + "." + (name.isEmpty || name.contains(where: { ".\"{}".contains($0) }) ? "\"\(name)\"" : name)
            case .indexOf(let variable): text + ".{\(variable)@index}"
            case .keyOf(let variable): text + ".{\(variable)@key}"
            }
        }
    }
}

extension MessageProperty {
    var text: String {
        switch self {
        case .qos: "qos"
        case .retain: "retain"
        case .contentType: "content_type"
        case .responseTopic: "response_topic"
        case .correlationData: "correlation"
        case .messageExpiry: "message_expiry"
        case .broker: "broker"
        case .user(let name): "user." + name
        }
    }
}
