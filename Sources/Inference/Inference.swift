import Mapping

/// A mapping that was made from messages, with what became of these messages when it was tried.
public struct Proposal: Sendable {
    /// Of the file, without `.yaml`.
    public var name: String
    /// The text of the file.
    public var text: String
    /// Patterns as the file has them.
    public var topics: [String]
    /// The decoder's name, with what it unpacks before.
    public var decoder: String
    public var tables: [String]
    /// Topics and messages that it was made from.
    public var topicCount: Int
    public var messageCount: Int
    /// Messages that become rows.
    public var storedCount: Int
    public var rowCount: Int
    /// Why messages make no rows, each with how many.
    public var losses: [(reason: String, count: Int)]
    /// What is wrong with the file; empty if `check` passes it.
    public var problems: [String]
    public var testCount: Int
}

/// Proposes mappings for what devices send.
public struct Inference: Sendable {
    public let proposals: [Proposal]
    public let messageCount: Int
    public let topicCount: Int
    /// Messages without a payload; a mapping skips them.
    public let emptyCount: Int

    /// Looks at messages, tells kinds of devices apart, and tries what it proposes on every one of them.
    /// - Parameter messages: in the order in which they were received.
    public init(_ messages: [ObservedMessage]) {
        let sample = Sample(messages)
        let groups = TopicGrouping(sample.profiles).groups
        let patterns = GroupPatterns.make(groups, sample.profiles)
        let names = MappingNames.make(groups)
        let making = DraftMaking(sample: sample, patterns: patterns)
        messageCount = messages.count
        topicCount = Set(messages.map(\.topic)).count
        emptyCount = sample.emptyCount
        proposals = groups.indices.map { index in
            ProposalMaking(sample: sample, topicCount: groups[index].topics.count).proposal(making.draft(index, name: names[index]))
        }
        .sorted { $0.name < $1.name }
    }
}
