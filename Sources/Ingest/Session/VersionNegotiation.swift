import MQTT
import Synchronization

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
    private var state: State {
        didSet { if state != oldValue { knowledge += 1 } }
    }
    /// Counts what was learned: an attempt that began before the last lesson teaches nothing by its silence.
    private(set) var knowledge = 0

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
        // One that was under way while the version was found out: sessions of two versions would share subscriptions in two ways.
        case .settled(let known): return version == known
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
    /// - Parameter knowledge: what was known when the attempt began.
    mutating func metSilence(_ version: ProtocolVersion, since knowledge: Int) {
        guard choice == .auto, knowledge == self.knowledge else { return }
        switch (state, version) {
        case (.unknown, .v5): state = .suspected
        case (.verifying, .v5): state = .settled(.v3_1_1)
        case (.suspected, .v3_1_1): state = .unknown
        default: break
        }
    }
}

/// What is known of each broker's version, for all sessions of the process: the way in which filters are shared depends on it.
final class BrokerVersions: Sendable {
    private let choice: VersionChoice
    private let negotiations = Mutex<[BrokerEndpoint: VersionNegotiation]>([:])

    init(_ choice: VersionChoice) { self.choice = choice }

    /// Reads and changes what is known of one broker.
    func of<Result: Sendable>(_ endpoint: BrokerEndpoint, _ body: (inout VersionNegotiation) -> Result) -> Result {
        negotiations.withLock { body(&$0[endpoint, default: VersionNegotiation(choice)]) }
    }
}
