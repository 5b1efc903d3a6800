import Foundation
import Testing

extension EndToEndTests {
    @Suite("penstock status")
    struct StatusCommand {
        @Test("asks the running service, and the database when none runs; the exit code says whether all is well")
        func states() async throws {
            let listener = try Listener()
            let port = listener.port
            listener.stop()
            let workplace = try await Workplace(sessions: 1, shards: 1, http: "{listen: \"127.0.0.1:\(port)\"}")
            let before = try await workplace.penstock("status")
            #expect(before.end == .exit(1) && before.output.contains("no service is running with this database"), "\(before)")

            try await workplace.startIngester()
            let probe = StatusProbe(port: port)
            try await workplace.publish((0..<5).map(LoadPublisher.reading))
            try await workplace.eventually("all is settled") { try probe.metrics()["penstock_messages_settled_total"] == 5 }
            try await workplace.eventually("it is ready") { try probe.get("/readyz").status == 200 }
            let well = try await workplace.penstock("status")
            #expect(well.end == .exit(0), "\(well)")
            for words in ["ready", "5 received", "5 committed", "end-to-end-0  subscribed", "telemetry  readings"] {
                #expect(well.output.contains(words), "\(words): \(well.output)")
            }
            #expect(!well.output.contains("\u{1B}"), "colours are for terminals")
            let json = try await workplace.penstock("status", "--json")
            let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect(report["ready"] as? Bool == true && json.end == .exit(0))

            try await workplace.publish([.init("site/a/dev/x/telemetry", "no JSON")])
            try await workplace.eventually("there is a letter") {
                try probe.metrics()["penstock_dead_letters_total{mapping=\"telemetry\",stage=\"decode\"}"] == 1
            }
            let letters = try await workplace.penstock("status")
            #expect(letters.end == .exit(1) && letters.output.contains("messages of mapping 'telemetry' become dead letters"), "\(letters)")
            // The newest letter of each error is shown.
            let payloads: [([UInt8], String)] = [
                ([0x01, 0x0A, 0xFF], "3 bytes, hexadecimal: 01 0a ff"), (Array("\u{9B}31m red".utf8), "9 bytes, text: \\u{9b}31m red"),
            ]
            for (number, (payload, words)) in payloads.enumerated() {
                try await workplace.publish([.init("site/a/dev/x/telemetry", payload)])
                try await workplace.eventually("it is a letter that the service tells of") {
                    try probe.get("/api/status").body.components(separatedBy: "payload_kind").count == number + 3
                }
                let shown = try await workplace.penstock("status").output
                #expect(shown.contains(words), "\(words): \(shown)")
            }

            try await workplace.terminateIngester()
            let after = try await workplace.penstock("status")
            #expect(after.end == .exit(1) && after.errors.contains("nobody answers at 127.0.0.1:\(port)"), "\(after)")
            for words in ["no service is running", "end-to-end-0", "nobody", "telemetry", "decode"] {
                #expect(after.output.contains(words), "\(words): \(after.output)")
            }
            let stored = try await workplace.penstock("status", "--json").output
            let object = try #require(try JSONSerialization.jsonObject(with: Data(stored.utf8)) as? [String: Any])
            #expect((object["dead_letters_last_hour"] as? [[String: Any]])?.first?["count"] as? Int == 3)
            try await workplace.close()
        }

        @Test("shows the token that the service asks for")
        func token() async throws {
            let listener = try Listener()
            let port = listener.port
            listener.stop()
            let file = FileManager.default.temporaryDirectory.appending(path: "token-\(port)")
            try "0123456789abcdef0123".write(to: file, atomically: false, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: file) }
            let workplace = try await Workplace(
                sessions: 1, shards: 1, http: "{listen: \"127.0.0.1:\(port)\", token_file: \(file.path)}")
            try await workplace.startIngester()
            let probe = StatusProbe(port: port)
            #expect(try probe.get("/metrics").status == 401)
            #expect(try probe.get("/metrics", headers: "Authorization: Bearer 0123456789abcdef0123\r\n").status == 200)
            try await workplace.eventually("it is ready") { try probe.get("/readyz").status == 200 }
            let status = try await workplace.penstock("status")
            #expect(status.end == .exit(0), "\(status)")
            #expect(!(status.output + status.errors + workplace.ingester.log).contains("0123456789abcdef0123"))
            try await workplace.close()
        }
    }
}
