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
/// would be taken for a repeat, or a subscription that is not there be taken for granted. A CONNECT may make a new session, and its answer may be lost. So:
///
/// 1. before CONNECT goes out, "connecting" is durable;
/// 2. session present = 0: stored identifiers and subscriptions are cleared, durably, before SUBSCRIBE, since a new session gets no message before;
/// 3. session present = 1, and an earlier CONNECT stayed without an answer: the broker is asked first which identifiers it still knows, and asked for
///    every subscription again;
/// 4. session present = 1 otherwise: the broker is asked for what differs from what is recorded (`SessionSubscriptions`), and for nothing if nothing does;
/// 5. a broker that says session present = 1 and gives a stored identifier to a new message has lost state all the same: what it has not named since is
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
    /// Why the last connection ended or could not be had; nil once one has lasted.
    private var problem: String?
    /// When CONNACK came; nil while there is no connection.
    private var establishedAt: NIODeadline?
    /// A connection that lasted as long was a success. One that a broker accepts only to close it is none: it would be asked without a pause.
    private static let successAfter = TimeAmount.seconds(10)

    /// A CONNECT went out, and CONNACK has not come.
    private var isConnectUnanswered: Bool
    /// An earlier CONNECT stayed without an answer.
    private var isInDoubt = false
    private var wishes = RecordWishes()
    private var subscriptions: SessionSubscriptions
    /// When the broker last answered for every subscription, in microseconds since 1970, UTC.
    private var subscribedMicroseconds: Int64?
    /// The address of the broker of which all this is known.
    private var broker: String?
    /// Of the connection that is being made.
    private var address: String?
    /// This connection has come as far as its subscriptions.
    private var isSubscribing = false
    private var retry: Scheduled<Void>?
    /// A mapping that was just allowed should not wait for long, nor a broker be asked for ever.
    private var retryBackoff = Backoff(base: .seconds(5), limit: .seconds(60))
    private var toldRefusals: [TopicFilter: String] = [:]
    private var hasToldOfRefusedPublish = false

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
        subscriptions = SessionSubscriptions(record.subscriptions)
        subscribedMicroseconds = record.subscribedMicroseconds
        broker = record.broker
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
            logger.warning("the broker has forgotten the session; messages may be gone with it")
        }
        counters.establishments += 1
        logger.info(
            "session established",
            metadata: ["session_present": "\(presence.inWords)", "mqtt": "\(mqtt.pointee.configuration.version)"])
        if let seconds = mqtt.pointee.capabilities.sessionExpirySeconds, seconds < mqtt.pointee.configuration.sessionExpirySeconds {
            logger.warning(
                "the broker keeps the session for a shorter time than asked for (broker.session_expiry)",
                metadata: ["seconds": "\(seconds)"])
        }
        publishStatus(isOnline: true)
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
        logger.warning("the broker has lost the state of QoS 2 messages, in a crash or since another client used this client identifier")
        wish(connecting: wishes.isConnecting) { [self] in
            mqtt.pointee.freedIdentifiersAreDurable()
            resumeReading()
        }
    }

    // MARK: Subscriptions

    /// Asks the broker for what the session should have and has not, once that is recorded.
    private func subscribe() {
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

    // MARK: Status

    /// Tells whoever listens that this session is there, or leaves (`broker.status_topic`). Its last will says the latter when it cannot.
    private func publishStatus(isOnline: Bool) {
        guard let topic = settings.mqtt.will?.topic, mqtt.pointee.configuration.will != nil else { return }
        let words = isOnline ? SessionSettings.online : SessionSettings.offline
        _ = mqtt.pointee.publish(topic: topic, payload: Array(words.utf8), qos: .atLeastOnce, isRetained: true)
    }

    /// Publishes a message of ours; false when it cannot go now.
    func publish(topic: TopicName, payload: [UInt8], properties: [UInt8]) -> Bool {
        guard case .open(let handler) = state, isSubscribing, case .none = ending else { return false }
        switch mqtt.pointee.publish(topic: topic, payload: payload, qos: .atLeastOnce, properties: properties) {
        case .written, .awaitingAcknowledgement:
            handler.flush()
            return true
        case .windowFull, .notConnected, .tooLarge: return false
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
        if let establishedAt, shard.eventLoop.now - establishedAt >= Self.successAfter {
            backoff.reset()
            problem = nil
        }
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
    func identifiersChanged() { wishes.isDue = true }

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
                isReleased: wishes.isReleased, subscriptions: subscriptions.record, subscribedMicroseconds: subscribedMicroseconds,
                broker: broker))
    }

    /// The database knows what was to be known at this revision.
    func recorded(_ entry: SessionEntry) {
        for reaction in wishes.durable(entry) { reaction() }
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

    /// The broker does not want what we publish.
    func publishRefused(_ refusal: ServerRefusal) {
        guard !hasToldOfRefusedPublish else { return }
        hasToldOfRefusedPublish = true
        logger.warning(
            "the broker refuses a message of ours; check what it allows this user to publish",
            metadata: ["reason": "\(refusal.code)\(refusal.reason.map { ": \($0)" } ?? "")"])
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
            publishStatus(isOnline: false)
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
        retry?.cancel()
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
        case .open(let handler):
            publishStatus(isOnline: false)
            handler.disconnect(because: "disconnected by us")
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
            isSubscribed: isConnected && isSubscribing && subscriptions.isComplete,
            refused: subscriptions.refused.map { RefusedFilter(filter: $0.filter.description, reason: $0.reason) },
            problem: isConnected ? nil : problem,
            unacknowledged: mqtt.pointee.unacknowledgedCount, counters: counters)
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

/// What a session is told of its identity.
struct SessionSettings: Sendable {
    /// Client identifier, last will, bounds and time limits.
    var mqtt: SessionConfiguration

    /// What is published on the status topic.
    static let online = "online"
    static let offline = "offline"
}
