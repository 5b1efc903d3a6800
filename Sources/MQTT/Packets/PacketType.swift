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

    /// The low four bits of the first byte, which are fixed for every type but PUBLISH ([MQTT-2.2.2-1]).
    var reservedFlags: UInt8 {
        switch self {
        case .publishRelease, .subscribe, .unsubscribe: 0b0010
        default: 0
        }
    }

    /// The first byte of a packet of this type, PUBLISH aside.
    var firstByte: UInt8 { rawValue << 4 | reservedFlags }

    /// Whether a server may send it.
    var isForClients: Bool {
        switch self {
        case .connect, .subscribe, .unsubscribe, .pingRequest, .disconnect: false
        default: true
        }
    }

    /// The remaining lengths that a well-formed packet of this type can have, known before its body is here.
    var remainingBytesAllowed: ClosedRange<Int> {
        switch self {
        case .pingRequest, .pingResponse, .disconnect: 0...0
        case .publish: 2...FixedHeader.remainingBytesMaximum
        case .subscribeAcknowledgement: 3...FixedHeader.remainingBytesMaximum
        case .connect, .subscribe, .unsubscribe: 0...FixedHeader.remainingBytesMaximum
        default: 2...2
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
        }
    }
}
