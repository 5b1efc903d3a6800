import NIOCore
import Testing

@testable import MQTT

@Suite("MQTT 5.0: what we send behind CONNECT")
struct Version5SenderTests {
    private let topic: TopicName

    init() throws { topic = try TopicName("a") }

    @Test(
        "PUBLISH has an identifier from QoS 1 on [MQTT-2.2.1-2], no DUP [MQTT-4.3.1-1], a property length of 0 and no alias [MQTT-3.2.2-18]"
    )
    func publish() throws {
        var harness = try connectedVersion5(properties: "22 FFFF")
        #expect(harness.session.publish(topic: topic, payload: [0x2A], qos: .atMostOnce, isRetained: true) == .written)
        #expect(harness.session.publish(topic: topic, payload: [0x2A], qos: .atLeastOnce) == .awaitingAcknowledgement(packetIdentifier: 1))
        #expect(harness.session.publish(topic: topic, payload: [0x2A], qos: .exactlyOnce) == .awaitingAcknowledgement(packetIdentifier: 2))
        #expect(harness.takeOutput() == bytes("31 05 0001 61 00 2A  32 07 0001 61 0001 00 2A  34 07 0001 61 0002 00 2A"))
    }

    @Test("Text and pairs of text are UTF-8 [MQTT-1.5.7-1] [MQTT-3.3.2-13] [MQTT-3.3.2-19]")
    func properties() throws {
        var harness = try connectedVersion5()
        var properties = PublishPropertiesWriter()
        properties.contentType("é")
        properties.responseTopic("€")
        properties.userProperty("ü", "😀")
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atMostOnce, properties: properties.bytes) == .written)
        #expect(harness.takeOutput() == bytes("30 1A 0001 61 16 03 0002 C3A9 08 0003 E282AC 26 0002 C3BC 0004 F09F9880"))
    }

    @Test(
        "Text that holds U+0000 or is too long is no property [MQTT-1.5.4-2] [MQTT-1.5.7-1]",
        arguments: ["\0", "a\0b", String(repeating: "x", count: 65_536)])
    func malformedText(text: String) {
        var properties = PublishPropertiesWriter()
        let isTaken = [
            properties.contentType(text), properties.responseTopic(text), properties.userProperty(text, "a"),
            properties.userProperty("a", text),
        ]
        #expect(isTaken == [false, false, false, false])
        #expect(properties.bytes.isEmpty)
    }

    @Test("To subscribe to nothing, or leave nothing, sends nothing [MQTT-3.8.3-2] [MQTT-3.10.3-2]")
    func noFilters() throws {
        var harness = try connectedVersion5()
        harness.session.subscribe([], now: harness.now)
        harness.session.unsubscribe([], now: harness.now)
        #expect(harness.takeOutput() == [])
    }

    @Test("Each QoS has its answer, with the identifier of its PUBLISH; success needs no reason code [MQTT-3.3.4-1] [MQTT-2.2.1-5]")
    func answers() throws {
        var harness = try connectedVersion5()
        let events = harness.receive(
            bytes("34 06 0001 61 0304 00") + bytes("30 04 0001 61 00") + bytes("32 06 0001 61 0102 00"))
        #expect(events.map(\.sequence) == [0, nil, 1])
        harness.session.settle(0..<2)
        #expect(harness.flush() == bytes("50 02 0304  40 02 0102"))
        #expect(harness.receive(hex: "62 02 0304") == [.released(0x0304, sequence: release(0))])
        harness.settleRelease(0)
        #expect(harness.flush() == bytes("70 02 0304"))
    }

    @Test("A PUBREC below 0x80 is answered with PUBREL of its identifier [MQTT-4.3.3-4]", arguments: ["50 02 0001", "50 03 0001 10"])
    func releaseAsked(answer: String) throws {
        var harness = try connectedVersion5()
        _ = harness.session.publish(topic: topic, payload: [], qos: .exactlyOnce)
        _ = harness.takeOutput()
        #expect(harness.receive(hex: answer) == [])
        #expect(harness.takeOutput() == bytes("62 02 0001"))
    }

    @Test("CONNECT goes out first and alone [MQTT-3.1.0-1]; nothing follows DISCONNECT [MQTT-3.14.4-1]")
    func firstAndLast() throws {
        var harness = try SessionHarness { $0.version = .v5 }
        harness.session.connectionOpened(now: harness.now)
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atMostOnce) == .notConnected)
        harness.session.subscribe([Subscription(filter: try TopicFilter("a"), qos: .atMostOnce)], now: harness.now)
        let output = harness.takeOutput()
        #expect(output.first == 0x10)
        #expect(output.count == 2 + Int(output[1]))
        _ = harness.receive(bytes("20 03 00 00 00  32 06 0001 61 0001 00"))
        harness.settle(0)
        harness.session.disconnect()
        harness.session.flushAcknowledgements()
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atMostOnce) == .notConnected)
        #expect(harness.takeOutput() == bytes("E0 00"))
    }

    @Test("After an error of the server's, too, nothing follows DISCONNECT; what was due before it goes")
    func lastAfterError() throws {
        var harness = try connectedVersion5()
        _ = harness.receive(hex: "32 06 0001 61 0001 00")
        harness.settle(0)
        harness.session.flushAcknowledgements()
        _ = harness.receive(hex: "32 06 0001 61 0002 00  20 03 00 00 00")
        harness.settle(1)
        harness.session.flushAcknowledgements()
        _ = try harness.session.tick(now: harness.now + .hours(1))
        #expect(harness.takeOutput() == bytes("40 02 0001  E0 01 82"))
    }

    @Test("What is unacknowledged goes again with DUP, in order, under its identifier; PUBRELs in theirs [MQTT-4.4.0-1] [MQTT-4.6.0-1]")
    func resent() throws {
        var harness = try connectedVersion5(sessionPresent: true)
        for qos in [QoS.exactlyOnce, .atLeastOnce, .exactlyOnce, .atLeastOnce] {
            _ = harness.session.publish(topic: topic, payload: [0x2A], qos: qos)
        }
        _ = harness.receive(hex: "50 02 0003  40 02 0002")
        harness.reconnect(sessionPresent: true)
        #expect(harness.takeOutput() == bytes("3C 07 0001 61 0001 00 2A  62 02 0003  3A 07 0001 61 0004 00 2A"))
    }
}
