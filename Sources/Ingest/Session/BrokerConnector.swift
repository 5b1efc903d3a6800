import Foundation
import Logging
import MQTT
import NIOCore

/// Makes the network connections of sessions: to the brokers, or a model of one.
protocol BrokerConnector: AnyObject {
    /// Connects, with the handler as what carries the connection; a failure is told by `PoolSession.connectionEnded`.
    /// - Parameter attempt: counts the session's connections, from 0.
    func connect(_ session: PoolSession, attempt: Int, handler: SessionHandler)
    /// CONNACK has accepted the session's connection. False: it served only to find something out, and is to be ended.
    func isWanted(_ session: PoolSession) -> Bool
    /// The session's connection, or the attempt at one, has ended.
    /// - Parameters:
    ///   - wasAnswered: CONNACK had come, or the network was not reached at all.
    ///   - error: why, where MQTT knows.
    func ended(_ session: PoolSession, wasAnswered: Bool, because error: MQTTError?)
}

/// Connects to the brokers, tried in turn: with the version that each speaks, and with credentials, certificates and a will as they are now.
final class NetworkConnector: BrokerConnector {
    private struct Connection {
        var endpoint: BrokerEndpoint
        var version: ProtocolVersion
        /// What was known of the broker's version when the attempt began.
        var knowledge: Int
        var hasWill: Bool
    }

    private let broker: BrokerSettings
    private let channel: BrokerChannel
    private let credentials: BrokerCredentials
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let versions: BrokerVersions
    private var connections: [Int: Connection] = [:]
    /// Where a broker has sent a session, for its next connection, or for good.
    private var redirections: [Int: BrokerEndpoint] = [:]
    private var moved = MovedBrokers()
    /// Sessions that the broker did not let in with a will: without one it may.
    private var willRefused: Set<Int> = []
    private var hasToldOfWill = false

    /// - Parameter versions: shared by all shards: sessions of one pool speak one version to one broker.
    init(
        _ broker: BrokerSettings, versions: BrokerVersions, tls: TLSContexts, credentials: BrokerCredentials, eventLoop: any EventLoop,
        logger: Logger
    ) {
        precondition(!broker.endpoints.isEmpty, "a session has a broker to connect to")
        self.broker = broker
        self.versions = versions
        self.credentials = credentials
        self.eventLoop = eventLoop
        self.logger = logger
        channel = BrokerChannel(tls: tls, connectTimeout: broker.connectTimeout, maximumPacketBytes: broker.maximumPacketBytes)
    }

    func connect(_ session: PoolSession, attempt: Int, handler: SessionHandler) {
        let named = broker.endpoints[attempt % broker.endpoints.count]
        let endpoint = redirections.removeValue(forKey: session.number) ?? moved.place(of: named)
        let (version, knowledge) = versions.of(endpoint) { ($0.next, $0.knowledge) }
        var configuration = session.settings.mqtt
        configuration.version = version
        configuration.credentials = credentials.current()
        if willRefused.contains(session.number) { configuration.will = nil }
        do {
            try session.mqtt.pointee.reconfigure(configuration)
        } catch {
            return eventLoop.assumeIsolated().execute { session.connectionEnded(because: error.description) }
        }
        session.willConnect(to: "\(endpoint)")
        connections[session.number] = Connection(
            endpoint: endpoint, version: version, knowledge: knowledge, hasWill: configuration.will != nil)
        channel.open(endpoint, on: eventLoop, handler: handler)
            .assumeIsolated()
            .whenComplete { [self] result in
                guard case .failure(let error) = result else { return }
                connections[session.number] = nil
                session.connectionEnded(because: "cannot reach the broker at \(endpoint): \(describeConnectFailure(error))")
            }
    }

    func isWanted(_ session: PoolSession) -> Bool {
        guard let connection = connections[session.number] else { return true }
        let (wasKnown, isWanted) = versions.of(connection.endpoint) { ($0.knowledge > 0, $0.accepted(connection.version)) }
        if isWanted, !wasKnown || connection.version < .v5 {
            logger.debug("connected", metadata: ["broker": "\(connection.endpoint)", "mqtt": "\(connection.version)"])
        }
        if isWanted, !connection.hasWill, willRefused.contains(session.number), !hasToldOfWill {
            hasToldOfWill = true
            logger.warning(
                "the broker lets us in only without a last will: the status of sessions is not published (broker.status_topic)",
                metadata: ["broker": "\(connection.endpoint)"])
        }
        return isWanted
    }

    func ended(_ session: PoolSession, wasAnswered: Bool, because error: MQTTError?) {
        guard let connection = connections.removeValue(forKey: session.number) else { return }
        let endpoint = connection.endpoint
        switch error {
        case .connectionRefused(.unsupportedProtocolVersion, _):
            versions.of(endpoint) { $0.refused(connection.version) }
        case .connectionRefused(.useAnotherServer, let statement), .disconnected(.useAnotherServer, let statement):
            follow(statement, from: endpoint) { redirections[session.number] = $0 }
        case .connectionRefused(.serverMoved, let statement), .disconnected(.serverMoved, let statement):
            follow(statement, from: endpoint) { other in
                if !moved.move(from: endpoint, to: other, list: broker.endpoints) { redirections[session.number] = other }
            }
        case .connectionRefused(.notAuthorized, _), .connectionRefused(.retainNotSupported, _), .connectionRefused(.qosNotSupported, _),
            .connectionRefused(.topicNameInvalid, _):
            // The will may be what is refused. Turn by turn with and without: the password can be wrong just as well.
            guard session.settings.mqtt.will != nil else { break }
            if connection.hasWill { willRefused.insert(session.number) } else { willRefused.remove(session.number) }
        case nil where !wasAnswered:
            let isFoundOut = versions.of(endpoint) { negotiation in
                let before = negotiation.next
                negotiation.metSilence(connection.version, since: connection.knowledge)
                return before == .v5 && negotiation.isSettled(on: .v3_1_1)
            }
            if isFoundOut {
                logger.notice(
                    "the broker closes connections of MQTT 5 and takes 3.1.1: broker.version 3.1.1 spares the attempts",
                    metadata: ["broker": "\(endpoint)"])
            }
        default: break
        }
    }

    private func follow(_ statement: ServerStatement, from endpoint: BrokerEndpoint, _ take: (BrokerEndpoint) -> Void) {
        guard let reference = statement.serverReference else { return }
        guard broker.followsServerReference else {
            return logger.warning(
                "the broker sends us to another server; broker.server_reference: follow would go there",
                metadata: ["broker": "\(endpoint)", "server": "\(reference)"])
        }
        guard let other = endpoint.referred(to: reference) else {
            return logger.warning(
                "the broker sends us to a server that cannot be understood", metadata: ["broker": "\(endpoint)", "server": "\(reference)"])
        }
        logger.notice("the broker sends us to another server", metadata: ["broker": "\(endpoint)", "server": "\(other)"])
        take(other)
    }
}

/// User and password, read anew for each connection: a rotated password is taken up without a restart.
final class BrokerCredentials: Sendable {
    private let username: String?
    private let password: Secret?
    private let passwordFile: String?

    init(_ broker: BrokerSettings) {
        username = broker.username
        password = broker.password
        passwordFile = broker.passwordFile
    }

    /// A file that cannot be read leaves the password as it was at the start.
    func current() -> Credentials? {
        var password = self.password?.value
        if let passwordFile, let read = SecretFile.content(passwordFile) { password = read }
        guard username != nil || password != nil else { return nil }
        return Credentials(username: username, password: password.map { Array($0.utf8) })
    }
}
