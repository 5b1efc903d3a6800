import Testing

/// The versions of MQTT that a scripted broker speaks, by the protocol level of their CONNECT.
enum WireVersion: UInt8, Sendable, CaseIterable, Comparable, CustomTestStringConvertible {
    case v3_1 = 3
    case v3_1_1 = 4
    case v5 = 5

    static func < (left: WireVersion, right: WireVersion) -> Bool { left.rawValue < right.rawValue }

    var hasProperties: Bool { self == .v5 }
    /// CONNACK says whether the broker had the session.
    var reportsSessionPresent: Bool { self != .v3_1 }
    /// The line of the configuration that makes the ingester speak it.
    var configurationLine: String { "version: \(testDescription)" }

    var testDescription: String {
        switch self {
        case .v3_1: "3.1"
        case .v3_1_1: "3.1.1"
        case .v5: "5"
        }
    }
}

/// A whole MQTT packet as it stood on the wire.
///
/// The proof parses packets with eyes of its own: what the product's parser gets wrong it must not get wrong here too.
struct WirePacket: Sendable {
    enum Kind: UInt8, Sendable {
        case connect = 1
        case connectAcknowledgement, publish, publishAcknowledgement, publishReceived, publishRelease, publishComplete
        case subscribe, subscribeAcknowledgement, unsubscribe, unsubscribeAcknowledgement, pingRequest, pingResponse, disconnect
        case authentication
    }

    let bytes: [UInt8]
    /// Where the body starts: after the fixed header.
    let bodyStart: Int
    /// The version of the connection, where it is known; else that of most.
    var version = WireVersion.v3_1_1

    var kind: Kind? { Kind(rawValue: bytes[0] >> 4) }
    var qos: UInt8 { bytes[0] >> 1 & 3 }
    var isDuplicate: Bool { bytes[0] & 8 != 0 }
    var body: ArraySlice<UInt8> { bytes[bodyStart...] }

    /// The packet identifier of those packets that have one.
    var packetIdentifier: UInt16? {
        switch kind {
        case .publish: qos == 0 ? nil : unsigned(at: bodyStart + 2 + topicBytes)
        case .connect, .connectAcknowledgement, .pingRequest, .pingResponse, .disconnect, .authentication, nil: nil
        default: unsigned(at: bodyStart)
        }
    }

    /// The protocol level of a CONNECT: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.
    var protocolLevel: UInt8? {
        let at = bodyStart + 2 + topicBytes
        return kind == .connect && at < bytes.count ? bytes[at] : nil
    }

    /// Whether a CONNECT carries a last will.
    var hasWill: Bool {
        let at = bodyStart + 2 + topicBytes + 1
        return kind == .connect && at < bytes.count && bytes[at] & 4 != 0
    }

    /// The client identifier of a CONNECT.
    var clientIdentifier: String? {
        guard let version = protocolLevel.flatMap(WireVersion.init) else { return nil }
        // Behind the level: the flags, the keep alive and from 5.0 properties.
        let fieldsEnd = bodyStart + 2 + topicBytes + 4
        let start = version.hasProperties ? propertiesEnd(at: fieldsEnd) : fieldsEnd
        guard let length = unsigned(at: start) else { return nil }
        return String(decoding: bytes.dropFirst(start + 2).prefix(Int(length)), as: UTF8.self)
    }

    /// The payload of a PUBLISH.
    var payload: ArraySlice<UInt8> {
        let start = bodyStart + 2 + topicBytes + (qos == 0 ? 0 : 2)
        return bytes.dropFirst(version.hasProperties ? propertiesEnd(at: start) : start)
    }

    /// The topic name of a PUBLISH.
    var topic: String { String(decoding: bytes.dropFirst(bodyStart + 2).prefix(topicBytes), as: UTF8.self) }

    /// The filters of a SUBSCRIBE.
    var filters: [String] {
        var filters: [String] = []
        var at = bodyStart + 2
        if version.hasProperties { at = propertiesEnd(at: at) }
        while let length = unsigned(at: at) {
            filters.append(String(decoding: bytes.dropFirst(at + 2).prefix(Int(length)), as: UTF8.self))
            at += 2 + Int(length) + 1
        }
        return filters
    }

    /// The reason code of a DISCONNECT, PUBACK, PUBREC, PUBREL or PUBCOMP: success where it is left out. Before 5.0 there is none.
    var reasonCode: UInt8? {
        guard version.hasProperties else { return nil }
        let at = kind == .disconnect ? bodyStart : bodyStart + 2
        return at < bytes.count ? bytes[at] : 0
    }

    /// Where the properties end that begin here with their length.
    private func propertiesEnd(at start: Int) -> Int {
        var length = 0
        var at = start
        for shift in stride(from: 0, to: 28, by: 7) where at < bytes.count {
            length |= Int(bytes[at] & 0x7F) << shift
            at += 1
            if bytes[at - 1] & 0x80 == 0 { break }
        }
        return min(at + length, bytes.count)
    }

    /// Of the topic name of a PUBLISH, or the protocol name of a CONNECT.
    private var topicBytes: Int { Int(unsigned(at: bodyStart) ?? 0) }

    private func unsigned(at offset: Int) -> UInt16? {
        offset + 1 < bytes.count ? UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) : nil
    }
}

/// Cuts a stream of bytes into packets.
struct PacketStream {
    private var pending: [UInt8] = []
    /// What CONNECT has asked for, once it was seen.
    private(set) var version = WireVersion.v3_1_1

    /// Takes the next bytes of the stream; returns the packets that are whole now.
    mutating func take(_ bytes: [UInt8]) -> [WirePacket] {
        pending += bytes
        var packets: [WirePacket] = []
        var start = 0
        while let (bodyStart, end) = Self.extent(of: pending, from: start) {
            var packet = WirePacket(bytes: Array(pending[start..<end]), bodyStart: bodyStart - start)
            version = packet.protocolLevel.flatMap(WireVersion.init) ?? version
            packet.version = version
            packets.append(packet)
            start = end
        }
        pending.removeFirst(start)
        return packets
    }

    private static func extent(of bytes: [UInt8], from start: Int) -> (bodyStart: Int, end: Int)? {
        var length = 0
        for digit in 0..<4 {
            let at = start + 1 + digit
            guard at < bytes.count else { return nil }
            length |= Int(bytes[at] & 0x7F) << (7 * digit)
            if bytes[at] & 0x80 == 0 {
                let end = at + 1 + length
                return end <= bytes.count ? (at + 1, end) : nil
            }
        }
        return nil
    }
}

/// The number that follows `"seq":` in a JSON reading.
func sequenceNumber(in payload: ArraySlice<UInt8>) -> Int? {
    let mark = Array(#""seq":"#.utf8)
    return payload.withUnsafeBytes { bytes in
        guard
            let start = bytes.indices.first(where: { at in
                bytes[at] == mark[0] && bytes.count - at > mark.count && bytes[at..<at + mark.count].elementsEqual(mark)
            })
        else { return nil }
        return Int(String(decoding: bytes[(start + mark.count)...].prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }
}
