import Payload

/// Why a pattern does not take a topic: the first level at which they part, in words.
public struct TopicMismatch: Sendable, Equatable {
    /// Counts from 1.
    public var level: Int
    /// Such as `'gw' is not 'dev'`.
    public var words: String
}

extension TopicPattern {
    /// Where a topic parts from the pattern; nil where the pattern takes it.
    ///
    /// It says of each topic what the router decides about it; clarity before speed.
    public func mismatch(with topic: String) -> TopicMismatch? {
        // By scalars, as patterns are read: an accent behind a separator is one character with it.
        let words = topic.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        for (index, level) in levels.enumerated() {
            func parts(_ words: String) -> TopicMismatch { TopicMismatch(level: index + 1, words: words) }
            let word = index < words.count ? words[index] : nil
            if index == 0, topic.utf8.first == UInt8(ascii: "$") {
                // [MQTT-4.7.2-1]
                guard case .literal = level else {
                    return parts("a topic that starts with $ is taken only by a pattern that names its first level")
                }
            }
            switch level {
            case .rest: return nil
            case .captureRest(let name):
                guard let word else { return parts("the topic ends before {\(name)...}") }
                return word.isEmpty && index == words.count - 1 ? parts("{\(name)...} takes no empty rest") : nil
            case .any: if word == nil { return parts("the topic ends before +") }
            case .literal(let name):
                guard let word else { return parts("the topic ends before '\(name)'") }
                if !word.utf8.elementsEqual(name.utf8) { return parts("'\(Self.shown(word))' is not '\(name)'") }
            case .parts(let pieces):
                let text = Self.text(of: pieces)
                guard let word else { return parts("the topic ends before '\(text)'") }
                if word.isEmpty { return parts("'\(text)' takes no empty level") }
                if !Self.takes(level, word) { return parts("'\(Self.shown(word))' does not fit '\(text)'") }
            }
        }
        guard words.count > levels.count else { return nil }
        return TopicMismatch(
            level: levels.count + 1, words: "the topic goes on with '\(Self.shown(words[levels.count]))', the pattern ends")
    }

    private static func shown(_ word: String) -> String { Array(word.utf8).withUnsafeBytes { Quoted($0).bare } }

    private static func text(of parts: [Part]) -> String {
        parts.map { part in
            switch part {
            case .literal(let text): text
            case .capture(let name): "{\(name)}"
            }
        }.joined()
    }

    /// Asks the matcher of the plan about one level, which stands behind another one because the first has a rule of its own.
    private static func takes(_ level: Level, _ word: String) -> Bool {
        let pattern = CompiledPattern(TopicPattern(description: "", levels: [.literal("a"), level])) { _ in 0 }
        let starts = UnsafeMutablePointer<Int32>.allocate(capacity: TopicLevels.levelsMaximum + 1)
        defer { starts.deallocate() }
        return Array("a/\(word)".utf8).withUnsafeBytes { pattern.matches(TopicLevels($0, starts: starts)) }
    }
}
