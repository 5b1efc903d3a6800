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
}

/// Listens to a broker for a while: what `penstock infer` needs.
///
/// It uses a session of its own that the broker forgets, and takes messages at QoS 0: nothing is acknowledged, and nothing is kept from anybody.
public final class BrokerListener: Sendable {
    /// When to stop, whatever comes first.
    public struct Limits: Sendable {
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

    /// Why nothing could be heard.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private struct Heard {
        var messages: [HeardMessage] = []
        var topics: Set<String> = []
        var bytes = 0
        var isListening = false
        var isStopped = false
    }

    private let broker: BrokerSettings
    private let clientIdentifier: String
    private let filter: TopicFilter
    private let limits: Limits
    private let heard = Mutex(Heard())

    public init(_ broker: BrokerSettings, clientIdentifier: String, filter: TopicFilter, limits: Limits) {
        self.broker = broker
        self.clientIdentifier = clientIdentifier
        self.filter = filter
        self.limits = limits
    }

    /// Messages and topics so far; nil until the broker has granted the subscription.
    public var progress: (messages: Int, topics: Int)? {
        heard.withLock { $0.isListening ? ($0.messages.count, $0.topics.count) : nil }
    }

    /// Ends listening early; what was heard stays.
    public func stop() { heard.withLock { $0.isStopped = true } }

    /// Listens until a limit is reached.
    /// - Throws: `Failure`, when the broker cannot be reached, refuses the login or the subscription, or ends the connection.
    public func listen() async throws -> [HeardMessage] {
        var last = Failure(description: "no broker is configured")
        for endpoint in broker.endpoints {
            var negotiation = VersionNegotiation(broker.version)
            var version: ProtocolVersion
            repeat {
                version = negotiation.next
                do {
                    return try await listen(at: endpoint, version)
                } catch let attempt as Attempt {
                    last = Failure(description: attempt.reason)
                    switch attempt.meaning {
                    case .refusal: negotiation.refused(version)
                    case .silence: negotiation.metSilence(version, since: negotiation.knowledge)
                    case nil: break
                    }
                }
            } while negotiation.next < version
        }
        throw last
    }

    private struct Attempt: Error {
        var reason: String
        /// What it may mean for the version.
        enum Meaning { case refusal, silence }
        var meaning: Meaning?
    }

    private func listen(at endpoint: BrokerEndpoint, _ version: ProtocolVersion) async throws -> [HeardMessage] {
        var configuration = broker.sessionConfiguration(clientIdentifier: clientIdentifier)
        configuration.cleanSession = true
        configuration.version = version
        let session: ClientSession
        do { session = try ClientSession(configuration: configuration) } catch { throw Attempt(reason: "\(error)") }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Void.self)
        let channels = BrokerChannel(
            tls: TLSContexts(broker.tls), connectTimeout: broker.connectTimeout, maximumPacketBytes: broker.maximumPacketBytes)
        loop.execute { [self] in
            let conversation = BrokerConversation(session, packetsMaximum: .max) { [self] session, event in
                take(event, &session, promise, endpoint)
            } ended: { end in
                switch end {
                case .failed(.connectionRefused(.unsupportedProtocolVersion, let statement)):
                    let error = MQTTError.connectionRefused(.unsupportedProtocolVersion, statement)
                    promise.fail(Attempt(reason: "the broker at \(endpoint): \(error)", meaning: .refusal))
                case .failed(let error): promise.fail(Attempt(reason: "the broker at \(endpoint): \(error)"))
                case .networkFailed(let reason): promise.fail(Attempt(reason: "cannot reach the broker at \(endpoint): \(reason)"))
                case .closed(let wasAnswered):
                    // After a DISCONNECT of our own the promise is kept already.
                    promise.fail(
                        Attempt(reason: "the broker at \(endpoint): it closed the connection", meaning: wasAnswered ? nil : .silence))
                }
            }
            channels.open(endpoint, on: loop, handler: conversation).whenComplete { result in
                switch result {
                case .success(let channel): promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
                case .failure(let error):
                    promise.fail(Attempt(reason: "cannot reach the broker at \(endpoint): \(describeConnectFailure(error))"))
                }
            }
        }
        let answer = loop.scheduleTask(in: broker.connectTimeout + .seconds(5)) { [self] in
            if !heard.withLock(\.isListening) { promise.fail(Attempt(reason: "the broker at \(endpoint): no answer in time")) }
        }
        let watch = loop.scheduleRepeatedTask(initialDelay: .milliseconds(100), delay: .milliseconds(100)) { [self] _ in
            if heard.withLock(\.isStopped) { promise.succeed() }
        }
        defer {
            answer.cancel()
            watch.cancel()
        }
        try await promise.futureResult.get()
        return heard.withLock(\.messages)
    }

    private func take(_ event: SessionEvent, _ session: inout ClientSession, _ promise: EventLoopPromise<Void>, _ endpoint: BrokerEndpoint)
    {
        switch event {
        case .connected: session.subscribe([Subscription(filter: filter, qos: .atMostOnce)], now: .now())
        case .subscribed(let results):
            guard results.allSatisfy({ $0.grantedQoS != nil }) else {
                let why =
                    results.first?.refusal.flatMap { $0.code == .unspecifiedError ? $0.reason : $0.code.description }.map { " (\($0))" }
                    ?? ""
                return promise.fail(
                    Attempt(reason: "the broker at \(endpoint) refuses the subscription to '\(filter)'\(why): check its access rules"))
            }
            heard.withLock { $0.isListening = true }
            promise.futureResult.eventLoop.scheduleTask(in: .seconds(Int64(limits.seconds))) { promise.succeed() }
        case .publish(let publish, _):
            let topic = String(decoding: publish.topic, as: UTF8.self)
            let message = HeardMessage(
                topic: topic, payload: Array(publish.payload), receivedMicroseconds: wallClockMicroseconds(), qos: publish.qos.rawValue,
                isRetained: publish.isRetained)
            let isEnough = heard.withLock { heard in
                guard heard.messages.count < limits.messages, heard.bytes < limits.bytes else { return true }
                heard.messages.append(message)
                heard.topics.insert(topic)
                heard.bytes += message.payload.count + topic.utf8.count
                return heard.messages.count >= limits.messages || heard.bytes >= limits.bytes
            }
            if isEnough {
                promise.succeed()
                session.disconnect()
            }
        default: break
        }
    }
}
