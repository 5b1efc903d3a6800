/// A pattern of topic names (MQTT 3.1.1 §4.7), or a shared subscription `$share/group/filter` (MQTT 5.0 §4.8.2, which several servers also take
/// from 3.1.1 clients).
public struct TopicFilter: Sendable, Hashable {
    /// The filter in UTF-8 as it is sent, `$share/group/` included; 1 to 65,535 bytes.
    public let bytes: [UInt8]
    /// Where the pattern begins: after `$share/group/`, else 0.
    let patternStart: Int

    /// Takes a topic filter.
    ///
    /// - Throws: `invalidTopicFilter` when it is empty or too long, holds U+0000, has a wildcard beside other characters of its level or `#`
    ///   before the end, or starts with `$share/` and is no shared subscription.
    public init(_ filter: some StringProtocol) throws(MQTTError) {
        let bytes = Array(filter.utf8)
        do throws(TopicFault) {
            self = try Self(validating: bytes)
        } catch {
            throw .invalidTopicFilter(String(filter), error)
        }
    }

    private init(validating bytes: [UInt8]) throws(TopicFault) {
        guard bytes.count <= Int(UInt16.max) else { throw .tooLong(bytes: bytes.count) }
        guard !bytes.contains(0) else { throw .nullCharacter }
        self.bytes = bytes
        patternStart = try Self.patternStart(of: bytes)
        try Self.checkPattern(bytes[patternStart...])
    }

    private static let sharePrefix = Array("$share/".utf8)

    private static func patternStart(of bytes: [UInt8]) throws(TopicFault) -> Int {
        guard bytes.starts(with: sharePrefix) else { return 0 }
        let rest = bytes[sharePrefix.count...]
        guard let groupEnd = rest.firstIndex(of: UInt8(ascii: "/")), groupEnd > rest.startIndex, groupEnd + 1 < rest.endIndex,
            !rest[..<groupEnd].contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") })
        else { throw .malformedSharedSubscription }
        return groupEnd + 1
    }

    /// [MQTT-4.7.1-2], [MQTT-4.7.1-3]: a wildcard fills its level, and `#` comes last.
    private static func checkPattern(_ pattern: ArraySlice<UInt8>) throws(TopicFault) {
        guard !pattern.isEmpty else { throw .empty }
        let levels = pattern.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, level) in levels.enumerated() {
            let isMultiLevel = level.contains(UInt8(ascii: "#"))
            guard isMultiLevel || level.contains(UInt8(ascii: "+")) else { continue }
            guard level.count == 1 else { throw .wildcardWithinLevel }
            guard !isMultiLevel || index == levels.count - 1 else { throw .multiLevelWildcardNotLast }
        }
    }

    /// The group of a shared subscription; nil for any other filter.
    public var sharedGroup: String? {
        guard patternStart > 0 else { return nil }
        return String(decoding: bytes[Self.sharePrefix.count..<patternStart - 1], as: UTF8.self)
    }

    /// The pattern as text, without `$share/group/`.
    public var pattern: String { String(decoding: bytes[patternStart...], as: UTF8.self) }

    /// The same pattern as a shared subscription: the server gives each message to one member of the group.
    ///
    /// - Throws: `invalidTopicFilter` when the group is empty or holds `/`, `+`, `#` or U+0000, or the whole gets too long.
    public func shared(inGroup group: String) throws(MQTTError) -> TopicFilter {
        let filter = "$share/\(group)/\(pattern)"
        guard !group.contains("/") else { throw .invalidTopicFilter(filter, .malformedSharedSubscription) }
        return try TopicFilter(filter)
    }

    /// Whether a message on `topic` belongs to this filter. One pass over both, no allocation.
    ///
    /// A filter that starts with a wildcard takes no topic that starts with `$` ([MQTT-4.7.2-1]).
    public func matches(_ topic: UnsafeRawBufferPointer) -> Bool {
        bytes.withUnsafeBytes { Self.matches(pattern: UnsafeRawBufferPointer(rebasing: $0[patternStart...]), topic: topic) }
    }

    /// Whether a message on `topic` belongs to this filter.
    public func matches(_ topic: TopicName) -> Bool { topic.bytes.withUnsafeBytes(matches) }

    private static func matches(pattern: UnsafeRawBufferPointer, topic: UnsafeRawBufferPointer) -> Bool {
        let separator = UInt8(ascii: "/")
        guard let first = topic.first else { return false }
        if first == UInt8(ascii: "$"), pattern[0] == UInt8(ascii: "#") || pattern[0] == UInt8(ascii: "+") { return false }

        var topicOffset = 0
        var patternOffset = 0
        while patternOffset < pattern.count {
            let character = pattern[patternOffset]
            if character == UInt8(ascii: "#") { return true }
            if character == UInt8(ascii: "+") {
                while topicOffset < topic.count, topic[topicOffset] != separator { topicOffset += 1 }
            } else {
                guard topicOffset < topic.count else {
                    // "sport/#" also takes "sport", the parent level (§4.7.1.2).
                    return character == separator && patternOffset == pattern.count - 2 && pattern[patternOffset + 1] == UInt8(ascii: "#")
                }
                guard topic[topicOffset] == character else { return false }
                topicOffset += 1
            }
            patternOffset += 1
        }
        return topicOffset == topic.count
    }
}

extension TopicFilter: CustomStringConvertible {
    /// The filter as text, as it is sent.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
