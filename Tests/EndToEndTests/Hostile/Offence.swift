/// What a broker does wrong, and what has to come of it.
struct Offence: Sendable {
    /// When it does it.
    enum Moment: Sendable {
        /// In place of CONNACK.
        case connected
        /// In place of PUBACK to the message by which a session says that it is there.
        case published
        /// In place of SUBACK.
        case accepted
        case subscribed
    }

    let name: String
    let moment: Moment
    /// What the log has to say of it.
    let reason: String
    /// What DISCONNECT says from 5.0 on; nil: it is not said.
    let code: UInt8?
    /// From the packet identifier of the packet that is not answered.
    let bytes: @Sendable (_ packetIdentifier: UInt16) -> [UInt8]

    init(_ name: String, _ reason: String, _ code: UInt8?, _ bytes: [UInt8]) {
        self.init(name, reason, code, .subscribed) { _ in bytes }
    }

    init(_ name: String, _ reason: String, _ code: UInt8?, _ moment: Moment, _ bytes: [UInt8]) {
        self.init(name, reason, code, moment) { _ in bytes }
    }

    /// - Parameter bytes: from the packet identifier that is not answered.
    init(
        _ name: String, _ reason: String, _ code: UInt8?, _ moment: Moment, answering bytes: @escaping @Sendable (UInt16) -> [UInt8]
    ) {
        self.name = name
        self.reason = reason
        self.code = code
        self.moment = moment
        self.bytes = bytes
    }

    /// All of a version.
    static func all(_ version: WireVersion) -> [Offence] {
        malformed(version) + outOfPlace(version) + (version.hasProperties ? ofVersion5 : [])
            + (version.hasProperties ? [] : beforeVersion5(version)) + (version == .v3_1 ? [] : sinceVersion3_1_1(version))
    }

    // MARK: Bytes that are no packet

    /// PUBLISH with this first byte and these bytes for a topic, without properties.
    static func publish(_ version: WireVersion, _ head: UInt8, _ topic: [UInt8], _ identifier: [UInt8] = []) -> [UInt8] {
        Packets.packet(head, Packets.counted(topic) + identifier + Packets.properties([], version) + Array("{}".utf8))
    }

    private static func malformed(_ version: WireVersion) -> [Offence] {
        let topic = Array("a/b".utf8)
        return [
            Offence("a remaining length of five bytes", "remaining length", 0x81, [0x30, 0x80, 0x80, 0x80, 0x80, 0x01]),
            Offence("PUBLISH with QoS 3", "MQTT-3.3.1-4", 0x81, publish(version, 0x36, topic, [0, 1])),
            Offence("DUP at QoS 0", "MQTT-3.3.1-2", 0x82, publish(version, 0x38, topic)),
            Offence("packet identifier 0", "MQTT-2.3.1-1", 0x82, publish(version, 0x32, topic, [0, 0])),
            Offence("a wildcard in a topic name", "MQTT-3.3.2-2", 0x90, publish(version, 0x32, Array("a/+".utf8), [0, 1])),
            Offence("a topic name that is no UTF-8", "UTF-8", 0x81, publish(version, 0x32, [0x61, 0xC3, 0x28], [0, 1])),
            Offence("a surrogate in a topic name", "UTF-8", 0x81, publish(version, 0x32, [0xED, 0xA0, 0x80], [0, 1])),
            Offence("an overlong form in a topic name", "UTF-8", 0x81, publish(version, 0x32, [0x61, 0xC0, 0x80], [0, 1])),
            Offence("a topic name with a null character", "null", 0x81, publish(version, 0x30, [0x61, 0, 0x62])),
            Offence("an empty topic name", "empty", 0x82, publish(version, 0x30, [])),
            Offence("a topic name longer than its packet", "PUBLISH", 0x81, [0x30, 4, 0xFF, 0xFF, 0x61, 0x62]),
            Offence("PUBLISH that ends within its packet identifier", "PUBLISH", 0x81, [0x32, 4, 0, 1, 0x61, 0]),
            Offence("PUBLISH without a topic name", "remaining length of 1", 0x81, [0x30, 1, 0]),
            Offence("a packet longer than the bound", "allowed", 0x95, [0x32, 0xFF, 0xFF, 0xFF, 0x7F] + Packets.counted(topic)),
            Offence("an acknowledgement longer than the bound", "allowed", 0x95, [0x40, 0xFF, 0xFF, 0xFF, 0x7F]),
            Offence("PUBACK without a packet identifier", "PUBACK with a remaining length of 1", 0x81, [0x40, 1, 0]),
            Offence("PUBREL without a packet identifier", "PUBREL with a remaining length of 0", 0x81, [0x62, 0]),
            Offence("PINGRESP with a body", "PINGRESP with a remaining length", 0x81, [0xD0, 1, 0]),
            Offence("the reserved packet type 0", "reserved type 0", 0x81, [0, 0]),
            Offence("CONNACK without a code", "CONNACK with a remaining length of 1", nil, .connected, [0x20, 1, 0]),
            Offence("SUBACK without codes", "SUBACK with a remaining length", 0x81, .accepted) { [0x90, 2] + Packets.big($0) },
            Offence("SUBACK with packet identifier 0", "SUBACK with packet identifier 0", 0x82, .accepted) { _ in
                Packets.subscriptionGranted(packetIdentifier: 0, codes: [1, 1], version: version)
            },
        ]
    }

    // MARK: Packets that do not belong there

    private static func outOfPlace(_ version: WireVersion) -> [Offence] {
        let granted = { @Sendable (identifier: UInt16, codes: [UInt8]) in
            Packets.subscriptionGranted(packetIdentifier: identifier, codes: codes, version: version)
        }
        let reading = { @Sendable (sequence: Int, qos: UInt8) in
            let reading = LoadPublisher.reading(sequence)
            return Packets.publish(
                topic: Array(reading.topic.utf8), payload: reading.payload, packetIdentifier: 9, qos: qos, version: version)
        }
        return [
            Offence("SUBACK that nobody asked for", "SUBACK for packet identifier 32639", 0x82, granted(0x7F7F, [1, 1])),
            Offence("SUBACK with too many codes", "SUBACK with 3 return codes for 2", 0x82, .accepted) { granted($0, [1, 1, 1]) },
            Offence("SUBACK with too few codes", "SUBACK with 1 return codes for 2", 0x82, .accepted) { granted($0, [1]) },
            Offence("SUBACK twice", "SUBACK for packet identifier", 0x82, .accepted) { granted($0, [1, 1]) + granted($0, [1, 1]) },
            Offence("PUBACK that nobody waits for", "PUBACK for packet identifier 4660", 0x82, [0x40, 2, 0x12, 0x34]),
            Offence("PUBREC for a message at QoS 1", "PUBREC for packet identifier", 0x82, .published) { [0x50, 2] + Packets.big($0) },
            Offence("PUBCOMP for a message at QoS 1", "PUBCOMP for packet identifier", 0x82, .published) { [0x70, 2] + Packets.big($0) },
            Offence(
                "UNSUBACK that nobody asked for", "UNSUBACK for packet identifier 18", 0x82,
                Packets.packet(0xB0, [0, 0x12] + (version.hasProperties ? [0, 0] : []))),
            Offence("a second CONNACK", "second CONNACK", 0x82, Packets.connectionAcknowledgement(version)),
            Offence("CONNECT", "only a client may send", 0x82, [0x10, 0]),
            Offence("SUBSCRIBE", "only a client may send", 0x82, Packets.packet(0x82, [0, 1, 0, 1, 0x61, 1])),
            Offence("UNSUBSCRIBE", "only a client may send", 0x82, Packets.packet(0xA2, [0, 1, 0, 1, 0x61])),
            Offence("PINGREQ", "only a client may send", 0x82, [0xC0, 0]),
            Offence("a packet identifier at QoS 1 for two messages", "MQTT-2.3.1-4", 0x82, reading(10_001, 1) + reading(10_002, 1)),
            Offence("PUBREL before PUBREC", "MQTT-4.3.3-1", 0x82, reading(10_003, 2) + Packets.release(9)),
            Offence("PUBLISH before CONNACK", "before CONNACK", nil, .connected, publish(version, 0x30, [0x61])),
            Offence("PINGRESP before CONNACK", "before CONNACK", nil, .connected, Packets.pingResponse),
            Offence("SUBACK before CONNACK", "before CONNACK", nil, .connected, granted(1, [1, 1])),
            Offence("HTTP", "server sent", nil, .connected, Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
            Offence("a TLS alert", "server sent", nil, .connected, [0x15, 3, 3, 0, 2, 2, 40]),
        ]
    }

    /// What 3.1 leaves open.
    private static func sinceVersion3_1_1(_ version: WireVersion) -> [Offence] {
        [
            Offence("PUBACK with flags", "MQTT-2.2.2-1", 0x81, [0x4F, 2, 0, 1]),
            Offence("PUBREL without its flag", "MQTT-2.2.2-1", 0x81, [0x60, 2, 0, 1]),
            Offence("PINGRESP with flags", "MQTT-2.2.2-1", 0x81, [0xD1, 0]),
            Offence(
                "CONNACK that refuses a session and says that it is there", "not authorized", nil, .connected,
                Packets.connectionAcknowledgement(version, isSessionPresent: true, code: version.hasProperties ? 0x87 : 5)),
            Offence(
                "CONNACK with reserved flags", "CONNACK with flags 254", nil, .connected,
                Packets.packet(0x20, [0xFE, 0] + Packets.properties([], version))),
        ]
    }

    /// What 5.0 has given a meaning.
    private static func beforeVersion5(_ version: WireVersion) -> [Offence] {
        [
            Offence("the reserved packet type 15", "reserved type 15", nil, [0xF0, 0]),
            Offence("DISCONNECT", "only a client may send", nil, [0xE0, 0]),
            Offence("PUBACK with more than a packet identifier", "PUBACK with a remaining length of 3", nil, [0x40, 3, 0, 1, 0]),
            Offence("a reserved code in CONNACK", "reserved return code 6", nil, .connected, [0x20, 2, 0, 6]),
            Offence("CONNACK with properties", "CONNACK with a remaining length of 3", nil, .connected, [0x20, 3, 0, 0, 0]),
            Offence("a reserved code in SUBACK", "MQTT-3.9.3-2", nil, .accepted) {
                Packets.subscriptionGranted(packetIdentifier: $0, codes: [1, 3])
            },
        ]
    }
}
