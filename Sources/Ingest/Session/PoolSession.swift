import Logging
import MQTT
import NIOCore
import NIOPosix

/// One session of the pool: a client identifier that outlives its connections, connected again whenever one ends.
///
/// All of it runs on its shard's event loop. `ClientSession` sees to it that an acknowledgement goes out only on the connection on which its message
/// came, and that no message of a new connection is read before every delivery of the former one has settled, or a repeat could overtake its original.
final class PoolSession {
    let indexInShard: Int
    let settings: SessionSettings
    private let endpoints: [BrokerEndpoint]
    private unowned let shard: Shard
    private let logger: Logger

    /// The MQTT session, through all its connections. Behind a pointer: the loop over packets pays for no exclusivity check and no copy.
    let mqtt: UnsafeMutablePointer<ClientSession>
    private var state = State.idle
    private var attempts = 0
    private var backoff = Backoff()
    private var stopping: EventLoopPromise<Void>?
    private var counters = SessionCounters()
    /// Why the last connection ended or could not be had; nil while connected.
    private var problem: String?

    private enum State {
        case idle
        case connecting
        /// TCP is open.
        case open(SessionHandler)
        case waiting(Scheduled<Void>)
        case stopped
    }

    /// - Throws: `MQTTError.invalidConfiguration`.
    init(indexInShard: Int, settings: SessionSettings, endpoints: [BrokerEndpoint], shard: Shard, logger: Logger) throws(MQTTError) {
        precondition(!endpoints.isEmpty, "a session has a broker to connect to")
        let session = try ClientSession(configuration: settings.mqtt)
        mqtt = .allocate(capacity: 1)
        mqtt.initialize(to: session)
        self.indexInShard = indexInShard
        self.settings = settings
        self.endpoints = endpoints
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

    // MARK: Connecting

    func start() {
        guard case .idle = state else { return }
        connect()
    }

    private func connect() {
        shard.eventLoop.preconditionInEventLoop()
        state = .connecting
        let endpoint = endpoints[attempts % endpoints.count]
        attempts += 1
        let handler = NIOLoopBound(SessionHandler(pool: self, shard: shard, logger: logger), eventLoop: shard.eventLoop)
        ClientBootstrap(group: shard.eventLoop)
            .connectTimeout(settings.mqtt.connectTimeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 16 * 1024, initial: 64 * 1024, maximum: 1024 * 1024)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
            .connect(host: endpoint.host, port: endpoint.port)
            .assumeIsolated()
            .whenComplete { [self] result in
                if case .failure(let error) = result, case .connecting = state {
                    connectionEnded(because: "cannot reach the broker at \(endpoint): \(describeConnectFailure(error))")
                }
            }
    }

    func connectionOpened(_ handler: SessionHandler) {
        guard case .connecting = state else {
            handler.close()
            return
        }
        state = .open(handler)
    }

    /// The broker has accepted the session.
    func sessionEstablished(_ presence: SessionPresence) {
        backoff.reset()
        if presence == .absent && counters.establishments > 0 {
            counters.lost += 1
            logger.warning("the broker has forgotten the session; messages may be gone with it")
        }
        counters.establishments += 1
        problem = nil
        logger.info("session established", metadata: ["session_present": "\(presence == .present)"])
    }

    /// The connection is gone, or could not be had.
    func connectionEnded(because reason: String) {
        switch state {
        case .connecting, .open: break
        case .idle, .waiting, .stopped: return
        }
        mqtt.pointee.connectionClosed()
        if stopping != nil {
            finishStopping()
            return
        }
        let delay = backoff.next()
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

    // MARK: Deliveries

    /// The deliveries are durable: those of the present connection may be acknowledged; those of a former one no longer hold back its messages.
    func settled(_ deliveries: Range<UInt64>) {
        mqtt.pointee.settle(deliveries)
    }

    /// The deliveries will never be durable here: the connection ends without acknowledging them, and the broker sends them again.
    func gaveUp(_ deliveries: Range<UInt64>) {
        if case .open(let handler) = state { handler.end(because: "deliveries could not be stored and have to come again") }
        mqtt.pointee.connectionClosed()
        mqtt.pointee.abandon(deliveries)
    }

    func flushAcknowledgements() {
        if case .open(let handler) = state { handler.flush() }
    }

    func acknowledged(_ count: Int) { counters.acknowledged += UInt64(count) }

    /// The shard has room again.
    func resumeReading() {
        if case .open(let handler) = state { handler.resumeReading() }
    }

    // MARK: The end

    /// Says DISCONNECT (the broker keeps the session) and closes; what is unacknowledged stays with the broker.
    func stop() -> EventLoopFuture<Void> {
        let promise = shard.eventLoop.makePromise(of: Void.self)
        if let stopping {
            stopping.futureResult.cascade(to: promise)
            return promise.futureResult
        }
        stopping = promise
        switch state {
        case .open(let handler): handler.disconnect()
        case .waiting(let timer):
            timer.cancel()
            finishStopping()
        case .idle: finishStopping()
        case .connecting, .stopped: break
        }
        return promise.futureResult
    }

    private func finishStopping() {
        state = .stopped
        stopping?.succeed()
    }

    func snapshot() -> SessionSnapshot {
        var isConnected = false
        if case .open(let handler) = state {
            isConnected = handler.isEstablished
        }
        return SessionSnapshot(
            clientIdentifier: clientIdentifier, isConnected: isConnected,
            isSubscribed: isConnected && !mqtt.pointee.hasPendingRequests, problem: problem,
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

/// Says in words why TCP could not be had.
func describeConnectFailure(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
        if let first = error.connectionErrors.first { return describeConnectFailure(first.error) }
        if error.dnsAError != nil || error.dnsAAAAError != nil { return "the host name is not known" }
        return "\(error)"
    case let error as IOError where error.errnoCode == ECONNREFUSED:
        return "connection refused (is the broker running, and is this its port?)"
    case ChannelError.connectTimeout(let limit): return "no answer within \(limit.nanoseconds / 1_000_000_000) s"
    default: return "\(error)"
    }
}
