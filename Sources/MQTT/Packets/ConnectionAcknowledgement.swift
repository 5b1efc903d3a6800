/// Why a server refused a connection (MQTT 3.1.1 §3.2.2.3).
public enum ConnectReturnCode: UInt8, Sendable, CaseIterable, CustomStringConvertible {
    case unacceptableProtocolVersion = 1
    case identifierRejected = 2
    case serverUnavailable = 3
    case badUsernameOrPassword = 4
    case notAuthorized = 5

    /// The words of the standard.
    public var description: String {
        switch self {
        case .unacceptableProtocolVersion: "unacceptable protocol version"
        case .identifierRejected: "identifier rejected"
        case .serverUnavailable: "server unavailable"
        case .badUsernameOrPassword: "bad user name or password"
        case .notAuthorized: "not authorized"
        }
    }
}

/// What CONNACK says about the session that the server had for this client identifier.
public enum SessionPresence: Sendable {
    /// The server starts from nothing: subscriptions, and what was in flight, are gone.
    case absent
    /// The server kept the session.
    case present
    /// MQTT 3.1 without clean session: CONNACK does not say.
    case unknown
}

/// CONNACK (MQTT 3.1.1 §3.2).
enum ConnectionAcknowledgement {
    /// What the server says of the session, or the error that ends the connection.
    ///
    /// A refusal is reported as such even where its session-present bit breaks [MQTT-3.2.2-4]: either way the connection ends, and the
    /// operator needs the reason.
    static func read(
        _ body: UnsafeRawBufferPointer, version: ProtocolVersion, cleanSession: Bool
    ) throws(MQTTError) -> SessionPresence {
        guard body.count == 2 else { throw .wrongRemainingLength(.connectionAcknowledgement, remainingBytes: body.count) }
        let flags = body[0]
        guard flags & 0b1111_1110 == 0 || !version.reportsSessionPresent else {
            throw .reservedConnectionAcknowledgementFlags(flags)
        }
        guard body[1] == 0 else {
            guard let code = ConnectReturnCode(rawValue: body[1]) else { throw .reservedConnectReturnCode(body[1]) }
            throw .connectionRefused(code)
        }
        guard version.reportsSessionPresent else { return cleanSession ? .absent : .unknown }
        guard flags == 1 else { return .absent }
        guard !cleanSession else { throw .sessionPresentAfterCleanSession }
        return .present
    }
}
