/// One level of a group's pattern.
enum PatternLevel: Equatable {
    case literal(String)
    /// What stands there differs.
    case variable(Set<String>)
    /// The rest of the topic, one level or more, differs; the values are put together with `/`.
    case tail(Set<String>)
}

/// A topic that was heard, with what its messages have in common.
struct TopicProfile {
    var topic: String
    var levels: [Substring]
    var shape: Shape
    /// Places of its messages in the sample.
    var messages: [Int]
}

/// Topics that one mapping takes.
struct TopicGroup {
    var levels: [PatternLevel]
    /// Places of its topics.
    var topics: [Int]

    /// Whether a topic fits the pattern.
    func matches(_ topic: [Substring]) -> Bool {
        for (index, level) in levels.enumerated() {
            if case .tail = level { return topic.count > index }
            guard index < topic.count else { return false }
            if case .literal(let text) = level, text != topic[index] { return false }
        }
        return topic.count == levels.count
    }

    /// As `exclude` takes it.
    var filter: String {
        levels.map { level in
            switch level {
            case .literal(let text): text
            case .variable: "+"
            case .tail: "#"
            }
        }.joined(separator: "/")
    }
}
