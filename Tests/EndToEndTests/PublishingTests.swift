import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("What the service publishes itself")
    struct Publishing {
        @Test("each session says that it is online, and offline when it leaves or is killed", arguments: ["3.1.1", "5"])
        func status(_ version: String) async throws {
            let workplace = try await Workplace(sessions: 2, shards: 1, broker: "version: \(version)", distribution: "shared")
            try await workplace.startIngester()
            let listener = try Listening(port: workplace.brokerPort, filters: ["penstock/+/status"])
            func states() -> [String: String] { listener.last }
            try await workplace.eventually("both are online") {
                states() == ["penstock/end-to-end-0/status": "online", "penstock/end-to-end-1/status": "online"]
            }
            try await workplace.terminateIngester()
            try await workplace.eventually("both are offline") { Set(states().values) == ["offline"] }
            try await workplace.startIngester()
            try await workplace.eventually("both are online again") { Set(states().values) == ["online"] }
            try await workplace.ingester.kill()
            // From MQTT 5 on the broker waits a moment with the last will.
            try await workplace.eventually("the last will says so") { Set(states().values) == ["offline"] }
            #expect(listener.retainedCount > 0)
            try await workplace.close()
        }

        private static let reporting = """
            topic: dev/{id}/data
            report_errors_to: dev/{id}/errors
            table: readings
            columns:
              device: text not null from topic.id
              seq: bigint not null
            """

        @Test("a dead letter is reported to its sender, once it is stored, and no more often than the limit allows")
        func errorReports() async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["telemetry": Self.reporting], more: "dead_letter: {max_reports_per_minute: 5}")
            try await workplace.startIngester()
            let listener = try Listening(port: workplace.brokerPort, filters: ["dev/+/errors"])
            try await workplace.publish([.init("dev/d1/data", Array(#"{"seq":"many"}"#.utf8))])
            try await workplace.eventually("the report comes") { listener.messages.count == 1 }
            let report = try #require(listener.messages.first)
            #expect(report.topic == "dev/d1/errors")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(report.payload)) as? [String: Any])
            #expect(object["topic"] as? String == "dev/d1/data")
            #expect(object["stage"] as? String == "decode")
            #expect(object["column"] as? String == "seq")
            #expect(object["payload"] as? String == #"{"seq":"many"}"#)
            #expect((object["error"] as? String)?.contains("many") == true)
            #expect(object["time"] as? String != nil)
            #expect(try workplace.probe().number("SELECT count(*) FROM penstock.dead_letter") == 1)

            try await workplace.publish((0..<200).map { _ in .init("dev/d2/data", [0xFF, 0x00]) })
            try await workplace.publish([.init("dev/d3/data", Array(#"{"seq":1}"#.utf8))])
            try await workplace.waitUntilRows(["readings": 1, "penstock.dead_letter": 201])
            #expect(listener.messages.count <= 6)
            #expect(listener.messages.dropFirst().allSatisfy { String(decoding: $0.payload, as: UTF8.self).contains("payload_hex") })
            try await workplace.close()
        }

        @Test("rows that the database refuses are reported, too")
        func refusedRows() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["telemetry": Self.reporting], ddl: "create")
            try await workplace.startIngester()
            try workplace.probe().rows("ALTER TABLE readings ADD CHECK (seq < 10)")
            let listener = try Listening(port: workplace.brokerPort, filters: ["dev/+/errors"])
            try await workplace.publish([.init("dev/d1/data", Array(#"{"seq":11}"#.utf8))])
            try await workplace.eventually("the report comes") { listener.messages.count == 1 }
            let text = String(decoding: listener.messages[0].payload, as: UTF8.self)
            #expect(text.contains(#""stage":"row""#))
            #expect(text.contains(#""sqlstate":"23514""#))
            try await workplace.close()
        }

        @Test("a mapping that takes its own reports does not report for ever")
        func noLoop() async throws {
            let mapping = Self.reporting.replacing("topic: dev/{id}/data", with: "topic: dev/{id}/#")
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["telemetry": mapping])
            try await workplace.startIngester()
            let listener = try Listening(port: workplace.brokerPort, filters: ["dev/+/errors"])
            try await workplace.publish([.init("dev/d1/data", Array("no json".utf8))])
            // The message, and its report, which is no reading either.
            try await workplace.waitUntilRows(["penstock.dead_letter": 2])
            try await workplace.publish([.init("dev/d1/data", Array(#"{"seq":1}"#.utf8))])
            try await workplace.waitUntilRows(["readings": 1, "penstock.dead_letter": 2])
            #expect(listener.messages.count == 1)
            try await workplace.close()
        }

        @Test("messages that the broker drops are noticed on its $SYS topics")
        func droppedByBroker() async throws {
            var options = PrivateMosquitto.Options()
            options.maximumQueued = 10
            options.extraLines = ["sys_interval 1"]
            let workplace = try await Workplace(sessions: 1, shards: 1, brokerOptions: options, watches: true)
            try await workplace.startIngester()
            try await workplace.eventually("the watch has begun") { workplace.tap.count(.subscribeAcknowledgement, .toIngester) >= 2 }
            // A session of somebody else that is not there: what does not fit its queue is dropped.
            let absent = try Listening(port: workplace.brokerPort, filters: ["site/#"], clientIdentifier: "absent", isClean: false, qos: 1)
            absent.leave()
            try await workplace.publish((0..<500).map(LoadPublisher.reading))
            try await workplace.ingester.waitForLog("the broker drops messages", within: .seconds(30))
            try await workplace.close()
        }
    }
}
