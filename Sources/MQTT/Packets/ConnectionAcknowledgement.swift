/// What CONNACK says about the session that the server had for this client identifier.
public enum SessionPresence: Sendable {
    /// The server starts from nothing: subscriptions, and what was in flight, are gone.
    case absent
    /// The server kept the session.
    case present
    /// MQTT 3.1 without clean session: CONNACK does not say.
    case unknown
}

/// What a server says beside a reason code (MQTT 5.0): foreign text, cut and escaped.
public struct ServerStatement: Sendable, Equatable {
    /// Its own words (Reason String).
    public var reason: String?
    /// Where it sends us (Server Reference), for `useAnotherServer` and `serverMoved`.
    public var serverReference: String?

    /// Nothing, or what is given.
    public init(reason: String? = nil, serverReference: String? = nil) {
        self.reason = reason
        self.serverReference = serverReference
    }

    mutating func take(_ property: Property) {
        switch property.identifier {
        case .reasonString: reason = ForeignText(property.bytes).description
        case .serverReference: serverReference = ForeignText(property.bytes).description
        default: break
        }
    }
}

/// What the server allows on this connection (MQTT 5.0 §3.2.2.3). Servers of older versions say nothing, and allow what can be allowed.
public struct ServerCapabilities: Sendable, Equatable {
    /// Seconds for which the server keeps the session; nil: as we asked ([MQTT-3.2.2-20] and before).
    public var sessionExpirySeconds: UInt32?
    /// Messages at QoS 1 and 2 that it takes from us before it has acknowledged them.
    public var receiveMaximum: UInt16 = 65_535
    /// The highest QoS of messages of ours.
    public var maximumQoS = QoS.exactlyOnce
    public var isRetainAvailable = true
    /// The largest packet of ours.
    public var maximumPacketBytes = FixedHeader.remainingBytesMaximum + 5
    public var areWildcardSubscriptionsAvailable = true
    public var areSubscriptionIdentifiersAvailable = true
    /// nil: the server does not say, since its version cannot.
    public var areSharedSubscriptionsAvailable: Bool?
    /// The keep alive that holds in place of ours ([MQTT-3.2.2-21]).
    public var serverKeepAliveSeconds: UInt16?

    /// What holds before CONNACK says otherwise.
    public init(version: ProtocolVersion) {
        areSubscriptionIdentifiersAvailable = version.hasProperties
        areSharedSubscriptionsAvailable = version.hasProperties ? true : nil
    }

    fileprivate mutating func take(_ property: Property) {
        let number = property.number
        switch property.identifier {
        case .sessionExpiryInterval: sessionExpirySeconds = number
        case .receiveMaximum: receiveMaximum = UInt16(truncatingIfNeeded: number)
        case .maximumQoS: maximumQoS = number == 0 ? .atMostOnce : .atLeastOnce
        case .retainAvailable: isRetainAvailable = number == 1
        case .maximumPacketSize: maximumPacketBytes = min(Int(number), maximumPacketBytes)
        case .wildcardSubscriptionAvailable: areWildcardSubscriptionsAvailable = number == 1
        case .subscriptionIdentifierAvailable: areSubscriptionIdentifiersAvailable = number == 1
        case .sharedSubscriptionAvailable: areSharedSubscriptionsAvailable = number == 1
        case .serverKeepAlive: serverKeepAliveSeconds = UInt16(truncatingIfNeeded: number)
        default: break
        }
    }
}

/// CONNACK (MQTT 3.1.1 §3.2, MQTT 5.0 §3.2).
struct ConnectionAcknowledgement {
    var presence: SessionPresence
    var capabilities: ServerCapabilities

    /// Reads an acceptance; a refusal is an error, and reported as such even where its session-present bit breaks [MQTT-3.2.2-4]: either way the
    /// connection ends, and the operator needs the reason.
    init(_ body: UnsafeRawBufferPointer, version: ProtocolVersion, cleanSession: Bool) throws(MQTTError) {
        let type = PacketType.connectionAcknowledgement
        guard body.count >= 2 else { throw .wrongRemainingLength(type, remainingBytes: body.count) }
        let flags = body[0]
        guard flags & 0b1111_1110 == 0 || !version.reportsSessionPresent else {
            throw .reservedConnectionAcknowledgementFlags(flags)
        }
        capabilities = ServerCapabilities(version: version)
        presence = flags == 1 ? .present : .absent
        var statement = ServerStatement()
        // A server that does not know 5.0 refuses it in the form of 3.1.1, without properties (MQTT 5.0 §4.13 leaves it to the server).
        if version.hasProperties, body.count > 2 {
            try readProperties(body, &statement)
            guard let code = ReasonCode(rawValue: body[1]) else { throw .unknownReasonCode(type, body[1]) }
            guard code.isAllowed(in: type) else { throw .misplacedReasonCode(type, code) }
            guard code == .success else { throw .connectionRefused(code, statement) }
        } else {
            guard let code = ReasonCode(connectReturnCode: body[1]) else { throw .reservedConnectReturnCode(body[1]) }
            guard code == .success else { throw .connectionRefused(code, statement) }
            guard !version.hasProperties else { throw .wrongRemainingLength(type, remainingBytes: body.count) }
        }
        guard version.reportsSessionPresent else {
            presence = cleanSession ? .absent : .unknown
            return
        }
        guard presence == .absent || !cleanSession else { throw .sessionPresentAfterCleanSession }
    }

    private mutating func readProperties(_ body: UnsafeRawBufferPointer, _ statement: inout ServerStatement) throws(MQTTError) {
        let type = PacketType.connectionAcknowledgement
        do throws(PropertyFault) {
            var offset = 2
            let block = try PropertyReader.block(in: body, at: &offset)
            guard offset == body.count else { throw .truncated }
            try PropertyReader.forEach(in: block, allowed: .connectionAcknowledgement) { (property) throws(PropertyFault) in
                capabilities.take(property)
                statement.take(property)
            }
        } catch {
            throw .malformedProperties(type, error)
        }
    }
}
