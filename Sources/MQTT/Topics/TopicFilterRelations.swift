/// How two filters lie to each other: what a subscription plan needs to send no filter twice (MQTT 3.1.1 §4.7, [MQTT-3.3.5-1]).
extension TopicFilter {
    /// Whether every topic that `other` matches is matched by this filter too. Filters of different shared groups do not cover each other:
    /// each group gets its own copy.
    public func covers(_ other: TopicFilter) -> Bool {
        // One call a pair of filters: those of a thousand mappings are compared a million times.
        guard hasGroup(of: other), !isHidden(other) else { return false }
        var ours = FilterLevels(self)
        var theirs = FilterLevels(other)
        while let level = ours.next() {
            if level == .multi { return true }
            guard let their = theirs.next(), their != .multi else { return false }
            guard level == .single || level == their else { return false }
        }
        return theirs.next() == nil
    }

    /// Whether there is a topic that both match, shared groups aside.
    public func intersects(_ other: TopicFilter) -> Bool {
        guard !isHidden(other), !other.isHidden(self) else { return false }
        var ours = FilterLevels(self)
        var theirs = FilterLevels(other)
        while true {
            let mine = ours.next()
            let their = theirs.next()
            // "#" takes the parent level too, so it also meets a filter that is at its end.
            if mine == .multi || their == .multi { return true }
            guard let mine, let their else { return mine == their }
            guard mine == .single || their == .single || mine == their else { return false }
        }
    }

    private func hasGroup(of other: TopicFilter) -> Bool {
        bytes[..<patternStart] == other.bytes[..<other.patternStart]
    }

    /// [MQTT-4.7.2-1]: topics that start with `$` are out of reach of a filter that starts with a wildcard.
    private func isHidden(_ other: TopicFilter) -> Bool {
        guard other.bytes[other.patternStart] == UInt8(ascii: "$") else { return false }
        return bytes[patternStart] == UInt8(ascii: "+") || bytes[patternStart] == UInt8(ascii: "#")
    }
}

/// The levels of a filter's pattern, one after the other.
///
/// No topic is empty, so "#" says the same as "+/#", and "/#" the same as "/+/#": they come in the longer form, so that one form is enough to compare.
private struct FilterLevels: IteratorProtocol {
    enum Level: Equatable {
        case literal(ArraySlice<UInt8>)
        case single
        case multi
    }

    private let bytes: [UInt8]
    private let start: Int
    /// Where the next level begins; behind the last one: beyond the end.
    private var place: Int
    /// The `+` before a `#` was given.
    private var isWidened = false

    init(_ filter: TopicFilter) {
        bytes = filter.bytes
        start = filter.patternStart
        place = start
    }

    mutating func next() -> Level? {
        guard place <= bytes.count else { return nil }
        let end = bytes[place...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
        let level = bytes[place..<end]
        switch level.first {
        case UInt8(ascii: "#"):
            let isWide = place == start || place == start + 1 && bytes[start] == UInt8(ascii: "/")
            if isWide, !isWidened {
                isWidened = true
                return .single
            }
            place = end + 1
            return .multi
        case UInt8(ascii: "+"):
            place = end + 1
            return .single
        default:
            place = end + 1
            return .literal(level)
        }
    }
}
