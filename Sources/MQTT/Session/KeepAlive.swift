import NIOCore

/// Keep alive, both ways (MQTT 3.1.1 §3.1.2.10, §3.12): the server hears from us in time, and we notice when it falls silent.
struct KeepAlive {
    enum State: Equatable {
        case idle
        /// PINGREQ went out at this time, the first one that is not answered.
        case awaitingResponse(since: NIODeadline)
    }

    /// Nothing was sent for so long: three quarters of the keep alive, so that a late timer does not exceed it ([MQTT-3.1.2-23]).
    private var sendInterval: TimeAmount
    /// Nothing was received for so long: we ask whether the server is there.
    private var receiveInterval: TimeAmount
    private let responseLimit: TimeAmount
    private var isOn: Bool

    private var lastSent = NIODeadline.uptimeNanoseconds(0)
    private var lastReceived = NIODeadline.uptimeNanoseconds(0)
    private var state = State.idle
    private(set) var isReadingPaused = false

    init(keepAliveSeconds: UInt16, responseLimit: TimeAmount) {
        isOn = keepAliveSeconds > 0
        receiveInterval = .seconds(Int64(keepAliveSeconds))
        sendInterval = .milliseconds(Int64(keepAliveSeconds) * 750)
        self.responseLimit = responseLimit
    }

    /// The server wants another keep alive than we have asked for (MQTT 5.0 [MQTT-3.2.2-21]).
    mutating func set(seconds: UInt16) {
        isOn = seconds > 0
        receiveInterval = .seconds(Int64(seconds))
        sendInterval = .milliseconds(Int64(seconds) * 750)
    }

    /// A connection begins.
    mutating func start(now: NIODeadline, seconds: UInt16) {
        set(seconds: seconds)
        lastSent = now
        lastReceived = now
        state = .idle
        isReadingPaused = false
    }

    mutating func sent(now: NIODeadline) { lastSent = now }

    /// Any bytes show that the server is alive: PINGRESP may wait behind much else.
    @inline(__always)
    mutating func received(now: NIODeadline) { lastReceived = now }

    mutating func pingResponseReceived() { state = .idle }

    /// From here on the silence is ours: PINGRESP may lie in the socket.
    mutating func pauseReading() { isReadingPaused = true }

    /// The time limit starts anew.
    mutating func resumeReading(now: NIODeadline) {
        isReadingPaused = false
        lastReceived = now
    }

    /// Whether PINGREQ is due now (the caller sends it), and when to ask again.
    ///
    /// - Throws: `pingTimedOut`.
    mutating func tick(now: NIODeadline) throws(MQTTError) -> (isPingDue: Bool, next: NIODeadline) {
        guard isOn else { return (false, .distantFuture) }
        if let responseDeadline, now >= responseDeadline { throw .pingTimedOut }
        let isPingDue = now >= pingDeadline
        if isPingDue {
            lastSent = now
            if state == .idle { state = .awaitingResponse(since: now) }
        }
        return (isPingDue, min(pingDeadline, responseDeadline ?? .distantFuture))
    }

    private var responseDeadline: NIODeadline? {
        guard case .awaitingResponse(let since) = state, !isReadingPaused else { return nil }
        return max(since, lastReceived) + responseLimit
    }

    private var pingDeadline: NIODeadline {
        let afterSilenceOfOurs = lastSent + sendInterval
        guard state == .idle, !isReadingPaused else { return afterSilenceOfOurs }
        return min(afterSilenceOfOurs, lastReceived + receiveInterval)
    }
}
