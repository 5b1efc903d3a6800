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
    unowned let shard: Shard
    let logger: Logger

    /// The MQTT session, through all its connections. Behind a pointer: the loop over packets pays for no exclusivity check and no copy.
    let mqtt: UnsafeMutablePointer<ClientSession>
    var state = State.idle
    var attempts = 0
    var backoff = Backoff()
    var counters = SessionCounters()
    /// Why the last connection ended or could not be had; nil once one has lasted.
    var problem: String? {
        didSet {
            guard problem != oldValue else { return }
            problemSinceMicroseconds = problem == nil ? nil : problemSinceMicroseconds ?? wallClockMicroseconds()
        }
    }
    /// Since when there is one.
    private var problemSinceMicroseconds: Int64?
    /// When CONNACK came; nil while there is no connection.
    var establishedAt: NIODeadline?
    /// A connection that lasted as long was a success. One that a broker accepts only to close it is none: it would be asked without a pause.
    static let successAfter = TimeAmount.seconds(10)

    /// A CONNECT went out, and CONNACK has not come.
    var isConnectUnanswered: Bool
    /// An earlier CONNECT stayed without an answer.
    var isInDoubt = false
    var wishes = RecordWishes()
    var subscriptions: SessionSubscriptions
    /// What is asked of the broker has to be durable first: the wish that says it.
    var askedRevision: UInt64 = 0
    /// Of `subscriptions`, the revision that the database knows.
    private var durableSubscriptions: Int?
    /// Before this time a restart of the broker may have taken shared subscriptions unnoticed; in microseconds since 1970, UTC.
    var subscribedMicroseconds: Int64?
    /// The address of the broker of which all this is known.
    var broker: String? { didSet { nameBroker() } }
    /// The same as UTF-8, for the messages that come from there.
    private(set) var brokerName = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Of the connection that is being made.
    var address: String?
    /// This connection has come as far as its subscriptions.
    var isSubscribing = false
    var retry: Scheduled<Void>?
    /// A mapping that was just allowed should not wait for long, nor a broker be asked for ever.
    var retryBackoff = Backoff(base: .seconds(5), limit: .seconds(60))
    var toldRefusals: [TopicFilter: String] = [:]
    private var hasToldOfRefusedPublish = false
    var publishing = PublishingTrust()

    enum State {
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

    enum Ending {
        case none
        /// Said DISCONNECT; what is not settled stays with the broker.
        case stopping(EventLoopPromise<Void>)
        /// Given to another process once all is settled.
        case releasing
    }
    var ending = Ending.none

    /// - Throws: `MQTTError.invalidConfiguration`.
    init(number: Int, settings: SessionSettings, record: SessionRecord, shard: Shard, logger: Logger) throws(MQTTError) {
        let session = try ClientSession(configuration: settings.mqtt)
        mqtt = .allocate(capacity: 1)
        mqtt.initialize(to: session)
        mqtt.pointee.loadStoredPacketIdentifiers(record.storedIdentifiers)
        subscriptions = SessionSubscriptions(record.subscriptions ?? [])
        durableSubscriptions = subscriptions.revision
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
        brokerName.deallocate()
    }

    private func nameBroker() {
        brokerName.deallocate()
        let utf8 = Array((broker ?? "").utf8)
        let name = UnsafeMutableRawBufferPointer.allocate(byteCount: utf8.count, alignment: 1)
        name.copyBytes(from: utf8)
        brokerName = UnsafeRawBufferPointer(name)
    }

    var clientIdentifier: String { settings.mqtt.clientIdentifier }
    var isReleasing: Bool { if case .releasing = ending { true } else { false } }

    // MARK: Records

    /// The next batch carries what the database is to know of this session.
    var isRecordDue: Bool { wishes.isDue }

    /// Packet identifiers at QoS 2 have changed.
    @inline(__always)
    func identifiersChanged() { wishes.isDue = true }

    func wish(connecting: Bool, then reaction: (() -> Void)? = nil) {
        wishes.set(connecting: connecting, reaction)
        shard.commitSoon()
    }

    /// What is to be stored with everything that was taken in so far.
    func makeEntry() -> SessionEntry {
        wishes.isDue = false
        return SessionEntry(
            session: number, revision: wishes.revision, subscriptionsRevision: subscriptions.revision,
            record: SessionRecord(
                clientIdentifier: clientIdentifier, storedIdentifiers: mqtt.pointee.heldPacketIdentifiers,
                isConnecting: wishes.isConnecting,
                isReleased: wishes.isReleased,
                subscriptions: subscriptions.revision == durableSubscriptions ? nil : subscriptions.record,
                subscribedMicroseconds: subscribedMicroseconds,
                broker: broker))
    }

    /// The database knows what was to be known at this revision.
    func recorded(_ entry: SessionEntry) {
        durableSubscriptions = entry.subscriptionsRevision
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

    /// The broker has taken over a message of ours.
    func publishAcknowledged() { publishing.acknowledged() }

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

    // MARK: Messages of ours

    /// Tells whoever listens that this session is there, or leaves (`broker.status_topic`). Its last will says the latter when it cannot.
    func publishStatus(isOnline: Bool) {
        guard publishing.isAllowed, let topic = settings.mqtt.will?.topic, mqtt.pointee.configuration.will != nil else { return }
        let words = isOnline ? SessionSettings.online : SessionSettings.offline
        _ = mqtt.pointee.publish(topic: topic, payload: Array(words.utf8), qos: .atLeastOnce, isRetained: true)
    }

    /// Publishes a message of ours; false when it cannot go now.
    func publish(topic: TopicName, payload: [UInt8], qos: QoS = .atLeastOnce, properties: [UInt8] = []) -> Bool {
        guard publishing.isAllowed, case .open(let handler) = state, isSubscribing, case .none = ending else { return false }
        switch mqtt.pointee.publish(topic: topic, payload: payload, qos: qos, properties: properties) {
        case .written, .awaitingAcknowledgement:
            handler.flush()
            return true
        case .windowFull, .notConnected, .tooLarge: return false
        }
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
            problem: isConnected ? nil : problem, problemSinceMicroseconds: isConnected ? nil : problemSinceMicroseconds,
            unacknowledged: mqtt.pointee.unacknowledgedCount, counters: counters)
    }
}
