import MQTT
import Mapping
import NIOCore

/// What an operator decides, checked: `penstock.yaml`, environment and defaults put together.
public struct Configuration: Sendable {
    public var broker = BrokerSettings()
    public var database = DatabaseSettings()
    public var pool = PoolSettings()
    public var batch = BatchSettings()
    public var deadLetter = DeadLetterSettings()
    public var decode = EvaluationLimits()
    public var log = LogSettings()
    /// A folder, one mapping a file.
    public var mappings = "mappings"
    /// What the running service may change in the schema of mapped tables.
    public var ddl = DDLPolicy.off
    public var shutdownTimeout = TimeAmount.seconds(10)

    /// What works with a broker and a database on this machine.
    public init() {}
}

public struct BrokerSettings: Sendable {
    /// Tried in turn.
    public var endpoints = [BrokerEndpoint(host: "localhost", port: 1883)]
    public var username: String?
    public var password: Secret?
    public var keepAlive = TimeAmount.seconds(30)
    public var connectTimeout = TimeAmount.seconds(10)
    public var maximumPacketBytes = 16 * 1024 * 1024
}

/// Where a broker listens.
public struct BrokerEndpoint: Sendable, Equatable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `host:port`, an IPv6 address in brackets.
    public var description: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}

public struct DatabaseSettings: Sendable {
    /// A libpq connection string or URI; empty for the PG* environment. May hold a password: never shown.
    public var url = Secret("postgresql://localhost/telemetry")
    public var statementTimeoutMilliseconds = 60_000
    public var lockTimeoutMilliseconds = 30_000
    public var tcpUserTimeoutMilliseconds = 10_000
    /// How long the database may be away before the messages under way are left to the broker.
    public var giveUp = TimeAmount.minutes(5)

    /// Connection parameters that the url need not name.
    public var connectionDefaults: [String: String] { ["tcp_user_timeout": String(tcpUserTimeoutMilliseconds)] }
}

public struct PoolSettings: Sendable {
    /// Client identifiers are `<clientIdentifier>-<n>`.
    public var clientIdentifier = "penstock"
    public var sessions = 8
    public var shards = 2
    public var distribution = Distribution.auto
    /// The group of shared subscriptions.
    public var group = "penstock"
    /// How long a process may be silent before others take its sessions.
    public var lease = TimeAmount.seconds(5)

    /// Between two looks at the leases.
    var leaseInterval: TimeAmount { .nanoseconds(lease.nanoseconds / 5) }

    /// The client identifiers of all sessions.
    var clientIdentifiers: [String] { (0..<sessions).map { "\(clientIdentifier)-\($0)" } }
}

public struct DeadLetterSettings: Sendable {
    /// Letters of one mapping; more are held back or dropped.
    public var maximumPerMinute = 6000
    public var onFlood = FloodPolicy.slow
}

public struct BatchSettings: Sendable {
    public var maximumBytes = 8 * 1024 * 1024
    public var maximumMessages = 50_000
    /// How long a batch waits for more while the writer is idle.
    public var linger = TimeAmount.zero
}

public struct LogSettings: Sendable {
    public enum Format: String, Sendable, CaseIterable { case text, json }
    public enum Level: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical }
    public var level = Level.info
    public var format = Format.text
}

/// A text that is used and never shown.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public let value: String
    public init(_ value: String) { self.value = value }
    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension BatchLimits {
    init(_ settings: BatchSettings) {
        self.init(maximumBytes: settings.maximumBytes, maximumMessages: settings.maximumMessages, linger: settings.linger)
    }
}

extension ShardSettings {
    /// - Parameter shards: of this process.
    init(_ configuration: Configuration, subscriptions: SubscriptionPlan, shards: Int) {
        self.init(
            limits: BatchLimits(configuration.batch), decode: configuration.decode,
            sessions: subscriptions.bySession.enumerated().map { number, subscriptions in
                SessionSettings(configuration, number: number, subscriptions: subscriptions)
            },
            clientIdentifierPrefix: configuration.pool.clientIdentifier + "-",
            lettersPerMinute: Double(configuration.deadLetter.maximumPerMinute) / Double(shards),
            floodPolicy: configuration.deadLetter.onFlood,
            giveUpAfter: configuration.database.giveUp)
    }
}

extension SessionSettings {
    /// - Parameter number: of the session in the pool, from 0.
    init(_ configuration: Configuration, number: Int, subscriptions: [Subscription]) {
        var mqtt = configuration.broker.sessionConfiguration(clientIdentifier: configuration.pool.clientIdentifiers[number])
        mqtt.cleanSession = false
        self.init(mqtt: mqtt, subscriptions: subscriptions)
    }
}

extension BrokerSettings {
    /// How a session with this client identifier connects.
    public func sessionConfiguration(clientIdentifier: String) -> SessionConfiguration {
        var mqtt = SessionConfiguration(clientIdentifier: clientIdentifier)
        if let username { mqtt.credentials = Credentials(username: username, password: password.map { Array($0.value.utf8) }) }
        mqtt.keepAliveSeconds = UInt16(clamping: keepAlive.nanoseconds / 1_000_000_000)
        mqtt.connectTimeout = connectTimeout
        mqtt.maximumPacketBytes = maximumPacketBytes
        return mqtt
    }
}
