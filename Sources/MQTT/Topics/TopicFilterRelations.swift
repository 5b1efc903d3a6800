/// How two filters lie to each other: what a subscription plan needs to send no filter twice (MQTT 3.1.1 §4.7, [MQTT-3.3.5-1]).
extension TopicFilter {
    /// Whether every topic that `other` matches is matched by this filter too. Filters of different shared groups do not cover each other:
    /// each group gets its own copy.
    public func covers(_ other: TopicFilter) -> Bool {
        guard sharedGroup == other.sharedGroup else { return false }
        let ours = levels
        let theirs = other.levels
        guard !isHidden(theirs, from: ours) else { return false }
        for (index, level) in ours.enumerated() {
            if level == .multi { return true }
            guard index < theirs.count else { return false }
            switch (level, theirs[index]) {
            case (_, .multi): return false
            case (.single, _): continue
            case (let mine, let their): if mine != their { return false }
            }
        }
        return ours.count == theirs.count
    }

    /// Whether there is a topic that both match, shared groups aside.
    public func intersects(_ other: TopicFilter) -> Bool {
        let ours = levels
        let theirs = other.levels
        guard !isHidden(theirs, from: ours), !isHidden(ours, from: theirs) else { return false }
        for (mine, their) in zip(ours, theirs) {
            if mine == .multi || their == .multi { return true }
            if case .literal = mine, case .literal = their, mine != their { return false }
        }
        // One is at its end: the other may go on only with "#", which takes the parent level too.
        let shared = min(ours.count, theirs.count)
        return ours.count == theirs.count || ours.dropFirst(shared).first == .multi || theirs.dropFirst(shared).first == .multi
    }

    private enum Level: Equatable {
        case literal(ArraySlice<UInt8>)
        case single
        case multi
    }

    /// No topic is empty, so "#" says the same as "+/#", and "/#" the same as "/+/#": one form is enough to compare.
    private var levels: [Level] {
        var levels = bytes[patternStart...].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { level -> Level in
            switch level.first {
            case UInt8(ascii: "#"): .multi
            case UInt8(ascii: "+"): .single
            default: .literal(level)
            }
        }
        if levels == [.multi] || levels == [.literal([]), .multi] { levels.insert(.single, at: levels.count - 1) }
        return levels
    }

    /// [MQTT-4.7.2-1]: topics that start with `$` are out of reach of a filter that starts with a wildcard.
    private func isHidden(_ theirs: [Level], from ours: [Level]) -> Bool {
        guard case .literal(let level)? = theirs.first, level.first == UInt8(ascii: "$") else { return false }
        return ours.first == .single || ours.first == .multi
    }
}
