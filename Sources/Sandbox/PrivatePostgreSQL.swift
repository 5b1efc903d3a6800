import Foundation
import Glibc
import Synchronization

/// A PostgreSQL of one's own on loopback, on a free port: for the demo and for tests.
///
/// Started by root it runs as another user, since PostgreSQL refuses root. It keeps `fsync` on: what it says is committed survives a crash of its own.
/// It ends with its owner, and when this process dies.
public final class PrivatePostgreSQL: Sendable {
    /// The same from start to start.
    public let port: Int
    private let folder: ServerFolder
    private let binaries: String
    private let user: String?
    private let password: String?
    private let settings: [String]
    private let process = Mutex<ChildProcess?>(nil)

    /// Makes the cluster; `start` starts it.
    /// - Parameters:
    ///   - folder: exists; a subfolder takes the data, and one that is there already is used. nil: a temporary folder, removed with this object.
    ///   - password: of the superuser, for SCRAM; nil: nobody is asked for one.
    ///   - settings: `name=value`, as `postgres -c` takes them.
    /// - Throws: `SandboxError` with the end of `initdb`'s output.
    public init(folder: URL? = nil, password: String? = nil, settings: [String] = []) async throws {
        self.folder = try ServerFolder(folder)
        self.password = password
        self.settings = settings
        port = try freePort()
        binaries = try Self.findBinaries()
        user = getuid() == 0 ? (getpwnam("postgres") == nil ? "nobody" : "postgres") : nil
        try await makeCluster()
    }

    deinit {
        // In good time for its children to end before the folder goes; whoever does not heed it is killed.
        guard let running = process.withLock({ $0 }), running.pollEnd() == nil else { return }
        resume()
        running.signal(SIGQUIT)
        for _ in 0..<200 where running.pollEnd() == nil { usleep(10_000) }
    }

    /// `postgresql://postgres@127.0.0.1:PORT/DATABASE`, with the password if there is one.
    public func url(database: String = "postgres") -> String {
        let secret = password.flatMap { $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) }.map { ":\($0)" } ?? ""
        return "postgresql://postgres\(secret)@127.0.0.1:\(port)/\(database)"
    }

    /// Of the postmaster; nil while it is not running.
    public var processIdentifier: Int32? { process.withLock { $0?.pollEnd() == nil ? $0?.identifier : nil } }

    /// What it has logged so far, from all starts.
    public var log: String { process.withLock { $0?.errors ?? "" } }

    /// Starts the server and waits until it accepts connections; does nothing when it is running.
    /// - Throws: `SandboxError` with the end of the log, also when it has not come up within 30 s.
    public func start() async throws {
        guard processIdentifier == nil else { return }
        let arguments =
            [binaries + "postgres", "-D", data.path, "-p", "\(port)"]
            + (["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=50"] + settings).flatMap { ["-c", $0] }
        // The log goes on from start to start, also in a folder that another one has had before.
        let earlier = Self.readyCount(in: ChildProcess.text(at: folder.url.appending(path: "postgresql.err").path))
        let started = try ChildProcess(arguments, as: user, outputs: "postgresql", in: folder.url)
        process.withLock { $0 = started }
        let deadline = ContinuousClock.now + .seconds(30)
        // It listens before it has recovered; it says when it is ready.
        while Self.readyCount(in: started.errors) <= earlier || !answers(port: port) {
            guard started.pollEnd() == nil, ContinuousClock.now < deadline else {
                throw SandboxError("PostgreSQL did not start: \(started.errors.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Ends the server, if it is running, and waits for the end; kills it after 20 s.
    public func stop(_ mode: StopMode = .fast) async {
        guard let running = process.withLock({ $0 }) else { return }
        resume()
        await running.end(mode == .fast ? SIGINT : SIGQUIT, within: .seconds(20))
    }

    /// Stops the server and starts it with the same data on the same port.
    public func restart(_ mode: StopMode = .fast) async throws {
        await stop(mode)
        try await start()
    }

    /// Freezes the server: connections stay, and nothing is answered any more.
    public func suspend() {
        // The postmaster first, so that it starts no more children.
        guard let postmaster = processIdentifier else { return }
        for process in [postmaster] + Self.children(of: postmaster) { kill(process, SIGSTOP) }
    }

    /// Lets a frozen server go on.
    public func resume() {
        guard let postmaster = processIdentifier else { return }
        for process in Self.children(of: postmaster) + [postmaster] { kill(process, SIGCONT) }
    }

    // MARK: The cluster

    private var data: URL { folder.url.appending(path: "postgresql") }

    private func makeCluster() async throws {
        guard !FileManager.default.fileExists(atPath: data.appending(path: "PG_VERSION").path) else { return }
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        // The other user has to get there.
        if user != nil { chmod(folder.url.path, 0o711) }
        try give(data)
        var arguments = [
            binaries + "initdb", "-D", data.path, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            "-A", password == nil ? "trust" : "scram-sha-256",
        ]
        let passwordFile = folder.url.appending(path: "password")
        defer { try? FileManager.default.removeItem(at: passwordFile) }
        if let password {
            let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
            guard FileManager.default.createFile(atPath: passwordFile.path, contents: Data(password.utf8), attributes: attributes) else {
                throw SandboxError("cannot write \(passwordFile.path)")
            }
            try give(passwordFile)
            arguments += ["--pwfile", passwordFile.path]
        }
        let initdb = try ChildProcess(arguments, as: user, outputs: "initdb", in: folder.url)
        guard await initdb.waitForEnd(within: .seconds(60)) == .exit(0) else {
            throw SandboxError("initdb failed: \(initdb.errors.suffix(2000))")
        }
    }

    private func give(_ file: URL) throws(SandboxError) {
        guard let user, let entry = getpwnam(user) else { return }
        guard chown(file.path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
            throw SandboxError("cannot give \(file.path) to user \(user)")
        }
    }

    private static func readyCount(in log: String) -> Int { log.components(separatedBy: "ready to accept connections").count - 1 }

    private static func children(of parent: pid_t) -> [pid_t] {
        let processes = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
        return processes.filter { process in
            // PID (NAME) STATE PARENT …, where the name may hold anything.
            guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8), let name = text.lastIndex(of: ")")
            else {
                return false
            }
            let fields = text[name...].split(separator: " ")
            return fields.count > 2 && fields[2] == "\(parent)"
        }
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
