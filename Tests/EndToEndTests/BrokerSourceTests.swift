import Foundation
import Testing

extension EndToEndTests {
    @Suite("The source mqtt.broker")
    struct BrokerSource {
        private static let mapping = """
            topic: site/{site}/dev/{device}/telemetry
            table: readings
            columns:
              seq: {type: bigint not null, max: 2}
              broker: text not null from mqtt.broker
            """

        @Test("is the address from which the message came, in its row and in the row that a dead letter becomes later")
        func address() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["telemetry": Self.mapping])
            let probe = try workplace.probe()
            try probe.rows("ALTER TABLE readings ADD CONSTRAINT odd CHECK (seq <> 2)")
            try await workplace.startIngester()
            let address = "127.0.0.1:\(workplace.tap.port)"
            // One lands, PostgreSQL refuses one, and the mapping one.
            try await workplace.publish([1, 2, 3].map(LoadPublisher.reading))
            try await workplace.publish([LoadPublisher.reading(0)], qos: 0)
            try await workplace.eventually("all are settled") {
                try probe.number("SELECT (SELECT count(*) FROM readings) + (SELECT count(*) FROM penstock.dead_letter)") == 4
            }
            #expect(try probe.rows("SELECT seq, broker FROM readings ORDER BY seq") == [["0", address], ["1", address]])
            #expect(
                try probe.rows("SELECT stage, properties->>'broker' FROM penstock.dead_letter ORDER BY 1") == [
                    ["decode", address], ["row", address],
                ])
            try await workplace.terminateIngester()

            try probe.rows("ALTER TABLE readings DROP CONSTRAINT odd")
            try workplace.write(mapping: "telemetry", Self.mapping.replacing("max: 2", with: "max: 3"))
            let replay = try await workplace.penstock("replay")
            #expect(replay.end == .exit(0), "\(replay.output)\(replay.errors)")
            #expect(try probe.rows("SELECT seq, broker FROM readings WHERE seq > 1 ORDER BY seq") == [["2", address], ["3", address]])
            try await workplace.close()
        }

        @Test("is what a test says, or what --broker says, and missing where nobody says it")
        func given() async throws {
            let text = """
                topic: t
                table: x
                columns: {v: integer, broker: text from mqtt.broker}
                tests:
                  - {topic: t, payload: '{"v":1}', mqtt: {broker: "mqtts://a:8883"}, expect: [{v: 1, broker: "mqtts://a:8883"}]}
                  - {topic: t, payload: '{"v":1}', expect: [{v: 1}]}
                """
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["x": text], isMigrated: false)
            let check = try await workplace.penstock("check", "--offline")
            #expect(check.end == .exit(0), "\(check.output)\(check.errors)")
            let tried = try await workplace.penstock("try", "--topic", "t", "--payload", #"{"v":1}"#, "--broker", "b:1883", "--json")
            #expect(tried.output.contains(#""b:1883""#), "\(tried.output)\(tried.errors)")
            try await workplace.close()
        }
    }
}
