import NIOCore

/// The message that the server publishes when a connection ends without DISCONNECT (MQTT 3.1.1 §3.1.2.5).
public struct Will: Sendable, Hashable {
    /// Where it is published.
    public var topic: TopicName
    /// What is published; at most 65,535 bytes.
    public var payload: [UInt8]
    /// The QoS at which it is published.
    public var qos: QoS
    /// Whether the server keeps it for later subscribers.
    public var isRetained: Bool
    /// How long the server waits with it, so that a short break goes unnoticed; from 5.0 (§3.1.3.2.2).
    public var delaySeconds: UInt32 = 0

    /// Makes a will.
    public init(topic: TopicName, payload: [UInt8], qos: QoS = .atLeastOnce, isRetained: Bool = false) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.isRetained = isRetained
    }
}

/// Who connects. Before 5.0 a password needs a user name ([MQTT-3.1.2-22]).
public struct Credentials: Sendable, Hashable {
    /// At most 65,535 bytes; nil: CONNECT names none.
    public var username: String?
    /// At most 65,535 bytes; any bytes.
    public var password: [UInt8]?

    /// Makes credentials.
    public init(username: String?, password: [UInt8]? = nil) {
        self.username = username
        self.password = password
    }
}

/// How a session connects, and the bounds it keeps.
public struct SessionConfiguration: Sendable {
    /// The version that CONNECT asks for.
    public var version = ProtocolVersion.v3_1_1
    /// The name of the session at the server; at most 65,535 bytes, empty only with a clean session.
    public var clientIdentifier: String
    /// Whether the session begins anew and ends with the connection (CleanSession, [MQTT-3.1.2-6]; in 5.0 Clean Start without a session expiry).
    public var cleanSession = false
    /// How long the server is to keep the session after the connection; `UInt32.max`: for ever. From 5.0 (§3.1.2.11.2); older versions keep it as long as
    /// the server likes.
    public var sessionExpirySeconds = UInt32.max
    /// Messages at QoS 1 and 2 that the server may send before it has our acknowledgements, at least 1; from 5.0 (§3.1.2.11.3).
    public var receiveMaximum = UInt16.max
    /// Topics that the server may give a number to; from 5.0 (§3.1.2.11.5). Each takes memory for its name.
    public var topicAliasMaximum: UInt16 = 32
    /// Who connects.
    public var credentials: Credentials?
    /// What is published when the connection is lost.
    public var will: Will?
    /// The longest silence that the server accepts; 0 turns keep alive off ([MQTT-3.1.2-24]).
    public var keepAliveSeconds: UInt16 = 30
    /// How long CONNACK may take.
    public var connectTimeout = TimeAmount.seconds(10)
    /// How long SUBACK and UNSUBACK may take.
    public var subscribeTimeout = TimeAmount.seconds(10)
    /// How long the server may be silent after PINGREQ.
    public var pingTimeout = TimeAmount.seconds(10)
    /// The largest packet that is taken from the server, its fixed header included; up to 268,435,460.
    public var maximumPacketBytes = 16 * 1024 * 1024
    /// Topic filters in one SUBSCRIBE or UNSUBSCRIBE, at most: some servers take no more than 8.
    public var filtersPerPacket = 8
    /// Messages that we publish at QoS 1 or 2 and that the server has not acknowledged; from 1 to 32,768.
    public var maximumPublishesInFlight = 1024

    /// Makes a configuration with what is usual.
    public init(clientIdentifier: String) {
        self.clientIdentifier = clientIdentifier
    }

    /// Checks what CONNECT cannot carry and what the bounds do not allow.
    ///
    /// - Throws: `invalidConfiguration`.
    public func validate() throws(MQTTError) {
        do throws(ConfigurationFault) {
            guard !clientIdentifier.isEmpty || (cleanSession && version.allowsEmptyClientIdentifier) else {
                throw .emptyClientIdentifier
            }
            try Self.check("the client identifier", text: clientIdentifier)
            guard clientIdentifier.count <= version.clientIdentifierCharactersMaximum else {
                throw .clientIdentifierTooLong(
                    characters: clientIdentifier.count, maximum: version.clientIdentifierCharactersMaximum, version)
            }
            try Self.check("the receive maximum", Int(receiveMaximum), in: 1...Int(UInt16.max))
            if let credentials {
                if let username = credentials.username { try Self.check("the user name", text: username) }
                guard credentials.username != nil || credentials.password == nil || version.hasProperties else {
                    throw .passwordWithoutUserName(version)
                }
                try Self.check("the password", bytes: credentials.password?.count ?? 0)
            }
            try Self.check("the will's payload", bytes: will?.payload.count ?? 0)
            try Self.check("the maximum packet size", maximumPacketBytes, in: 5...FixedHeader.remainingBytesMaximum + 5)
            try Self.check("the number of filters per packet", filtersPerPacket, in: 1...1024)
            try Self.check("the number of publishes in flight", maximumPublishesInFlight, in: 1...32_768)
        } catch {
            throw .invalidConfiguration(error)
        }
    }

    private static func check(_ field: String, text: String) throws(ConfigurationFault) {
        guard !text.utf8.contains(0) else { throw .nullCharacter(field: field) }
        try check(field, bytes: text.utf8.count)
    }

    private static func check(_ field: String, bytes: Int) throws(ConfigurationFault) {
        guard bytes <= Int(UInt16.max) else { throw .fieldTooLong(field: field, bytes: bytes) }
    }

    private static func check(_ field: String, _ value: Int, in allowed: ClosedRange<Int>) throws(ConfigurationFault) {
        guard allowed.contains(value) else { throw .outOfRange(field: field, value: value, allowed: allowed) }
    }
}
