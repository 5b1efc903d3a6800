import MQTT
import Store

/// What a broker session is subscribed to, as far as is known, and what has to be asked to make it what it should be.
///
/// One rule keeps it right through crashes: *what is recorded is never less than what the broker has*. A filter is recorded as asked for before SUBSCRIBE
/// goes out, and as leaving before UNSUBSCRIBE does; it is taken out only once the broker says that it has it no more. So no changed mapping leaves a
/// filter behind, and a session that has what it should have is asked nothing.
///
/// UNSUBSCRIBE waits for every SUBACK: what the old filter covers is meant to come through the new one without a gap. Where a new filter is refused, old
/// ones that reach the same topics stay, and where another session is to take over, so does the old filter until that one has it (`heldBack`).
struct SessionSubscriptions {
    struct Entry: Equatable {
        var subscription: Subscription
        var state: RecordedSubscription.State
        var granted: QoS?
        var refusal: String?
    }

    /// By filter: all that the broker may have.
    private(set) var entries: [TopicFilter: Entry] {
        didSet { revision += 1 }
    }
    /// Counts what may have changed in `record`.
    private(set) var revision = 0
    /// Filters that the broker has answered for on this connection.
    private var answered: Set<TopicFilter> = []
    /// Filters to leave that other sessions do not have yet.
    private var heldBack: Set<TopicFilter> = []
    private var wanted: [TopicFilter: Subscription] = [:]
    /// Filters that the broker could not take, so that it was not asked.
    private var unavailable: [TopicFilter: String] = [:]
    /// Filters that the broker did not end on this connection: it is not asked twice.
    private var kept: Set<TopicFilter> = []

    init(_ recorded: [RecordedSubscription]) {
        entries = [:]
        for record in recorded {
            guard let filter = try? TopicFilter(record.filter), let qos = QoS(rawValue: record.qos) else { continue }
            var subscription = Subscription(filter: filter, qos: qos)
            subscription.identifier = record.identifier
            subscription.retainHandling = RetainHandling(rawValue: record.retainHandling) ?? .always
            entries[filter] = Entry(
                subscription: subscription, state: record.state, granted: record.grantedQoS.flatMap { QoS(rawValue: $0) },
                refusal: record.reason)
        }
    }

    /// What the database is to know.
    var record: [RecordedSubscription] {
        entries.values.sorted { $0.subscription.filter.description < $1.subscription.filter.description }.map { entry in
            RecordedSubscription(
                filter: entry.subscription.filter.description, qos: entry.subscription.qos.rawValue, grantedQoS: entry.granted?.rawValue,
                identifier: entry.subscription.identifier, retainHandling: entry.subscription.retainHandling.rawValue, state: entry.state,
                reason: entry.refusal)
        }
    }

    // MARK: What should be

    /// A connection begins: what was answered on a former one is some time old.
    mutating func connectionBegan() { answered = [] }

    /// The broker has no session: it has no subscription either.
    mutating func sessionForgotten() { entries = [:] }

    /// It is not certain that the broker has what was granted.
    /// - Parameter isShared: only of shared subscriptions.
    mutating func doubt(onlyShared isShared: Bool = false) {
        for (filter, entry) in entries where entry.state == .granted && (!isShared || filter.sharedGroup != nil) {
            entries[filter]?.state = .asked
        }
    }

    /// Says what the session should have.
    /// - Returns: whether the broker has to be asked for anything; then it is recorded first, and asked (`requests`) once that is durable.
    mutating func want(_ subscriptions: [Subscription], capabilities: ServerCapabilities) -> Bool {
        kept = []
        unavailable = [:]
        wanted = [:]
        for var subscription in subscriptions {
            if !capabilities.areSubscriptionIdentifiersAvailable { subscription.identifier = nil }
            wanted[subscription.filter] = subscription
            if let reason = Self.obstacle(to: subscription.filter, capabilities) { unavailable[subscription.filter] = reason }
        }
        for (filter, subscription) in wanted where unavailable[filter] == nil {
            guard let entry = entries[filter], entry.state == .granted, entry.subscription == subscription else {
                entries[filter] = Entry(subscription: subscription, state: .asked, granted: nil, refusal: nil)
                continue
            }
        }
        for filter in entries.keys where wanted[filter] == nil { entries[filter]?.state = .leaving }
        return entries.contains { $0.value.state == .leaving || ($0.value.state == .asked && unavailable[$0.key] == nil) }
    }

    /// What the broker has told us that it cannot do: asking for it would end the connection (MQTT 5.0 §3.2.2.3.11 and following).
    private static func obstacle(to filter: TopicFilter, _ capabilities: ServerCapabilities) -> String? {
        if filter.sharedGroup != nil, capabilities.areSharedSubscriptionsAvailable == false {
            return "the broker has no shared subscriptions: set pool.distribution to auto or split"
        }
        if !capabilities.areWildcardSubscriptionsAvailable, filter.pattern.contains(where: { $0 == "+" || $0 == "#" }) {
            return "the broker takes no filters with wildcards: name the topics one by one"
        }
        return nil
    }

    // MARK: Asking

    /// What the broker is to be asked now: for what is missing, and once nothing is missing, to end what is not wanted. Empty when all is as it can be.
    ///
    /// To be called again when every answer is there, not before: a filter that is being asked for counts as missing.
    var requests: (subscribe: [Subscription], unsubscribe: [TopicFilter]) {
        let asked = sorted { $0.state == .asked && unavailable[$0.subscription.filter] == nil }.map(\.subscription)
        return (asked, asked.isEmpty ? filtersToLeave : [])
    }

    /// Filters that are not wanted and that nothing refused depends on.
    private var filtersToLeave: [TopicFilter] {
        let missing = sorted { $0.state == .refused }.map(\.subscription.filter) + unavailable.keys
        return sorted { $0.state == .leaving }.map(\.subscription.filter).filter { leaving in
            !kept.contains(leaving) && !heldBack.contains(leaving) && !missing.contains { $0.intersects(leaving) }
        }
    }

    /// Filters that are not wanted any more.
    var leaving: [TopicFilter] { sorted { $0.state == .leaving }.map(\.subscription.filter) }

    /// These are not to be ended yet.
    mutating func holdBack(_ filters: Set<TopicFilter>) { heldBack = filters }

    private func sorted(where condition: (Entry) -> Bool) -> [Entry] {
        entries.values.filter(condition).sorted { $0.subscription.filter.description < $1.subscription.filter.description }
    }

    /// SUBACK.
    mutating func subscribed(_ results: [SubscriptionResult]) {
        for result in results {
            let filter = result.subscription.filter
            guard entries[filter]?.subscription == result.subscription else { continue }
            answered.insert(filter)
            entries[filter]?.granted = result.grantedQoS
            // Not wanted any more, since the mappings have changed meanwhile: it still is to go.
            guard wanted[filter] != nil else { continue }
            entries[filter]?.state = result.grantedQoS == nil ? .refused : .granted
            entries[filter]?.refusal = result.refusal.map { refusal in
                refusal.code.description + (refusal.reason.map { ": \($0)" } ?? "")
            }
        }
    }

    /// UNSUBACK.
    mutating func unsubscribed(_ results: [UnsubscriptionResult]) {
        for result in results {
            guard wanted[result.filter] == nil else { continue }
            if result.refusal == nil { entries[result.filter] = nil } else { kept.insert(result.filter) }
        }
    }

    /// Asks once more for what was refused; whether there is anything.
    mutating func retryRefused() -> Bool {
        var isAny = false
        for (filter, entry) in entries where entry.state == .refused && unavailable[filter] == nil {
            entries[filter]?.state = .asked
            isAny = true
        }
        return isAny
    }

    // MARK: How it stands

    /// The broker has answered on this connection for every shared subscription that counts as granted: a restart before it has taken none of them.
    var isEachSharedAnswered: Bool {
        entries.allSatisfy { $0.value.state != .granted || $0.key.sharedGroup == nil || answered.contains($0.key) }
    }

    /// The broker has all that the session should have, as far as it can be had.
    var isComplete: Bool { wanted.keys.allSatisfy { entries[$0]?.state == .granted || unavailable[$0] != nil } }

    /// Filters that should be there and are not, with the reason.
    var refused: [(filter: TopicFilter, reason: String)] {
        sorted { $0.state == .refused && unavailable[$0.subscription.filter] == nil }
            .map { ($0.subscription.filter, $0.refusal ?? "refused") }
            + unavailable.sorted { $0.key.description < $1.key.description }.map { ($0.key, $0.value) }
    }
}
