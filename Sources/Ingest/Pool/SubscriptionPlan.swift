import MQTT
import Mapping

/// Which session of the pool subscribes to what.
///
/// With shared subscriptions every session takes part in every filter and the broker spreads the messages. Brokers send no retained messages on a
/// shared subscription, so a filter whose mapping wants them goes to one session alone, as do all filters where the pool is told to split.
struct SubscriptionPlan: Sendable {
    /// One list for each session.
    let bySession: [[Subscription]]

    /// - Throws: when the distribution cannot give a mapping what it asks for, or the group's name makes no shared subscription.
    init(needs: [MappingPlan.Subscription], sessions: Int, distribution: Distribution, group: String) throws(SubscriptionPlanError) {
        precondition(sessions > 0, "a pool has at least one session")
        var bySession = Array(repeating: [Subscription](), count: sessions)
        var turn = 0
        for need in needs {
            let isShared =
                switch distribution {
                case .split: false
                case .shared: true
                case .auto: sessions > 1 && !need.needsRetained
                }
            guard !(isShared && need.needsRetained) else { throw .retainedOnShared(filter: need.filter.description) }
            if isShared {
                let filter: TopicFilter
                do throws(MQTTError) { filter = try need.filter.shared(inGroup: group) } catch { throw .invalidGroup(error.description) }
                for session in 0..<sessions { bySession[session].append(Subscription(filter: filter, qos: need.qos)) }
            } else {
                bySession[turn % sessions].append(Subscription(filter: need.filter, qos: need.qos))
                turn += 1
            }
        }
        self.bySession = bySession
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
