import MQTT

extension MappingPlan {
    /// A filter that the mappings need.
    public struct Subscription: Sendable, Equatable {
        public var filter: TopicFilter
        public var qos: QoS
        /// What the mappings on it do with retained messages: the most that one of them wants.
        public var retained: RetainedPolicy
        /// Tells copies of one message apart that came through several subscriptions; nil where no other filter can reach the same topic.
        public var identifier: UInt32?
        /// The order of messages across topics counts, so all such filters belong to one session.
        public var needsOrder: Bool

        public init(
            filter: TopicFilter, qos: QoS, retained: RetainedPolicy = .skip, identifier: UInt32? = nil, needsOrder: Bool = false
        ) {
            self.needsOrder = needsOrder
            self.filter = filter
            self.qos = qos
            self.retained = retained
            self.identifier = identifier
        }

        /// A mapping on it uses retained messages.
        public var needsRetained: Bool { retained != .skip }
    }
}

/// The subscriptions that a set of mappings needs: a minimal cover of their patterns, and which of its filters each pattern is served by.
///
/// A filter that another one covers is not subscribed to, since a broker may deliver once for each subscription that matches or once for all. Two
/// filters can still meet without one covering the other (`a/+/c` and `a/b/#`); then a message comes once or twice, as the broker likes
/// ([MQTT-3.3.4-2]). Subscription identifiers of MQTT 5.0 say for which of them a copy is: each pattern takes only the copy of the filter that serves it.
struct SubscriptionCover {
    private(set) var subscriptions: [MappingPlan.Subscription] = []
    /// By mapping and pattern: the identifier of the filter that serves it; 0 where that has none.
    let identifiers: [[UInt32]]

    init(_ syntax: [MappingSyntax]) {
        var needs: [MappingPlan.Subscription] = []
        for mapping in syntax {
            for topic in mapping.topics {
                guard let filter = try? TopicFilter(topic.value.filter), let qos = QoS(rawValue: mapping.qos) else { continue }
                let need = MappingPlan.Subscription(
                    filter: filter, qos: qos, retained: mapping.retained, needsOrder: mapping.decode.needsOrder)
                if let same = needs.firstIndex(where: { $0.filter == filter }) { needs[same].widen(by: need) } else { needs.append(need) }
            }
        }
        var cover: [MappingPlan.Subscription] = []
        for need in needs where !needs.contains(where: { $0.filter != need.filter && $0.filter.covers(need.filter) }) {
            var widest = need
            for other in needs where need.filter.covers(other.filter) { widest.widen(by: other) }
            cover.append(widest)
        }
        Self.identify(&cover)
        subscriptions = cover
        identifiers = syntax.map { mapping in
            mapping.topics.map { topic in
                guard let filter = try? TopicFilter(topic.value.filter) else { return 0 }
                return cover.first { $0.filter.covers(filter) }?.identifier ?? 0
            }
        }
    }

    /// Gives identifiers to filters that meet others. They follow from the filter's text, so that a message that waited in the broker while the mappings
    /// changed still says what it said.
    private static func identify(_ cover: inout [MappingPlan.Subscription]) {
        var taken: Set<UInt32> = []
        let meeting = cover.indices.filter { index in
            cover.indices.contains { $0 != index && cover[$0].filter.intersects(cover[index].filter) }
        }
        for index in meeting.sorted(by: { cover[$0].filter.description < cover[$1].filter.description }) {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in cover[index].filter.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            var identifier = UInt32(hash % UInt64(MQTT.Subscription.identifierMaximum)) + 1
            while !taken.insert(identifier).inserted { identifier = identifier % MQTT.Subscription.identifierMaximum + 1 }
            cover[index].identifier = identifier
        }
    }
}

extension MappingPlan.Subscription {
    fileprivate mutating func widen(by other: MappingPlan.Subscription) {
        qos = max(qos, other.qos)
        retained = max(retained, other.retained)
        needsOrder = needsOrder || other.needsOrder
    }
}
