/// Whether a session may publish (its status, reports of errors) without losing its connection by it.
///
/// A server that does not let a client publish may say so, or close the connection ([MQTT-3.3.5-2] of 3.1.1). As a session has to send again what was not
/// acknowledged, it would be thrown out again and again, and take in nothing. So a session whose connections end so, one after the other, with nothing
/// that it published ever acknowledged, stops publishing: what it takes in matters more.
struct PublishingTrust {
    private static let endingsMaximum = 3
    private var endings = 0
    private(set) var isAllowed = true

    /// The server has taken over a message of ours: it lets us publish.
    mutating func acknowledged() { endings = -1 }

    /// A connection has ended that had been accepted.
    /// - Returns: whether publishing ends with it.
    mutating func connectionEnded(unacknowledged count: Int) -> Bool {
        guard isAllowed, count > 0, endings >= 0 else { return false }
        endings += 1
        isAllowed = endings < Self.endingsMaximum
        return !isAllowed
    }
}
