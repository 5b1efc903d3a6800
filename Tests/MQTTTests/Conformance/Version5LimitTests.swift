import NIOCore
import Testing

@testable import MQTT

@Suite("MQTT 5.0: what CONNACK limits is kept to")
struct Version5LimitTests {
    private let topic: TopicName

    init() throws { topic = try TopicName("a") }

    @Test("A server keep alive turns ours on, and holds until the next connection [MQTT-3.1.2-21] [MQTT-3.2.2-21]")
    func keepAlive() throws {
        var harness = try connectedVersion5(properties: "13 0008") { $0.keepAliveSeconds = 0 }
        #expect(try harness.session.tick(now: harness.now) == harness.now + .seconds(6))
        #expect(harness.takeOutput() == [])
        _ = try harness.session.tick(now: harness.now + .seconds(6))
        #expect(harness.takeOutput() == bytes("C0 00"))
        harness.reconnect(sessionPresent: false)
        #expect(try harness.session.tick(now: harness.now) == .distantFuture)
    }

    @Test(
        "No PUBLISH above the server's maximum QoS [MQTT-3.2.2-11]",
        arguments: [("24 00", "30 04 0001 61 00"), ("24 01", "32 06 0001 61 0001 00"), ("", "34 06 0001 61 0001 00")])
    func maximumQoS(properties: String, expected: String) throws {
        var harness = try connectedVersion5(properties: properties)
        _ = harness.session.publish(topic: topic, payload: [], qos: .exactlyOnce)
        #expect(harness.takeOutput() == bytes(expected))
    }

    @Test(
        "Nothing retained to a server that keeps nothing [MQTT-3.2.2-14]", arguments: [("25 00", UInt8(0x30)), ("25 01", 0x31), ("", 0x31)])
    func retain(properties: String, firstByte: UInt8) throws {
        var harness = try connectedVersion5(properties: properties)
        _ = harness.session.publish(topic: topic, payload: [], qos: .atMostOnce, isRetained: true)
        #expect(harness.takeOutput().first == firstByte)
    }

    @Test("No PUBLISH above the server's maximum packet size [MQTT-3.2.2-15]", arguments: QoS.allCases)
    func maximumPacketSize(qos: QoS) throws {
        var harness = try connectedVersion5(properties: "27 00000020")
        let room = 32 - (2 + 3 + (qos == .atMostOnce ? 0 : 2) + 1)
        #expect(
            harness.session.publish(topic: topic, payload: [UInt8](repeating: 0, count: room + 1), qos: qos) == .tooLarge(maximumBytes: 32))
        #expect(harness.takeOutput() == [])
        _ = harness.session.publish(topic: topic, payload: [UInt8](repeating: 0, count: room), qos: qos)
        #expect(harness.takeOutput().count == 32)
    }

    @Test("SUBSCRIBE and UNSUBSCRIBE are split until they fit [MQTT-3.2.2-15]")
    func subscribeSize() throws {
        var harness = try connectedVersion5(properties: "27 00000020")
        let filters = try (0..<8).map { try TopicFilter("filter\($0)") }
        harness.session.subscribe(filters.map { Subscription(filter: $0, qos: .atLeastOnce) }, now: harness.now)
        harness.session.unsubscribe(filters, now: harness.now)
        var rest = harness.takeOutput()[...]
        var filterCount = 0
        while let first = rest.first {
            let packet = rest.prefix(2 + Int(rest[rest.startIndex + 1]))
            #expect(packet.count <= 32)
            // Behind the header, the identifier and the property length.
            filterCount += (packet.count - 5) / (first == 0x82 ? 10 : 9)
            rest = rest.dropFirst(packet.count)
        }
        #expect(filterCount == 16)
    }

    @Test("No more messages under way than the server's receive maximum [MQTT-3.3.4-7] [MQTT-4.9.0-1] [MQTT-4.9.0-2]")
    func receiveMaximum() throws {
        var harness = try connectedVersion5(properties: "21 0002")
        #expect(harness.session.publish(topic: topic, payload: [], qos: .exactlyOnce) == .awaitingAcknowledgement(packetIdentifier: 1))
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .awaitingAcknowledgement(packetIdentifier: 2))
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .windowFull)
        // PUBREC frees no place; PUBCOMP does, and a PUBREC that refuses.
        _ = harness.receive(hex: "50 02 0001")
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .windowFull)
        #expect(harness.receive(hex: "70 02 0001") == [.acknowledged(1)])
        #expect(harness.session.publish(topic: topic, payload: [], qos: .exactlyOnce) == .awaitingAcknowledgement(packetIdentifier: 3))
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .windowFull)
        #expect(harness.receive(hex: "50 03 0003 97") == [.publishRefused(3, ServerRefusal(code: .quotaExceeded))])
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .awaitingAcknowledgement(packetIdentifier: 4))
    }

    @Test("When it is reached, everything else goes on [MQTT-3.3.4-8] [MQTT-4.9.0-3]")
    func othersGoOn() throws {
        var harness = try connectedVersion5(properties: "21 0001")
        _ = harness.session.publish(topic: topic, payload: [], qos: .exactlyOnce)
        _ = harness.takeOutput()
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .windowFull)

        #expect(harness.session.publish(topic: topic, payload: [], qos: .atMostOnce) == .written)
        harness.session.subscribe([Subscription(filter: try TopicFilter("a"), qos: .atMostOnce)], now: harness.now)
        #expect(harness.receive(hex: "32 06 0001 61 0009 00").first?.sequence == 0)
        harness.settle(0)
        _ = harness.receive(hex: "50 02 0001")
        #expect(harness.flush() == bytes("30 04 0001 61 00  82 07 0002 00 0001 61 00  62 02 0001  40 02 0009"))
        _ = harness.receive(hex: "90 04 0002 00 00")
        _ = try harness.session.tick(now: harness.now + .seconds(30))
        #expect(harness.takeOutput() == bytes("C0 00"))
    }
}
