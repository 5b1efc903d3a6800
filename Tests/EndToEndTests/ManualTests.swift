import Foundation
import Glibc
import Sandbox
import Testing

extension EndToEndTests {
    /// The manual of mappings is followed from its first command to its last, with a broker and a database of its own, and prints what it says it prints.
    ///
    /// `PENSTOCK_RECORD_MANUAL=1` writes what was printed into the page instead, but for what holds a `…`.
    @Suite("The manual shows what the commands print")
    struct Manual {
        static let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/mappings.md")

        @Test("every command of docs/mappings.md")
        func mappings() async throws {
            let page = try String(contentsOf: Self.path, encoding: .utf8)
            let transcript = Transcript(page: page)
            let reader = try await Reader()
            var recorded: [Int: [String]] = [:]
            var commandCount = 0
            for step in transcript.steps {
                switch step {
                case .newFolder: try reader.beginAgain()
                case .file(let name, let text): try reader.write(name, text)
                case .command(let line, let text, let output):
                    commandCount += 1
                    let printed = try await reader.run(text, until: output)
                    guard !Transcript.matches(printed, output) else { continue }
                    if !output.contains(where: { $0.contains("…") }) { recorded[line] = printed }
                    Issue.record("docs/mappings.md:\(line): '\(text)' prints\n\(printed.joined(separator: "\n"))")
                }
            }
            #expect(commandCount >= 10, "the page has commands")
            if ProcessInfo.processInfo.environment["PENSTOCK_RECORD_MANUAL"] == "1", !recorded.isEmpty {
                try transcript.page(with: recorded).write(to: Self.path, atomically: true, encoding: .utf8)
            }
            try await reader.close()
        }

        @Test("a device that talks as the heat pump of docs/mappings.md gets the mapping that the page shows")
        func proposal() async throws {
            let page = try String(contentsOf: Self.path, encoding: .utf8)
            let told = try Self.block(of: page, from: "$ penstock infer --topic 'cellar/#'")
            let shown = try Self.block(of: page, from: "# From 118 messages")
            let reader = try await Reader()
            // No value comes again often enough to be a name for something, and the sensor outside is unplugged now and then.
            let pump = reader.publish(count: 2000, perSecond: 40) { number in
                let now = Int(Date().timeIntervalSince1970 * 1000)
                let outside = number % 9 == 0 ? "-127" : "\(Double(number % 80 - 40) / 8)"
                return .init(
                    "cellar/heatpump/state",
                    #"{"ts":\#(now),"flow":\#(30 + Double(number % 64) / 10),"return":\#(28 + Double(number % 40) / 10),"outside":\#(outside),"#
                        + #""mode":\#(number / 20 % 3),"power":\#(1500 + number * 7 % 600),"starts":\#(800 + number / 30),"fw":"2.1.0"}"#)
            }
            defer { pump.stop() }
            let command = String(try #require(told.first).dropFirst(2))
            let printed = try await reader.run(command + " --messages 118", until: [])
            #expect(Transcript.matches(printed, Array(told.dropFirst())), "\(printed.joined(separator: "\n"))")
            let file = try await reader.run("cat mappings/cellar_heatpump_state.yaml", until: [])
            var rest = file[...]
            // The page shortens the file: what it shows stands there, in this order. What the tests hold differs each time.
            for line in shown.prefix(while: { $0 != "tests:" }) {
                guard let place = rest.firstIndex(of: line) else {
                    Issue.record("'\(line)' is not in the file, or not there:\n\(file.joined(separator: "\n"))")
                    break
                }
                rest = rest[(place + 1)...]
            }
            #expect(rest.count { $0.hasPrefix("  - topic: cellar/heatpump/state") } == 3, "\(rest.joined(separator: "\n"))")
            let check = try await reader.run("penstock check --offline", until: [])
            #expect(check.last == "1 mapping, 3 tests: all right (offline)", "\(check)")
            try await reader.close()
        }

        /// The lines of the block that begins so, and that no other test runs.
        private static func block(of page: String, from beginning: String) throws -> [String] {
            let lines = page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let first = try #require(lines.firstIndex { $0.hasPrefix(beginning) }, "the page has '\(beginning)'")
            return Array(lines[first...].prefix { $0 != "```" })
        }

        @Test("an ellipsis stands for any lines, and for any characters of a line")
        func ellipsis() {
            #expect(Transcript.matches(["a", "b 1 c", "d"], ["a", "b … c", "d"]))
            #expect(Transcript.matches(["a", "b", "c"], ["a", "…"]))
            #expect(Transcript.matches(["a"], ["…", "a"]))
            #expect(!Transcript.matches(["a", "b"], ["a"]))
            #expect(!Transcript.matches(["a", "b"], ["a", "…", "c"]))
            #expect(!Transcript.matches(["b 1 d"], ["b … c"]))
        }
    }
}

/// Someone who follows the page: a shell in a folder, with `penstock` on the path, and settings that lead to servers of this test.
private final class Reader {
    private let servers: TestServers
    private let broker: PrivateMosquitto
    private var folder: URL
    private let home: URL
    private var environment: [String: String]
    private var service: ChildProcess?
    private var commandCount = 0

    init() async throws {
        servers = try TestServers.ofThisSuite()
        try await servers.startDatabase()
        var options = PrivateMosquitto.Options()
        options.logsEverything = true
        broker = try await servers.makeBroker(options)
        home = try servers.makeFolder()
        folder = try servers.makeFolder()
        let program = home.appending(path: "penstock")
        try FileManager.default.createSymbolicLink(at: program, withDestinationURL: URL(filePath: Ingester.binary))
        // What mosquitto_pub and mosquitto_sub read their port from.
        for name in ["mosquitto_pub", "mosquitto_sub"] {
            try "-h 127.0.0.1\n-p \(broker.port)\n".write(to: home.appending(path: name), atomically: false, encoding: .utf8)
        }
        let url = servers.database.url(database: "telemetry")
        environment = [
            "PATH": home.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"), "XDG_CONFIG_HOME": home.path,
            "HOME": home.path, "PENSTOCK_BROKER_URL": "mqtt://127.0.0.1:\(broker.port)", "PENSTOCK_DATABASE_URL": url, "PAGER": "cat",
            // The usual port may be somebody else's on this machine.
            "PENSTOCK_HTTP_LISTEN": "off",
        ]
        if let parts = URLComponents(string: url) {
            environment["PGHOST"] = parts.host
            environment["PGPORT"] = parts.port.map { "\($0)" }
            environment["PGUSER"] = parts.user
            environment["PGPASSWORD"] = parts.password
        }
        try beginAgain()
    }

    func beginAgain() throws {
        folder = try servers.makeFolder()
        try FileManager.default.createDirectory(at: folder.appending(path: "mappings"), withIntermediateDirectories: true)
    }

    func write(_ name: String, _ text: String) throws {
        try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
    }

    /// Runs a command. One that asks for what the service does beside it is asked again until it prints what is expected.
    func run(_ command: String, until expected: [String]) async throws -> [String] {
        if command == "penstock run" { return try await startService(until: expected) }
        let waits = service != nil && (command.contains("psql ") || command.hasPrefix("penstock replay"))
        let deadline = ContinuousClock.now + .seconds(waits ? 15 : 0)
        while true {
            let printed = try await shell(command)
            if Transcript.matches(printed, expected) || ContinuousClock.now >= deadline { return printed }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    func publish(
        count: Int, perSecond: Int, _ message: @escaping @Sendable (Int) -> LoadPublisher.Message
    ) -> LoadPublisher {
        LoadPublisher(port: broker.port, count: count, perSecond: perSecond, message: message)
    }

    private func startService(until expected: [String]) async throws -> [String] {
        let started = try ChildProcess(
            "/bin/sh", ["-c", "cd '\(folder.path)' && exec penstock run 2>&1"], outputs: "service", in: home, environment: environment)
        service = started
        var lines: [String] { started.output.split(separator: "\n").map(String.init) }
        // What is published before a session of its pool has subscribed goes to nobody. The connection that watches $SYS subscribes too.
        try await waitUntil("the service subscribes, and logs what the page shows", within: .seconds(30)) {
            let log = broker.log
            return (0..<8).contains { log.contains("Sending SUBACK to penstock-\($0)\n") } && Transcript.matches(lines, expected)
                || started.pollEnd() != nil
        }
        return lines
    }

    private func shell(_ command: String) async throws -> [String] {
        commandCount += 1
        let pid = service.map { "PID=\($0.identifier); " } ?? ""
        let process = try ChildProcess(
            "/bin/sh", ["-c", "cd '\(folder.path)' && { \(pid)\(command)\n} 2>&1"], outputs: "command-\(commandCount)", in: home,
            environment: environment)
        _ = try await process.waitForEnd(within: .seconds(60))
        var lines = process.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // psql ends a table with an empty line.
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    func close() async throws {
        if let service {
            service.signal(SIGTERM)
            _ = try await service.waitForEnd(within: .seconds(15))
        }
        await broker.stop()
        try await servers.startDatabase()
        try servers.administration().rows("DROP DATABASE IF EXISTS telemetry WITH (FORCE)")
    }
}
