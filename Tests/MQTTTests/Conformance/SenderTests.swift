import Testing

@testable import MQTT

@Suite("What we send is in order, and never empty")
struct SenderTests {
    @Test("PUBRELs leave in the order of their PUBRECs [MQTT-4.6.0-4]")
    func releasesInOrder() throws {
        var harness = try SessionHarness.connected()
        for _ in 0..<3 { _ = harness.session.publish(topic: try TopicName("a"), payload: [], qos: .exactlyOnce) }
        _ = harness.takeOutput()
        #expect(harness.receive(hex: "50 02 0003  50 02 0001  50 02 0002") == [])
        #expect(harness.takeOutput() == bytes("62 02 0003  62 02 0001  62 02 0002"))
    }

    @Test("To subscribe to nothing, or leave nothing, sends nothing [MQTT-3.8.3-3] [MQTT-3.10.3-2]")
    func noFilters() throws {
        var harness = try SessionHarness.connected()
        harness.session.subscribe([], now: harness.now)
        harness.session.unsubscribe([], now: harness.now)
        #expect(harness.takeOutput() == [])
        #expect(!harness.session.hasPendingRequests)
    }
}

@Suite("A clean session has no past [MQTT-3.1.2-6]")
struct CleanSessionTests {
    @Test("What was received and not released is a new message on the next connection")
    func incoming() throws {
        var harness = try SessionHarness.connected { $0.cleanSession = true }
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 7))
        harness.settle(0)
        #expect(harness.flush() == bytes("50 02 0007"))
        #expect(harness.heldIdentifiers == [7])
        harness.reconnect(sessionPresent: false)
        #expect(harness.heldIdentifiers == [])
        #expect(harness.receive(publishPacket("b", qos: 2, identifier: 7)).first?.sequence == 1)
    }
}

@Suite("The will in CONNECT")
struct WillTests {
    @Test(
        "QoS 0, 1 and 2, retained or not, are its flag bits [MQTT-3.1.2-14]",
        arguments: [
            (QoS.atMostOnce, false, UInt8(0b0000_0100)), (.atLeastOnce, false, 0b0000_1100), (.exactlyOnce, false, 0b0001_0100),
            (.atMostOnce, true, 0b0010_0100), (.atLeastOnce, true, 0b0010_1100), (.exactlyOnce, true, 0b0011_0100),
        ])
    func flags(qos: QoS, isRetained: Bool, expected: UInt8) throws {
        let topic = try TopicName("w")
        var harness = try SessionHarness { $0.will = Will(topic: topic, payload: [0x2A], qos: qos, isRetained: isRetained) }
        harness.session.connectionOpened(now: harness.now)
        #expect(harness.takeOutput() == bytes("10 13 0004 4D515454 04") + [expected] + bytes("001E 0001 63 0001 77 0001 2A"))
    }

    @Test("Without a will its bits are 0 and its fields are missing [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15]")
    func none() throws {
        var harness = try SessionHarness { $0.credentials = Credentials(username: "u", password: [0x70]) }
        harness.session.connectionOpened(now: harness.now)
        #expect(harness.takeOutput() == bytes("10 13 0004 4D515454 04 C0 001E 0001 63 0001 75 0001 70"))
    }
}
