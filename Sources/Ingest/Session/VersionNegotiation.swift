import MQTT

/// The versions of MQTT that a connection may speak (`broker.version`).
public enum VersionChoice: Sendable, Equatable {
    /// 5.0, and 3.1.1 where the broker does not know it.
    case auto
    case fixed(ProtocolVersion)
}

/// Finds out which version a broker speaks, and remembers it.
///
/// A broker that does not know 5.0 says so in CONNACK, or closes the connection without a word, as RabbitMQ 3 does. Silence can have other reasons. So it
/// counts only when 3.1.1 is accepted in between, and 5.0 meets silence once more: otherwise a broker that is just starting would be taken for an old
/// one, and lose what 5.0 gives for as long as this process lives.
struct VersionNegotiation {
    private enum State: Equatable {
        case unknown
        /// 5.0 met silence: 3.1.1 is tried.
        case suspected
        /// 3.1.1 was accepted: 5.0 is tried once more.
        case verifying
        case settled(ProtocolVersion)
    }

    private let choice: VersionChoice
    private var state: State

    init(_ choice: VersionChoice) {
        self.choice = choice
        if case .fixed(let version) = choice { state = .settled(version) } else { state = .unknown }
    }

    /// The version of the next connection.
    var next: ProtocolVersion {
        switch state {
        case .unknown, .verifying: .v5
        case .suspected: .v3_1_1
        case .settled(let version): version
        }
    }

    /// It is known that the broker speaks this version.
    func isSettled(on version: ProtocolVersion) -> Bool { state == .settled(version) }

    /// CONNACK accepted a connection of this version; whether the connection is meant to stay.
    mutating func accepted(_ version: ProtocolVersion) -> Bool {
        guard choice == .auto else { return true }
        switch state {
        case .settled: return true
        case .unknown, .suspected, .verifying:
            guard version == .v5 else {
                state = .verifying
                return false
            }
            state = .settled(.v5)
            return true
        }
    }

    /// CONNACK says that the broker does not know this version.
    mutating func refused(_ version: ProtocolVersion) {
        guard choice == .auto else { return }
        state = version == .v5 ? .settled(.v3_1_1) : .unknown
    }

    /// The connection ended before CONNACK.
    mutating func metSilence(_ version: ProtocolVersion) {
        guard choice == .auto else { return }
        switch (state, version) {
        case (.unknown, .v5): state = .suspected
        case (.verifying, .v5): state = .settled(.v3_1_1)
        case (.suspected, .v3_1_1): state = .unknown
        default: break
        }
    }
}
