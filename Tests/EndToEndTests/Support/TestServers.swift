import Foundation
import Glibc
import Synchronization
import Testing

/// One private PostgreSQL for all tests of a suite, in a temporary folder, and private brokers, one for each test that wants one.
final class TestServers: Sendable {
    @TaskLocal fileprivate static var current: TestServers?

    private let folder: URL
    private let port: Int
    private let server = Mutex<ChildProcess?>(nil)
    private let counter = Mutex(0)

    struct NotAvailable: Error, CustomStringConvertible { let description: String }

    static func ofThisSuite() throws -> TestServers {
        guard let current else { throw NotAvailable(description: "the suite lacks the trait .withServers") }
        return current
    }

    init() async throws {
        folder = URL(filePath: "/tmp/penstock-servers-\(getpid())")
        port = try freePort()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        chmod(folder.path, 0o777)
        let initdb = try ChildProcess(
            "/usr/bin/env",
            Self.asServerUser + [Self.binaries + "initdb", "-D", dataPath, "-U", "penstock", "-A", "trust", "-E", "UTF8", "--no-sync"],
            outputs: "initdb", in: folder)
        guard try await initdb.waitForEnd(within: .seconds(60)) == .exit(0) else { throw NotAvailable(description: initdb.errors) }
        try await startDatabase()
    }

    fileprivate func end() async throws {
        try await stopDatabase()
        try FileManager.default.removeItem(at: folder)
    }

    private var dataPath: String { folder.appending(path: "data").path }
    private static let binaries = "/usr/lib/postgresql/15/bin/"
    private static let asServerUser = getuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []

    // MARK: PostgreSQL

    /// Does nothing when it is running: a test that failed may have left it stopped.
    func startDatabase() async throws {
        if let process = server.withLock({ $0 }), process.pollEnd() == nil { return }
        let process = try ChildProcess(
            "/usr/bin/env",
            Self.asServerUser + [
                Self.binaries + "postgres", "-D", dataPath, "-p", "\(port)", "-c", "listen_addresses=127.0.0.1", "-c",
                "unix_socket_directories=",
                "-c", "max_connections=100",
            ], outputs: "postgres", in: folder)
        server.withLock { $0 = process }
        let url = url(of: "postgres")
        try await waitUntil("PostgreSQL answers", within: .seconds(30)) {
            if process.pollEnd() != nil { throw NotAvailable(description: process.errors) }
            return (try? DatabaseProbe(url)) != nil
        }
    }

    /// Ends PostgreSQL without letting it finish anything; returns when its processes are gone.
    func stopDatabase() async throws {
        guard let process = server.withLock({ $0 }) else { return }
        process.signal(SIGQUIT)
        _ = try await process.waitForEnd(within: .seconds(20))
    }

    /// Makes an empty database and returns its address.
    func makeDatabase() throws -> String {
        let name = "test_\(number())"
        try DatabaseProbe(url(of: "postgres")).rows("CREATE DATABASE \(name)")
        return url(of: name)
    }

    func dropDatabase(_ url: String) throws {
        guard let name = url.split(separator: "/").last else { return }
        try DatabaseProbe(self.url(of: "postgres")).rows("DROP DATABASE \(name) WITH (FORCE)")
    }

    /// Makes a role that has to show its password on this machine.
    func requirePassword(of role: String, password: String) throws {
        let probe = try DatabaseProbe(url(of: "postgres"))
        try probe.rows("DROP ROLE IF EXISTS \(role)")
        try probe.rows("CREATE ROLE \(role) LOGIN PASSWORD '\(password)'")
        let rules = URL(filePath: dataPath + "/pg_hba.conf")
        let text = try String(contentsOf: rules, encoding: .utf8)
        let rule = "host all \(role) 127.0.0.1/32 scram-sha-256\n"
        if !text.contains(rule) {
            let handle = try FileHandle(forWritingTo: rules)
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: Data((rule + text).utf8))
            try handle.close()
        }
        try probe.rows("SELECT pg_reload_conf()")
    }

    func url(of databaseURL: String, role: String, password: String) -> String {
        databaseURL.replacing("penstock@", with: "\(role):\(password)@")
    }

    private func number() -> Int {
        counter.withLock { counter in
            counter += 1
            return counter
        }
    }

    private func url(of database: String) -> String { "postgresql://penstock@127.0.0.1:\(port)/\(database)" }

    /// A folder for one test; it is removed with the servers.
    func makeFolder() -> URL { folder.appending(path: "test-\(number())") }

    // MARK: Brokers

    func makeBroker() async throws -> TestBroker {
        let broker = try TestBroker(folder: folder.appending(path: "broker-\(number())"))
        try await broker.start()
        return broker
    }
}

/// A private mosquitto that keeps its sessions on disk and queues without a bound, so that it is never the broker that loses a message.
final class TestBroker: Sendable {
    let port: Int
    private let folder: URL
    private let process = Mutex<ChildProcess?>(nil)

    init(folder: URL) throws {
        self.folder = folder
        port = try freePort()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let user = getuid() == 0 ? "user root\n" : ""
        try """
        \(user)listener \(port) 127.0.0.1
        allow_anonymous true
        max_queued_messages 0
        persistence true
        persistence_location \(folder.path)/
        log_dest stderr

        """.write(to: folder.appending(path: "mosquitto.conf"), atomically: false, encoding: .utf8)
    }

    func start() async throws {
        let process = try ChildProcess(
            "/usr/bin/env", ["mosquitto", "-c", folder.appending(path: "mosquitto.conf").path], outputs: "mosquitto", in: folder,
            environment: ["PATH": (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin"])
        self.process.withLock { $0 = process }
        try await waitUntil("mosquitto answers") {
            if process.pollEnd() != nil { throw TestServers.NotAvailable(description: process.errors) }
            return (try? Socket(port: port)) != nil
        }
    }

    /// Asks the broker to end, so that it writes its sessions to disk; does nothing when it is not running.
    func stop() async throws {
        guard let process = process.withLock({ $0 }), process.pollEnd() == nil else { return }
        process.signal(SIGTERM)
        _ = try await process.waitForEnd(within: .seconds(20))
    }
}

private func freePort() throws -> Int { try Listener().port }

/// Starts the servers before the first test of a suite and ends them after the last.
struct ServersTrait: SuiteTrait, TestScoping {
    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        let servers = try await TestServers()
        do {
            try await TestServers.$current.withValue(servers) { try await function() }
        } catch {
            try? await servers.end()
            throw error
        }
        try await servers.end()
    }
}

extension SuiteTrait where Self == ServersTrait {
    static var withServers: ServersTrait { ServersTrait() }
}
