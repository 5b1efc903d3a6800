import Testing

@testable import MQTT

@Suite("MQTT 5.0: the fields of CONNECT and their flags")
struct Version5ConnectFieldTests {
    /// CONNECT without properties.
    private func connect(_ change: (inout SessionConfiguration) -> Void) throws -> [UInt8] {
        var harness = try SessionHarness {
            $0.version = .v5
            $0.cleanSession = true
            $0.maximumPacketBytes = 268_435_460
            $0.topicAliasMaximum = 0
            change(&$0)
        }
        harness.session.connectionOpened(now: harness.now)
        return harness.takeOutput()
    }

    @Test("A will without properties says so with a length of 0 [MQTT-2.2.2-1]; a user name may come without a password [MQTT-3.1.2-18]")
    func sparse() throws {
        let topic = try TopicName("w")
        let packet = try connect {
            $0.will = Will(topic: topic, payload: [], qos: .atMostOnce)
            $0.credentials = Credentials(username: "u")
        }
        #expect(packet == bytes("10 17 0004 4D515454 05 86 001E 00 0001 63 00 0001 77 0000 0001 75"))
    }

    @Test(
        "The will's QoS is 0, 1 or 2; without a will its bits are 0 [MQTT-3.1.2-11] [MQTT-3.1.2-12] [MQTT-3.1.2-13]",
        arguments: [(QoS?.none, UInt8(0b0000_0010)), (.atMostOnce, 0b0000_0110), (.atLeastOnce, 0b0000_1110), (.exactlyOnce, 0b0001_0110)])
    func willFlags(qos: QoS?, expected: UInt8) throws {
        let topic = try TopicName("w")
        let packet = try connect { $0.will = qos.map { Will(topic: topic, payload: [], qos: $0) } }
        #expect(packet[9] == expected)
    }

    @Test("Client identifier, will topic and user name beyond ASCII are UTF-8 [MQTT-3.1.3-4] [MQTT-3.1.3-11] [MQTT-3.1.3-12]")
    func text() throws {
        let topic = try TopicName("€")
        let packet = try connect {
            $0.clientIdentifier = "é"
            $0.will = Will(topic: topic, payload: [], qos: .atMostOnce)
            $0.credentials = Credentials(username: "😀")
        }
        #expect(packet == bytes("10 1D 0004 4D515454 05 86 001E 00 0002 C3A9 00 0003 E282AC 0000 0004 F09F9880"))
    }
}
