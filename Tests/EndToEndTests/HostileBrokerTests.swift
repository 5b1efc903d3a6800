import Foundation
import Testing

extension EndToEndTests {
    @Suite("Bytes that the standard forbids")
    struct HostileBroker {
        /// What a broker does wrong, and the words in which the log has to say so.
        struct Offence: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let bytes: [UInt8]
            let reason: String
            var when = Moment.subscribed

            enum Moment: Sendable { case connected, accepted, subscribed }
        }

        static let offences = [
            Offence(
                testDescription: "a remaining length of five bytes", bytes: [0x30, 0x80, 0x80, 0x80, 0x80, 0x01], reason: "remaining length"
            ),
            Offence(
                testDescription: "PUBLISH with QoS 3", bytes: [0x36, 9] + topic("a/b") + [0, 1] + payload("{}"), reason: "MQTT-3.3.1-4"),
            Offence(
                testDescription: "packet identifier 0", bytes: [0x32, 9] + topic("a/b") + [0, 0] + payload("{}"), reason: "MQTT-2.3.1-1"),
            Offence(
                testDescription: "a wildcard in a topic name", bytes: [0x32, 9] + topic("a/+") + [0, 1] + payload("{}"),
                reason: "MQTT-3.3.2-2"),
            Offence(
                testDescription: "a topic name that is no UTF-8", bytes: [0x32, 9, 0, 3, 0x61, 0xC3, 0x28, 0, 1] + payload("{}"),
                reason: "UTF-8"),
            Offence(
                testDescription: "a surrogate in a topic name", bytes: [0x32, 9, 0, 3, 0xED, 0xA0, 0x80, 0, 1] + payload("{}"),
                reason: "UTF-8"),
            Offence(testDescription: "a topic name with a null character", bytes: [0x30, 5, 0, 3, 0x61, 0, 0x62], reason: "null"),
            Offence(testDescription: "an empty topic name", bytes: [0x30, 2, 0, 0], reason: "empty"),
            Offence(testDescription: "a topic name longer than its packet", bytes: [0x30, 4, 0xFF, 0xFF, 0x61, 0x62], reason: "PUBLISH"),
            Offence(
                testDescription: "a packet longer than the bound", bytes: [0x32, 0xFF, 0xFF, 0xFF, 0x7F] + topic("a/b"), reason: "allowed"),
            Offence(testDescription: "a SUBACK that nobody asked for", bytes: [0x90, 3, 0x7F, 0x7F, 1], reason: "SUBACK"),
            Offence(testDescription: "a SUBACK with too many codes", bytes: [0x90, 4, 0, 1, 1, 1], reason: "SUBACK", when: .accepted),
            Offence(testDescription: "a PUBACK that nobody waits for", bytes: [0x40, 2, 0x12, 0x34], reason: "PUBACK"),
            Offence(testDescription: "a second CONNACK", bytes: [0x20, 2, 0, 0], reason: "second CONNACK"),
            Offence(testDescription: "a reserved packet type", bytes: [0xF0, 0], reason: "reserved"),
            Offence(testDescription: "a packet that only clients send", bytes: [0xC0, 0], reason: "PINGREQ"),
            Offence(testDescription: "PUBLISH before CONNACK", bytes: [0x30, 3, 0, 1, 0x61], reason: "before CONNACK", when: .connected),
            Offence(
                testDescription: "garbage before CONNACK", bytes: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), reason: "server sent",
                when: .connected),
            Offence(testDescription: "a CONNACK with reserved flags", bytes: [0x20, 2, 0xFE, 0], reason: "CONNACK", when: .connected),
            Offence(
                testDescription: "closing inside a packet", bytes: [0x32, 0x20, 0, 3, 0x61], reason: "closed the connection"),
            Offence(testDescription: "accepting and closing at once", bytes: [], reason: "closed the connection", when: .connected),
        ]

        /// The topic that follows a fixed header, and the payload that ends a packet.
        private static func topic(_ text: String) -> [UInt8] { Packets.big(UInt16(text.utf8.count)) + Array(text.utf8) }
        private static func payload(_ text: String) -> [UInt8] { Array(text.utf8) }

        @Test("the connection ends with a logged reason, the process lives, the session connects again and works", arguments: offences)
        func endsTheConnection(_ offence: Offence) async throws {
            let broker = try ScriptedBroker { connection, number in
                guard number > 0 else { return try Self.offend(offence, on: connection) }
                try connection.acceptConnection()
                try connection.grantSubscription()
                let reading = LoadPublisher.reading(7)
                try connection.send(Packets.publish(topic: Array(reading.topic.utf8), payload: reading.payload, packetIdentifier: 7))
                let acknowledgement = try connection.expect(.publishAcknowledgement)
                guard acknowledgement.packetIdentifier == 7 else {
                    throw ScriptedConnection.Unexpected(description: "a PUBACK for another")
                }
                try connection.expect(.disconnect)
            }
            defer { broker.stop() }
            let workplace = try await Workplace(sessions: 1, shards: 1, withoutBroker: broker.port)
            try workplace.ingester.start()
            let probe = try workplace.probe()
            try await workplace.eventually("the reading that followed the offence is stored") {
                try probe.number("SELECT count(*) FROM readings") == 1
            }
            let complaint = workplace.ingester.log.split(separator: "\n").first { $0.contains("no connection to the broker") }
            #expect(complaint?.contains(offence.reason) == true, "\(workplace.ingester.log)")
            workplace.ingester.terminate()
            #expect(try await workplace.ingester.waitForEnd() == .exit(0))
            try await waitUntil("the script is through") { broker.connectionCount == 2 }
            #expect(broker.complaints == [])
            try await workplace.close()
        }

        private static func offend(_ offence: Offence, on connection: ScriptedConnection) throws {
            try connection.expect(.connect)
            if offence.when != .connected { try connection.send(Packets.connectionAccepted) }
            switch offence.when {
            case .connected: break
            case .accepted: try connection.expect(.subscribe)
            case .subscribed: try connection.grantSubscription()
            }
            try connection.send(offence.bytes)
            // The bytes that end in the middle of something have nothing wrong with them but that nothing follows.
            if offence.reason == "closed the connection" { return }
            guard try connection.waitForEnd(without: .publishAcknowledgement) else {
                throw ScriptedConnection.Unexpected(description: "it acknowledged a malformed message")
            }
        }

        @Test("a broker that refuses the login is named with what to do, and asked again")
        func refusedLogin() async throws {
            let broker = try ScriptedBroker { connection, number in
                try connection.expect(.connect)
                try connection.send([0x20, 2, 0, number == 0 ? 4 : 5])
                _ = try connection.waitForEnd(without: .publishAcknowledgement)
            }
            defer { broker.stop() }
            let workplace = try await Workplace(sessions: 1, shards: 1, withoutBroker: broker.port)
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("no connection to the broker", times: 2)
            let log = workplace.ingester.log
            #expect(log.contains("user name or password"))
            #expect(log.contains("broker.username") || log.contains("broker.password_file"), "it says where to set them: \(log)")
            #expect(log.contains("not authori"))
            #expect(workplace.ingester.isAlive)
            try await workplace.close()
        }
    }
}
