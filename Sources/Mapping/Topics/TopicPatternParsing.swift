extension TopicPattern {
    /// What is wrong with a pattern.
    public enum Fault: Error, Equatable, CustomStringConvertible {
        case empty
        case tooLong
        case nullCharacter
        case wildcardInsideLevel(String)
        case notLast(String)
        case badCapture(String)
        case adjacentCaptures(String)
        case captureTwice(String)

        public var description: String {
            switch self {
            case .empty: "a topic pattern has at least one character"
            case .tooLong: "a topic has at most 65,535 bytes"
            case .nullCharacter: "a topic holds no NUL character"
            case .wildcardInsideLevel(let level): "'\(level)': + and # stand alone in their level"
            case .notLast(let level): "'\(level)' must be the last level"
            case .badCapture(let level): "'\(level)': a capture is written {name}, with letters, digits and _"
            case .adjacentCaptures(let level): "'\(level)': two captures need something between them"
            case .captureTwice(let name): "the capture {\(name)} stands twice"
            }
        }
    }

    /// Reads a pattern.
    public init(_ text: String) throws(Fault) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= 65_535 else { throw .tooLong }
        guard !text.utf8.contains(0) else { throw .nullCharacter }
        // By scalars: brokers know nothing of characters, and an accent behind a separator makes one character of both.
        let words = text.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false)
        var levels: [Level] = []
        var names: Set<String> = []
        for (index, word) in words.enumerated() {
            let level = try Self.level(word)
            switch level {
            case .rest, .captureRest: guard index == words.count - 1 else { throw .notLast(String(word)) }
            default: break
            }
            for name in level.captures where !names.insert(name).inserted { throw .captureTwice(name) }
            levels.append(level)
        }
        self.init(description: text, levels: levels)
    }

    private static func level(_ word: Substring.UnicodeScalarView) throws(Fault) -> Level {
        if word.elementsEqual("+".unicodeScalars) { return .any }
        if word.elementsEqual("#".unicodeScalars) { return .rest }
        guard !word.contains("+"), !word.contains("#") else { throw .wildcardInsideLevel(String(word)) }
        guard word.contains("{") || word.contains("}") else { return .literal(String(word)) }
        if word.first == "{", word.suffix(4).elementsEqual("...}".unicodeScalars) {
            let name = String(word.dropFirst().dropLast(4))
            guard isName(name) else { throw .badCapture(String(word)) }
            return .captureRest(name)
        }
        var parts: [Part] = []
        var rest = word
        while !rest.isEmpty {
            if rest.first == "{" {
                guard let end = rest.firstIndex(of: "}") else { throw .badCapture(String(word)) }
                let name = String(rest[..<end].dropFirst())
                guard isName(name) else { throw .badCapture(String(word)) }
                if case .capture = parts.last { throw .adjacentCaptures(String(word)) }
                parts.append(.capture(name))
                rest = rest[end...].dropFirst()
            } else {
                let literal = rest.prefix { $0 != "{" }
                guard !literal.contains("}") else { throw .badCapture(String(word)) }
                parts.append(.literal(String(literal)))
                rest = rest.dropFirst(literal.count)
            }
        }
        return .parts(parts)
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, first.isASCII, first.properties.isAlphabetic || first == "_" else { return false }
        return name.unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_") }
    }

    /// The MQTT topic filter that takes at least all topics of the pattern.
    public var filter: String {
        levels.map { level in
            switch level {
            case .literal(let text): text
            case .any, .parts: "+"
            case .rest, .captureRest: "#"
            }
        }.joined(separator: "/")
    }

    /// Names of the captures, in order.
    public var captures: [String] { levels.flatMap(\.captures) }
}

extension TopicPattern.Level {
    var captures: [String] {
        switch self {
        case .literal, .any, .rest: []
        case .captureRest(let name): [name]
        case .parts(let parts):
            parts.compactMap { part in
                if case .capture(let name) = part { name } else { nil }
            }
        }
    }
}
