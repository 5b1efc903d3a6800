import Foundation
import Testing

extension EndToEndTests {
    @Suite("Metrics and health of a running service")
    struct Monitoring {
        static let http = "{listen: \"127.0.0.1:0\"}"

        /// Alert rules and dashboards stand on these names.
        static let names = [
            "penstock_messages_received_total", "penstock_messages_acknowledged_total", "penstock_messages_redelivered_total",
            "penstock_rows_committed_total", "penstock_dead_letters_total", "penstock_unrouted_total", "penstock_commit_seconds",
            "penstock_ingest_latency_seconds", "penstock_batch_rows", "penstock_unacknowledged_messages", "penstock_batch_bytes",
            "penstock_session_connected", "penstock_session_lost_total", "penstock_bound", "penstock_oldest_unacknowledged_seconds",
            "penstock_messages_dropped_total", "penstock_reconnects_total", "penstock_database_errors_total",
            "penstock_broker_dropped_total",
            "penstock_build_info", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
        ]

        @Test("every metric is there and counts what came: rows, dead letters, repeats of errors, times")
        func counts() async throws {
            let workplace = try await Workplace(
                sessions: 2, shards: 2, mappings: ["telemetry": Mappings.telemetry, "weather": "qos: 2\n" + Mappings.weather],
                http: Self.http)
            try workplace.probe().rows("ALTER TABLE readings ADD CHECK (temp < 100)")
            try await workplace.startIngester()
            let probe = try await StatusProbe(workplace.ingester)
            for name in Self.names { #expect(try probe.metrics().describes(name), "\(name)") }

            try await workplace.publish((0..<40).map(LoadPublisher.reading))
            try await workplace.publish([
                .init("site/a/dev/x/telemetry", "{\"seq\": \"what\"}"), .init("site/a/dev/x/telemetry", "no JSON"),
                .init("site/a/dev/x/telemetry", "{\"seq\": 1, \"temp\": 100.5}"), .init("site/lab/dev/x/telemetry", "{\"seq\": 2}"),
            ])
            try await workplace.publish([.init("weather/w", "2026-01-31T12:00:00Z;1,5;2;ja\n2026-01-31T12:00:01Z;1,5;2;ja")], qos: 2)
            try await workplace.eventually("all is settled") { try probe.metrics()["penstock_messages_settled_total"] == 45 }
            let scrape = try probe.metrics()
            let expected: KeyValuePairs<String, Double> = [
                "penstock_messages_received_total{mapping=\"telemetry\",qos=\"1\"}": 43,
                "penstock_messages_received_total{mapping=\"telemetry\",qos=\"0\"}": 0,
                "penstock_messages_received_total{mapping=\"weather\",qos=\"2\"}": 1,
                "penstock_unrouted_total": 1,
                "penstock_rows_committed_total{table=\"readings\"}": 40,
                "penstock_rows_committed_total{table=\"weather\"}": 2,
                "penstock_dead_letters_total{mapping=\"telemetry\",stage=\"decode\"}": 2,
                "penstock_dead_letters_total{mapping=\"telemetry\",stage=\"row\"}": 1,
                "penstock_dead_letters_total{mapping=\"telemetry\",stage=\"table\"}": 0,
                "penstock_dead_letters_total{mapping=\"weather\",stage=\"decode\"}": 0,
                "penstock_messages_redelivered_total": 0,
                "penstock_messages_dropped_total{mapping=\"telemetry\",reason=\"no_room\"}": 0,
                "penstock_messages_dropped_total{mapping=\"telemetry\",reason=\"flood\"}": 0,
                "penstock_batch_rows_sum": 42, "penstock_ingest_latency_seconds_count": 45,
                "penstock_ingest_latency_seconds_bucket{le=\"+Inf\"}": 45,
                "penstock_in_flight_messages": 0, "penstock_oldest_unacknowledged_seconds": 0, "penstock_batch_bytes": 0,
                "penstock_session_connected{session=\"end-to-end-0\"}": 1, "penstock_session_connected{session=\"end-to-end-1\"}": 1,
                "penstock_session_lost_total": 0, "penstock_reconnects_total{side=\"broker\"}": 0,
                "penstock_reconnects_total{side=\"database\"}": 0, "penstock_database_up": 1, "penstock_ready": 1,
                "penstock_broker_dropped_total": 0, "penstock_mapping_parked{mapping=\"telemetry\"}": 0,
            ]
            for (sample, value) in expected { #expect(scrape[sample] == value, "\(sample)") }
            #expect(scrape["penstock_database_errors_total{sqlstate=\"23514\"}"] ?? 0 >= 1)
            #expect(scrape["penstock_commit_seconds_count"] ?? 0 >= 1)
            #expect(scrape["penstock_commit_seconds_count"] == scrape["penstock_batch_rows_count"])
            let (latency, commits) = (scrape["penstock_ingest_latency_seconds_sum"] ?? 0, scrape["penstock_commit_seconds_sum"] ?? 0)
            #expect(latency > 0 && latency < 45 * 20 && commits > 0 && commits < 60)
            let now = Date().timeIntervalSince1970
            for sample in [
                "penstock_last_message_timestamp_seconds{mapping=\"telemetry\"}",
                "penstock_last_error_timestamp_seconds{mapping=\"telemetry\"}",
                "penstock_last_commit_timestamp_seconds", "process_start_time_seconds",
            ] {
                #expect((now - 60...now + 1).contains(scrape[sample] ?? 0), "\(sample)")
            }
            #expect(scrape["penstock_last_error_timestamp_seconds{mapping=\"weather\"}"] == 0)
            #expect(scrape["process_resident_memory_bytes"] ?? 0 > 5e6 && scrape["process_open_fds"] ?? 0 > 5)
            // The releases of QoS 2 are answered too.
            try await workplace.eventually("all is acknowledged") { try probe.metrics()["penstock_messages_acknowledged_total"] ?? 0 >= 46 }
            try await Self.checkText(try probe.metrics().text)

            let openMetrics = try probe.get("/metrics", headers: "Accept: application/openmetrics-text; version=1.0.0\r\n").body
            #expect(
                openMetrics.hasSuffix("# EOF\n") && openMetrics.contains("# TYPE penstock_unrouted counter\npenstock_unrouted_total 1\n"))
            let status = try probe.get("/api/status").body
            let report = try #require(try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any])
            let letters = try #require(report["dead_letters"] as? [[String: Any]])
            #expect(letters.count == 3 && letters.contains { $0["payload_preview"] as? String == "no JSON" })
            #expect((report["totals"] as? [String: Any])?["rows"] as? Int == 42)
            try await workplace.close()
        }

        /// Whether Prometheus itself finds nothing to say about it.
        private static func checkText(_ text: String) async throws {
            let places = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/promtool" }
            guard let promtool = places.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
                print("skipped: `promtool check metrics` (Debian package prometheus) is not installed")
                return
            }
            let process = Process()
            process.executableURL = URL(filePath: promtool)
            process.arguments = ["check", "metrics"]
            let (input, output) = (Pipe(), Pipe())
            (process.standardInput, process.standardOutput, process.standardError) = (input, output, output)
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
            try input.fileHandleForWriting.close()
            let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0 && said.isEmpty, "promtool says: \(said)")
        }

        @Test("not ready while the database is away, with the reason; ready again when it is back")
        func databaseAway() async throws {
            let workplace = try await Workplace(sessions: 2, shards: 2, http: Self.http)
            try await workplace.startIngester()
            let probe = try await StatusProbe(workplace.ingester)
            try await workplace.eventually("it is ready") { try probe.get("/readyz").status == 200 }
            #expect(try probe.get("/readyz").body == "{\"problems\":[],\"ready\":true}")
            try await workplace.servers.stopDatabase()
            try await workplace.eventually("it is not ready") { try probe.get("/readyz").status == 503 }
            let body = try probe.get("/readyz").body
            #expect(body.contains("the database takes nothing: ") && body.contains("\"since\":\"20") && body.contains("\"do\":"), "\(body)")
            #expect(try probe.get("/healthz").status == 200)
            #expect(try probe.metrics()["penstock_database_up"] == 0)
            try await workplace.publish((0..<10).map(LoadPublisher.reading))
            try await workplace.eventually("messages wait for the database") {
                try probe.metrics()["penstock_oldest_unacknowledged_seconds"] ?? 0 > 0.5
            }
            #expect(try probe.metrics()["penstock_bound{by=\"database\"}"] ?? 0 > 0)
            try await workplace.servers.startDatabase()
            try await workplace.eventually("it is ready again", within: .seconds(40)) { try probe.get("/readyz").status == 200 }
            try await workplace.waitUntilRows(["readings": 10])
            let scrape = try probe.metrics()
            #expect(scrape["penstock_reconnects_total{side=\"database\"}"] ?? 0 >= 1)
            #expect(scrape["penstock_ingest_latency_seconds_sum"] ?? 0 > 0.5)
            try await workplace.close()
        }

        @Test("not ready while the broker is away, or a table cannot be written; each is counted")
        func brokerAway() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, http: Self.http)
            try await workplace.startIngester()
            let probe = try await StatusProbe(workplace.ingester)
            try await workplace.eventually("it is ready") { try probe.get("/readyz").status == 200 }
            try await workplace.stopBroker()
            try await workplace.eventually("it is not ready") { try probe.get("/readyz").status == 503 }
            #expect(try probe.get("/readyz").body.contains("1 of 1 sessions are not connected"))
            #expect(try probe.metrics()["penstock_session_connected{session=\"end-to-end-0\"}"] == 0)
            try await workplace.startBroker()
            try await workplace.eventually("it is ready again") { try probe.get("/readyz").status == 200 }
            #expect(try probe.metrics()["penstock_reconnects_total{side=\"broker\"}"] ?? 0 >= 1)

            try workplace.probe().rows("ALTER TABLE readings RENAME TO away")
            try await workplace.publish((0..<3).map(LoadPublisher.reading))
            try await workplace.eventually("its mapping is parked") {
                try probe.metrics()["penstock_mapping_parked{mapping=\"telemetry\"}"] == 1
            }
            let body = try probe.get("/readyz")
            #expect(body.status == 503 && body.body.contains("mapping 'telemetry' is parked: readings cannot be written"), "\(body)")
            try workplace.probe().rows("ALTER TABLE away RENAME TO readings")
            try await workplace.publish((3..<5).map(LoadPublisher.reading))
            try await workplace.waitUntilRows(["readings": 5])
            try await workplace.eventually("letters that became rows prove that the table is right") {
                try probe.get("/readyz").status == 200
            }
            #expect(try probe.metrics()["penstock_dead_letters_total{mapping=\"telemetry\",stage=\"table\"}"] ?? 0 >= 3)
            try await workplace.close()
        }

        @Test("a thousand connections, endless requests and huge ones take nothing from the messages")
        func hostile() async throws {
            let workplace = try await Workplace(sessions: 2, shards: 2, http: Self.http)
            try await workplace.startIngester()
            let probe = try await StatusProbe(workplace.ingester)
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 8000, perSecond: 2000)
            var crowd: [Socket] = []
            for number in 0..<1000 {
                guard let socket = try? Socket(port: probe.port) else { continue }
                let request =
                    number % 2 == 0
                    ? "GET /metrics HTTP/1.1\r\nHost: loc" : "GET /\(String(repeating: "x", count: 30_000)) HTTP/1.1\r\n\r\n"
                _ = socket.sendWhatFits(Array(request.utf8))
                crowd.append(socket)
            }
            #expect(crowd.count > 900)
            try await workplace.eventually("all is published") { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged)
            #expect(publisher.acknowledged.count == 8000)
            crowd = []
            try await workplace.eventually("it answers again") { (try? probe.get("/healthz").status) == 200 }
            try await workplace.eventually("all is counted") { try probe.metrics()["penstock_messages_settled_total"] ?? 0 >= 8000 }
            let scrape = try probe.metrics()
            #expect(scrape["process_open_fds"] ?? 1000 < 200)
            try await workplace.close()
        }

        @Test("without a file descriptor connections wait while messages flow on, and nobody turns in a circle; with one they are answered")
        func fileDescriptors() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, http: Self.http)
            try await workplace.startIngester()
            let probe = try await StatusProbe(workplace.ingester)
            try await workplace.eventually("it is ready") { try probe.get("/readyz").status == 200 }
            let process = try #require(workplace.ingester.processIdentifier)
            try Self.limitFiles(of: process, to: 3)
            let began = ContinuousClock.now
            let waiting = try Socket(port: probe.port)
            try waiting.send(Array("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            try await workplace.ingester.waitForLog("the HTTP server can take no connection for now", within: .seconds(30))
            #expect(workplace.ingester.log.contains("Too many open files"))
            try await workplace.publish((0..<20).map(LoadPublisher.reading))
            try await workplace.waitUntilRows(["readings": 20], within: .seconds(30))
            try Self.limitFiles(of: process, to: 1024)
            waiting.setReceiveLimit(milliseconds: 30_000)
            let answer = try waiting.receive() ?? []
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 200"))
            try await workplace.eventually("it tells all") { try probe.metrics()["penstock_messages_settled_total"] == 20 }
            let attempts = try #require(workplace.ingester.log.firstMatch(of: /attempts_in_vain=([0-9]+)/)).1
            #expect((Int(attempts) ?? .max) < 2 + Int((ContinuousClock.now - began) / .seconds(1)), "\(attempts)")
            try await workplace.terminateIngester()
            try await workplace.close()
        }

        /// No file gets a number from this on; what is open stays open.
        private static func limitFiles(of process: pid_t, to count: Int) throws {
            let prlimit = try Process.run(URL(filePath: "/usr/bin/prlimit"), arguments: ["--pid", "\(process)", "--nofile=\(count):"])
            prlimit.waitUntilExit()
            try #require(prlimit.terminationStatus == 0)
        }

        @Test("a port that is taken: exit 1, and what to do")
        func portInUse() async throws {
            let listener = try Listener()
            let workplace = try await Workplace(sessions: 1, shards: 1, http: "{listen: \"127.0.0.1:\(listener.port)\"}")
            let end = try await workplace.penstock("run")
            #expect(end.end == .exit(1))
            #expect(end.errors.contains("somebody listens at 127.0.0.1:\(listener.port) already"), "\(end.errors)")
            try await workplace.close()
        }
    }
}
