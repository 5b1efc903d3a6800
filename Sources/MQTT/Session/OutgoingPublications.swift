import NIOCore

/// The sender's side of QoS 1 and 2 (MQTT 3.1.1 §4.3.2, §4.3.3): what we published and the server has not taken over.
///
/// A session that outlives its connection keeps each packet, to send it again ([MQTT-4.4.0-1]); a clean one keeps the identifiers only.
struct OutgoingPublications {
    private enum Stage {
        case publishSent
        /// QoS 2: PUBREC came, PUBREL went out.
        case releaseSent
    }

    private struct InFlight {
        /// Counts up, for the order of sending again ([MQTT-4.6.0-1]).
        var order: UInt64
        var qos: QoS
        var stage: Stage
        /// The packet as it went out, while it may have to go again.
        var packet: ByteBuffer?
        /// PUBLISH went out on this connection: it takes a place in the server's window until it ends.
        var isCounted = false
    }

    private var inFlight: [UInt16: InFlight] = [:]
    private var nextOrder: UInt64 = 0
    /// Packets of former connections for which the server's window has no room yet, the next one last.
    private var waiting: [(packetIdentifier: UInt16, packet: ByteBuffer)] = []
    /// The server's window, while something waits for it, and how much of it is taken.
    private var windowMaximum = Int.max
    private var countedCount = 0

    var count: Int { inFlight.count }

    func contains(_ packetIdentifier: UInt16) -> Bool { inFlight[packetIdentifier] != nil }

    /// A PUBLISH at QoS 1 or 2 was written.
    mutating func sent(_ packetIdentifier: UInt16, qos: QoS, packet: ByteBuffer?) {
        inFlight[packetIdentifier] = InFlight(order: nextOrder, qos: qos, stage: .publishSent, packet: packet, isCounted: true)
        nextOrder += 1
        countedCount += 1
    }

    /// PUBACK, whatever its reason code: the message is not sent again ([MQTT-4.4.0-2]).
    mutating func acknowledged(_ packetIdentifier: UInt16, output: inout ByteBuffer) throws(MQTTError) {
        guard inFlight[packetIdentifier]?.qos == .atLeastOnce, !isWaiting(packetIdentifier) else {
            throw .unexpectedAcknowledgement(.publishAcknowledgement, packetIdentifier: packetIdentifier)
        }
        end(packetIdentifier, output: &output)
    }

    /// PUBREC: it is answered with PUBREL ([MQTT-4.3.3-1]), also for a message of a former process of this session; unless the server refuses the
    /// message ([MQTT-4.3.3-4]), which ends it.
    ///
    /// - Returns: whether it ends a message of ours.
    mutating func received(_ packetIdentifier: UInt16, isRefused: Bool, output: inout ByteBuffer) throws(MQTTError) -> Bool {
        let publication = inFlight[packetIdentifier]
        if let publication {
            guard publication.qos == .exactlyOnce, !isWaiting(packetIdentifier) else {
                throw .unexpectedAcknowledgement(.publishReceived, packetIdentifier: packetIdentifier)
            }
        }
        guard !isRefused else {
            if publication != nil { end(packetIdentifier, output: &output) }
            return publication != nil
        }
        inFlight[packetIdentifier]?.stage = .releaseSent
        inFlight[packetIdentifier]?.packet = nil
        output.writeAcknowledgement(.publishRelease, packetIdentifier: packetIdentifier)
        return false
    }

    /// PUBCOMP: whether it ends a message of ours. One that we do not know ends a message of a former process.
    mutating func completed(_ packetIdentifier: UInt16, output: inout ByteBuffer) throws(MQTTError) -> Bool {
        guard let publication = inFlight[packetIdentifier] else { return false }
        guard publication.stage == .releaseSent else {
            throw .unexpectedAcknowledgement(.publishComplete, packetIdentifier: packetIdentifier)
        }
        end(packetIdentifier, output: &output)
        return true
    }

    private func isWaiting(_ packetIdentifier: UInt16) -> Bool { waiting.contains { $0.packetIdentifier == packetIdentifier } }

    /// A message has ended, and what waits may go, as far as the server's window has room ([MQTT-3.3.4-9]): the end of a message that went out on a
    /// former connection makes none.
    private mutating func end(_ packetIdentifier: UInt16, output: inout ByteBuffer) {
        if inFlight.removeValue(forKey: packetIdentifier)?.isCounted == true { countedCount -= 1 }
        while countedCount < windowMaximum, var next = waiting.popLast() {
            output.writeBuffer(&next.packet)
            count(next.packetIdentifier)
        }
    }

    private mutating func count(_ packetIdentifier: UInt16) {
        inFlight[packetIdentifier]?.isCounted = true
        countedCount += 1
    }

    /// Sends again what the server has not taken over, in the order of old, with DUP where it may have the first copy ([MQTT-3.3.1-1]).
    ///
    /// A server without a session gets the messages as new ones; what it had received by PUBREC it had taken over.
    /// What the server allows now may be less than what the former one did: a message then goes as it may, or is given up.
    /// - Parameter maximum: what the server takes at once; more goes as it acknowledges.
    /// - Returns: what has ended by that.
    mutating func resend(
        to output: inout ByteBuffer, presence: SessionPresence, _ capabilities: ServerCapabilities, maximum: Int
    ) -> [ClientSession.OwnEvent] {
        var ended: [ClientSession.OwnEvent] = []
        windowMaximum = maximum
        var later: [(packetIdentifier: UInt16, packet: ByteBuffer)] = []
        for (packetIdentifier, publication) in inFlight.sorted(by: { $0.value.order < $1.value.order }) {
            switch (publication.stage, presence) {
            case (.releaseSent, .absent):
                inFlight[packetIdentifier] = nil
                ended.append(.acknowledged(packetIdentifier: packetIdentifier))
            case (.releaseSent, _):
                output.writeAcknowledgement(.publishRelease, packetIdentifier: packetIdentifier)
            case (.publishSent, _):
                guard var packet = publication.packet else { continue }
                if let code = fit(&packet, packetIdentifier, capabilities) {
                    inFlight[packetIdentifier] = nil
                    ended.append(.publishRefused(packetIdentifier: packetIdentifier, ServerRefusal(code: code)))
                    continue
                }
                if presence != .absent, let first = packet.getInteger(at: packet.readerIndex, as: UInt8.self) {
                    packet.setInteger(first | OutgoingPublish.duplicateFlag, at: packet.readerIndex)
                }
                if countedCount < maximum {
                    output.writeBuffer(&packet)
                    count(packetIdentifier)
                } else {
                    later.append((packetIdentifier, packet))
                }
            }
        }
        waiting = later.reversed()
        return ended
    }

    /// Makes a packet one that the server allows ([MQTT-3.2.2-11], [MQTT-3.2.2-14], [MQTT-3.2.2-15]); why it cannot be.
    private mutating func fit(_ packet: inout ByteBuffer, _ packetIdentifier: UInt16, _ capabilities: ServerCapabilities) -> ReasonCode? {
        guard let first = packet.getInteger(at: packet.readerIndex, as: UInt8.self), let publication = inFlight[packetIdentifier] else {
            return nil
        }
        guard packet.readableBytes <= capabilities.maximumPacketBytes else { return .packetTooLarge }
        let qos = min(publication.qos, capabilities.maximumQoS)
        // At QoS 0 it would be another packet, without an identifier.
        guard qos != .atMostOnce else { return .qosNotSupported }
        let fitting = first & ~0b0111 | qos.rawValue << 1 | (capabilities.isRetainAvailable ? first & 1 : 0)
        guard fitting != first else { return nil }
        packet.setInteger(fitting, at: packet.readerIndex)
        inFlight[packetIdentifier]?.qos = qos
        inFlight[packetIdentifier]?.packet = packet
        return nil
    }

    /// The connection is gone.
    /// - Parameter isSessionOver: the session ended with it.
    mutating func connectionClosed(isSessionOver: Bool) {
        waiting = []
        countedCount = 0
        for packetIdentifier in inFlight.keys { inFlight[packetIdentifier]?.isCounted = false }
        if isSessionOver { inFlight.removeAll(keepingCapacity: true) }
    }
}
