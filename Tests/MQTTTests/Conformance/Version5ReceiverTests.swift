import Testing

@testable import MQTT

@Suite("MQTT 5.0: what is received")
struct Version5ReceiverTests {
    /// PUBLISH at QoS 0 without a payload.
    private func publish(_ topic: String, properties: String) -> [UInt8] {
        let block = bytes(properties)
        return publishPacket(topic: Array(topic.utf8), payload: [UInt8(block.count)] + block)
    }

    private func topic(_ events: [RecordedEvent]) -> String? {
        guard case .publish(let topic, _, _, _, _, _, _)? = events.first else { return nil }
        return topic
    }

    @Test("Every topic alias from 1 to our maximum is taken [MQTT-3.3.2-10]", arguments: [UInt16(1), 300])
    func everyAlias(maximum: UInt16) throws {
        var harness = try connectedVersion5 { $0.topicAliasMaximum = maximum }
        func property(_ alias: UInt16) -> String { "23" + String(0x1_0000 + Int(alias), radix: 16).dropFirst() }
        for alias in 1...maximum {
            #expect(topic(harness.receive(publish("t\(alias)", properties: property(alias)))) == "t\(alias)")
        }
        for alias in 1...maximum {
            #expect(topic(harness.receive(publish("", properties: property(alias)))) == "t\(alias)")
        }
    }

    @Test("Where we allow none, an alias ends the connection")
    func noAlias() throws {
        var harness = try connectedVersion5 { $0.topicAliasMaximum = 0 }
        #expect(harness.receive(publish("a", properties: "23 0001")) == [.failed(.topicAliasTooLarge(1, maximum: 0))])
        #expect(harness.takeOutput() == bytes("E0 01 94"))
    }

    @Test(
        "Text that is not well-formed UTF-8 or holds U+0000 is malformed [MQTT-1.5.4-1] [MQTT-1.5.4-2], also in each half of a pair [MQTT-1.5.7-1]",
        arguments: [
            ("26 0002 C328 0001 61", PropertyIdentifier.userProperty), ("26 0001 61 0002 C328", .userProperty),
            ("26 0001 00 0001 61", .userProperty), ("26 0001 61 0001 00", .userProperty), ("26 0001 61 0003 EDA080", .userProperty),
            ("03 0002 C328", .contentType), ("08 0001 00", .responseTopic),
        ])
    func malformedText(properties: String, identifier: PropertyIdentifier) throws {
        var harness = try connectedVersion5()
        let expected = MQTTError.malformedProperties(.publish, .malformedText(identifier))
        #expect(harness.receive(publish("a", properties: properties)) == [.failed(expected)])
        #expect(harness.takeOutput() == bytes("E0 01 81"))
    }

    @Test("A topic name that is not well-formed UTF-8 is malformed [MQTT-1.5.4-1]", arguments: ["C328", "EDA080", "610062"])
    func malformedTopic(hex: String) throws {
        var harness = try connectedVersion5()
        let topic = bytes(hex)
        #expect(harness.receive(publishPacket(topic: topic, payload: [0])).first?.error != nil)
        #expect(harness.takeOutput() == bytes("E0 01 81"))
    }

    @Test("A byte order mark stays where it is [MQTT-1.5.4-3]")
    func byteOrderMark() throws {
        var harness = try connectedVersion5()
        let packet = bytes("30 0D 0004 EFBBBF61 06 03 0003 EFBBBF")
        var offset = 0
        try packet.withUnsafeBytes { buffer in
            guard case .publish(let publish, _) = try harness.session.nextEvent(in: buffer, at: &offset, now: harness.now) else {
                Issue.record("no message")
                return
            }
            #expect(Array(publish.topic) == bytes("EFBBBF61"))
            #expect(publish.properties.contentType.map { Array($0) } == bytes("EFBBBF"))
        }
    }

    @Test("Both QoS bits set [MQTT-3.3.1-4], and DUP at QoS 0 [MQTT-3.3.1-2]", arguments: [(UInt8(0x36), UInt8(0x81)), (0x38, 0x82)])
    func publishFlags(firstByte: UInt8, code: UInt8) throws {
        var harness = try connectedVersion5()
        #expect(harness.receive([firstByte]).first?.error != nil)
        #expect(harness.takeOutput() == [0xE0, 1, code])
    }

    @Test("Reserved bits of DISCONNECT and AUTH are malformed, and the server is told [MQTT-3.14.1-1] [MQTT-3.15.1-1]")
    func reservedBits() throws {
        for firstByte in Array(0xE1...0xEF) + Array(0xF1...0xFF) as [UInt8] {
            var harness = try connectedVersion5()
            let type = try #require(PacketType(rawValue: firstByte >> 4))
            #expect(harness.receive([firstByte, 0]) == [.failed(.reservedFlags(type, flags: firstByte & 0x0F))])
            #expect(harness.takeOutput() == bytes("E0 01 81"))
        }
    }

    @Test(
        "A session that the server does not have is discarded here [MQTT-3.2.2-5]; with clean start too [MQTT-3.1.2-4]",
        arguments: [false, true])
    func forgottenSession(cleanStart: Bool) throws {
        var harness = try connectedVersion5 { $0.cleanSession = cleanStart }
        let message = bytes("34 06 0001 61 0007 00")
        _ = harness.receive(message)
        harness.settle(0)
        #expect(harness.flush() == bytes("50 02 0007"))
        #expect(harness.heldIdentifiers == [7])
        harness.reconnect(sessionPresent: false)
        #expect(harness.heldIdentifiers == [])
        #expect(harness.receive(message).first?.sequence == 1)
    }

    @Test("A session that the server has is kept here [MQTT-3.1.2-23]")
    func keptSession() throws {
        var harness = try connectedVersion5(sessionPresent: true)
        _ = harness.receive(hex: "34 06 0001 61 0007 00")
        harness.settle(0)
        _ = harness.flush()
        harness.reconnect(sessionPresent: true)
        #expect(harness.receive(hex: "3C 06 0001 61 0007 00") == [.repeated(7, .exactlyOnce)])
        #expect(harness.flush() == bytes("50 02 0007"))
    }
}
