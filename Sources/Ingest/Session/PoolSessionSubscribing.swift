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
            wish(connecting: false) { [self] in ask() }
        } else {
            subscriptionsAnswered(wasAsked: false)
        }
    }

    private func ask() {
        guard case .open(let handler) = state, mqtt.pointee.isConnected else { return }
        let requests = subscriptions.requests
        mqtt.pointee.subscribe(requests.subscribe, now: shard.eventLoop.now)
        mqtt.pointee.unsubscribe(requests.unsubscribe, now: shard.eventLoop.now)
        handler.flush()
        if requests.subscribe.isEmpty, requests.unsubscribe.isEmpty { subscriptionsAnswered(wasAsked: false) }
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
        goOnSubscribing()
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
        goOnSubscribing()
    }

    private func goOnSubscribing() {
        guard !mqtt.pointee.hasPendingRequests else { return }
        let requests = subscriptions.requests
        if requests.subscribe.isEmpty, requests.unsubscribe.isEmpty { subscriptionsAnswered(wasAsked: true) } else { ask() }
    }

    /// The broker has answered for every filter: that is recorded, and what it refused is asked for again after a while.
    /// - Parameter wasAsked: on this connection; otherwise it is what the broker answered some time ago.
    private func subscriptionsAnswered(wasAsked: Bool) {
        let refused = subscriptions.refused
        if wasAsked { subscribedMicroseconds = wallClockMicroseconds() }
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
        retry = shard.eventLoop.assumeIsolated().scheduleTask(in: retryBackoff.next(shard.jitter)) { [self] in
            guard isSubscribing, !mqtt.pointee.hasPendingRequests, subscriptions.retryRefused() else { return }
            wish(connecting: false) { [self] in ask() }
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
