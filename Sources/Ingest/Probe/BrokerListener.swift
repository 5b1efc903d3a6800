import MQTT
import NIOCore
import NIOPosix
import Synchronization

/// A message as a listener hears it.
public struct HeardMessage: Sendable {
    public var topic: String
    public var payload: [UInt8]
    /// Microseconds since 1970, UTC.
    public var receivedMicroseconds: Int64
    public var qos: UInt8
    public var isRetained: Bool
    /// As the packet carries them; empty before MQTT 5.0.
    public var properties: [UInt8]
}

/// The next messages of a broker, one after the other, for whoever only wants to look at them: `penstock infer` and `penstock try --live`.
///
/// They come at QoS 0 through a session of its own that the broker forgets: nothing is acknowledged, and as no member of the shared group it takes nothing
/// from the pool.
public final class BrokerListener: Sendable {
    /// When to stop, whatever comes first.
    public struct Limits: Sendable {
        /// Counted from when the broker has granted the subscriptions.
        public var seconds: Int
        public var messages: Int
        /// Of payloads and topics together.
        public var bytes: Int

        public init(seconds: Int, messages: Int, bytes: Int = 256 * 1024 * 1024) {
            self.seconds = seconds
            self.messages = messages
            self.bytes = bytes
        }
    }

    /// Why nothing more can be heard.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Ends when a limit is reached, after `stop`, or with a `Failure`.
    public let messages: AsyncThrowingStream<HeardMessage, any Error>
    private let continuation: AsyncThrowingStream<HeardMessage, any Error>.Continuation
    private let broker: BrokerSettings
    private let clientIdentifier: String
    private let filters: [TopicFilter]
    private let limits: Limits
    private let state = Mutex(State())

    private struct State {
        var heardCount = 0
        var heardBytes = 0
        var topics: Set<String> = []
        var isListening = false
        var isOver = false
        var channel: (any Channel)?
    }

    /// Connects and subscribes at once.
    /// - Parameter filters: plain ones.
    public init(_ broker: BrokerSettings, clientIdentifier: String, filters: [TopicFilter], limits: Limits) {
        self.broker = broker
        self.clientIdentifier = clientIdentifier
        self.filters = filters
        self.limits = limits
        (messages, continuation) = AsyncThrowingStream.makeStream()
        connect(to: 0, VersionNegotiation(broker.version), MultiThreadedEventLoopGroup.singleton.next())
    }

    /// Messages and topics so far; nil until the broker has granted the subscriptions.
    public var progress: (messages: Int, topics: Int)? {
        state.withLock { $0.isListening ? ($0.heardCount, $0.topics.count) : nil }
    }

    /// The messages heard so far have as many bytes as they may have.
    public var hasBytesMaximum: Bool { state.withLock { $0.heardBytes >= limits.bytes } }

    /// Ends listening; what was heard can still be read.
    public func stop() { end(nil) }

    private func end(_ failure: Failure?) {
        let channel = state.withLock { state in
            state.isOver = true
            return state.channel
        }
        continuation.finish(throwing: failure)
        channel?.close(promise: nil)
    }

    private var isOver: Bool { state.withLock(\.isOver) }

    // MARK: Connections

    private func connect(to place: Int, _ negotiation: VersionNegotiation, _ loop: any EventLoop) {
        guard broker.endpoints.indices.contains(place) else { return end(Failure(description: "no broker is configured")) }
        let endpoint = broker.endpoints[place]
        let version = negotiation.next
        var configuration = broker.sessionConfiguration(clientIdentifier: clientIdentifier)
        configuration.cleanSession = true
        configuration.version = version
        let session: ClientSession
        do { session = try ClientSession(configuration: configuration) } catch { return end(Failure(description: "\(error)")) }
        let channels = BrokerChannel(
            tls: TLSContexts(broker.tls), connectTimeout: broker.connectTimeout, maximumPacketBytes: broker.maximumPacketBytes)
        loop.execute { [self] in
            let answer = loop.assumeIsolated().scheduleTask(in: broker.connectTimeout + .seconds(5)) { [self] in
                fail("the broker at \(endpoint): no answer in time", at: place, loop)
            }
            let conversation = BrokerConversation(session, packetsMaximum: .max) { [self] session, event in
                if case .subscribed = event { answer.cancel() }
                take(event, &session, endpoint, loop)
            } ended: { [self] end in
                answer.cancel()
                guard !isOver else { return }
                var negotiation = negotiation
                switch end {
                case .failed(.connectionRefused(.unsupportedProtocolVersion, let statement)):
                    negotiation.refused(version)
                    if negotiation.next < version { return connect(to: place, negotiation, loop) }
                    fail(
                        "the broker at \(endpoint): \(MQTTError.connectionRefused(.unsupportedProtocolVersion, statement))", at: place, loop
                    )
                case .failed(let error): fail("the broker at \(endpoint): \(error)", at: place, loop)
                case .networkFailed(let reason): fail("cannot reach the broker at \(endpoint): \(reason)", at: place, loop)
                case .closed(let wasAnswered):
                    if !wasAnswered { negotiation.metSilence(version, since: negotiation.knowledge) }
                    if negotiation.next < version { return connect(to: place, negotiation, loop) }
                    fail("the broker at \(endpoint): it closed the connection", at: place, loop)
                }
            }
            channels.open(endpoint, on: loop, handler: conversation).assumeIsolated().whenComplete { [self] result in
                switch result {
                case .success(let channel):
                    state.withLock { $0.channel = channel }
                    if isOver { channel.close(promise: nil) }
                case .failure(let error):
                    answer.cancel()
                    fail("cannot reach the broker at \(endpoint): \(describeConnectFailure(error))", at: place, loop)
                }
            }
        }
    }

    /// The next broker of the list, or the end.
    private func fail(_ reason: String, at place: Int, _ loop: any EventLoop) {
        guard !isOver else { return }
        let hasHeard = state.withLock { $0.heardCount > 0 }
        guard !hasHeard, broker.endpoints.indices.contains(place + 1) else { return end(Failure(description: reason)) }
        connect(to: place + 1, VersionNegotiation(broker.version), loop)
    }

    // MARK: Messages

    private func take(_ event: SessionEvent, _ session: inout ClientSession, _ endpoint: BrokerEndpoint, _ loop: any EventLoop) {
        switch event {
        case .connected: session.subscribe(filters.map { Subscription(filter: $0, qos: .atMostOnce) }, now: .now())
        case .subscribed(let results):
            if let refused = results.first(where: { $0.grantedQoS == nil }) {
                let why =
                    refused.refusal.flatMap { $0.code == .unspecifiedError ? $0.reason : $0.code.description }.map { " (\($0))" } ?? ""
                end(
                    Failure(
                        description:
                            "the broker at \(endpoint) refuses the subscription to '\(refused.subscription.filter)'\(why): check its access rules"
                    ))
            } else if !session.hasPendingRequests {
                state.withLock { $0.isListening = true }
                loop.scheduleTask(in: .seconds(Int64(limits.seconds))) { [self] in end(nil) }
            }
        case .publish(let publish, _): take(publish, &session)
        default: break
        }
    }

    private func take(_ publish: Publish, _ session: inout ClientSession) {
        let topic = String(decoding: publish.topic, as: UTF8.self)
        let isLast = state.withLock { state -> Bool? in
            guard !state.isOver else { return nil }
            state.heardCount += 1
            state.heardBytes += publish.payload.count + publish.topic.count
            state.topics.insert(topic)
            state.isOver = state.heardCount >= limits.messages || state.heardBytes >= limits.bytes
            return state.isOver
        }
        guard let isLast else { return }
        continuation.yield(
            HeardMessage(
                topic: topic, payload: Array(publish.payload), receivedMicroseconds: wallClockMicroseconds(), qos: publish.qos.rawValue,
                isRetained: publish.isRetained, properties: Array(publish.properties.bytes)))
        guard isLast else { return }
        continuation.finish()
        session.disconnect()
    }
}
