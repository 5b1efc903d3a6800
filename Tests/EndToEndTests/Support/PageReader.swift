import Foundation
import Glibc
import Sandbox

/// Someone who follows a page: a shell in a folder, with `penstock` on the path, and settings that lead to servers of this test.
final class PageReader {
    struct Printed {
        var end: ChildProcess.End
        var lines: [String]

        var text: String { lines.joined(separator: "\n") }
    }

    let servers: TestServers
    let broker: PrivateMosquitto
    /// Where commands run.
    private(set) var folder: URL
    /// Where the service is told to listen; nil: nowhere.
    let httpPort: Int?
    private let home: URL
    private var environment: [String: String]
    private var service: ChildProcess?
    private var commandCount = 0

    /// - Parameter listens: the service answers over HTTP, at a free port: the usual one may be somebody else's on this machine.
    init(listens: Bool = false) async throws {
        servers = try TestServers.ofThisSuite()
        try await servers.startDatabase()
        var options = PrivateMosquitto.Options()
        options.logsEverything = true
        broker = try await servers.makeBroker(options)
        home = try servers.makeFolder()
        folder = try servers.makeFolder()
        httpPort = listens ? try Self.freePort() : nil
        let program = home.appending(path: "penstock")
        try FileManager.default.createSymbolicLink(at: program, withDestinationURL: URL(filePath: Ingester.binary))
        // What mosquitto_pub and mosquitto_sub read their port from.
        for name in ["mosquitto_pub", "mosquitto_sub"] {
            try "-h 127.0.0.1\n-p \(broker.port)\n".write(to: home.appending(path: name), atomically: false, encoding: .utf8)
        }
        let url = servers.database.url(database: "telemetry")
        environment = [
            "PATH": home.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"), "XDG_CONFIG_HOME": home.path,
            "HOME": home.path, "TMPDIR": home.path, "PENSTOCK_BROKER_URL": "mqtt://127.0.0.1:\(broker.port)", "PENSTOCK_DATABASE_URL": url,
            "PAGER": "cat",
            "PENSTOCK_HTTP_LISTEN": httpPort.map { "127.0.0.1:\($0)" } ?? "off",
        ]
        if let parts = URLComponents(string: url) {
            environment["PGHOST"] = parts.host
            environment["PGPORT"] = parts.port.map { "\($0)" }
            environment["PGUSER"] = parts.user
            environment["PGPASSWORD"] = parts.password
        }
        try beginAgain()
    }

    private static func freePort() throws -> Int {
        let listener = try Listener()
        defer { listener.stop() }
        return listener.port
    }

    func beginAgain() throws {
        folder = try servers.makeFolder()
        try FileManager.default.createDirectory(at: folder.appending(path: "mappings"), withIntermediateDirectories: true)
    }

    func write(_ name: String, _ text: String) throws {
        try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
    }

    /// Runs a command. One that asks for what the service does beside it is asked again until it prints what is expected.
    func run(_ command: String, until expected: [String]? = nil) async throws -> Printed {
        if command == "penstock run" { return try await startService(until: expected) }
        let waits = service != nil && (command.contains("psql ") || command.hasPrefix("penstock replay"))
        let deadline = ContinuousClock.now + .seconds(waits ? 15 : 0)
        while true {
            let printed = try await shell(command)
            guard let expected, !Transcript.matches(printed.lines, expected), ContinuousClock.now < deadline else { return printed }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    func publish(
        count: Int, perSecond: Int, _ message: @escaping @Sendable (Int) -> LoadPublisher.Message
    ) -> LoadPublisher {
        LoadPublisher(port: broker.port, count: count, perSecond: perSecond, message: message)
    }

    private func startService(until expected: [String]?) async throws -> Printed {
        let started = try ChildProcess(
            "/bin/sh", ["-c", "cd '\(folder.path)' && exec penstock run 2>&1"], outputs: "service", in: home, environment: environment)
        service = started
        var lines: [String] { started.output.split(separator: "\n").map(String.init) }
        // What is published before a session of its pool has subscribed goes to nobody. The connection that watches $SYS subscribes too.
        try await waitUntil("the service subscribes, and logs what the page shows", within: .seconds(30)) {
            let log = broker.log
            return (0..<8).contains { log.contains("Sending SUBACK to penstock-\($0)\n") }
                && (expected.map { Transcript.matches(lines, $0) } ?? true) || started.pollEnd() != nil
        }
        return Printed(end: started.pollEnd() ?? .exit(0), lines: lines)
    }

    private func shell(_ command: String) async throws -> Printed {
        commandCount += 1
        let pid = service.map { "PID=\($0.identifier); " } ?? ""
        let process = try ChildProcess(
            "/bin/sh", ["-c", "cd '\(folder.path)' && { \(pid)\(command)\n} 2>&1"], outputs: "command-\(commandCount)", in: home,
            environment: environment)
        let end = try await process.waitForEnd(within: .seconds(60))
        var lines = process.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // psql ends a table with an empty line.
        while lines.last?.isEmpty == true { lines.removeLast() }
        return Printed(end: end, lines: lines)
    }

    /// Ends the service, if it runs, as whoever stops it does.
    @discardableResult
    func stopService() async throws -> ChildProcess.End? {
        guard let service else { return nil }
        service.signal(SIGTERM)
        defer { self.service = nil }
        return try await service.waitForEnd(within: .seconds(15))
    }

    func close() async throws {
        try await stopService()
        await broker.stop()
        try await servers.startDatabase()
        try servers.administration().rows("DROP DATABASE IF EXISTS telemetry WITH (FORCE)")
    }
}
