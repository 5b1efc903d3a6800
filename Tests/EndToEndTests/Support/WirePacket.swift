/// A whole MQTT packet as it stood on the wire.
///
/// The proof parses packets with eyes of its own: what the product's parser gets wrong it must not get wrong here too.
struct WirePacket: Sendable {
    enum Kind: UInt8, Sendable {
        case connect = 1
        case connectAcknowledgement, publish, publishAcknowledgement, publishReceived, publishRelease, publishComplete
        case subscribe, subscribeAcknowledgement, unsubscribe, unsubscribeAcknowledgement, pingRequest, pingResponse, disconnect
    }

    let bytes: [UInt8]
    /// Where the body starts: after the fixed header.
    let bodyStart: Int

    var kind: Kind? { Kind(rawValue: bytes[0] >> 4) }
    var qos: UInt8 { bytes[0] >> 1 & 3 }
    var isDuplicate: Bool { bytes[0] & 8 != 0 }
    var body: ArraySlice<UInt8> { bytes[bodyStart...] }

    /// The packet identifier of those packets that have one.
    var packetIdentifier: UInt16? {
        switch kind {
        case .publish: qos == 0 ? nil : unsigned(at: bodyStart + 2 + topicBytes)
        case .connect, .connectAcknowledgement, .pingRequest, .pingResponse, .disconnect, nil: nil
        default: unsigned(at: bodyStart)
        }
    }

    /// The client identifier of a CONNECT.
    var clientIdentifier: String? {
        guard kind == .connect, let level = protocolLevel else { return nil }
        // After the level: the flags, the keep alive and, in MQTT 5, properties, whose length is short in all that we send.
        var at = bodyStart + 2 + topicBytes + 4
        if level == 5, at < bytes.count { at += 1 + Int(bytes[at]) }
        return unsigned(at: at).map { String(decoding: bytes.dropFirst(at + 2).prefix(Int($0)), as: UTF8.self) }
    }

    /// The protocol level of a CONNECT: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.
    var protocolLevel: UInt8? {
        let at = bodyStart + 2 + topicBytes
        return kind == .connect && at < bytes.count ? bytes[at] : nil
    }

    /// The payload of a PUBLISH; in MQTT 5 after its properties, which are not cut off.
    var payload: ArraySlice<UInt8> { bytes.dropFirst(bodyStart + 2 + topicBytes + (qos == 0 ? 0 : 2)) }

    /// Of the topic name of a PUBLISH, or the protocol name of a CONNECT.
    /// Of a PUBLISH.
    var topic: String? {
        guard kind == .publish else { return nil }
        return String(decoding: bytes.dropFirst(bodyStart + 2).prefix(topicBytes), as: UTF8.self)
    }

    private var topicBytes: Int { Int(unsigned(at: bodyStart) ?? 0) }

    private func unsigned(at offset: Int) -> UInt16? {
        offset + 1 < bytes.count ? UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) : nil
    }
}

/// Cuts a stream of bytes into packets.
struct PacketStream {
    private var pending: [UInt8] = []

    /// Takes the next bytes of the stream; returns the packets that are whole now.
    mutating func take(_ bytes: [UInt8]) -> [WirePacket] {
        pending += bytes
        var packets: [WirePacket] = []
        var start = 0
        while let (bodyStart, end) = Self.extent(of: pending, from: start) {
            packets.append(WirePacket(bytes: Array(pending[start..<end]), bodyStart: bodyStart - start))
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

/// The packets that a test sends, as bytes.
enum Packets {
    static let connectionAccepted: [UInt8] = [0x20, 2, 0, 0]
    static let sessionResumed: [UInt8] = [0x20, 2, 1, 0]
    static let pingResponse: [UInt8] = [0xD0, 0]
    static let disconnect: [UInt8] = [0xE0, 0]

    /// - Parameter level: 4 is MQTT 3.1.1, 5 is 5.
    static func connect(
        client: String, cleanSession: Bool = true, credentials: LoadPublisher.Credentials? = nil, level: UInt8 = 4
    ) -> [UInt8] {
        let flags: UInt8 = (cleanSession ? 2 : 0) | (credentials == nil ? 0 : 0xC0)
        let secrets = credentials.map { text($0.username) + text($0.password) } ?? []
        return packet(0x10, text("MQTT") + [level, flags, 0, 0] + (level == 5 ? [0] : []) + text(client) + secrets)
    }

    /// - Parameter packetIdentifier: nil at QoS 0.
    static func publish(
        topic: [UInt8], payload: [UInt8], packetIdentifier: UInt16?, qos: UInt8 = 1, isDuplicate: Bool = false
    ) -> [UInt8] {
        let head: UInt8 = 0x30 | (packetIdentifier == nil ? 0 : qos << 1) | (isDuplicate ? 8 : 0)
        return packet(head, counted(topic) + (packetIdentifier.map(big) ?? []) + payload)
    }

    /// PUBREL.
    static func release(_ packetIdentifier: UInt16) -> [UInt8] { [0x62, 2] + big(packetIdentifier) }

    static func subscriptionGranted(packetIdentifier: UInt16, codes: [UInt8]) -> [UInt8] {
        packet(0x90, big(packetIdentifier) + codes)
    }

    /// Any packet: the first byte, the remaining length as it has to be, the body.
    static func packet(_ head: UInt8, _ body: [UInt8]) -> [UInt8] {
        var bytes = [head]
        var length = body.count
        repeat {
            let digit = UInt8(length % 128)
            length /= 128
            bytes.append(length > 0 ? digit | 0x80 : digit)
        } while length > 0
        return bytes + body
    }

    static func big(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }

    private static func text(_ text: String) -> [UInt8] { counted(Array(text.utf8)) }
    private static func counted(_ bytes: [UInt8]) -> [UInt8] { big(UInt16(bytes.count)) + bytes }
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
