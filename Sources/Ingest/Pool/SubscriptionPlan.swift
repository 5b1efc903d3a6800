import MQTT
import Mapping

/// Which session of the pool subscribes to what.
///
/// With shared subscriptions every session takes part in every filter and the broker spreads the messages. Brokers send no retained messages on a
/// shared subscription, so a filter whose mapping wants them goes to one session alone, as do all filters where the pool is told to split, or where the
/// broker has no shared subscriptions. Filters of messages whose order counts across topics (Sparkplug B) go to one session together, unless the operator wants
/// all of them shared.
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

    /// - Parameter sharedFilter: what stands for a need where all sessions take part in it; nil: one session alone does.
    private static func bySession(
        _ needs: [MappingPlan.Subscription], _ sessions: Int, sharedFilter: (Int) -> TopicFilter?
    ) -> [[Subscription]] {
        var bySession = Array(repeating: [Subscription](), count: sessions)
        var turn = 0
        var orderly: Int?
        for (index, need) in needs.enumerated() {
            var subscription = Subscription(filter: need.filter, qos: need.qos)
            subscription.identifier = need.identifier
            if let filter = sharedFilter(index) {
                subscription.filter = filter
                for session in 0..<sessions { bySession[session].append(subscription) }
            } else {
                subscription.retainHandling = need.retained.retainHandling
                if need.needsOrder, let orderly {
                    bySession[orderly].append(subscription)
                    continue
                }
                if need.needsOrder { orderly = turn % sessions }
                bySession[turn % sessions].append(subscription)
                turn += 1
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
