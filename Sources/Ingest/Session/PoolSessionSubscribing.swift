import Logging
import MQTT
import NIOCore

/// What the broker is asked to send (`SessionSubscriptions` decides, this asks, tells and asks again).
extension PoolSession {
    /// Asks the broker for what the session should have and has not, once that is recorded.
    func subscribe() {
        retry?.cancel()
        let plan = shard.subscriptions
        let wanted = plan.subscriptions(
            ofSession: number, sharedIsAvailable: mqtt.pointee.capabilities.areSharedSubscriptionsAvailable)
        if subscriptions.want(wanted, capabilities: mqtt.pointee.capabilities) {
            askOnceRecorded()
        } else {
            subscriptionsAnswered(wasAsked: false)
        }
    }

    private func askOnceRecorded() {
        wish(connecting: false) { [self] in ask() }
        askedRevision = wishes.revision
    }

    /// Asks for what is recorded as asked for, when nothing is unanswered; the last answer, or the record, calls it again.
    private func ask() {
        guard case .open(let handler) = state, mqtt.pointee.isConnected, !mqtt.pointee.hasPendingRequests else { return }
        guard wishes.durableRevision >= askedRevision else { return }
        if holdBackWhatOthersNeed() { shard.lookAtOtherSessions() }
        let requests = subscriptions.requests
        mqtt.pointee.subscribe(requests.subscribe, now: shard.eventLoop.now)
        mqtt.pointee.unsubscribe(requests.unsubscribe, now: shard.eventLoop.now)
        if requests.subscribe.isEmpty, requests.unsubscribe.isEmpty {
            subscriptionsAnswered(wasAsked: true)
        } else {
            handler.requestsSent()
        }
    }

    /// A filter that moves to other sessions stays until they have it. As long as both have it, messages come twice; with neither, they would be lost.
    /// - Returns: whether anything is held back.
    private func holdBackWhatOthersNeed() -> Bool {
        let heldBack = subscriptions.leaving.filter { filter in
            let successors = shard.subscriptions.successors(
                to: filter, leftBy: number, sharedIsAvailable: mqtt.pointee.capabilities.areSharedSubscriptionsAvailable)
            return !successors.allSatisfy { shard.hasGranted($0.filter, toSession: $0.session) }
        }
        subscriptions.holdBack(Set(heldBack))
        return !heldBack.isEmpty
    }

    /// News of what the pool's other sessions have, good for this moment only.
    func otherSessionsSeen() {
        guard isSubscribing, !subscriptions.leaving.isEmpty else { return }
        let isAnyHeldBack = holdBackWhatOthersNeed()
        if !subscriptions.requests.unsubscribe.isEmpty {
            ask()
        } else if isAnyHeldBack {
            shard.lookAtOtherSessions()
        }
    }

    func subscribed(_ results: [SubscriptionResult]) {
        subscriptions.subscribed(results)
        for result in results {
            if let granted = result.grantedQoS, granted < result.subscription.qos {
                logger.warning(
                    "the broker grants a lower QoS than asked for",
                    metadata: [
                        "filter": "\(result.subscription.filter)", "granted": "\(granted.rawValue)",
                        "asked": "\(result.subscription.qos.rawValue)",
                    ])
            }
        }
        ask()
    }

    func unsubscribed(_ results: [UnsubscriptionResult]) {
        subscriptions.unsubscribed(results)
        for result in results {
            if let refusal = result.refusal {
                logger.warning(
                    "the broker does not end a subscription",
                    metadata: ["filter": "\(result.filter)", "reason": "\(refusal.code)"])
            }
        }
        ask()
    }

    /// The broker has answered for every filter: that is recorded, and what it refused is asked for again after a while.
    /// - Parameter wasAsked: on this connection; otherwise it is what the broker answered some time ago.
    private func subscriptionsAnswered(wasAsked: Bool) {
        let refused = subscriptions.refused
        if wasAsked, subscriptions.isEachSharedAnswered { subscribedMicroseconds = wallClockMicroseconds() }
        if refused.isEmpty { retryBackoff.reset() }
        wish(connecting: false)
        let known = toldRefusals
        toldRefusals = Dictionary(uniqueKeysWithValues: refused.map { ($0.filter, $0.reason) })
        for filter in known.keys where toldRefusals[filter] == nil {
            logger.notice("the broker takes the subscription now, or it is not needed any more", metadata: ["filter": "\(filter)"])
        }
        guard !refused.isEmpty else { return }
        // What is asked again in vain is not told again.
        for (filter, reason) in refused where known[filter] != reason {
            let mappings = shard.mappingNames(needing: filter)
            logger.error(
                "the broker refuses a subscription; check its access rules",
                metadata: [
                    "filter": "\(filter)", "mappings": "\(mappings.joined(separator: ", "))", "reason": "\(reason)",
                ])
        }
        retry?.cancel()
        retry = shard.eventLoop.assumeIsolated().scheduleTask(in: retryBackoff.next(shard.jitter)) { [self] in
            guard isSubscribing, !mqtt.pointee.hasPendingRequests, subscriptions.retryRefused() else { return }
            askOnceRecorded()
        }
    }

    /// The mappings have changed.
    func subscriptionsChanged() {
        guard isSubscribing else { return }
        subscribe()
    }

    /// The broker was not running at this time: what it granted before may be gone with a restart (`sessionEstablished`).
    func brokerStarted(atMicroseconds started: Int64) {
        guard isSubscribing, !mqtt.pointee.hasPendingRequests, let subscribedMicroseconds, subscribedMicroseconds < started else { return }
        subscriptions.doubt(onlyShared: true)
        subscribe()
    }
}
