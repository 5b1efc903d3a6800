import Foundation
import Sandbox
import Synchronization
import Testing

/// One private PostgreSQL for all tests of a suite, in a temporary folder, and private brokers, one for each test that wants one.
final class TestServers: Sendable {
    @TaskLocal fileprivate static var current: TestServers?

    /// It can be stopped, frozen and started again; the next test finds it running.
    let database: PrivatePostgreSQL
    private let folder: URL
    private let counter = Mutex(0)

    struct NotAvailable: Error, CustomStringConvertible { let description: String }

    static func ofThisSuite() throws -> TestServers {
        guard let current else { throw NotAvailable(description: "the suite lacks the trait .withServers") }
        return current
    }

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "penstock-servers-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        database = try await PrivatePostgreSQL(folder: folder, settings: ["max_connections=100"])
        try await startDatabase()
    }

    fileprivate func end() async throws {
        await database.stop(.immediate)
        try FileManager.default.removeItem(at: folder)
    }

    // MARK: PostgreSQL

    /// Does nothing when it is running: a test that failed may have left it stopped, or frozen.
    func startDatabase() async throws {
        database.resume()
        try await database.start()
    }

    /// Ends PostgreSQL without letting it finish anything; returns when its processes are gone.
    func stopDatabase() async throws { await database.stop(.immediate) }

    /// Makes an empty database and returns its address.
    /// - Parameter owner: a role that may do what it likes there, made where it is not there yet; nil: the superuser.
    func makeDatabase(owner: String? = nil) throws -> String {
        let name = "test_\(number())"
        let probe = try administration()
        try probe.rows("CREATE DATABASE \(name)")
        guard let owner else { return database.url(database: name) }
        if try probe.rows("SELECT FROM pg_roles WHERE rolname = '\(owner)'").isEmpty { try probe.rows("CREATE ROLE \(owner) LOGIN") }
        try probe.rows("ALTER DATABASE \(name) OWNER TO \(owner)")
        return database.url(database: name)
    }

    func dropDatabase(_ url: String) throws {
        guard let name = url.split(separator: "/").last else { return }
        try administration().rows("DROP DATABASE \(name) WITH (FORCE)")
    }

    /// A connection of the superuser to no test's database.
    func administration() throws -> DatabaseProbe { try DatabaseProbe(database.url()) }

    /// Makes a role that has to show its password on this machine.
    func requirePassword(of role: String, password: String) throws {
        let probe = try administration()
        try probe.rows("DROP ROLE IF EXISTS \(role)")
        try probe.rows("CREATE ROLE \(role) LOGIN PASSWORD '\(password)'")
        let rules = folder.appending(path: "postgresql/pg_hba.conf")
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

    func url(of databaseURL: String, role: String, password: String? = nil) -> String {
        databaseURL.replacing("postgres@", with: role + (password.map { ":" + $0 } ?? "") + "@")
    }

    private func number() -> Int {
        counter.withLock { counter in
            counter += 1
            return counter
        }
    }

    /// A folder for one test; it is removed with the servers.
    func makeFolder() throws -> URL {
        let made = folder.appending(path: "test-\(number())")
        try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
        return made
    }

    // MARK: Brokers

    /// A private mosquitto that keeps its sessions on disk and queues without a bound, so that it is never the broker that loses a message.
    func makeBroker(_ options: PrivateMosquitto.Options) async throws -> PrivateMosquitto {
        let broker = try PrivateMosquitto(folder: try makeFolder(), options: options)
        try await broker.start()
        return broker
    }
}

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
