/// The rules of topic names and filters (MQTT 3.1.1 §4.7) said a second time, level by level.
enum ReferenceTopics {
    static func levels(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
    }

    static func isFilter(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty, bytes.count <= 65_535, !bytes.contains(0) else { return false }
        var levels = levels(bytes)
        if levels[0].elementsEqual("$share".utf8), levels.count > 1 {
            guard levels.count > 2, !levels[1].isEmpty, !levels[1].contains(where: { "+#".utf8.contains($0) }) else { return false }
            levels.removeFirst(2)
            guard levels != [[]] else { return false }
        }
        for (index, level) in levels.enumerated() {
            if level.contains(UInt8(ascii: "#")), level.count > 1 || index < levels.count - 1 { return false }
            if level.contains(UInt8(ascii: "+")), level.count > 1 { return false }
        }
        return true
    }

    static func matches(_ filter: [[UInt8]], _ topic: [[UInt8]]) -> Bool {
        guard topic != [[]] else { return false }
        if topic[0].first == UInt8(ascii: "$"), filter[0] == any || filter[0] == rest { return false }
        for (index, level) in filter.enumerated() {
            if level == rest { return true }
            guard index < topic.count, level == any || level == topic[index] else { return false }
        }
        return filter.count == topic.count
    }

    private static let any = Array("+".utf8)
    private static let rest = Array("#".utf8)

    /// Topics of up to one level more than the filters have, of their own words and of others; none where that would be too many.
    static func topics(of filters: [[[UInt8]]]) -> [[[UInt8]]] {
        let most = (filters.map(\.count).max() ?? 0) + 1
        let words = Set(filters.flatMap { $0 }).subtracting([any, rest]).union([[], Array("other".utf8)])
        guard most <= 5, (0..<most).reduce(1, { count, _ in count * (words.count + 1) }) <= 1024 else { return [] }
        var topics: [[[UInt8]]] = []
        var longer = words.map { [$0] } + [[Array("$other".utf8)]]
        for _ in 0..<most {
            topics += longer
            longer = longer.flatMap { topic in words.map { topic + [$0] } }
        }
        return topics.filter { $0 != [[]] }
    }

    /// Whether the text is made of literals and captures, each of one byte at least, tried in every way; `nil` is a capture.
    static func matches(_ parts: ArraySlice<[UInt8]?>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let first = parts.first else { return text.isEmpty }
        let rest = parts.dropFirst()
        guard let literal = first else { return text.indices.contains { matches(rest, text[($0 + 1)...]) } }
        return text.starts(with: literal) && matches(rest, text.dropFirst(literal.count))
    }
}
