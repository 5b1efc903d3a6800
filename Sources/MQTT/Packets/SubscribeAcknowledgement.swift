/// SUBACK (MQTT 3.1.1 §3.9).
enum SubscribeAcknowledgement {
    /// The results in the order of the subscriptions that the packet answers ([MQTT-3.9.3-1]); `body` starts with the packet identifier.
    static func read(_ body: UnsafeRawBufferPointer, of subscriptions: [Subscription]) throws(MQTTError) -> [SubscriptionResult] {
        let codes = body.dropFirst(2)
        guard codes.count == subscriptions.count else {
            throw .wrongSubscribeReturnCodeCount(expected: subscriptions.count, received: codes.count)
        }
        var results: [SubscriptionResult] = []
        results.reserveCapacity(subscriptions.count)
        for (subscription, code) in zip(subscriptions, codes) {
            let granted = QoS(rawValue: code)
            guard granted != nil || code == 0x80 else { throw .reservedSubscribeReturnCode(code) }
            results.append(SubscriptionResult(subscription: subscription, grantedQoS: granted))
        }
        return results
    }
}
