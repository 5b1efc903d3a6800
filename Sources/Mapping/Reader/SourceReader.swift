/// Reads sources (`$.a.b`, `topic.device`, `sample@key`) and checks that what they start from is there.
struct SourceReader {
    /// Captures that the patterns of the mapping have.
    var captures: [String]
    /// Names of embeds that are decoded by now.
    var embeds: [String] = []
    /// Loop variables in scope, outermost first.
    var loops: [String] = []
    /// Loop variables of the whole file, for hints.
    var loopsElsewhere: Set<String> = []
    /// What is known of `$`, embeds and loops' items, by name.
    var shapes: [String: DocumentShape] = [:]
    /// The decoder is not known, so it may have default loops of any name: no word about roots.
    var knowsDecoder = true
    let diagnostics: DiagnosticList

    /// Names that no loop variable and no embed may have.
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
        if let at = text.firstIndex(of: "@"), !text[..<at].contains(where: { ".\"{".contains($0) }) {
            let variable = String(text[..<at])
            let accessor = text[text.index(after: at)...]
            guard loops.contains(variable) else {
                return knowsDecoder ? fail("'\(variable)' in '\(text)' is no loop variable here", hint: loopHint(variable)) : nil
            }
            switch accessor {
            case "key": return .loopKey(variable)
            case "index": return .loopIndex(variable)
            default: return fail("'\(text)': a loop variable has @key and @index")
            }
        }
        if hasBrackets(text) { return fail("'\(text)': paths have no brackets", hint: "write .0 for the first element") }
        guard let segments = segments(of: text), let first = segments.first, case .name(let root) = first else {
            return fail(
                "'\(text)' is no path", hint: "a path is a root and names with dots between, such as $.a.b; quote names that hold . { or }")
        }
        let rest = Array(segments.dropFirst())
        for segment in rest {
            switch segment {
            case .indexOf(let variable), .keyOf(let variable):
                guard !loops.contains(variable) else { continue }
                return knowsDecoder ? fail("'\(variable)' in '\(text)' is no loop variable here", hint: loopHint(variable)) : nil
            case .name: continue
            }
        }
        switch root {
        case "$",
            _ where loops.contains(root) || embeds.contains(root):
            do throws(DocumentShape.Fault) { _ = try shape(of: root, rest) } catch {
                return fail("'\(text)': \(error.message)", hint: error.hint)
            }
            return .document(root == "$" ? .payload : loops.contains(root) ? .loop(root) : .embed(root), rest)
        case "topic": return capture(text, rest) { fail($0, hint: $1) }
        case "received", "payload", "rest":
            guard rest.isEmpty else { return fail("'\(root)' in '\(text)' has no members") }
            return root == "received" ? .received : root == "payload" ? .rawPayload : .rest
        case "mqtt": return property(text, rest) { fail($0, hint: $1) }
        default:
            guard knowsDecoder else { return nil }
            let roots = loops + ["$"] + embeds + Self.reserved.sorted()
            return fail(
                "unknown root '\(root)' in '\(text)'",
                hint: loopsElsewhere.contains(root)
                    ? "the loop '\(root)' does not run here"
                    : suggestion(for: root, among: roots) ?? "roots here: \(roots.joined(separator: ", "))")
        }
    }

    // MARK: Shapes

    /// What a path leads to, as far as that is known before a payload comes.
    func shape(of root: String, _ path: [PathSegment]) throws(DocumentShape.Fault) -> DocumentShape {
        var shape = shapes[root] ?? .anything
        for segment in path { shape = try shape.member(segment) }
        return shape
    }

    /// What a source leads to; for a source that was read.
    func shape(of source: Source) -> DocumentShape {
        let found: DocumentShape? =
            switch source {
            case .document(.payload, let path): try? shape(of: "$", path)
            case .document(.embed(let name), let path), .document(.loop(let name), let path): try? shape(of: name, path)
            default: nil
            }
        return found ?? .anything
    }

    /// What the items of a loop over a source are.
    func itemShape(of source: Source) throws(DocumentShape.Fault) -> DocumentShape {
        switch source {
        case .document(.payload, let path): return try shape(of: "$", path).item()
        case .document(.embed(let name), let path), .document(.loop(let name), let path): return try shape(of: name, path).item()
        default: return .anything
        }
    }

    // MARK: Roots

    private func capture(_ text: String, _ rest: [PathSegment], fail: (String, String?) -> Source?) -> Source? {
        if rest.isEmpty { return .topic }
        var name: String?
        if rest.count == 1, case .name(let only) = rest[0] { name = only }
        guard let name, captures.contains(name) else {
            let known = captures.isEmpty ? "the topic has no captures" : "captures of the topic: \(captures.joined(separator: ", "))"
            let near = name.flatMap { suggestion(for: $0, among: captures) }
            return fail("'\(text)': no such capture", near.map { captures.count > 1 ? "\($0) (\(known))" : $0 } ?? known)
        }
        return .capture(name)
    }

    private func property(_ text: String, _ rest: [PathSegment], fail: (String, String?) -> Source?) -> Source? {
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
        if loopsElsewhere.contains(variable) { return "the loop '\(variable)' does not run here" }
        return loops.isEmpty
            ? "there is no loop" : suggestion(for: variable, among: loops) ?? "loop variables here: \(loops.joined(separator: ", "))"
    }

    // MARK: Segments

    /// Brackets outside of quotes: someone means an index.
    private func hasBrackets(_ text: String) -> Bool {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated().contains {
            $0.offset % 2 == 0 && $0.element.contains("[")
        }
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
