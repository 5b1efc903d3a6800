import Logging
import MQTT
import NIOCore
import Synchronization

/// Watches what a broker tells of itself on `$SYS` topics, where it has some: messages that it has dropped, and since when it runs.
///
/// It has a connection of its own with a session that ends with it, so that none of this mixes with the pool's subscriptions. A broker without `$SYS`, or one that
/// refuses it, costs nothing but the connection; a connection that is lost is made again every minute.
final class BrokerWatch: Sendable {
    /// Counters of dropped messages: mosquitto, EMQX.
    private static let droppedTopics = [
        "$SYS/broker/publish/messages/dropped", "$SYS/brokers/+/metrics/messages/dropped",
    ]
    /// "123 seconds" (mosquitto).
    private static let uptimeTopic = "$SYS/broker/uptime"

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
            state.value.start { [self] topic, text in take(topic, text, brokerStarted) }
        }
    }

    func stop() { state.eventLoop.execute { [self] in state.value.stop() } }

    private func take(_ topic: String, _ text: String, _ brokerStarted: (Int64) -> Void) {
        if topic == Self.uptimeTopic {
            // Whole seconds, cut: at the latest it started a second before that.
            if let seconds = UInt32(text.prefix { $0.isNumber }) {
                brokerStarted(wallClockMicroseconds() - (Int64(seconds) + 1) * 1_000_000)
            }
        } else if let count = UInt64(text) {
            state.value.dropped(count, topic) { growth in
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
    }

    /// What belongs to the event loop.
    private final class State {
        private let broker: BrokerSettings
        private let clientIdentifier: String
        private let credentials: BrokerCredentials
        private let channels: BrokerChannel
        private let eventLoop: any EventLoop
        private var take: ((String, String) -> Void)?
        private var attempts = 0
        private var channel: (any Channel)?
        private var timer: Scheduled<Void>?
        /// The last count of each topic, and since when it is not told again.
        private var counts: [String: UInt64] = [:]
        private var unreported: UInt64 = 0
        private var reportedAt: NIODeadline?

        init(
            _ broker: BrokerSettings, clientIdentifier: String, tls: TLSContexts, credentials: BrokerCredentials, eventLoop: any EventLoop
        ) {
            self.broker = broker
            self.clientIdentifier = clientIdentifier
            self.credentials = credentials
            self.eventLoop = eventLoop
            channels = BrokerChannel(tls: tls, connectTimeout: broker.connectTimeout, maximumPacketBytes: broker.maximumPacketBytes)
        }

        func start(_ take: @escaping (String, String) -> Void) {
            self.take = take
            connect()
        }

        func stop() {
            take = nil
            timer?.cancel()
            channel?.close(promise: nil)
        }

        /// The growth of a counter, told at most once a minute; a counter that starts anew after a restart has grown by what it says.
        func dropped(_ count: UInt64, _ topic: String, report: (UInt64) -> Void) {
            defer { counts[topic] = count }
            guard let last = counts[topic] else { return report(0) }
            unreported &+= count >= last ? count - last : count
            let now = eventLoop.now
            guard unreported > 0, reportedAt.map({ now - $0 >= .seconds(60) }) ?? true else { return }
            report(unreported)
            unreported = 0
            reportedAt = now
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
            let conversation = BrokerConversation(session) { [self] session, event in
                switch event {
                case .connected: session.subscribe(Self.subscriptions, now: .now())
                case .publish(let publish, _):
                    // What is retained may be some time old: of a counter it is the first look, of a clock it says nothing.
                    let topic = String(decoding: publish.topic, as: UTF8.self)
                    if topic == BrokerWatch.uptimeTopic, publish.isRetained { return }
                    take?(topic, String(decoding: publish.payload, as: UTF8.self))
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

        private static let subscriptions = (droppedTopics + [uptimeTopic]).compactMap { filter in
            (try? TopicFilter(filter)).map { Subscription(filter: $0, qos: .atMostOnce) }
        }
    }
}
