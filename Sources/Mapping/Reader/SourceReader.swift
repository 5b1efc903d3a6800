/// Reads sources (`$.a.b`, `topic.device`, `sample@key`) and checks that what they start from is there.
struct SourceReader {
    /// Captures that every pattern of the mapping has.
    var captures: [String]
    /// Loop variables in scope, outermost first.
    var loops: [String] = []
    let diagnostics: DiagnosticList

    /// Names that no loop variable may have.
    static let reserved: Set = ["topic", "received", "mqtt", "payload", "rest"]

    func read(_ node: StrictNode) -> Source? {
        guard let text = node.text else {
            diagnostics.add(at: node.mark, "a source is text, such as $.temperature, not \(node.kindInWords)")
            return nil
        }
        return read(text, at: node.mark)
    }

    func read(_ text: String, at mark: SourceMark) -> Source? {
        func fail(_ message: String, hint: String? = nil) -> Source? {
            diagnostics.add(at: mark, message, hint: hint)
            return nil
        }
        if text.contains("["), !text.contains("\"") {
            return fail("'\(text)': paths have no brackets", hint: "write .0 for the first element")
        }
        let roots = loops + ["$"] + Self.reserved.sorted()
        if let at = text.firstIndex(of: "@"), !text.contains("{"), !text.contains("\"") {
            let variable = String(text[..<at])
            let accessor = text[text.index(after: at)...]
            guard loops.contains(variable) else {
                return fail("'\(variable)' in '\(text)' is no loop variable here", hint: loopHint(variable))
            }
            switch accessor {
            case "key": return .loopKey(variable)
            case "index": return .loopIndex(variable)
            default: return fail("'\(text)': a loop variable has @key and @index")
            }
        }
        guard let segments = segments(of: text), let first = segments.first, case .name(let root) = first else {
            return fail(
                "'\(text)' is no path", hint: "a path is a root and names with dots between, such as $.a.b; quote names that hold . { or }")
        }
        let rest = Array(segments.dropFirst())
        for case .indexOf(let variable) in rest where !loops.contains(variable) {
            return fail("'\(variable)' in '\(text)' is no loop variable here", hint: loopHint(variable))
        }
        for case .keyOf(let variable) in rest where !loops.contains(variable) {
            return fail("'\(variable)' in '\(text)' is no loop variable here", hint: loopHint(variable))
        }
        func name() -> String? {
            guard rest.count == 1, case .name(let name) = rest[0] else { return nil }
            return name
        }
        switch root {
        case "$": return .document(.payload, rest)
        case _ where loops.contains(root): return .document(.loop(root), rest)
        case "topic":
            if rest.isEmpty { return .topic }
            guard let name = name(), captures.contains(name) else {
                let known = captures.isEmpty ? "the topic has no captures" : "captures of the topic: \(captures.joined(separator: ", "))"
                return fail("'\(text)': no such capture", hint: name().flatMap { suggestion(for: $0, among: captures) } ?? known)
            }
            return .capture(name)
        case "received", "payload", "rest":
            guard rest.isEmpty else { return fail("'\(root)' in '\(text)' has no members") }
            return root == "received" ? .received : root == "payload" ? .rawPayload : .rest
        case "mqtt": return property(text, rest, fail)
        default:
            return fail(
                "unknown root '\(root)' in '\(text)'",
                hint: suggestion(for: root, among: roots) ?? "roots here: \(roots.joined(separator: ", "))")
        }
    }

    private func property(_ text: String, _ rest: [PathSegment], _ fail: (String, String?) -> Source?) -> Source? {
        let names = rest.compactMap { segment -> String? in
            if case .name(let name) = segment { name } else { nil }
        }
        switch names.first {
        case "qos" where names.count == 1: return .mqtt(.qos)
        case "retain" where names.count == 1: return .mqtt(.retain)
        case "content_type" where names.count == 1: return .mqtt(.contentType)
        case "response_topic" where names.count == 1: return .mqtt(.responseTopic)
        case "correlation" where names.count == 1: return .mqtt(.correlationData)
        case "message_expiry" where names.count == 1: return .mqtt(.messageExpiry)
        case "broker" where names.count == 1: return .mqtt(.broker)
        case "user" where names.count == 2: return .mqtt(.user(names[1]))
        default:
            return fail(
                "'\(text)': no such property",
                "mqtt has qos, retain, content_type, response_topic, correlation, message_expiry, broker and user.NAME")
        }
    }

    private func loopHint(_ variable: String) -> String {
        loops.isEmpty
            ? "there is no loop" : suggestion(for: variable, among: loops) ?? "loop variables here: \(loops.joined(separator: ", "))"
    }

    /// Names, `"quoted names"`, `{var@index}` and `{var@key}`, with dots between.
    private func segments(of text: String) -> [PathSegment]? {
        var segments: [PathSegment] = []
        var rest = text[...]
        while true {
            if rest.first == "\"" {
                guard let end = rest.dropFirst().firstIndex(of: "\"") else { return nil }
                segments.append(.name(String(rest[rest.index(after: rest.startIndex)..<end])))
                rest = rest[rest.index(after: end)...]
            } else if rest.first == "{" {
                guard let end = rest.firstIndex(of: "}") else { return nil }
                let inside = rest[rest.index(after: rest.startIndex)..<end].split(separator: "@", omittingEmptySubsequences: false)
                guard inside.count == 2, inside[1] == "index" || inside[1] == "key" else { return nil }
                segments.append(inside[1] == "index" ? .indexOf(String(inside[0])) : .keyOf(String(inside[0])))
                rest = rest[rest.index(after: end)...]
            } else {
                let name = rest.prefix { !".\"{}".contains($0) }
                guard !name.isEmpty else { return nil }
                segments.append(.name(String(name)))
                rest = rest.dropFirst(name.count)
            }
            guard let next = rest.first else { return segments }
            guard next == "." else { return nil }
            rest = rest.dropFirst()
        }
    }
}
