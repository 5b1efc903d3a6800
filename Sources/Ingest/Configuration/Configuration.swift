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
    /// nil: off.
    public var http: HTTPSettings? = HTTPSettings()
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
    public var version = VersionChoice.auto
    public var username: String?
    public var password: Secret?
    /// Read anew for each connection; `password` holds what it held at the start.
    public var passwordFile: String?
    public var tls = TLSSettings()
    public var keepAlive = TimeAmount.seconds(30)
    public var connectTimeout = TimeAmount.seconds(10)
    /// How long a broker of MQTT 5 is asked to keep the sessions.
    public var sessionExpirySeconds: UInt32 = 7 * 86_400
    /// Messages that a broker of MQTT 5 may send before it has our acknowledgements.
    public var receiveMaximum = UInt16.max
    public var maximumPacketBytes = 16 * 1024 * 1024
    /// Where each session says that it is online or offline, with `{client_id}` for its name; nil: nowhere.
    public var statusTopic: String? = "penstock/{client_id}/status"
    /// Whether to watch what the broker tells of itself on `$SYS` topics.
    public var isWatched = true
    /// Whether to go where a broker of MQTT 5 sends us.
    public var followsServerReference = false
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

    /// Several sessions take part in one filter, so that messages of one device can be stored in another order than they came in.
    public var sharesMessages: Bool { sessions > 1 && distribution != .split }

    /// Between two looks at the leases.
    var leaseInterval: TimeAmount { .nanoseconds(lease.nanoseconds / 5) }

    /// A client identifier for a session that ends with its connection: at most 23 characters, which is what MQTT 3.1 takes.
    public var shortLivedClientIdentifier: String {
        let random = String(UInt32.random(in: 0...UInt32.max), radix: 36)
        return "\(clientIdentifier.prefix(22 - random.count))-\(random)"
    }

    /// The client identifiers of all sessions.
    var clientIdentifiers: [String] { (0..<sessions).map { "\(clientIdentifier)-\($0)" } }
}

public struct DeadLetterSettings: Sendable {
    /// Letters of one mapping; more are held back or dropped.
    public var maximumPerMinute = 6000
    public var onFlood = FloodPolicy.slow
    /// Reports of one mapping's dead letters (`report_errors_to`); more are not sent.
    public var maximumReportsPerMinute = 60
    /// How long letters are kept, but for those that wait for their table; nil: for ever.
    public var keep: TimeAmount? = .hours(30 * 24)
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
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
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
            sessions: (0..<configuration.pool.sessions).map { SessionSettings(configuration, number: $0) }, subscriptions: subscriptions,
            clientIdentifierPrefix: configuration.pool.clientIdentifier + "-",
            lettersPerMinute: Double(configuration.deadLetter.maximumPerMinute) / Double(shards),
            floodPolicy: configuration.deadLetter.onFlood,
            reportsPerMinute: Double(configuration.deadLetter.maximumReportsPerMinute) / Double(shards),
            giveUpAfter: configuration.database.giveUp)
    }
}

extension SessionSettings {
    /// How long a broker of MQTT 5 waits with the last will: a connection that is soon there again is no news.
    private static let willDelaySeconds: UInt32 = 5

    /// - Parameter number: of the session in the pool, from 0.
    init(_ configuration: Configuration, number: Int) {
        let name = configuration.pool.clientIdentifiers[number]
        var mqtt = configuration.broker.sessionConfiguration(clientIdentifier: name)
        mqtt.cleanSession = false
        let topic = configuration.broker.statusTopic?.replacing("{client_id}", with: name)
        if let topic, let topic = try? TopicName(topic) {
            var will = Will(topic: topic, payload: Array(Self.offline.utf8), isRetained: true)
            will.delaySeconds = Self.willDelaySeconds
            mqtt.will = will
        }
        self.init(mqtt: mqtt)
    }
}

extension BrokerSettings {
    /// How a session with this client identifier connects.
    public func sessionConfiguration(clientIdentifier: String) -> SessionConfiguration {
        var mqtt = SessionConfiguration(clientIdentifier: clientIdentifier)
        mqtt.credentials = BrokerCredentials(self).current()
        if case .fixed(let version) = version { mqtt.version = version } else { mqtt.version = .v5 }
        mqtt.sessionExpirySeconds = sessionExpirySeconds
        mqtt.receiveMaximum = receiveMaximum
        mqtt.keepAliveSeconds = UInt16(clamping: keepAlive.nanoseconds / 1_000_000_000)
        mqtt.connectTimeout = connectTimeout
        mqtt.maximumPacketBytes = maximumPacketBytes
        return mqtt
    }
}
