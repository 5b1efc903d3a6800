import MQTT
import NIOCore
import NIOPosix

/// Talks to the broker once and leaves: what `penstock check` and `penstock sessions drop` need.
public enum BrokerProbe {
    /// What a broker granted.
    public struct Grant: Sendable {
        public var filter: String
        public var asked: QoS
        /// nil: refused.
        public var granted: QoS?
        /// Why it was refused, where the broker says so.
        public var refusal: String?
    }

    /// What was found out about a broker.
    public struct Findings: Sendable {
        public var endpoint: String
        public var version: ProtocolVersion
        public var capabilities: ServerCapabilities
        public var grants: [Grant] = []
        /// What the broker calls itself on `$SYS/broker/version`.
        public var software: String?
    }

    /// Why the broker could not be asked.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Logs in, asks for subscriptions and for the broker's name.
    ///
    /// It uses a session of its own that the broker forgets, and plain filters: as a member of the shared group it could be given messages that are meant
    /// for the pool. Whatever messages come are not acknowledged.
    public static func ask(_ broker: BrokerSettings, clientIdentifier: String, subscriptions: [Subscription]) async throws -> Findings {
        let name = try? TopicFilter("$SYS/broker/version")
        // A mapping may want the broker's name as well; then its subscription brings it.
        let isWanted = subscriptions.contains { $0.filter == name }
        return try await converse(broker, clientIdentifier: clientIdentifier) { collected, session, event in
            switch event {
            case .connected:
                // Its own SUBSCRIBE, and an answer that may never come: the grants of the others end the conversation.
                if let name {
                    let own = subscriptions.first { $0.filter == name } ?? Subscription(filter: name, qos: .atMostOnce)
                    session.subscribe([own], now: .now())
                }
                session.subscribe(subscriptions.filter { $0.filter != name }, now: .now())
            case .subscribed(let results):
                collected.grants += results.filter { isWanted || $0.subscription.filter != name }.map {
                    Grant(
                        filter: $0.subscription.filter.description, asked: $0.subscription.qos, granted: $0.grantedQoS,
                        refusal: $0.refusal.flatMap { $0.code == .unspecifiedError ? $0.reason : $0.code.description })
                }
            case .publish(let publish, _):
                if publish.topic.elementsEqual("$SYS/broker/version".utf8) {
                    collected.software = ForeignText(publish.payload).description
                }
            default: break
            }
            if collected.grants.count >= subscriptions.count, !session.hasPendingRequests { session.disconnect() }
        }
    }

    /// Makes the broker forget a session: connects with its client identifier for a clean one, and leaves.
    public static func forget(_ broker: BrokerSettings, clientIdentifier: String) async throws {
        _ = try await converse(broker, clientIdentifier: clientIdentifier) { _, session, event in
            if case .connected = event { session.disconnect() }
        }
    }

    // MARK: Conversations

    private typealias Script = @Sendable (inout Findings, inout ClientSession, SessionEvent) -> Void

    private static func converse(_ broker: BrokerSettings, clientIdentifier: String, _ script: @escaping Script) async throws -> Findings {
        var lastFailure = Failure(description: "no broker is configured")
        for endpoint in broker.endpoints {
            var negotiation = VersionNegotiation(broker.version)
            var version: ProtocolVersion
            repeat {
                version = negotiation.next
                do {
                    return try await converse(endpoint, version, broker, clientIdentifier, script)
                } catch let attempt as Attempt {
                    lastFailure = Failure(description: attempt.reason)
                    switch attempt.meaning {
                    case .refusal: negotiation.refused(version)
                    case .silence: negotiation.metSilence(version, since: negotiation.knowledge)
                    case nil: break
                    }
                }
            } while negotiation.next < version
        }
        throw lastFailure
    }

    private struct Attempt: Error {
        var reason: String
        /// What it may mean for the version.
        enum Meaning { case refusal, silence }
        var meaning: Meaning?
    }

    /// What the handler collects on its event loop.
    private final class Collected {
        var findings: Findings
        init(_ findings: Findings) { self.findings = findings }
    }

    private static func converse(
        _ endpoint: BrokerEndpoint, _ version: ProtocolVersion, _ broker: BrokerSettings, _ clientIdentifier: String,
        _ script: @escaping Script
    ) async throws -> Findings {
        var configuration = broker.sessionConfiguration(clientIdentifier: clientIdentifier)
        configuration.cleanSession = true
        configuration.version = version
        let made: ClientSession
        do { made = try ClientSession(configuration: configuration) } catch { throw Attempt(reason: "\(error)") }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Findings.self)
        let channels = BrokerChannel(
            tls: TLSContexts(broker.tls), connectTimeout: broker.connectTimeout, maximumPacketBytes: broker.maximumPacketBytes)
        loop.execute {
            let collected = Collected(
                Findings(endpoint: "\(endpoint)", version: version, capabilities: ServerCapabilities(version: version)))
            var isDone = false
            let conversation = BrokerConversation(made) { session, event in
                if case .connected = event { collected.findings.capabilities = session.capabilities }
                script(&collected.findings, &session, event)
                isDone = isDone || !session.isConnected
            } ended: { end in
                guard !isDone else { return promise.succeed(collected.findings) }
                switch end {
                case .failed(.connectionRefused(.unsupportedProtocolVersion, let statement)):
                    let error = MQTTError.connectionRefused(.unsupportedProtocolVersion, statement)
                    promise.fail(Attempt(reason: "the broker at \(endpoint): \(error)", meaning: .refusal))
                case .failed(let error): promise.fail(Attempt(reason: "the broker at \(endpoint): \(error)"))
                case .networkFailed(let reason): promise.fail(Attempt(reason: "cannot reach the broker at \(endpoint): \(reason)"))
                case .closed(let wasAnswered):
                    promise.fail(
                        Attempt(reason: "the broker at \(endpoint): it closed the connection", meaning: wasAnswered ? nil : .silence))
                }
            }
            channels.open(endpoint, on: loop, handler: conversation).whenFailure { error in
                promise.fail(Attempt(reason: "cannot reach the broker at \(endpoint): \(describeConnectFailure(error))"))
            }
        }
        let timer = loop.scheduleTask(in: broker.connectTimeout + .seconds(5)) {
            promise.fail(Attempt(reason: "the broker at \(endpoint): no answer in time"))
        }
        defer { timer.cancel() }
        return try await promise.futureResult.get()
    }
}
