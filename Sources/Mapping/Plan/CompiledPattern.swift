import Payload

/// A topic pattern ready to be matched level by level.
struct CompiledPattern: Sendable {
    enum Level: Sendable {
        case literal([UInt8])
        case any
        case rest
        /// A level that must not be empty; the capture's slot.
        case capture(slot: Int)
        case captureRest(slot: Int)
        case parts([Part])
    }

    enum Part: Sendable {
        case literal([UInt8])
        case capture(slot: Int)
    }

    /// A level that is captured as a whole.
    private struct Capture {
        var level: Int32
        var slot: Int32
    }

    /// Where captures are whole levels and nothing else wants a look: these are all that a message needs of the pattern.
    private let captures: [Capture]?
    let levels: [Level]
    let text: String
    /// The MQTT topic filter of the pattern.
    let filter: String

    /// - Parameter slot: where the value of each capture goes.
    init(_ pattern: TopicPattern, slot: (String) -> Int) {
        text = pattern.description
        filter = pattern.filter
        levels = pattern.levels.map { level in
            switch level {
            case .literal(let text): .literal(Array(text.utf8))
            case .any: .any
            case .rest: .rest
            case .captureRest(let name): .captureRest(slot: slot(name))
            case .parts(let parts):
                if parts.count == 1, case .capture(let name) = parts[0] {
                    .capture(slot: slot(name))
                } else {
                    .parts(
                        parts.map { part in
                            switch part {
                            case .literal(let text): .literal(Array(text.utf8))
                            case .capture(let name): .capture(slot: slot(name))
                            }
                        })
                }
            }
        }
        var captures: [Capture]? = []
        for (index, level) in levels.enumerated() {
            switch level {
            case .literal, .any, .rest: continue
            case .capture(let slot): captures?.append(Capture(level: Int32(index), slot: Int32(slot)))
            case .captureRest, .parts: captures = nil
            }
        }
        self.captures = captures
    }

    /// What the router's shape does not say: captures are not empty, literals inside levels stand there.
    func details(match topic: TopicLevels) -> Bool {
        if let captures { return captures.allSatisfy { !topic[Int($0.level)].isEmpty } }
        for (index, level) in levels.enumerated() {
            switch level {
            case .literal, .any, .rest: continue
            case .capture: if topic[index].isEmpty { return false }
            case .captureRest: if topic.rest(from: index).isEmpty { return false }
            case .parts(let parts): if !Self.match(parts, topic[index], slots: nil) { return false }
            }
        }
        return true
    }

    /// Whether a topic matches as a whole; for patterns that stand in no router (`exclude`).
    func matches(_ topic: TopicLevels) -> Bool {
        for (index, level) in levels.enumerated() {
            if index == 0, topic.startsWithDollar {
                guard case .literal = level else { return false }
            }
            switch level {
            case .rest: return true
            case .captureRest: return !topic.rest(from: index).isEmpty
            case .literal(let name): guard index < topic.count, topic[index].elementsEqual(name) else { return false }
            case .any: guard index < topic.count else { return false }
            case .capture: guard index < topic.count, !topic[index].isEmpty else { return false }
            case .parts(let parts): guard index < topic.count, Self.match(parts, topic[index], slots: nil) else { return false }
            }
        }
        return levels.count == topic.count
    }

    /// Writes the captures of a topic that matches.
    func capture(_ topic: TopicLevels, into slots: UnsafeMutablePointer<Value>) {
        if let captures {
            for capture in captures { slots[Int(capture.slot)] = Value(kind: .string, bytes: topic[Int(capture.level)]) }
            return
        }
        for index in levels.indices {
            switch levels[index] {
            case .literal, .any, .rest: continue
            case .capture(let slot): slots[slot] = Value(kind: .string, bytes: topic[index])
            case .captureRest(let slot): slots[slot] = Value(kind: .string, bytes: topic.rest(from: index))
            case .parts(let parts): _ = Self.match(parts, topic[index], slots: slots)
            }
        }
    }

    /// Matches literals and captures in turn; each capture takes as little as it can, and at least one byte.
    ///
    /// The first place of a literal leaves the most to what follows, so no other one is tried: a hostile topic costs no more than its length.
    private static func match(_ parts: [Part], _ text: UnsafeRawBufferPointer, slots: UnsafeMutablePointer<Value>?) -> Bool {
        var place = 0
        for (index, part) in parts.enumerated() {
            switch part {
            case .literal(let literal):
                guard text[place...].starts(with: literal) else { return false }
                place += literal.count
            case .capture(let slot):
                guard let end = end(of: place, before: parts[(index + 1)...], text), end > place else { return false }
                slots?[slot] = Value(kind: .string, bytes: UnsafeRawBufferPointer(rebasing: text[place..<end]))
                place = end
            }
        }
        return place == text.count
    }

    /// Where a capture that starts at `place` ends: at the literal behind it, which is the text's end where nothing follows it.
    private static func end(of place: Int, before rest: ArraySlice<Part>, _ text: UnsafeRawBufferPointer) -> Int? {
        guard case .literal(let literal)? = rest.first else { return text.count }
        let last = text.count - literal.count
        guard rest.count > 1 else { return last }
        guard last > place else { return nil }
        return (place + 1...last).first { text[$0...].starts(with: literal) }
    }
}
