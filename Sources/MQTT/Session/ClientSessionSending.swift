import NIOCore

/// What we ask of the server, and what we answer.
extension ClientSession {
    // MARK: Deliveries

    /// The rows of these deliveries, or the releases they stand for, are durable. In any order; also after their connection is gone.
    ///
    /// A range starts and ends with sequences that events have named; those between that no event named need nothing and are passed over.
    ///
    /// - Precondition: each sequence was named by an event and is settled for the first time.
    public mutating func settle(_ deliveries: Range<UInt64>) { self.deliveries.settle(deliveries) }

    /// These deliveries will not become durable; the server sends them again on the next connection.
    ///
    /// - Precondition: their connection is gone (`connectionClosed`), and none of them was settled.
    public mutating func abandon(_ deliveries: Range<UInt64>) { self.deliveries.abandon(deliveries) }

    /// Writes PUBACK and PUBREC for the longest settled prefix of the messages that came on this connection, in the order in which they came
    /// ([MQTT-4.6.0-2], [MQTT-4.6.0-3]), and PUBCOMP likewise for the releases.
    public mutating func flushAcknowledgements() {
        guard phase == .connected else { return }
        deliveries.writeAnswers(to: &output)
    }

    /// Packets at QoS 1 and 2, and releases, that are not answered yet.
    public var unacknowledgedCount: Int { deliveries.unacknowledgedCount }

    /// Deliveries of a former connection are neither settled nor abandoned; until they are, no message of this one is read.
    public var hasUnsettledDeliveriesOfFormerConnection: Bool { deliveries.hasUnsettledOfFormerConnection }

    /// Packet identifiers at QoS 2 whose PUBLISH would be a repeat, once everything that was handed out so far is durable: what has to be stored with it.
    /// Ranges in rising order.
    public var heldPacketIdentifiers: [ClosedRange<UInt16>] { deliveries.heldIdentifiers }

    /// No packet identifier is held.
    public var holdsNoPacketIdentifier: Bool { deliveries.holdsNoIdentifier }

    /// Replaces the held packet identifiers by those that are durable, before the first message is read.
    ///
    /// The session itself keeps them from connection to connection, and clears them when the server has no session.
    ///
    /// - Precondition: nothing is unacknowledged, no former delivery is unsettled, and 0 is not among them.
    public mutating func loadStoredPacketIdentifiers(_ identifiers: [ClosedRange<UInt16>]) { deliveries.loadStored(identifiers) }

    /// Finds out which held packet identifiers the server still knows, right after `.connected(.present)`: where an earlier CONNECT stayed without
    /// an answer, the server may have forgotten the session and made a new one.
    ///
    /// A server sends again what it has not seen through before anything else ([MQTT-4.4.0-1]); what it has not named when it answers PINGREQ is
    /// freed, and the event `.identifiersConfirmed` follows. To be called before SUBSCRIBE, since a new session has no messages until then.
    public mutating func confirmPacketIdentifiers() {
        guard isConnected else { return }
        isConfirmingIdentifiers = true
        output.writeEmptyPacket(.pingRequest)
    }

    /// What `.identifiersFreed` told of is durable: the message that waits may be read.
    public mutating func freedIdentifiersAreDurable() { isWaitingForFreedIdentifiers = false }

    // MARK: Subscriptions

    /// Writes SUBSCRIBE packets of at most `filtersPerPacket` filters, and no larger than the server takes; each is answered by an event `.subscribed`.
    /// A filter too long for that is answered as refused, with the server's next packet. A filter with an identifier goes alone: a packet carries one for all its filters.
    ///
    /// Without a connection nothing happens: what was asked on one is void with it, and each begins with its own subscriptions.
    ///
    /// - Precondition: at most 32,767 packets are unanswered.
    public mutating func subscribe(_ subscriptions: [Subscription], now: NIODeadline) {
        guard isConnected else { return }
        let tooLong = subscriptions.filter { Subscribe.headerBytesMaximum + Subscribe.bytes(of: $0) > capabilities.maximumPacketBytes }
        if !tooLong.isEmpty {
            ownEvents.append(
                .subscribed(
                    tooLong.map { SubscriptionResult(subscription: $0, grantedQoS: nil, refusal: ServerRefusal(code: .packetTooLarge)) }))
        }
        var rest = subscriptions.filter { !tooLong.contains($0) }[...]
        while let first = rest.first {
            let carriesIdentifier = first.identifier != nil && version.hasProperties
            var bytes = Subscribe.headerBytesMaximum + Subscribe.bytes(of: first)
            let others = rest.dropFirst().prefix(carriesIdentifier ? 0 : configuration.filtersPerPacket - 1).prefix {
                bytes += Subscribe.bytes(of: $0)
                return bytes <= capabilities.maximumPacketBytes && ($0.identifier == nil || !version.hasProperties)
            }
            let some = rest.prefix(1 + others.count)
            rest = rest.dropFirst(some.count)
            let packetIdentifier = unusedPacketIdentifier()
            Subscribe(packetIdentifier: packetIdentifier, subscriptions: some, version: version).write(to: &output)
            requests.subscribeSent(Array(some), packetIdentifier: packetIdentifier, deadline: now + configuration.subscribeTimeout)
        }
    }

    /// Writes UNSUBSCRIBE packets of at most `filtersPerPacket` filters; each is answered by an event `.unsubscribed`.
    ///
    /// Without a connection nothing happens: what was asked on one is void with it, and each begins with its own subscriptions.
    ///
    /// - Precondition: at most 32,767 packets are unanswered.
    public mutating func unsubscribe(_ filters: [TopicFilter], now: NIODeadline) {
        guard isConnected else { return }
        let tooLong = filters.filter { Subscribe.headerBytesMaximum + Unsubscribe.bytes(of: $0) > capabilities.maximumPacketBytes }
        if !tooLong.isEmpty {
            ownEvents.append(
                .unsubscribed(tooLong.map { UnsubscriptionResult(filter: $0, refusal: ServerRefusal(code: .packetTooLarge)) }))
        }
        var rest = filters.filter { !tooLong.contains($0) }[...]
        while let first = rest.first {
            var bytes = Subscribe.headerBytesMaximum + Unsubscribe.bytes(of: first)
            let others = rest.dropFirst().prefix(configuration.filtersPerPacket - 1).prefix {
                bytes += Unsubscribe.bytes(of: $0)
                return bytes <= capabilities.maximumPacketBytes
            }
            let some = rest.prefix(1 + others.count)
            rest = rest.dropFirst(some.count)
            let packetIdentifier = unusedPacketIdentifier()
            Unsubscribe(packetIdentifier: packetIdentifier, filters: some, version: version).write(to: &output)
            requests.unsubscribeSent(Array(some), packetIdentifier: packetIdentifier, deadline: now + configuration.subscribeTimeout)
        }
    }

    /// The answer to a SUBSCRIBE or UNSUBSCRIBE of this connection is still to come.
    public var hasPendingRequests: Bool {
        !requests.isEmpty
            || ownEvents.contains { event in
                switch event {
                case .subscribed, .unsubscribed: true
                case .acknowledged, .publishRefused: false
                }
            }
    }

    // MARK: Messages of ours

    /// Messages of ours at QoS 1 and 2 that the server has not taken over.
    public var unacknowledgedPublicationCount: Int { publications.count }

    /// Gives up what the server has not taken over: it is not sent again.
    ///
    /// - Precondition: there is no connection, or it is being closed.
    public mutating func abandonPublications() { publications = OutgoingPublications() }

    /// Writes PUBLISH, unless there is no connection or the window is full. At a higher QoS than the server has, it goes at the server's ([MQTT-3.2.2-11]),
    /// and to a server that retains nothing without RETAIN ([MQTT-3.2.2-14]).
    ///
    /// With a session that outlives the connection, a message at QoS 1 or 2 is kept and sent again until the server has taken it over
    /// ([MQTT-4.4.0-1]); with a clean session it is forgotten with the connection.
    ///
    /// - Parameter properties: as `PublishPropertiesWriter` makes them; left out before 5.0.
    /// - Precondition: topic, properties and payload together fit a packet (268,435,455 bytes).
    public mutating func publish(
        topic: TopicName, payload: UnsafeRawBufferPointer, qos: QoS, isRetained: Bool = false, properties: [UInt8] = []
    ) -> PublishOutcome {
        guard isConnected else { return .notConnected }
        let qos = min(qos, capabilities.maximumQoS)
        var message = OutgoingPublish(
            topic: topic, payload: payload, qos: qos, isRetained: isRetained && capabilities.isRetainAvailable, packetIdentifier: 0,
            properties: properties, version: version)
        guard message.packetBytes <= capabilities.maximumPacketBytes else {
            return .tooLarge(maximumBytes: capabilities.maximumPacketBytes)
        }
        guard qos != .atMostOnce else {
            message.write(to: &output)
            return .written
        }
        guard publications.count < publishesInFlightMaximum else { return .windowFull }
        message.packetIdentifier = unusedPacketIdentifier()
        if configuration.cleanSession {
            message.write(to: &output)
            publications.sent(message.packetIdentifier, qos: qos, packet: nil)
        } else {
            var packet = ByteBuffer()
            message.write(to: &packet)
            output.writeImmutableBuffer(packet)
            publications.sent(message.packetIdentifier, qos: qos, packet: packet)
        }
        return .awaitingAcknowledgement(packetIdentifier: message.packetIdentifier)
    }

    /// Writes PUBLISH, unless there is no connection or the window is full.
    public mutating func publish(
        topic: TopicName, payload: [UInt8], qos: QoS, isRetained: Bool = false, properties: [UInt8] = []
    ) -> PublishOutcome {
        payload.withUnsafeBytes { publish(topic: topic, payload: $0, qos: qos, isRetained: isRetained, properties: properties) }
    }

    /// Our window, or the server's receive maximum where that is smaller ([MQTT-3.3.4-7]).
    var publishesInFlightMaximum: Int { min(configuration.maximumPublishesInFlight, Int(capabilities.receiveMaximum)) }

    /// Messages of ours at QoS 1 and 2 that the server has not taken over.
    public var publishesInFlight: Int { publications.count }

    /// The next packet identifier that nothing of ours uses ([MQTT-2.3.1-2]), from 1 to 65,535 and round.
    private mutating func unusedPacketIdentifier() -> UInt16 {
        for _ in 0..<Int(UInt16.max) {
            lastPacketIdentifier = lastPacketIdentifier == .max ? 1 : lastPacketIdentifier + 1
            if !publications.contains(lastPacketIdentifier), !requests.contains(lastPacketIdentifier) { return lastPacketIdentifier }
        }
        preconditionFailure("every packet identifier is in use")
    }
}
