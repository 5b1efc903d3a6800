/// The version of MQTT that a connection speaks; what differs between versions asks this value, nothing is written twice.
public enum ProtocolVersion: UInt8, Sendable, CaseIterable, Comparable {
    /// MQTT 3.1 (`MQIsdp`, level 3).
    case v3_1 = 3
    /// MQTT 3.1.1 (`MQTT`, level 4), the OASIS standard of 2014.
    case v3_1_1 = 4
    /// MQTT 5.0 (`MQTT`, level 5), the OASIS standard of 2019.
    case v5 = 5

    /// Orders by age.
    public static func < (left: ProtocolVersion, right: ProtocolVersion) -> Bool { left.rawValue < right.rawValue }

    /// The protocol name that CONNECT carries ([MQTT-3.1.2-1]).
    public var protocolName: StaticString {
        switch self {
        case .v3_1: "MQIsdp"
        case .v3_1_1, .v5: "MQTT"
        }
    }

    /// The protocol level that CONNECT carries ([MQTT-3.1.2-2]).
    public var protocolLevel: UInt8 { rawValue }

    /// Packets carry properties and reason codes, and the server says DISCONNECT (MQTT 5.0).
    public var hasProperties: Bool {
        @inline(__always) get { self == .v5 }
    }

    /// CONNACK says whether the server held a session; in 3.1 that byte is unused.
    public var reportsSessionPresent: Bool { self != .v3_1 }

    /// The flag bits of packets other than PUBLISH are fixed ([MQTT-2.2.2-1]); 3.1 leaves them unused, and sets DUP on a repeated PUBREL.
    var fixesReservedFlags: Bool { self != .v3_1 }

    /// The remaining length has its shortest form (MQTT 5.0 [MQTT-1.5.5-1]); before, a padded one is taken.
    var wantsShortestLengths: Bool { self == .v5 }

    /// The longest client identifier that every server of this version takes: 23 characters in 3.1 (MQTT 3.1 §3.1), no limit but the field's after it.
    public var clientIdentifierCharactersMaximum: Int { self == .v3_1 ? 23 : 65_535 }

    /// The server names a client that sends an empty client identifier ([MQTT-3.1.3-6]); 3.1 wants at least one character.
    var allowsEmptyClientIdentifier: Bool { self != .v3_1 }
}

extension ProtocolVersion: CustomStringConvertible {
    /// The number of the standard: 3.1, 3.1.1 or 5.
    public var description: String {
        switch self {
        case .v3_1: "3.1"
        case .v3_1_1: "3.1.1"
        case .v5: "5"
        }
    }
}
