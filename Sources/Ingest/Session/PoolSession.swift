import Logging
import MQTT
import NIOCore
import Store

/// One session of the pool, while this shard holds its lease: a client identifier that outlives its connections, connected again whenever one ends.
///
/// All of it runs on its shard's event loop. `ClientSession` sees to it that an acknowledgement goes out only on the connection on which its message
/// came, and that no message of a new connection is read before every delivery of the former one has settled, or a repeat could overtake its original.
///
/// What the database knows of the session (`SessionRecord`) must never be of another broker session than the one we are connected to, or a new message
/// would be taken for a repeat. A CONNECT may make a new session, and its answer may be lost. So, once QoS 2 is in use:
///
/// 1. before CONNECT goes out, "connecting" is durable;
/// 2. session present = 0: the stored identifiers are cleared, durably, before SUBSCRIBE, since a new session gets no message before;
/// 3. session present = 1, and an earlier CONNECT stayed without an answer: the broker is asked first which identifiers it still knows;
/// 4. a broker that says session present = 1 and gives a stored identifier to a new message has lost state all the same: what it has not named since is
///    freed, durably, before the new message is taken.
final class PoolSession {
    /// Its number in the pool.
    let number: Int
    let settings: SessionSettings
    private unowned let shard: Shard
    private let logger: Logger

    /// The MQTT session, through all its connections. Behind a pointer: the loop over packets pays for no exclusivity check and no copy.
    let mqtt: UnsafeMutablePointer<ClientSession>
    private var state = State.idle
    private var attempts = 0
    private var backoff = Backoff()
    private var counters = SessionCounters()
    /// Why the last connection ended or could not be had; nil while connected.
    private var problem: String?

    /// Messages at QoS 2 came, now or under an earlier lease.
    private var usesExactlyOnce: Bool
    /// A CONNECT went out, and CONNACK has not come.
    private var isConnectUnanswered: Bool
    /// An earlier CONNECT stayed without an answer.
    private var isInDoubt = false
    private var wishes = RecordWishes()
    private var hasSubscribed = false

    private enum State {
        case idle
        /// Something must be durable before CONNECT.
        case recording
        case connecting
        /// TCP is open.
        case open(SessionHandler)
        case waiting(Scheduled<Void>)
        /// The lease has run out, or the shard wants no connection now.
        case suspended
        case ended
    }

    private enum Ending {
        case none
        /// Said DISCONNECT; what is not settled stays with the broker.
        case stopping(EventLoopPromise<Void>)
        /// Given to another process once all is settled.
        case releasing
    }
    private var ending = Ending.none

    /// - Throws: `MQTTError.invalidConfiguration`.
    init(number: Int, settings: SessionSettings, record: SessionRecord, shard: Shard, logger: Logger) throws(MQTTError) {
        let session = try ClientSession(configuration: settings.mqtt)
        mqtt = .allocate(capacity: 1)
        mqtt.initialize(to: session)
        mqtt.pointee.loadStoredPacketIdentifiers(record.storedIdentifiers)
        usesExactlyOnce = !record.storedIdentifiers.isEmpty || record.isConnecting
        isConnectUnanswered = record.isConnecting
        wishes.isMarkDurable = record.isConnecting
        wishes.isConnecting = record.isConnecting
        self.number = number
        self.settings = settings
        self.shard = shard
        var logger = logger
        logger[metadataKey: "session"] = "\(settings.mqtt.clientIdentifier)"
        self.logger = logger
    }

    deinit {
        mqtt.deinitialize(count: 1)
        mqtt.deallocate()
    }

    var clientIdentifier: String { settings.mqtt.clientIdentifier }
    var isReleasing: Bool { if case .releasing = ending { true } else { false } }

    // MARK: Connecting

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
        if usesExactlyOnce, !wishes.isMarkDurable {
            state = .recording
            wish(connecting: true) { [self] in connect() }
            return
        }
        state = .connecting
        let attempt = attempts
        attempts += 1
        shard.connector.connect(self, attempt: attempt, handler: SessionHandler(pool: self, shard: shard, logger: logger))
    }

    /// The shard may connect again.
    func connectIfSuspended() {
        if case .suspended = state { connect() }
    }

    /// TCP is open, and CONNECT goes out.
    /// - Returns: false when the connection is not wanted any more.
    func connectionOpened(_ handler: SessionHandler) -> Bool {
        guard case .connecting = state, case .none = ending, shard.mayConnect else { return false }
        state = .open(handler)
        if isConnectUnanswered { isInDoubt = true }
        isConnectUnanswered = true
        return true
    }

    /// The broker has accepted the session.
    func sessionEstablished(_ presence: SessionPresence) {
        backoff.reset()
        isConnectUnanswered = false
        if presence == .absent && counters.establishments > 0 {
            counters.lost += 1
            logger.warning("the broker has forgotten the session; messages may be gone with it")
        }
        counters.establishments += 1
        problem = nil
        logger.info("session established", metadata: ["session_present": "\(presence == .present)"])
        if presence == .present, isInDoubt, !mqtt.pointee.holdsNoPacketIdentifier {
            logger.notice("asking the broker which packet identifiers it knows: an earlier CONNECT stayed without an answer")
            mqtt.pointee.confirmPacketIdentifiers()
            return
        }
        isInDoubt = false
        if presence == .absent, usesExactlyOnce {
            wish(connecting: false) { [self] in subscribe() }
        } else {
            if usesExactlyOnce { wish(connecting: false) }
            subscribe()
        }
    }

    /// The broker has named the identifiers that it knows.
    func identifiersConfirmed() {
        isInDoubt = false
        wish(connecting: false) { [self] in subscribe() }
    }

    /// The broker uses identifiers for new messages whose old ones it never released. Nothing of theirs may be left when the new ones are taken.
    func identifiersFreed() {
        counters.lost += 1
        logger.warning("the broker has lost the state of QoS 2 messages, in a crash or since another client used this client identifier")
        wish(connecting: wishes.isConnecting) { [self] in
            mqtt.pointee.freedIdentifiersAreDurable()
            resumeReading()
        }
    }

    private func subscribe() {
        guard case .open(let handler) = state, mqtt.pointee.isConnected else { return }
        hasSubscribed = true
        guard !settings.subscriptions.isEmpty else { return }
        mqtt.pointee.subscribe(settings.subscriptions, now: shard.eventLoop.now)
        handler.flush()
    }

    /// The connection is gone, or could not be had.
    func connectionEnded(because reason: String) {
        switch state {
        case .connecting, .open: break
        case .idle, .recording, .waiting, .suspended, .ended: return
        }
        mqtt.pointee.connectionClosed()
        wishes.forgetReactions()
        hasSubscribed = false
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
        state = .waiting(
            shard.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in
                if case .waiting = state { connect() }
            })
    }

    /// Says DISCONNECT and stays away until `connect`.
    func suspend(because reason: String) {
        switch state {
        case .open(let handler): handler.disconnect(because: reason)
        case .waiting(let timer):
            timer.cancel()
            state = .suspended
        case .idle, .recording, .connecting, .suspended, .ended: break
        }
    }

    // MARK: Records

    /// The next batch carries what the database is to know of this session.
    var isRecordDue: Bool { wishes.isDue }

    /// Packet identifiers at QoS 2 have changed.
    @inline(__always)
    func identifiersChanged() {
        usesExactlyOnce = true
        wishes.isDue = true
    }

    private func wish(connecting: Bool, then reaction: (() -> Void)? = nil) {
        wishes.set(connecting: connecting, reaction)
        shard.commitSoon()
    }

    /// What is to be stored with everything that was taken in so far.
    func makeEntry() -> SessionEntry {
        wishes.isDue = false
        return SessionEntry(
            session: number, revision: wishes.revision,
            record: SessionRecord(
                clientIdentifier: clientIdentifier, storedIdentifiers: mqtt.pointee.heldPacketIdentifiers,
                isConnecting: wishes.isConnecting,
                isReleased: wishes.isReleased))
    }

    /// The database knows what was to be known at this revision.
    func recorded(_ entry: SessionEntry) {
        let reaction = wishes.durable(entry)
        reaction?()
        if entry.record.isReleased { shard.released(self) }
    }

    /// What was to be stored was not.
    func recordLost() { wishes.isDue = true }

    // MARK: Deliveries

    /// The deliveries are durable: those of the present connection may be acknowledged; those of a former one no longer hold back its messages.
    func settled(_ deliveries: Range<UInt64>) {
        mqtt.pointee.settle(deliveries)
    }

    /// The deliveries will not become durable: the connection ends without acknowledging them, and the broker sends them again.
    func gaveUp(_ deliveries: Range<UInt64>) {
        if case .open(let handler) = state { handler.end(because: "deliveries could not be stored and have to come again") }
        mqtt.pointee.connectionClosed()
        mqtt.pointee.abandon(deliveries)
    }

    func flushAcknowledgements() {
        if case .open(let handler) = state { handler.flush() }
        releaseIfSettled()
    }

    func acknowledged(_ count: Int) { counters.acknowledged += UInt64(count) }

    /// The shard has room again.
    func resumeReading() {
        if case .open(let handler) = state { handler.resumeReading() }
    }

    // MARK: The end

    /// Takes nothing more in, and gives the lease back once everything is settled.
    func release() {
        guard case .none = ending else { return }
        ending = .releasing
        releaseIfSettled()
    }

    private func releaseIfSettled() {
        guard case .releasing = ending, mqtt.pointee.unacknowledgedCount == 0 else { return }
        switch state {
        case .open(let handler):
            handler.disconnect(because: "given to another process")
            return
        case .connecting: return
        case .waiting(let timer): timer.cancel()
        case .idle, .recording, .suspended: break
        case .ended: return
        }
        state = .ended
        logger.info("session given back")
        wishes.release(connecting: isConnectUnanswered || isInDoubt)
        shard.commitSoon()
    }

    /// Another process may hold the session: no connection any more, and no word to the broker.
    func revoke() {
        if case .waiting(let timer) = state { timer.cancel() }
        if case .open(let handler) = state { handler.end(because: "the session belongs to another process") }
        mqtt.pointee.connectionClosed()
        wishes.forgetReactions()
        state = .ended
        if case .stopping(let promise) = ending { promise.succeed() }
    }

    /// Says DISCONNECT (the broker keeps the session) and closes; what is unacknowledged stays with the broker.
    func stop() -> EventLoopFuture<Void> {
        let promise = shard.eventLoop.makePromise(of: Void.self)
        if case .stopping(let earlier) = ending {
            earlier.futureResult.cascade(to: promise)
            return promise.futureResult
        }
        ending = .stopping(promise)
        switch state {
        case .open(let handler): handler.disconnect(because: "disconnected by us")
        case .waiting(let timer):
            timer.cancel()
            fallthrough
        case .idle, .recording, .suspended, .ended:
            state = .ended
            promise.succeed()
        case .connecting: break
        }
        return promise.futureResult
    }

    func snapshot() -> SessionSnapshot {
        var isConnected = false
        if case .open(let handler) = state {
            isConnected = handler.isEstablished
        }
        return SessionSnapshot(
            clientIdentifier: clientIdentifier, isConnected: isConnected,
            isSubscribed: isConnected && hasSubscribed && !mqtt.pointee.hasPendingRequests, problem: problem,
            unacknowledged: mqtt.pointee.unacknowledgedCount, counters: counters)
    }
}

/// What a session is told of its identity.
struct SessionSettings: Sendable {
    /// Client identifier, credentials, bounds and time limits.
    var mqtt: SessionConfiguration
    /// Filters with their QoS, shared-subscription prefix included.
    var subscriptions: [Subscription]
}
