/// The type of an MQTT control packet (MQTT 3.1.1 §2.2.1).
public enum PacketType: UInt8, Sendable, CaseIterable {
    case connect = 1
    case connectionAcknowledgement = 2
    case publish = 3
    case publishAcknowledgement = 4
    case publishReceived = 5
    case publishRelease = 6
    case publishComplete = 7
    case subscribe = 8
    case subscribeAcknowledgement = 9
    case unsubscribe = 10
    case unsubscribeAcknowledgement = 11
    case pingRequest = 12
    case pingResponse = 13
    case disconnect = 14
    case authentication = 15

    /// The low four bits of the first byte, which are fixed for every type but PUBLISH ([MQTT-2.2.2-1]).
    var reservedFlags: UInt8 {
        switch self {
        case .publishRelease, .subscribe, .unsubscribe: 0b0010
        default: 0
        }
    }

    /// The first byte of a packet of this type, PUBLISH aside.
    var firstByte: UInt8 { rawValue << 4 | reservedFlags }

    /// Whether a server may send it: DISCONNECT and AUTH since 5.0.
    func isForClients(_ version: ProtocolVersion) -> Bool {
        switch self {
        case .connect, .subscribe, .unsubscribe, .pingRequest: false
        case .disconnect, .authentication: version.hasProperties
        default: true
        }
    }

    /// The remaining lengths that a well-formed packet of this type can have, known before its body is here.
    @inline(__always)
    func remainingBytesAllowed(_ version: ProtocolVersion) -> ClosedRange<Int> {
        let maximum = FixedHeader.remainingBytesMaximum
        switch self {
        case .publish: return (version.hasProperties ? 3 : 2)...maximum
        case .pingRequest, .pingResponse: return 0...0
        case .connect, .subscribe, .unsubscribe: return 0...maximum
        // 5.0: a server of an older version answers in its own form.
        case .connectionAcknowledgement: return 2...(version.hasProperties ? maximum : 2)
        case .publishAcknowledgement, .publishReceived, .publishRelease, .publishComplete: return 2...(version.hasProperties ? maximum : 2)
        case .subscribeAcknowledgement: return (version.hasProperties ? 4 : 3)...maximum
        case .unsubscribeAcknowledgement: return version.hasProperties ? 4...maximum : 2...2
        case .disconnect, .authentication: return 0...(version.hasProperties ? maximum : 0)
        }
    }
}

extension PacketType: CustomStringConvertible {
    /// The name in the standard.
    public var description: String {
        switch self {
        case .connect: "CONNECT"
        case .connectionAcknowledgement: "CONNACK"
        case .publish: "PUBLISH"
        case .publishAcknowledgement: "PUBACK"
        case .publishReceived: "PUBREC"
        case .publishRelease: "PUBREL"
        case .publishComplete: "PUBCOMP"
        case .subscribe: "SUBSCRIBE"
        case .subscribeAcknowledgement: "SUBACK"
        case .unsubscribe: "UNSUBSCRIBE"
        case .unsubscribeAcknowledgement: "UNSUBACK"
        case .pingRequest: "PINGREQ"
        case .pingResponse: "PINGRESP"
        case .disconnect: "DISCONNECT"
        case .authentication: "AUTH"
        }
    }
}
