import Testing

@testable import MQTT

@Suite("Text goes out and comes in as UTF-8, byte for byte")
struct TextFieldTests {
    @Test("Client identifier, will topic and user name beyond ASCII are UTF-8 [MQTT-3.1.3-4]")
    func connect() throws {
        let topic = try TopicName("€")
        var harness = try SessionHarness {
            $0.clientIdentifier = "é"
            $0.will = Will(topic: topic, payload: [])
            $0.credentials = Credentials(username: "😀")
        }
        harness.session.connectionOpened(now: harness.now)
        #expect(
            harness.takeOutput()
                == bytes("10 1B 0004 4D515454 04 8C 001E 0002 C3A9 0003 E282AC 0000 0004 F09F9880"))
    }

    @Test("A byte order mark in a topic name stays, and is part of it [MQTT-1.5.3-3]")
    func byteOrderMarkReceived() throws {
        var harness = try SessionHarness.connected()
        var offset = 0
        let packet = bytes("30 06 0004 EFBBBF61")
        try packet.withUnsafeBytes { buffer in
            guard case .publish(let publish, _) = try harness.session.nextEvent(in: buffer, at: &offset, now: harness.now) else {
                Issue.record("no message")
                return
            }
            #expect(Array(publish.topic) == bytes("EFBBBF61"))
        }
    }

    @Test("A byte order mark in a filter or name of ours stays, and makes it another one")
    func byteOrderMarkSent() throws {
        var harness = try SessionHarness.connected()
        let filter = try TopicFilter("\u{FEFF}a")
        #expect(filter.bytes == bytes("EFBBBF61"))
        #expect(filter.matches(try TopicName("\u{FEFF}a")))
        #expect(!filter.matches(try TopicName("a")))
        #expect(harness.session.publish(topic: try TopicName("\u{FEFF}a"), payload: [], qos: .atMostOnce) == .written)
        #expect(harness.takeOutput() == bytes("30 06 0004 EFBBBF61"))
    }
}
