/// What only MQTT 5.0 has, and so forbids.
extension Offence {
    static let ofVersion5 = lengths + properties + aliases + reasonCodes + acceptances + disconnections

    /// PUBLISH with these properties, whose length is right.
    private static func message(_ properties: [UInt8], topic: String = "a/b", packetIdentifier: UInt16? = nil) -> [UInt8] {
        Packets.publish(
            topic: Array(topic.utf8), payload: Array("{}".utf8), packetIdentifier: packetIdentifier, version: .v5, properties: properties)
    }

    /// PUBLISH in which these bytes stand where the properties would.
    private static func message(inPlaceOfProperties bytes: [UInt8]) -> [UInt8] { Packets.packet(0x30, [0, 3, 0x61, 0x2F, 0x62] + bytes) }

    private static let lengths = [
        Offence("a padded remaining length", "shortest form", 0x81, [0x30, 0x86, 0x00, 0, 1, 0x61, 0, 0x7B, 0x7D]),
        Offence("PUBLISH without a property length", "PUBLISH with properties that go beyond", 0x81, message(inPlaceOfProperties: [])),
        Offence("properties longer than the packet", "go beyond its end", 0x81, message(inPlaceOfProperties: [0x20, 0x01, 0x00])),
        Offence("a padded property length", "shortest form", 0x81, message(inPlaceOfProperties: [0x80, 0x00])),
        Offence(
            "a property length of five bytes", "more than four bytes", 0x81, message(inPlaceOfProperties: [0x80, 0x80, 0x80, 0x80, 1])),
        Offence("a number cut short", "go beyond its end", 0x81, message([0x02, 0, 0, 1])),
        Offence("a text cut short", "go beyond its end", 0x81, message([0x03, 0, 9, 0x61])),
        Offence("a text pair cut short", "go beyond its end", 0x81, message([0x26, 0, 1, 0x61, 0])),
        Offence("bytes cut short", "go beyond its end", 0x81, message([0x09, 0xFF, 0xFF, 0])),
        Offence("a subscription identifier of five bytes", "more than four bytes", 0x81, message([0x0B, 0x80, 0x80, 0x80, 0x80, 1])),
    ]

    private static let properties = [
        Offence("an unknown property", "unknown identifier 126", 0x81, message([0x7E, 0])),
        Offence("property 0", "unknown identifier 0", 0x81, message([0])),
        Offence("a property of two bytes", "unknown identifier 128", 0x81, message([0x80, 1, 0])),
        Offence("a property twice", "twice", 0x82, message([0x01, 1, 0x01, 1])),
        Offence("a text property twice", "twice", 0x82, message([0x03, 0, 1, 0x61, 0x03, 0, 1, 0x62])),
        Offence("a property of CONNACK in PUBLISH", "belongs to other packets", 0x81, message([0x13, 0, 9])),
        Offence("a property of PUBLISH in SUBACK", "belongs to other packets", 0x81, .accepted) {
            Packets.packet(0x90, Packets.big($0) + [2, 0x01, 1, 1, 1])
        },
        Offence("a property of PUBLISH in PUBACK", "belongs to other packets", 0x81, .published) {
            Packets.packet(0x40, Packets.big($0) + [0, 2, 0x01, 1])
        },
        Offence("payload format 2", "the value 2", 0x82, message([0x01, 2])),
        Offence("subscription identifier 0", "the value 0", 0x82, message([0x0B, 0])),
        Offence("a content type that is no UTF-8", "UTF-8", 0x81, message([0x03, 0, 2, 0xC3, 0x28])),
        Offence("a user property's name that is no UTF-8", "UTF-8", 0x81, message([0x26, 0, 1, 0xFF, 0, 1, 0x61])),
        Offence("a user property's value with a null character", "UTF-8", 0x81, message([0x26, 0, 1, 0x61, 0, 1, 0])),
        Offence("a reason string that is no UTF-8", "UTF-8", 0x81, .published) {
            Packets.packet(0x40, Packets.big($0) + [0, 4, 0x1F, 0, 1, 0xFF])
        },
    ]

    private static let aliases = [
        Offence("topic alias 0", "the value 0", 0x82, message([0x23, 0, 0])),
        Offence("a topic alias above the maximum", "only 1 to 32", 0x94, message([0x23, 0, 33])),
        Offence("a topic alias above the maximum, without a topic", "only 1 to 32", 0x94, message([0x23, 0xFF, 0xFF], topic: "")),
        Offence("a topic alias that stands for nothing", "set no topic", 0x82, message([0x23, 0, 7], topic: "")),
        Offence("neither topic nor alias", "empty", 0x82, message([0x01, 1], topic: "")),
        Offence(
            "more messages at once than the receive maximum", "more than the 5 messages", 0x93,
            (1...6).flatMap { message([], packetIdentifier: $0) }),
    ]

    private static let reasonCodes = [
        Offence("an unknown code in PUBACK", "unknown reason code 66", 0x81, .published) { [0x40, 3] + Packets.big($0) + [0x42] },
        Offence("another packet's code in PUBACK", "belongs to other packets", 0x82, .published) { [0x40, 3] + Packets.big($0) + [0x8D] },
        Offence("PUBACK that ends within its properties", "go beyond its end", 0x81, .published) {
            [0x40, 5] + Packets.big($0) + [0, 9, 0x26]
        },
        Offence("PUBACK that goes on behind its properties", "go beyond its end", 0x81, .published) {
            [0x40, 5] + Packets.big($0) + [0, 0, 0]
        },
        Offence("another packet's code in PUBREC", "belongs to other packets", 0x82, [0x50, 3, 0, 9, 0x92]),
        Offence("another packet's code in PUBREL", "belongs to other packets", 0x82, [0x62, 3, 0, 9, 0x80]),
        Offence("another packet's code in PUBCOMP", "belongs to other packets", 0x82, [0x70, 3, 0, 9, 0x10]),
        Offence("an unknown code in SUBACK", "unknown reason code 66", 0x81, .accepted) {
            Packets.subscriptionGranted(packetIdentifier: $0, codes: [1, 0x42], version: .v5)
        },
        Offence("another packet's code in SUBACK", "belongs to other packets", 0x82, .accepted) {
            Packets.subscriptionGranted(packetIdentifier: $0, codes: [0x8D, 1], version: .v5)
        },
    ]

    private static let acceptances = [
        Offence("an unknown code in CONNACK", "unknown reason code 66", nil, .connected, [0x20, 3, 0, 0x42, 0]),
        Offence("another packet's code in CONNACK", "belongs to other packets", nil, .connected, [0x20, 3, 0, 0x8E, 0]),
        Offence("CONNACK that ends within its properties", "go beyond its end", nil, .connected, [0x20, 4, 0, 0, 9, 0x21]),
        Offence("CONNACK of 3.1.1", "CONNACK with a remaining length of 2", nil, .connected, [0x20, 2, 0, 0]),
        Offence("receive maximum 0", "the value 0", nil, .connected, [0x20, 6, 0, 0, 3, 0x21, 0, 0]),
        Offence("packet size 0", "the value 0", nil, .connected, [0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 0]),
        Offence("maximum QoS 2", "the value 2", nil, .connected, [0x20, 5, 0, 0, 2, 0x24, 2]),
        Offence("a property of PUBLISH in CONNACK", "belongs to other packets", nil, .connected, [0x20, 5, 0, 0, 2, 0x01, 1]),
        Offence("AUTH in place of CONNACK", "AUTH", nil, .connected, [0xF0, 0]),
        Offence("AUTH after CONNACK", "AUTH", 0x82, [0xF0, 2, 0x18, 0]),
        Offence("AUTH with flags", "MQTT-2.2.2-1", 0x81, [0xF1, 0]),
    ]

    private static let disconnections = [
        Offence("the session is taken over", "session taken over", nil, [0xE0, 1, 0x8E]),
        Offence("the server shuts down", "server shutting down", nil, [0xE0, 2, 0x8B, 0]),
        Offence(
            "another server is to be used", "use another server; it says: gone; it names the server other.example", nil,
            Packets.packet(0xE0, [0x9C, 23, 0x1F] + Packets.text("gone") + [0x1C] + Packets.text("other.example"))),
        Offence(
            "a reason with control characters", "administrative action; it says: a\\u{a}\\u{1b}b", nil,
            [0xE0, 9, 0x98, 7, 0x1F, 0, 4, 0x61, 0x0A, 0x1B, 0x62]),
        Offence("DISCONNECT without a code", "ended the connection: success", nil, [0xE0, 0]),
        Offence("DISCONNECT before CONNACK", "before CONNACK", nil, .connected, [0xE0, 0]),
        Offence("an unknown code in DISCONNECT", "unknown reason code 66", 0x81, [0xE0, 1, 0x42]),
        Offence("another packet's code in DISCONNECT", "belongs to other packets", 0x82, [0xE0, 1, 0x84]),
        Offence("a client's property in DISCONNECT", "belongs to other packets", 0x81, [0xE0, 7, 0, 5, 0x11, 0, 0, 0, 1]),
        Offence("DISCONNECT that ends within its properties", "go beyond its end", 0x81, [0xE0, 3, 0, 9, 0x26]),
    ]
}
