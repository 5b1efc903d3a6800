/// SUBACK and UNSUBACK (MQTT 3.1.1 §3.9, §3.11; MQTT 5.0 §3.9, §3.11).
enum SubscribeAcknowledgement {
    /// The results in the order of the subscriptions that the packet answers ([MQTT-3.9.3-1]); `body` starts with the packet identifier.
    static func read(
        _ body: UnsafeRawBufferPointer, of subscriptions: [Subscription], version: ProtocolVersion
    ) throws(MQTTError) -> [SubscriptionResult] {
        let type = PacketType.subscribeAcknowledgement
        var statement = ServerStatement()
        let codes = try codes(body, of: type, version, &statement)
        guard codes.count == subscriptions.count else {
            throw .wrongReasonCodeCount(type, expected: subscriptions.count, received: codes.count)
        }
        var results: [SubscriptionResult] = []
        results.reserveCapacity(subscriptions.count)
        for (subscription, code) in zip(subscriptions, codes) {
            if let granted = QoS(rawValue: code) {
                results.append(SubscriptionResult(subscription: subscription, grantedQoS: granted))
                continue
            }
            let refusal = try refusal(code, version)
            results.append(
                SubscriptionResult(
                    subscription: subscription, grantedQoS: nil, refusal: ServerRefusal(code: refusal, reason: statement.reason)))
        }
        return results
    }

    private static func refusal(_ code: UInt8, _ version: ProtocolVersion) throws(MQTTError) -> ReasonCode {
        let type = PacketType.subscribeAcknowledgement
        guard version.hasProperties else {
            // 3.1 does not know it, but servers send it to clients of 3.1 all the same.
            guard code == 0x80 else { throw .reservedSubscribeReturnCode(code) }
            return .unspecifiedError
        }
        guard let reason = ReasonCode(rawValue: code) else { throw .unknownReasonCode(type, code) }
        guard reason.isAllowed(in: type) else { throw .misplacedReasonCode(type, reason) }
        return reason
    }

    /// What became of each filter of an UNSUBSCRIBE; all are well in versions before 5.0, which do not say.
    static func readUnsubscribed(
        _ body: UnsafeRawBufferPointer, of filters: [TopicFilter], version: ProtocolVersion
    ) throws(MQTTError) -> [UnsubscriptionResult] {
        guard version.hasProperties else { return filters.map { UnsubscriptionResult(filter: $0) } }
        let type = PacketType.unsubscribeAcknowledgement
        var statement = ServerStatement()
        let codes = try codes(body, of: type, version, &statement)
        guard codes.count == filters.count else { throw .wrongReasonCodeCount(type, expected: filters.count, received: codes.count) }
        var results: [UnsubscriptionResult] = []
        for (filter, code) in zip(filters, codes) {
            guard let reason = ReasonCode(rawValue: code) else { throw .unknownReasonCode(type, code) }
            guard reason.isAllowed(in: type) else { throw .misplacedReasonCode(type, reason) }
            let refusal = reason.isFailure ? ServerRefusal(code: reason, reason: statement.reason) : nil
            results.append(UnsubscriptionResult(filter: filter, refusal: refusal))
        }
        return results
    }

    private static func codes(
        _ body: UnsafeRawBufferPointer, of type: PacketType, _ version: ProtocolVersion, _ statement: inout ServerStatement
    ) throws(MQTTError) -> UnsafeRawBufferPointer {
        var offset = 2
        guard version.hasProperties else { return UnsafeRawBufferPointer(rebasing: body[offset...]) }
        do throws(PropertyFault) {
            let block = try PropertyReader.block(in: body, at: &offset)
            try PropertyReader.forEach(in: block, allowed: .acknowledgement) { (property) throws(PropertyFault) in statement.take(property)
            }
        } catch {
            throw .malformedProperties(type, error)
        }
        return UnsafeRawBufferPointer(rebasing: body[offset...])
    }
}
