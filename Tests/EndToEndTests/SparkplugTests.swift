import Foundation
import Testing

extension EndToEndTests {
    @Suite("Sparkplug B: aliases mean what births say, or nothing is stored")
    struct Sparkplug {
        private static let mapping = """
            topic: ["spBv1.0/{group}/{type}/{node}", "spBv1.0/{group}/{type}/{node}/{device}"]
            decode: {sparkplug: {rebirth: true}}
            table: metrics
            when: {topic.type: {not: NCMD}, metric.name: {not: {match: "Node Control/*"}}}
            columns:
              node: text not null from topic.node
              device: text from topic.device
              metric: text not null from metric.name
              value: double precision from metric.value
            """

        /// seq 0: `Node Control/Rebirth`, and `Speed` with alias 7, an Int32 of −5.
        private static let nodeBirth = bytes(
            """
            0880d095ffbc3112120a0562645365711880d095ffbc312004580412210a144e6f646520436f6e74726f6c2f526562697274681880d095ffbc31200b7000
            12180a05537065656410071880d095ffbc31200350fbffffff0f1800
            """)
        /// seq 1: `Temperature` with alias 20, a Float of 20.5.
        private static let deviceBirth = bytes("0881d095ffbc31121d0a0b54656d706572617475726510141881d095ffbc312009650000a4411801")

        /// Alias 7 alone, −30.
        private static func nodeData(_ seq: UInt8) -> LoadPublisher.Message {
            .init("spBv1.0/G/NDATA/N", bytes("0882d095ffbc31120f10071882d095ffbc3150e2ffffff0f18") + [seq])
        }

        /// Alias 20 alone, 21.25.
        private static func deviceData(_ seq: UInt8) -> LoadPublisher.Message {
            .init("spBv1.0/G/DDATA/N/D", bytes("0883d095ffbc31120e10141883d095ffbc31650000aa4118") + [seq])
        }

        private static let births: [LoadPublisher.Message] = [
            .init("spBv1.0/G/NBIRTH/N", nodeBirth), .init("spBv1.0/G/DBIRTH/N/D", deviceBirth),
        ]

        private static func bytes(_ hex: String) -> [UInt8] {
            let digits = hex.compactMap(\.hexDigitValue)
            return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        }

        private func rows(_ probe: DatabaseProbe) throws -> [String] {
            try probe.rows("SELECT concat_ws('/', node, device, metric) || '=' || value FROM metrics WHERE metric <> 'bdSeq' ORDER BY 1")
                .compactMap(\.first).compactMap { $0 }
        }

        @Test("data after a restart are letters, the node is asked for its births, and replay brings the letters in", arguments: [1, 4])
        func restarted(sessions: Int) async throws {
            // The other mapping gives every session something to subscribe to.
            let workplace = try await Workplace(
                sessions: sessions, shards: min(sessions, 2), mappings: ["metrics": Self.mapping, "telemetry": Mappings.telemetry])
            let listener = try Listening(port: workplace.brokerPort, filters: ["spBv1.0/+/NCMD/+"])
            try await workplace.startIngester()
            try await workplace.publish(Self.births + [Self.nodeData(2), Self.deviceData(3)], qos: 0)
            let probe = try workplace.probe()
            let first = ["N/D/Temperature=20.5", "N/D/Temperature=21.25", "N/Speed=-30", "N/Speed=-5"]
            try await workplace.eventually("births and data are rows") { try rows(probe) == first }
            #expect(listener.messages.isEmpty, "nobody is asked for what is known")
            #expect(
                try probe.rows("SELECT group_id, node, device, bd_seq, born FROM penstock.sparkplug_birth ORDER BY device").map {
                    $0.prefix(4)
                }
                    == [["G", "N", "", "4"], ["G", "N", "D", "4"]])

            let states = try Listening(port: workplace.brokerPort, filters: ["penstock/+/status"])
            try await workplace.terminateIngester()
            try await workplace.eventually("it has left") { Set(states.last.values) == ["offline"] }
            try await workplace.startIngester()
            // At QoS 0 the broker keeps nothing for who is not there.
            try await workplace.eventually("it is there again") { Set(states.last.values) == ["online"] }
            try await workplace.publish([Self.nodeData(4), Self.deviceData(5)], qos: 0)
            try await workplace.eventually("both are letters") {
                try probe.number("SELECT count(*) FROM penstock.dead_letter WHERE error LIKE '%no birth certificate was seen%'") == 2
            }
            #expect(try rows(probe) == first, "nothing is stored under a name that is a guess")
            try await workplace.eventually("the node is asked") { listener.messages.count == 1 }
            let command = try #require(listener.messages.first)
            #expect(command.topic == "spBv1.0/G/NCMD/N" && !command.isRetained)
            #expect(String(decoding: command.payload, as: UTF8.self).contains("Node Control/Rebirth"))
            #expect(command.payload.suffix(2) == [0x70, 1], "boolean_value, true")

            // The node answers, and goes on.
            try await workplace.publish(Self.births + [Self.nodeData(2), Self.deviceData(3)], qos: 0)
            try await workplace.eventually("the births are stored, and data are rows again") { try rows(probe).count == 8 }
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 2)

            let result = try await workplace.penstock("replay")
            #expect(result.end == .exit(0), "\(result.output)")
            #expect(result.output.contains("2 dead letters: 2 stored as 2 rows"))
            #expect(try rows(probe).filter { $0 == "N/Speed=-30" }.count == 3)
            #expect(try rows(probe).filter { $0 == "N/D/Temperature=21.25" }.count == 3)
            #expect(listener.messages.count == 1, "one command in thirty seconds")
            try await workplace.close()
        }

        @Test("try knows the births that the service has stored, or one that is given; without them it says what is missing")
        func tried() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["metrics": Self.mapping])
            let data = Self.deviceData(3)
            let message = ["--topic", data.topic, "--payload-hex", data.payload.map { String(format: "%02x", $0) }.joined()]
            func attempt(_ options: String...) async throws -> Workplace.CommandResult {
                try await workplace.run(["try", "--config", workplace.folder.appending(path: "penstock.yaml").path] + message + options)
            }
            let unknown = try await attempt()
            #expect(unknown.end == .exit(1))
            #expect(
                unknown.errors.contains("the database has no birth certificate of edge node G/N: give one with --birth-file"), "\(unknown)")
            let offline = try await attempt("--offline")
            #expect(offline.end == .exit(1))
            #expect(offline.errors.contains("with --offline the database is not asked for birth certificates"), "\(offline)")

            let file = workplace.folder.appending(path: "birth")
            try Data(Self.deviceBirth).write(to: file)
            let given = try await attempt("--offline", "--birth-file", file.path)
            #expect(given.end == .exit(0), "\(given)")
            #expect(given.output.contains("Temperature") && given.output.contains("21.25"), "\(given.output)")

            try await workplace.startIngester()
            try await workplace.publish(Self.births, qos: 0)
            let probe = try workplace.probe()
            try await workplace.eventually("the births are stored") {
                try probe.number("SELECT count(*) FROM penstock.sparkplug_birth") == 2
            }
            let known = try await attempt()
            #expect(known.end == .exit(0), "\(known)")
            #expect(known.output.contains("Temperature") && known.output.contains("21.25"), "\(known.output)")
            try await workplace.close()
        }

        @Test("after a missing number aliases are not believed; a birth that came later, and defines something else, does not explain them")
        func doubted() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["metrics": Self.mapping])
            let listener = try Listening(port: workplace.brokerPort, filters: ["spBv1.0/+/NCMD/+"])
            try await workplace.startIngester()
            try await workplace.publish(Self.births + [Self.nodeData(2), Self.nodeData(4)], qos: 0)
            let probe = try workplace.probe()
            try await workplace.eventually("the one behind the gap is a letter") {
                try probe.number("SELECT count(*) FROM penstock.dead_letter WHERE error LIKE '%messages are missing%'") == 1
            }
            try await workplace.eventually("the node is asked") { listener.messages.count == 1 }
            #expect(try rows(probe).filter { $0 == "N/Speed=-30" }.count == 1)
            // What was in doubt then is in doubt still.
            let early = try await workplace.penstock("replay")
            #expect(early.end == .exit(1))
            #expect(early.output.contains("none has come since that would make it certain"), "\(early.output)")
            #expect(try rows(probe).filter { $0 == "N/Speed=-30" }.count == 1)
            // A death, and a life in which alias 7 is `Press`: the letter is of the former one.
            let death = Self.bytes("0886d095ffbc3112120a0562645365711880d095ffbc3120045804")
            let reborn = Self.nodeBirth.map { $0 == UInt8(ascii: "S") ? UInt8(ascii: "s") : $0 }
            try await workplace.publish(
                [.init("spBv1.0/G/NDEATH/N", death), .init("spBv1.0/G/NBIRTH/N", reborn), Self.nodeData(1)], qos: 0)
            try await workplace.eventually("data are rows again, under the new name") { try rows(probe).contains("N/speed=-30") }
            let result = try await workplace.penstock("replay")
            #expect(result.end == .exit(1))
            #expect(result.output.contains("the birth certificate that is stored is a later one"), "\(result.output)")
            #expect(try rows(probe).filter { $0 == "N/speed=-30" }.count == 1)
            try await workplace.close()
        }
    }
}
