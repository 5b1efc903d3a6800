import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("What only MQTT 5 has")
    struct Version5 {
        /// A property: its identifier, and text with its length before it.
        private static func property(_ identifier: UInt8, _ texts: String...) -> [UInt8] {
            [identifier] + texts.flatMap { text -> [UInt8] in Packets.big(UInt16(text.utf8.count)) + Array(text.utf8) }
        }

        private static let properties =
            property(0x03, "application/json") + property(0x08, "answers/here") + property(0x26, "firmware", "1.4.2")
            + property(0x26, "line", "ä7") + [0x02, 0, 0, 0x0E, 0x10] + property(0x09, "c-17")

        private static let mapping = """
            topic: site/{site}/dev/{device}/telemetry
            table: readings
            columns:
              device: text not null from topic.device
              seq: bigint not null
              type: text from mqtt.content_type
              answer: text from mqtt.response_topic
              correlation: text from mqtt.correlation
              expiry: integer from mqtt.message_expiry
              firmware: text from mqtt.user.firmware
              line: text from mqtt.user.line
              none: text from mqtt.user.none
            """

        /// Publishes in MQTT 5 at QoS 1, and waits for the PUBACK.
        private static func publish(_ messages: [LoadPublisher.Message], properties: [UInt8], to port: Int) throws {
            let socket = try Socket(port: port)
            socket.setReceiveLimit(milliseconds: 20_000)
            try socket.send(Packets.connect(client: "five-\(UInt32.random(in: 0...UInt32.max))", level: 5))
            var stream = PacketStream()
            var acknowledged = 0
            for (index, message) in messages.enumerated() {
                try socket.send(
                    Packets.publish(
                        topic: Array(message.topic.utf8), payload: [UInt8(properties.count)] + properties + message.payload,
                        packetIdentifier: UInt16(index + 1)))
            }
            while acknowledged < messages.count {
                let bytes = try #require(try socket.receive(), "the broker closed the connection")
                acknowledged += stream.take(bytes).count { $0.kind == .publishAcknowledgement }
            }
        }

        @Test("properties of a message become columns; with a broker of MQTT 3.1.1 they are null", arguments: ["5", "3.1.1"])
        func properties(version: String) async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["telemetry": Self.mapping], broker: "version: \(version)")
            try await workplace.startIngester()
            try Self.publish([LoadPublisher.reading(0)], properties: Self.properties, to: workplace.brokerPort)
            try Self.publish([LoadPublisher.reading(1)], properties: [], to: workplace.brokerPort)
            let probe = try workplace.probe()
            try await workplace.waitUntilRows(["readings": 2])
            let rows = try probe.rows(
                "SELECT type, answer, correlation, firmware, line, none, expiry BETWEEN 3500 AND 3600 FROM readings ORDER BY seq")
            let nothing = [String?](repeating: nil, count: 7)
            #expect(rows == [version == "5" ? ["application/json", "answers/here", "c-17", "1.4.2", "ä7", nil, "t"] : nothing, nothing])
            try await workplace.close()
        }

        @Test("a dead letter keeps the properties of its message, and a replay has them")
        func letters() async throws {
            let strict = Self.mapping.replacing("seq: bigint not null", with: "seq: {type: bigint not null, max: 5}")
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["telemetry": strict], broker: "version: 5")
            try await workplace.startIngester()
            try Self.publish([LoadPublisher.reading(6)], properties: Self.properties, to: workplace.brokerPort)
            let probe = try workplace.probe()
            try await workplace.waitUntilRows(["penstock.dead_letter": 1])
            #expect(try probe.rows("SELECT properties->>'content_type' FROM penstock.dead_letter") == [["application/json"]])
            try await workplace.terminateIngester()
            try workplace.write(mapping: "telemetry", Self.mapping)
            let replay = try await workplace.penstock("replay")
            #expect(replay.end == .exit(0), "\(replay.errors)")
            let rows = try probe.rows("SELECT seq, type, answer, correlation, firmware, line FROM readings")
            #expect(rows == [["6", "application/json", "answers/here", "c-17", "1.4.2", "ä7"]])
            try await workplace.close()
        }

        @Test("a server reference leads to another broker, and that one's to the next", arguments: [UInt8(0x9C), 0x9D], [1, 2])
        func serverReference(reason: UInt8, count: Int) async throws {
            let real = try await TestServers.ofThisSuite().makeBroker(.init())
            let tap = try WireTap(brokerPort: real.port)
            var port = tap.port
            var moved: [ScriptedBroker] = []
            for _ in 0..<count {
                let reference = Self.property(0x1C, "127.0.0.1:\(port)")
                moved.append(
                    try ScriptedBroker { connection, _ in
                        try connection.expect(.connect)
                        try connection.send(Packets.packet(0x20, [0, reason, UInt8(reference.count)] + reference))
                    })
                port = moved[moved.count - 1].port
            }
            let workplace = try await Workplace(
                sessions: 1, shards: 1, broker: "version: 5\nserver_reference: follow", withoutBroker: port)
            try workplace.ingester.start()
            try await workplace.eventually("it is subscribed at the other broker") {
                tap.count(.subscribeAcknowledgement, .toIngester) == 1
            }
            let publisher = LoadPublisher(port: real.port, count: 50, perSecond: 1000)
            try await workplace.eventually("all is published") { publisher.isFinished }
            try await workplace.waitUntilStored(Set(0..<50))
            try await workplace.close()
            for broker in moved { broker.stop() }
            tap.stop()
            await real.stop()
        }

        @Test("a broker that keeps the session for a shorter time, or not at all, stands in the log", arguments: [UInt8(0), 60])
        func sessionExpiry(seconds: UInt8) async throws {
            let pool = try await ScriptedPool(sessions: 1, version: .v5) { connection, _ in
                connection.answersPings = true
                try connection.send(Packets.packet(0x20, [0, 0, 5, 0x11, 0, 0, 0, seconds]))
                try connection.takeStatus()
                try connection.grantSubscription()
                try connection.expect(.disconnect)
            }
            try pool.workplace.ingester.start()
            try await pool.workplace.ingester.waitForLog(
                seconds == 0 ? "the broker keeps no session" : "the broker keeps the session for a shorter time")
            let lines = pool.workplace.ingester.log.split(separator: "\n").filter { $0.contains("the broker keeps") }
            #expect(lines.count == 1 && lines[0].contains(seconds == 0 ? " error " : " warning "), "\(lines)")
            try await pool.close()
            #expect(pool.complaints == [])
        }

        @Test("the broker's reason for ending a connection stands in the log")
        func reason() async throws {
            var options = PrivateMosquitto.Options()
            options.allowedSubscriptions = ["#"]
            let workplace = try await Workplace(sessions: 1, shards: 1, broker: "version: 5", brokerOptions: options)
            try await workplace.startIngester()
            // mosquitto ends the connections of all whose rights change: "administrative action".
            let order =
                #"{"commands":[{"command":"addRoleACL","rolename":"reader","acltype":"subscribePattern","topic":"$SYS/#","allow":true}]}"#
            try await workplace.publish([.init(PrivateMosquitto.allowsEverySubscription.topic, order)], qos: 0)
            try await workplace.ingester.waitForLog("no connection to the broker")
            let line = try #require(workplace.ingester.log.split(separator: "\n").first { $0.contains("no connection to the broker") })
            #expect(line.localizedCaseInsensitiveContains("administrative action"), "\(line)")
            try await workplace.publish((0..<10).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<10))
            try await workplace.close()
        }
    }
}
