import MQTT
import Mapping

/// Which session of the pool subscribes to what.
///
/// With shared subscriptions every session takes part in every filter and the broker spreads the messages. Brokers send no retained messages on a
/// shared subscription, so a filter whose mapping wants them goes to one session alone, as do all filters where the pool is told to split, or where the
/// broker has no shared subscriptions. Filters of messages whose order counts across topics (Sparkplug B) go to one session together, unless the operator wants
/// all of them shared.
///
/// Which session that is depends on the filter's text, not on its place among the mappings: a new mapping moves few of the others or none
/// (`FilterPlacement`). A filter that moves is subscribed by its new session before the old one lets go (`successors`).
struct SubscriptionPlan: Sendable {
    private let distribution: Distribution
    /// One list for each session, with shared subscriptions.
    private let shared: [[Subscription]]
    /// One list for each session, with each filter in one of them.
    private let split: [[Subscription]]

    /// - Throws: when the distribution cannot give a mapping what it asks for, or the group's name makes no shared subscription.
    init(needs: [MappingPlan.Subscription], sessions: Int, distribution: Distribution, group: String) throws(SubscriptionPlanError) {
        precondition(sessions > 0, "a pool has at least one session")
        self.distribution = distribution
        if distribution == .shared, let need = needs.first(where: \.needsRetained) {
            throw .retainedOnShared(filter: need.filter.description)
        }
        split = Self.bySession(needs, sessions) { _ in nil }
        let groupFilters: [TopicFilter]
        do throws(MQTTError) {
            var filters: [TopicFilter] = []
            for need in needs { filters.append(try need.filter.shared(inGroup: group)) }
            groupFilters = filters
        } catch {
            throw .invalidGroup(error.description)
        }
        let sharing = distribution == .shared || sessions > 1
        shared = Self.bySession(needs, sessions) { index in
            let goesAlone = needs[index].needsRetained || needs[index].needsOrder && distribution != .shared
            return sharing && !goesAlone ? groupFilters[index] : nil
        }
    }

    init(_ plan: MappingPlan, _ pool: PoolSettings) throws(SubscriptionPlanError) {
        try self.init(needs: plan.subscriptions, sessions: pool.sessions, distribution: pool.distribution, group: pool.group)
    }

    /// Under this name filters that need an order are placed.
    private static let orderlyFilters = "spBv1.0/#"

    /// - Parameter sharedFilter: what stands for a need where all sessions take part in it; nil: one session alone does.
    private static func bySession(
        _ needs: [MappingPlan.Subscription], _ sessions: Int, sharedFilter: (Int) -> TopicFilter?
    ) -> [[Subscription]] {
        var bySession = Array(repeating: [Subscription](), count: sessions)
        let alone = needs.indices.filter { sharedFilter($0) == nil }
        // Those that need an order are placed as if they were one filter.
        let orderly = alone.first { needs[$0].needsOrder }
        let placed = alone.filter { !needs[$0].needsOrder || $0 == orderly }
        let places = Dictionary(
            uniqueKeysWithValues: zip(
                placed,
                FilterPlacement.places(of: placed.map { $0 == orderly ? Self.orderlyFilters : needs[$0].filter.description }, in: sessions))
        )
        for (index, need) in needs.enumerated() {
            var subscription = Subscription(filter: need.filter, qos: need.qos)
            subscription.identifier = need.identifier
            if let filter = sharedFilter(index) {
                subscription.filter = filter
                for session in 0..<sessions { bySession[session].append(subscription) }
            } else {
                subscription.retainHandling = need.retained.retainHandling
                bySession[places[need.needsOrder ? orderly ?? index : index] ?? 0].append(subscription)
            }
        }
        return bySession
    }

    /// What a session is to have.
    /// - Parameter sharedIsAvailable: what the broker says; nil: its version cannot say. Then shared subscriptions are used only where the operator wants them,
    ///   since a broker that does not know them would take them for filters that match nothing.
    func subscriptions(ofSession number: Int, sharedIsAvailable: Bool?) -> [Subscription] {
        switch distribution {
        case .shared: shared[number]
        case .split: split[number]
        case .auto: sharedIsAvailable == true ? shared[number] : split[number]
        }
    }

    /// What other sessions are to have of the topics of a filter that this session is about to leave: until they have it, leaving would lose messages.
    /// Empty where this session goes on to take all of them itself.
    func successors(to filter: TopicFilter, leftBy number: Int, sharedIsAvailable: Bool?) -> [(session: Int, filter: TopicFilter)] {
        let own = Set(subscriptions(ofSession: number, sharedIsAvailable: sharedIsAvailable).map(\.filter))
        guard let plain = try? TopicFilter(filter.pattern),
            !own.contains(where: { (try? TopicFilter($0.pattern))?.covers(plain) ?? false })
        else { return [] }
        return split.indices.filter { $0 != number }.flatMap { session in
            // Of a filter that both take part in, this session gets what the other does not get yet.
            subscriptions(ofSession: session, sharedIsAvailable: sharedIsAvailable).map(\.filter)
                .filter { $0.intersects(filter) && !own.contains($0) }.map { (session, $0) }
        }
    }
}

extension RetainedPolicy {
    /// When the broker is to send retained messages, where its version lets us say so (MQTT 5.0 §3.8.3.1).
    fileprivate var retainHandling: RetainHandling {
        switch self {
        case .skip: .never
        case .new: .ifNew
        case .use: .always
        }
    }
}

/// How filters are given to the sessions of the pool (`pool.distribution`).
public enum Distribution: String, Sendable, CaseIterable { case auto, shared, split }

/// What a distribution cannot do.
public enum SubscriptionPlanError: Error, Equatable, CustomStringConvertible {
    case retainedOnShared(filter: String)
    case invalidGroup(String)

    public var description: String {
        switch self {
        case .retainedOnShared(let filter):
            "a mapping on '\(filter)' uses retained messages, which brokers do not send on shared subscriptions: set pool.distribution to auto or split"
        case .invalidGroup(let reason): "pool.group cannot name a shared subscription: \(reason)"
        }
    }
}
