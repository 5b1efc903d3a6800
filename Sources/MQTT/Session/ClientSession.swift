import NIOCore

/// An MQTT session, client's side, as a value: bytes, calls and times go in; events, bytes and time limits come out. It has no socket and no
/// clock, and calls nobody back.
///
/// One value serves one client identifier through all its connections, one after the other:
///
/// 1. `connectionOpened`, then send what `takeOutput` gives.
/// 2. For every read: `nextEvent` until `.needsMoreBytes`; then `flushAcknowledgements` and send what `takeOutput` gives.
/// 3. As deliveries become durable: `settle`, `flushAcknowledgements`, and again send.
/// 4. `tick` at the time that the last `tick` named, and send.
/// 5. On an error, or when the connection is gone: close it and call `connectionClosed`.
///
/// What the server can cause is an `MQTTError`; it ends the connection, and bytes that follow are passed over. What `takeOutput` gives then (from 5.0
/// DISCONNECT with the reason) is to be sent before the connection is closed.
public struct ClientSession: Sendable {
    enum Phase: Equatable {
        case closed
        /// CONNECT is written, CONNACK is due.
        case connecting(deadline: NIODeadline)
        case connected
    }

    /// What is known without an answer of the server.
    enum OwnEvent {
        case acknowledged(packetIdentifier: UInt16)
        case publishRefused(packetIdentifier: UInt16, ServerRefusal)
        case subscribed([SubscriptionResult])
        case unsubscribed([UnsubscriptionResult])

        var event: SessionEvent {
            switch self {
            case .acknowledged(let identifier): .acknowledged(packetIdentifier: identifier)
            case .publishRefused(let identifier, let refusal): .publishRefused(packetIdentifier: identifier, refusal)
            case .subscribed(let results): .subscribed(results)
            case .unsubscribed(let results): .unsubscribed(results)
            }
        }
    }

    /// How the session connects; `reconfigure` changes it between connections.
    public private(set) var configuration: SessionConfiguration
    /// What the server allows on this connection, once it is connected; on the next one it may allow something else.
    public internal(set) var capabilities: ServerCapabilities
    /// Counts the connections of this session; 0 before the first.
    public internal(set) var connectionEpoch: UInt64 = 0

    var phase = Phase.closed
    var keepAlive: KeepAlive
    var deliveries = IncomingDeliveries()
    var publications = OutgoingPublications()
    var requests = PendingRequests()
    var lastPacketIdentifier: UInt16 = 0
    var output = ByteBuffer()
    /// What is told as events before the server's next packet, the next one last.
    var ownEvents: [OwnEvent] = []

    /// The next PINGRESP is the server's answer to `confirmPacketIdentifiers`.
    var isConfirmingIdentifiers = false

    /// Identifiers were freed since the server contradicts them, and the caller has not said that this is durable.
    var isWaitingForFreedIdentifiers = false

    let aliases: TopicAliases
    private var connectPacket: ByteBuffer

    var version: ProtocolVersion { configuration.version }

    /// Makes a session that is not connected.
    ///
    /// - Throws: `invalidConfiguration`.
    public init(configuration: SessionConfiguration) throws(MQTTError) {
        try configuration.validate()
        self.configuration = configuration
        capabilities = ServerCapabilities(version: configuration.version)
        keepAlive = KeepAlive(keepAliveSeconds: configuration.keepAliveSeconds, responseLimit: configuration.pingTimeout)
        aliases = TopicAliases(maximum: configuration.topicAliasMaximum)
        connectPacket = Self.connectPacket(configuration)
    }

    private static func connectPacket(_ configuration: SessionConfiguration) -> ByteBuffer {
        var packet = ByteBuffer()
        Connect(configuration: configuration).write(to: &packet)
        return packet
    }

    /// The next connection is made so: with other credentials, another will, another version.
    ///
    /// Messages of ours that the server has not taken over are given up where the version changes.
    ///
    /// - Precondition: there is no connection. The client identifier, whether the session is clean and the maximum of topic aliases stay.
    /// - Throws: `invalidConfiguration`; then all stays as it is.
    public mutating func reconfigure(_ changed: SessionConfiguration) throws(MQTTError) {
        precondition(phase == .closed, "a connection keeps its configuration")
        precondition(
            changed.clientIdentifier == configuration.clientIdentifier && changed.cleanSession == configuration.cleanSession
                && changed.topicAliasMaximum == configuration.topicAliasMaximum, "another client identifier is another session")
        try changed.validate()
        // Packets that were kept are written for the former version.
        if changed.version != configuration.version { publications = OutgoingPublications() }
        configuration = changed
        keepAlive = KeepAlive(keepAliveSeconds: changed.keepAliveSeconds, responseLimit: changed.pingTimeout)
        connectPacket = Self.connectPacket(changed)
    }

    /// CONNACK came, and the connection stands as far as the session knows.
    public var isConnected: Bool { phase == .connected }

    // MARK: Connections

    /// A network connection was made: writes CONNECT, and nothing else before CONNACK.
    ///
    /// - Precondition: the former connection has failed, was disconnected, or `connectionClosed` was called.
    public mutating func connectionOpened(now: NIODeadline) {
        precondition(phase == .closed, "a session has one connection at a time")
        connectionClosed()
        connectionEpoch += 1
        capabilities = ServerCapabilities(version: version)
        phase = .connecting(deadline: now + configuration.connectTimeout)
        keepAlive.start(now: now, seconds: configuration.keepAliveSeconds)
        output.writeImmutableBuffer(connectPacket)
    }

    /// The network connection is gone, for whatever reason. Deliveries that are not settled stay and are still to be settled, or abandoned.
    public mutating func connectionClosed() {
        phase = .closed
        output = ByteBuffer()
        requests.removeAll()
        ownEvents.removeAll()
        isConfirmingIdentifiers = false
        isWaitingForFreedIdentifiers = false
        aliases.removeAll()
        deliveries.connectionClosed()
        publications.connectionClosed(isSessionOver: configuration.cleanSession)
    }

    /// Writes DISCONNECT, so that the server does not publish the will ([MQTT-3.14.4-3]); then the caller sends and closes.
    ///
    /// Before CONNACK nothing is written. Afterwards nothing is read any more.
    /// - Parameter code: what the server is told; from 5.0. With `disconnectWithWill` it publishes the will all the same.
    public mutating func disconnect(_ code: ReasonCode = .success) {
        if phase == .connected { output.writeDisconnect(code, version: version) }
        phase = .closed
    }

    // MARK: Output

    /// What is to be sent now, if anything; it must be, at `now`, since keep alive counts from it.
    public mutating func takeOutput(now: NIODeadline) -> ByteBuffer? {
        guard output.readableBytes > 0 else { return nil }
        let taken = output
        output = ByteBuffer()
        keepAlive.sent(now: now)
        return taken
    }

    // MARK: Time

    /// Does what time demands (PINGREQ), and says when to call again at the latest.
    ///
    /// - Throws: `connectTimedOut`, `subscribeTimedOut`, `unsubscribeTimedOut`, `pingTimedOut`; the connection is to be closed.
    public mutating func tick(now: NIODeadline) throws(MQTTError) -> NIODeadline {
        switch phase {
        case .closed:
            return .distantFuture
        case .connecting(let deadline):
            guard now < deadline else { throw fail(.connectTimedOut) }
            return deadline
        case .connected:
            do throws(MQTTError) {
                let (isPingDue, next) = try keepAlive.tick(now: now)
                if isPingDue { output.writeEmptyPacket(.pingRequest) }
                guard !keepAlive.isReadingPaused else { return next }
                return min(next, try requests.tick(now: now))
            } catch {
                throw fail(error)
            }
        }
    }

    /// Whether the caller reads the connection. While it does not, answers that are missing are not missed.
    public var isReadingPaused: Bool { keepAlive.isReadingPaused }

    /// The caller stops reading the connection. PINGREQ still goes out.
    public mutating func pauseReading() { keepAlive.pauseReading() }

    /// The caller reads again: time limits for answers start anew.
    public mutating func resumeReading(now: NIODeadline) {
        guard keepAlive.isReadingPaused else { return }
        keepAlive.resumeReading(now: now)
        requests.restartTimeLimits(deadline: now + configuration.subscribeTimeout)
    }

    /// Ends the connection for `error`, and tells the server why where the version has words for it.
    mutating func fail(_ error: MQTTError) -> MQTTError {
        if phase == .connected, version.hasProperties, let code = error.reasonCode { output.writeDisconnect(code, version: version) }
        phase = .closed
        return error
    }
}
