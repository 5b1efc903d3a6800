import Yams

/// A node of a YAML file with the place where it stands. Scalars are text; YAML's own idea of types (`on`, `0755`, `12:30`) plays no part.
public struct StrictNode {
    public let mark: SourceMark
    private let node: Node

    /// Reads one document; nil, with a diagnostic, when it is no YAML or holds what is refused (anchors, aliases, tags, duplicate keys, several documents).
    public static func read(_ text: String, file: String, _ diagnostics: DiagnosticList) -> StrictNode? {
        do {
            let parser = try Parser(yaml: text)
            guard let node = try parser.singleRoot() else {
                diagnostics.add(at: SourceMark(file: file, line: 1, column: 1), "the file is empty")
                return nil
            }
            let root = StrictNode(node, file: file)
            let before = diagnostics.diagnostics.count
            // The parser holds the anchors; nodes only point to them.
            withExtendedLifetime(parser) { root.refuseExtras(diagnostics) }
            return diagnostics.diagnostics.count == before ? root : nil
        } catch let error as YamlError {
            diagnostics.add(Diagnostic(error, file: file, text: text))
        } catch {
            diagnostics.add(at: SourceMark(file: file, line: 1, column: 1), "the file is no YAML: \(error)")
        }
        return nil
    }

    private init(_ node: Node, file: String) {
        self.node = node
        mark = SourceMark(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    private func refuseExtras(_ diagnostics: DiagnosticList, isKey: Bool = false) {
        if node.anchor != nil { diagnostics.add(at: mark, "anchors and aliases (& and *) are not allowed", hint: "write it out") }
        if hasTag, !isKey { diagnostics.add(at: mark, "tags (!) are not allowed", hint: "leave it out, or put the text in quotes") }
        for child in items ?? [] { child.refuseExtras(diagnostics) }
        for (key, value) in members ?? [] {
            key.refuseExtras(diagnostics, isKey: true)
            value.refuseExtras(diagnostics)
        }
    }

    /// Whether the file itself says a type, as `!!str` does. Keys cannot be asked: comparing them has given them types.
    private var hasTag: Bool {
        let tag =
            switch node {
            case .scalar(let scalar): scalar.tag
            case .mapping(let mapping): mapping.tag
            case .sequence(let sequence): sequence.tag
            default: Tag(.implicit)
            }
        // The parser gives what stands in quotes the tag of text.
        return tag != Tag(.implicit) && !(isQuoted && tag == Tag(.str))
    }

    /// Whether a scalar stands in quotes, or as a block of text.
    public var isQuoted: Bool {
        guard let scalar = node.scalar else { return false }
        return scalar.style != .plain && scalar.style != .any
    }

    /// The text of a scalar, as it stands.
    public var text: String? { node.scalar?.string }

    /// A plain `null`, `~` or nothing at all.
    public var isNull: Bool {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return scalar.string == "null" || scalar.string == "~" || scalar.string.isEmpty
    }

    public var items: [StrictNode]? { node.sequence.map { $0.map { StrictNode($0, file: mark.file) } } }

    public var members: [(key: StrictNode, value: StrictNode)]? {
        node.mapping.map { $0.map { (StrictNode($0.key, file: mark.file), StrictNode($0.value, file: mark.file)) } }
    }

    /// One node, or all of a list.
    public var oneOrMore: [StrictNode] { items ?? [self] }

    /// What it is, in words.
    public var kindInWords: String {
        if node.mapping != nil { return "a mapping of keys" }
        if node.sequence != nil { return "a list" }
        return isNull ? "nothing" : "a single value"
    }
}

extension Diagnostic {
    /// What usually stands behind a syntax error in a mapping: braces and brackets that YAML takes for its own.
    private static func hint(line number: Int, of text: String) -> String? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(number - 1) else { return nil }
        let line = lines[number - 1]
        if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") { return "indent with spaces: YAML takes no tabs" }
        let value = line.drop { $0 != ":" }.dropFirst().drop { $0 == " " }
        if value.hasPrefix("[") || line.contains("- ["), line.contains("{") { return "write the list with - lines, one topic each" }
        if value.hasPrefix("{"), line.hasPrefix("topic") { return "quote a topic that starts with {" }
        if line.contains("numeric(") { return "quote a type that holds a comma: \"numeric(4,2)\"" }
        if line.contains("[") { return "paths have no brackets: write .0 for the first element" }
        return nil
    }
}

extension DiagnosticList {
    fileprivate func add(_ diagnostic: Diagnostic) { add(at: diagnostic.mark, diagnostic.message, hint: diagnostic.hint) }
}

extension Diagnostic {
    /// Says libyaml's errors in the words of the other ones.
    fileprivate init(_ error: YamlError, file: String, text: String) {
        func place(_ mark: Mark) -> SourceMark { SourceMark(file: file, line: mark.line, column: mark.column) }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            if problem.contains("single document") || problem.contains("another document") {
                self.init(at: place(mark), "a file holds one document", hint: "move the rest to a file of its own")
            } else if problem.contains("alias") {
                self.init(at: place(mark), "anchors and aliases (& and *) are not allowed", hint: "write it out, or put the text in quotes")
            } else {
                self.init(at: place(mark), "the file is no YAML: \(problem)", hint: Self.hint(line: mark.line, of: text))
            }
        case .duplicatedKeysInMapping(let duplicates, let context):
            // The mark is that of the first occurrence.
            self.init(at: place(context.mark), "key '\(duplicates.sorted().first ?? "")' stands twice")
        case .reader(let problem, _, _, _): self.init(at: SourceMark(file: file, line: 1, column: 1), "the file is no text: \(problem)")
        default: self.init(at: SourceMark(file: file, line: 1, column: 1), "the file is no YAML: \(error)")
        }
    }
}

/// Reads the members of one object: only known keys, each of the right kind.
public struct ObjectReader {
    /// Where the object stands, and what it is called in messages.
    public let mark: SourceMark
    public let name: String
    public let diagnostics: DiagnosticList
    private var byKey: [String: StrictNode] = [:]
    private var marks: [String: SourceMark] = [:]

    /// - Parameter keys: all that are known.
    public init?(_ node: StrictNode, _ name: String, keys: [String], _ diagnostics: DiagnosticList) {
        guard let members = node.members else {
            diagnostics.add(at: node.mark, "\(name) needs keys and values here, not \(node.kindInWords)")
            return nil
        }
        mark = node.mark
        self.name = name
        self.diagnostics = diagnostics
        for (key, value) in members {
            guard let text = key.text else {
                let hint = key.members == nil ? nil : "quote what starts with {"
                diagnostics.add(at: key.mark, "a key of \(name) is a single word", hint: hint)
                continue
            }
            if keys.contains(text) {
                byKey[text] = value
                marks[text] = key.mark
            } else {
                diagnostics.add(at: key.mark, "unknown key '\(text)' in \(name)", hint: suggestion(for: text, among: keys))
            }
        }
    }

    public subscript(key: String) -> StrictNode? { byKey[key] }

    /// Whether none of the known keys is there.
    public var isEmpty: Bool { byKey.isEmpty }

    /// Where a key stands, or the object.
    public func mark(of key: String) -> SourceMark { marks[key] ?? mark }

    public func text(_ key: String) -> String? {
        guard let node = byKey[key] else { return nil }
        guard let text = node.text else {
            diagnostics.add(at: node.mark, "'\(key)' in \(name) is a single value, not \(node.kindInWords)")
            return nil
        }
        return text
    }

    public func flag(_ key: String) -> Bool? {
        guard let node = byKey[key], let text = text(key) else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default:
            diagnostics.add(at: node.mark, "'\(key)' in \(name) is true or false, not '\(text)'")
            return nil
        }
    }

    public func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let node = byKey[key], let text = text(key) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            diagnostics.add(
                at: node.mark, "'\(key)' in \(name) is a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
            return nil
        }
        return number
    }

    /// One of the cases of an enum with texts.
    public func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _ type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        guard let node = byKey[key], let text = text(key) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        let hint = suggestion(for: text, among: known)
        diagnostics.add(at: node.mark, "'\(key)' in \(name) is one of \(known.joined(separator: ", ")), not '\(text)'", hint: hint)
        return nil
    }

    public func list(_ key: String) -> [StrictNode] { byKey[key]?.oneOrMore ?? [] }

    /// Single values, one or a list of them.
    public func texts(_ key: String) -> [String] {
        list(key).compactMap { node in
            guard let text = node.text else {
                diagnostics.add(at: node.mark, "'\(key)' in \(name) takes single values, not \(node.kindInWords)")
                return nil
            }
            return text
        }
    }
}
