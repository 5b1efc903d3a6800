import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("penstock sessions")
    struct SessionsCommand {
        @Test("lists who holds each session and what it is subscribed to, for people and as JSON")
        func list() async throws {
            let workplace = try await Workplace(sessions: 2, shards: 1, distribution: "shared")
            let empty = try await workplace.penstock("sessions")
            #expect(empty.end == .exit(0))
            #expect(empty.output.contains("no session is known"))
            try await workplace.startIngester()
            try await workplace.eventually("both are recorded") {
                try workplace.probe().number(
                    "SELECT count(*) FROM penstock.session, jsonb_each(subscriptions) AS f WHERE f.value->>'state' = 'granted'") == 2
            }
            let text = try await workplace.penstock("sessions").output
            #expect(text.contains("end-to-end-0  used by process \(workplace.ingester.processIdentifier ?? 0) on "), "\(text)")
            #expect(text.contains("$share/penstock/site/+/dev/+/telemetry  QoS 1, granted"), "\(text)")
            let lines = try await workplace.penstock("sessions list", "--json").output.split(separator: "\n")
            #expect(lines.count == 2)
            let last = try #require(lines.last)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
            #expect(object["client_id"] as? String == "end-to-end-1")
            try await workplace.close()
        }

        @Test("drops a session at the broker and in the database, unless a process uses it")
        func drop() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try await workplace.startIngester()
            let inUse = try await workplace.penstock("sessions drop", "end-to-end-0")
            #expect(inUse.end == .exit(1))
            #expect(inUse.errors.contains("in use by process"))
            try await workplace.terminateIngester()
            let unknown = try await workplace.penstock("sessions drop", "nobody")
            #expect(unknown.end == .exit(1))
            #expect(unknown.errors.contains("no session 'nobody'"))

            try await workplace.publish((0..<10).map(LoadPublisher.reading))
            try await workplace.stopBroker()
            let unreachable = try await workplace.penstock("sessions drop", "end-to-end-0")
            #expect(unreachable.end == .exit(1))
            #expect(unreachable.errors.contains("stays as it is"))
            #expect(try workplace.probe().number("SELECT count(*) FROM penstock.session") == 1)
            try await workplace.startBroker()
            let dropped = try await workplace.penstock("sessions drop", "end-to-end-0")
            #expect(dropped.end == .exit(0), "\(dropped.errors)")
            #expect(try workplace.probe().number("SELECT count(*) FROM penstock.session") == 0)

            // What waited is gone with it, and the session begins anew.
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("session_present=false")
            try await workplace.eventually("it has subscribed anew") { workplace.grantCount >= 2 }
            try await workplace.publish([LoadPublisher.reading(100)])
            try await workplace.waitUntilRows(["readings": 1])
            try await workplace.close()
        }
    }
}
