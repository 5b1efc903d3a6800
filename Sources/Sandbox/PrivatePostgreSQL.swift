import Foundation
import Glibc
import Synchronization

/// A PostgreSQL of one's own on loopback, on a free port, in a folder: for the demo and for tests.
///
/// Started by root it runs as another user, since PostgreSQL refuses root. It keeps `fsync` on: what it says is committed survives a crash of its own.
public final class PrivatePostgreSQL: Sendable {
    public let port: Int
    private let folder: URL
    private let user: String?
    private let binaries: String
    private let settings: [String]
    private let process = Mutex<ChildProcess?>(nil)

    /// Makes the cluster; `start` starts it.
    /// - Parameters:
    ///   - folder: exists; a subfolder takes the data. A cluster that is already there is used.
    ///   - settings: `name=value`, as `postgres -c` takes them.
    public init(folder: URL, settings: [String] = []) async throws {
        self.folder = folder
        self.settings = settings
        port = try freePort()
        binaries = try Self.findBinaries()
        user = getuid() == 0 ? (getpwnam("postgres") == nil ? "nobody" : "postgres") : nil
        let data = folder.appending(path: "postgresql")
        guard !FileManager.default.fileExists(atPath: data.appending(path: "PG_VERSION").path) else { return }
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        if let user, let entry = getpwnam(user) {
            guard chown(data.path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
                throw SandboxError("cannot give \(data.path) to user \(user)")
            }
            // The other user has to get there.
            chmod(folder.path, 0o711)
        }
        let initdb = try ChildProcess(
            [binaries + "initdb", "-D", data.path, "-U", "penstock", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            as: user,
            outputs: "initdb", in: folder)
        guard await initdb.waitForEnd(within: .seconds(60)) == .exit(0) else { throw SandboxError("initdb failed: \(initdb.errors)") }
    }

    /// `postgresql://penstock@127.0.0.1:PORT/DATABASE`
    public func url(database: String = "postgres") -> String { "postgresql://penstock@127.0.0.1:\(port)/\(database)" }

    /// Starts the server and waits until it accepts connections; does nothing when it is running.
    public func start() async throws {
        if let running = process.withLock({ $0 }), running.pollEnd() == nil { return }
        let arguments =
            [binaries + "postgres", "-D", folder.appending(path: "postgresql").path, "-p", "\(port)"]
            + (["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=50"] + settings).flatMap { ["-c", $0] }
        let started = try ChildProcess(arguments, as: user, outputs: "postgresql", in: folder)
        process.withLock { $0 = started }
        let deadline = ContinuousClock.now + .seconds(30)
        // It listens before it has recovered; it says when it is ready.
        while !(answers(port: port)
            && started.errors.components(separatedBy: "ready to accept connections").count > readyCount.withLock { $0 })
        {
            guard started.pollEnd() == nil, ContinuousClock.now < deadline else {
                throw SandboxError("PostgreSQL did not start: \(started.errors.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        readyCount.withLock { $0 = started.errors.components(separatedBy: "ready to accept connections").count }
    }

    /// How often the log, which goes on from start to start, has said that it is ready, plus one.
    private let readyCount = Mutex(1)

    /// Ends the server: in good order, or at once as a crash would.
    public func stop(immediately: Bool = false) async {
        guard let running = process.withLock({ $0 }) else { return }
        running.signal(immediately ? SIGQUIT : SIGINT)
        if await running.waitForEnd(within: .seconds(20)) == nil { running.signal(SIGKILL) }
    }

    private static func findBinaries() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }.sorted()
        let folders = versions.reversed().map { "\(root)/\($0)/bin/" } + ["/usr/local/bin/", "/usr/bin/", "/usr/local/pgsql/bin/"]
        guard let found = folders.first(where: { access($0 + "initdb", X_OK) == 0 && access($0 + "postgres", X_OK) == 0 }) else {
            throw SandboxError("PostgreSQL's server is not installed (no initdb in \(root)); on Debian: apt-get install postgresql")
        }
        return found
    }
}
