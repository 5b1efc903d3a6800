import Logging
import MQTT
import NIOCore

/// From one connection to the next.
extension PoolSession {
    /// Connects, when it is not connected and the shard allows it.
    func connect() {
        shard.eventLoop.preconditionInEventLoop()
        switch state {
        case .idle, .suspended, .recording: break
        case .waiting(let timer): timer.cancel()
        case .connecting, .open, .ended: return
        }
        guard case .none = ending else { return }
        guard shard.mayConnect else {
            state = .suspended
            return
        }
        if !wishes.isMarkDurable {
            state = .recording
            wish(connecting: true) { [self] in connect() }
            return
        }
        state = .connecting
        let attempt = attempts
        attempts += 1
        shard.connector.connect(self, attempt: attempt, handler: SessionHandler(pool: self, shard: shard, logger: logger))
    }

    /// The next connection goes to this address.
    func willConnect(to address: String) { self.address = address }

    /// The shard may connect again.
    func connectIfSuspended() {
        if case .suspended = state { connect() }
    }

    /// TCP is open, and CONNECT goes out.
    /// - Returns: false when the connection is not wanted any more.
    func connectionOpened(_ handler: SessionHandler) -> Bool {
        guard case .connecting = state, case .none = ending, shard.mayConnect else { return false }
        state = .open(handler)
        // Another address may be another broker, with a session of its own under the same name.
        if isConnectUnanswered || (broker != nil && broker != address) { isInDoubt = true }
        broker = address
        isConnectUnanswered = true
        return true
    }

    /// Whether the connection that the broker has just accepted is to stay.
    func isConnectionWanted() -> Bool { shard.connector.isWanted(self) }

    /// The broker has accepted the session.
    func sessionEstablished(_ presence: SessionPresence) {
        establishedAt = shard.eventLoop.now
        isConnectUnanswered = false
        if presence == .absent && counters.establishments > 0 {
            counters.lost += 1
            shard.metrics.sessionLost.increment()
            logger.warning("the broker has forgotten the session; messages may be gone with it")
        }
        counters.establishments += 1
        logger.info(
            "session established",
            metadata: ["session_present": "\(presence.inWords)", "mqtt": "\(mqtt.pointee.configuration.version)"])
        if let seconds = mqtt.pointee.capabilities.sessionExpirySeconds, seconds < mqtt.pointee.configuration.sessionExpirySeconds {
            if seconds == 0 {
                logger.error("the broker keeps no session: with each connection that ends, what waits in it or is unacknowledged is lost")
            } else {
                logger.warning(
                    "the broker keeps the session for a shorter time than asked for (broker.session_expiry)",
                    metadata: ["seconds": "\(seconds)"])
            }
        }
        publishStatus(isOnline: true)
        subscriptions.connectionBegan()
        switch presence {
        case .absent: subscriptions.sessionForgotten()
        // MQTT 3.1 does not say whether there was a session.
        case .unknown: subscriptions.doubt()
        case .present:
            if isInDoubt { subscriptions.doubt() }
            // Some brokers lose shared subscriptions when they restart, and say that the session is there (mosquitto up to 2.0). Asking for them again costs
            // no retained messages. The first connection after a start is asked only where `brokerStarted` shows a restart.
            if counters.establishments > 1 { subscriptions.doubt(onlyShared: true) }
        }
        if presence != .absent, isInDoubt || presence == .unknown, !mqtt.pointee.holdsNoPacketIdentifier {
            logger.notice(
                "asking the broker which packet identifiers it knows: an earlier CONNECT stayed without an answer, or went to another address"
            )
            mqtt.pointee.confirmPacketIdentifiers()
            return
        }
        identifiersConfirmed()
    }

    /// It is known which packet identifiers the broker knows.
    func identifiersConfirmed() {
        isInDoubt = false
        isSubscribing = true
        subscribe()
    }

    /// The broker uses identifiers for new messages whose old ones it never released. Nothing of theirs may be left when the new ones are taken.
    func identifiersFreed() {
        counters.lost += 1
        shard.metrics.sessionLost.increment()
        logger.warning("the broker has lost the state of QoS 2 messages, in a crash or since another client used this client identifier")
        wish(connecting: wishes.isConnecting) { [self] in
            mqtt.pointee.freedIdentifiersAreDurable()
            resumeReading()
        }
    }

    /// The connection is gone, or could not be had.
    /// - Parameters:
    ///   - wasAnswered: CONNACK had come, or the network was not reached at all.
    ///   - error: why, where MQTT knows.
    func connectionEnded(because reason: String, wasAnswered: Bool = true, error: MQTTError? = nil) {
        switch state {
        case .connecting, .open: break
        case .idle, .recording, .waiting, .suspended, .ended: return
        }
        shard.connector.ended(self, wasAnswered: wasAnswered, because: error)
        if establishedAt != nil, case .none = ending,
            publishing.connectionEnded(unacknowledged: mqtt.pointee.unacknowledgedPublicationCount)
        {
            mqtt.pointee.abandonPublications()
            logger.warning(
                "the broker ends the connection whenever we publish: nothing is published any more; allow this user to publish on broker.status_topic, or set that to null"
            )
        }
        if let establishedAt, shard.eventLoop.now - establishedAt >= Self.successAfter {
            backoff.reset()
            problem = nil
        }
        if establishedAt != nil { shard.births.connectionLost() }
        establishedAt = nil
        mqtt.pointee.connectionClosed()
        wishes.forgetReactions()
        retry?.cancel()
        isSubscribing = false
        state = .idle
        switch ending {
        case .stopping(let promise):
            state = .ended
            promise.succeed()
            return
        case .releasing:
            releaseIfSettled()
            return
        case .none: break
        }
        guard shard.mayConnect else {
            state = .suspended
            problem = reason
            return
        }
        let delay = backoff.next(shard.jitter)
        if problem != reason {
            logger.warning(
                "no connection to the broker", metadata: ["reason": "\(reason)", "next_try_ms": "\(delay.nanoseconds / 1_000_000)"])
        }
        problem = reason
        counters.reconnects += 1
        shard.metrics.brokerReconnects.increment()
        state = .waiting(
            shard.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in
                if case .waiting = state { connect() }
            })
    }

    /// Says DISCONNECT and stays away until `connect`.
    func suspend(because reason: String) {
        switch state {
        case .open(let handler):
            publishStatus(isOnline: false)
            handler.disconnect(because: reason)
        case .waiting(let timer):
            timer.cancel()
            state = .suspended
        case .idle, .recording, .connecting, .suspended, .ended: break
        }
    }
}

extension SessionPresence {
    /// As the log says it.
    fileprivate var inWords: String {
        switch self {
        case .present: "true"
        case .absent: "false"
        case .unknown: "unknown"
        }
    }
}
