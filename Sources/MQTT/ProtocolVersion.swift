/// The version of MQTT that a connection speaks; what differs between versions asks this value, nothing is written twice.
public enum ProtocolVersion: UInt8, Sendable, CaseIterable {
    /// MQTT 3.1 (`MQIsdp`, level 3).
    case v3_1 = 3
    /// MQTT 3.1.1 (`MQTT`, level 4), the OASIS standard.
    case v3_1_1 = 4

    /// The protocol name that CONNECT carries ([MQTT-3.1.2-1]).
    public var protocolName: StaticString {
        switch self {
        case .v3_1: "MQIsdp"
        case .v3_1_1: "MQTT"
        }
    }

    /// The protocol level that CONNECT carries ([MQTT-3.1.2-2]).
    public var protocolLevel: UInt8 { rawValue }

    /// CONNACK says whether the server held a session; in 3.1 that byte is unused.
    var reportsSessionPresent: Bool { self != .v3_1 }

    /// The flag bits of packets other than PUBLISH are fixed ([MQTT-2.2.2-1]); 3.1 leaves them unused, and sets DUP on a repeated PUBREL.
    var fixesReservedFlags: Bool { self != .v3_1 }

    /// The server names a client that sends an empty client identifier ([MQTT-3.1.3-6]); 3.1 wants at least one character.
    var allowsEmptyClientIdentifier: Bool { self != .v3_1 }
}
