/// What the bytes of the server mean, one at a time.
public enum SessionEvent {
    /// The rest of the bytes is no whole packet: come again with them and what follows.
    case needsMoreBytes
    /// A message waits at the offset, and deliveries of the former connection have not settled: a repeat must not overtake its original.
    /// Come again with the same bytes once `hasUnsettledDeliveriesOfFormerConnection` is false.
    case held
    /// The server accepted the connection.
    case connected(SessionPresence)
    /// A message. With a sequence it must be stored and settled, without one (QoS 0) nothing is owed.
    case publish(Publish, sequence: UInt64?)
    /// A message that the session has already: nothing to store. At QoS 2 it is answered in its turn.
    case repeated(packetIdentifier: UInt16, qos: QoS)
    /// The server released a QoS 2 message: "this identifier is free" must become durable, then its sequence is settled.
    case released(packetIdentifier: UInt16, sequence: UInt64)
    /// The answer to `confirmPacketIdentifiers`: the held packet identifiers are those that the server knows.
    case identifiersConfirmed
    /// A new message waits at the offset whose identifier is held from a former connection: the server has lost state. The held identifiers that it has
    /// not named since are freed; once that is durable, say `freedIdentifiersAreDurable` and come again with the same bytes. Until then `.held`.
    case identifiersFreed
    /// The server answered one SUBSCRIBE.
    case subscribed([SubscriptionResult])
    /// The server answered one UNSUBSCRIBE.
    case unsubscribed([UnsubscriptionResult])
    /// The server has taken over a message that we published at QoS 1 or 2.
    case acknowledged(packetIdentifier: UInt16)
    /// The server will not take a message that we published at QoS 1 or 2; it is not sent again ([MQTT-4.4.0-2]). From 5.0.
    case publishRefused(packetIdentifier: UInt16, ServerRefusal)
}

/// What became of a message to publish.
public enum PublishOutcome: Equatable, Sendable {
    /// Written, QoS 0: nothing follows.
    case written
    /// Written; `SessionEvent.acknowledged` follows with this identifier.
    case awaitingAcknowledgement(packetIdentifier: UInt16)
    /// Not written: as many are in flight as may be. Again after the next `acknowledged`.
    case windowFull
    /// Not written: there is no connection, or its CONNACK has not come.
    case notConnected
    /// Not written: the packet is larger than the server takes ([MQTT-3.2.2-15]).
    case tooLarge(maximumBytes: Int)
}
