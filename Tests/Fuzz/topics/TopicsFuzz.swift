import FuzzSupport
import MQTT
import Payload

@testable import Mapping

/// Lines of an input: two filters, two patterns of mappings, a topic.
@main
struct TopicsFuzz {
    private let memory = GuardedMemory(bytesMax: 1 << 20)
    private let starts = UnsafeMutablePointer<Int32>.allocate(capacity: TopicLevels.levelsMaximum + 1)

    static func main() {
        let target = TopicsFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        let lines = bytes.split(separator: 0x0A, maxSplits: 4, omittingEmptySubsequences: false).map { Array($0) }
        let topic = lines.count > 4 ? lines[4] : []
        names(topic)
        let filters = lines.prefix(2).compactMap(filter)
        for filter in filters { matches(filter, topic) }
        if filters.count == 2 { relations(filters[0], filters[1]) }
        let patterns = lines.dropFirst(2).prefix(2).compactMap(pattern)
        route(patterns, topic)
    }

    // MARK: Names and filters

    private func names(_ topic: [UInt8]) {
        let text = String(validating: topic, as: UTF8.self)
        let isName = text != nil && !topic.isEmpty && topic.count <= 65_535 && !topic.contains { "+#\0".utf8.contains($0) }
        for atFront in [false, true] {
            let laid = topic.withUnsafeBytes { memory.lay($0, atFront: atFront) }
            claim(TopicName.isValid(laid) == isName, "\(topic) is \(isName ? "a" : "no") topic name")
        }
        guard let text else { return }
        claim(((try? TopicName(text))?.bytes == topic) == isName, "\(text) is \(isName ? "a" : "no") topic name")
    }

    private func filter(_ bytes: [UInt8]) -> TopicFilter? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let filter = try? TopicFilter(text)
        claim((filter != nil) == ReferenceTopics.isFilter(bytes), "'\(text)' is \(filter == nil ? "no" : "a") filter")
        guard let filter else { return nil }
        claim(filter.bytes == bytes && filter.description == text, "'\(text)' is kept as \(filter)")
        claim((filter.sharedGroup == nil) == (filter.pattern == text), "the group of '\(text)'")
        if let group = filter.sharedGroup { claim("$share/\(group)/\(filter.pattern)".utf8.elementsEqual(bytes), "the parts of '\(text)'") }
        if let shared = try? filter.shared(inGroup: "g") {
            claim(shared.pattern.utf8.elementsEqual(filter.pattern.utf8) && shared.sharedGroup == "g", "\(shared)")
        }
        return filter
    }

    private func matches(_ filter: TopicFilter, _ topic: [UInt8]) {
        let laid = topic.withUnsafeBytes { memory.lay($0) }
        let expected = ReferenceTopics.matches(ReferenceTopics.levels(Array(filter.pattern.utf8)), ReferenceTopics.levels(topic))
        claim(filter.matches(laid) == expected, "\(filter) \(expected ? "takes" : "leaves") \(topic)")
    }

    // MARK: Two filters

    /// Every topic of a few levels, made of the words of both filters and of others, tells whether one filter covers the other.
    private func relations(_ one: TopicFilter, _ other: TopicFilter) {
        claim(one.covers(one) && one.intersects(one), "\(one) does not cover itself")
        claim(one.intersects(other) == other.intersects(one), "\(one) and \(other) intersect one way")
        if one.covers(other) { claim(one.intersects(other), "\(one) covers \(other), and they do not intersect") }
        guard one.sharedGroup == nil, other.sharedGroup == nil else { return }
        let (first, second) = (ReferenceTopics.levels(one.bytes), ReferenceTopics.levels(other.bytes))
        let topics = ReferenceTopics.topics(of: [first, second])
        guard !topics.isEmpty else { return }
        var isCovered = true
        var doMeet = false
        for topic in topics {
            let isOurs = ReferenceTopics.matches(first, topic)
            let isTheirs = ReferenceTopics.matches(second, topic)
            if isTheirs, !isOurs { isCovered = false }
            if isTheirs, isOurs { doMeet = true }
        }
        claim(one.covers(other) == isCovered, "\(one) \(isCovered ? "covers" : "does not cover") \(other)")
        claim(one.intersects(other) == doMeet, "\(one) and \(other) \(doMeet ? "meet" : "never meet")")
    }

    // MARK: Patterns of mappings

    private func pattern(_ bytes: [UInt8]) -> TopicPattern? {
        guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.starts(with: "$share/".utf8) else { return nil }
        do throws(TopicPattern.Fault) {
            let pattern = try TopicPattern(text)
            claim(pattern.description == text, "'\(text)' is kept as '\(pattern)'")
            claim((try? TopicFilter(pattern.filter)) != nil, "the pattern '\(text)' has no filter")
            claim(Set(pattern.captures).count == pattern.captures.count, "a capture stands twice in '\(text)'")
            return pattern
        } catch {
            claim(!error.description.isEmpty, "an error without words")
            return nil
        }
    }

    private func route(_ patterns: [TopicPattern], _ topic: [UInt8]) {
        guard !patterns.isEmpty, !topic.isEmpty, topic.count <= 65_535 else { return }
        var names: [String] = []
        let compiled = patterns.map { pattern in
            CompiledPattern(pattern) { name in
                names.append(name)
                return names.count - 1
            }
        }
        let laid = topic.withUnsafeBytes { memory.lay($0) }
        let levels = TopicLevels(laid, starts: starts)
        let matches = UnsafeMutablePointer<RouteMatch>.allocate(capacity: patterns.count)
        defer { matches.deallocate() }
        let found = Router(compiled.map { [$0] }).route(levels, into: matches)
        let routed = (0..<found).map { Int(matches[$0].mapping) }
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: names.count)
        defer { slots.deallocate() }
        slots.initialize(repeating: .missing, count: names.count)
        for (index, pattern) in patterns.enumerated() {
            let isTaken = compiled[index].matches(levels)
            claim(routed.contains(index) == isTaken, "'\(pattern)' \(isTaken ? "takes" : "leaves") \(topic), and the router does not")
            parts(pattern, levels, isTaken)
            guard isTaken else { continue }
            let isWithin = (try? TopicFilter(pattern.filter))?.matches(laid) ?? false
            claim(isWithin, "'\(pattern)' takes \(topic), and its filter does not")
            compiled[index].capture(levels, into: slots)
            captures(pattern, levels, names, slots)
        }
        // All patterns of one mapping: the first one that matches.
        let first = Router([compiled]).route(levels, into: matches)
        claim(first == min(routed.count, 1), "\(first) matches of one mapping")
        if first == 1 { claim(Int(matches[0].pattern) == routed[0], "pattern \(matches[0].pattern) is not the first that matches") }
    }

    /// A pattern of one level with captures, tried in every way.
    private func parts(_ pattern: TopicPattern, _ topic: TopicLevels, _ isTaken: Bool) {
        guard pattern.levels.count == 1, case .parts(let parts) = pattern.levels[0], topic.count == 1, topic[0].count <= 24 else { return }
        guard parts.count <= 8, !topic.startsWithDollar else { return }
        let plain = parts.map { part in if case .literal(let text) = part { Array(text.utf8) } else { nil as [UInt8]? } }
        claim(ReferenceTopics.matches(plain[...], Array(topic[0])[...]) == isTaken, "'\(pattern)' and \(Array(topic.bytes))")
    }

    /// The captures put in place of their names give the topic.
    private func captures(_ pattern: TopicPattern, _ topic: TopicLevels, _ names: [String], _ slots: UnsafeMutablePointer<Value>) {
        func value(_ name: String) -> [UInt8] {
            guard let slot = names.firstIndex(of: name) else { return [] }
            let bytes = slots[slot].bytes
            claim(topic.bytes.holds(bytes) && !bytes.isEmpty, "the capture \(name) of '\(pattern)' is empty or elsewhere")
            return Array(bytes)
        }
        // A name may stand in both patterns, with a slot each: then the last one has been written too.
        guard Set(names).count == names.count else { return }
        for (index, level) in pattern.levels.enumerated() {
            switch level {
            case .any, .rest: continue
            case .literal(let text): claim(topic[index].elementsEqual(text.utf8), "level \(index) of '\(pattern)'")
            case .captureRest(let name): claim(topic.rest(from: index).elementsEqual(value(name)), "the rest of '\(pattern)'")
            case .parts(let parts):
                let whole = parts.flatMap { part in
                    switch part {
                    case .literal(let text): Array(text.utf8)
                    case .capture(let name): value(name)
                    }
                }
                claim(topic[index].elementsEqual(whole), "level \(index) of '\(pattern)' from its captures")
            }
        }
    }
}
