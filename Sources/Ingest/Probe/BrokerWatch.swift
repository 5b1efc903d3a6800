import Logging
import MQTT
import NIOCore
import Synchronization

/// Watches what a broker tells of itself on `$SYS` topics, where it has some: messages that it has dropped, and since when it runs.
///
/// It has a connection of its own with a session that ends with it, so that none of this mixes with the pool's subscriptions. A broker without `$SYS`, or one that
/// refuses it, costs nothing but the connection; a connection that is lost is made again every minute.
final class BrokerWatch: Sendable {
    /// Packets in ten seconds beyond which a broker is left: what was asked for is a handful a minute and node.
    static let packetsMaximum = 1000

    private let state: NIOLoopBound<State>
    private let dropped = Mutex<UInt64?>(nil)
    private let logger: Logger

    /// Not to be called on the event loop: it waits for it.
    init(
        _ broker: BrokerSettings, clientIdentifier: String, tls: TLSContexts, credentials: BrokerCredentials, eventLoop: any EventLoop,
        logger: Logger
    ) throws {
        self.logger = logger
        state = try eventLoop.submit {
            let state = State(broker, clientIdentifier: clientIdentifier, tls: tls, credentials: credentials, eventLoop: eventLoop)
            return NIOLoopBound(state, eventLoop: eventLoop)
        }.wait()
    }

    /// Messages that the broker has dropped since the watch began; nil while it has said nothing.
    var droppedCount: UInt64? { dropped.withLock { $0 } }

    /// - Parameter brokerStarted: called each time that the broker says how long it has been running, with a time at which it was not yet, in microseconds
    ///   since 1970, UTC: at most two seconds before it started.
    func start(_ brokerStarted: @escaping @Sendable (Int64) -> Void) {
        state.eventLoop.execute { [self] in
            state.value.start { [self] statement in take(statement, brokerStarted) }
        }
    }

    func stop() { state.eventLoop.execute { [self] in state.value.stop() } }

    private func take(_ statement: BrokerStatement, _ brokerStarted: (Int64) -> Void) {
        switch statement {
        case .uptime(let seconds):
            // Whole seconds, cut: at the latest it started a second before that.
            brokerStarted(wallClockMicroseconds() - (Int64(seconds) + 1) * 1_000_000)
        case .dropped(let count, let counter):
            guard let growth = state.value.droppedMessages.growth(count, of: counter, now: .now()) else { return }
            let total = dropped.withLock { total in
                total = (total ?? 0) &+ growth
                return total ?? 0
            }
            guard growth > 0 else { return }
            logger.warning(
                "the broker drops messages: look at its queue limits (max_queued_messages, mqueue), and whether it is for one of our sessions",
                metadata: ["dropped": "\(growth)", "since_start": "\(total)"])
        }
    }

    /// What belongs to the event loop.
    private final class State {
        private let broker: BrokerSettings
        private let clientIdentifier: String
        private let credentials: BrokerCredentials
        private let channels: BrokerChannel
        private let eventLoop: any EventLoop
        private var take: ((BrokerStatement) -> Void)?
        private var attempts = 0
        private var channel: (any Channel)?
        private var timer: Scheduled<Void>?
        var droppedMessages = DroppedMessages()

        init(
            _ broker: BrokerSettings, clientIdentifier: String, tls: TLSContexts, credentials: BrokerCredentials, eventLoop: any EventLoop
        ) {
            self.broker = broker
            self.clientIdentifier = clientIdentifier
            self.credentials = credentials
            self.eventLoop = eventLoop
            channels = BrokerChannel(tls: tls, connectTimeout: broker.connectTimeout, maximumPacketBytes: broker.maximumPacketBytes)
        }

        func start(_ take: @escaping (BrokerStatement) -> Void) {
            self.take = take
            connect()
        }

        func stop() {
            take = nil
            timer?.cancel()
            channel?.close(promise: nil)
        }

        private func connect() {
            guard take != nil else { return }
            let endpoint = broker.endpoints[attempts % broker.endpoints.count]
            attempts += 1
            var configuration = broker.sessionConfiguration(clientIdentifier: clientIdentifier)
            configuration.cleanSession = true
            configuration.credentials = credentials.current()
            // What it has to say was there before 5.0.
            if broker.version == .auto { configuration.version = .v3_1_1 }
            configuration.maximumPacketBytes = 64 * 1024
            guard let session = try? ClientSession(configuration: configuration) else { return }
            let conversation = BrokerConversation(session, packetsMaximum: BrokerWatch.packetsMaximum) { [self] session, event in
                switch event {
                case .connected: session.subscribe(BrokerStatement.subscriptions, now: .now())
                case .publish(let publish, _):
                    let statement = BrokerStatement(topic: publish.topic, payload: publish.payload, isRetained: publish.isRetained)
                    if let statement { take?(statement) }
                default: break
                }
            } ended: { [self] _ in
                connectLater()
            }
            channels.open(endpoint, on: eventLoop, handler: conversation).assumeIsolated().whenComplete { [self] result in
                switch result {
                case .success(let opened):
                    channel = opened
                    if take == nil { opened.close(promise: nil) }
                case .failure: connectLater()
                }
            }
        }

        private func connectLater() {
            channel = nil
            guard take != nil else { return }
            timer?.cancel()
            timer = eventLoop.assumeIsolated().scheduleTask(in: .seconds(attempts < 5 ? 5 : 60)) { [self] in connect() }
        }
    }
}
