import Foundation
import Glibc
import Synchronization

/// A mosquitto of one's own on loopback, on a free port: for the demo and for tests. It ends with its owner, and when this process dies.
public final class PrivateMosquitto: Sendable {
    /// What can be set.
    public struct Options: Sendable {
        /// Whether sessions and their messages survive a restart.
        public var persistence = true
        /// Messages that a session may have unacknowledged; 0: no limit; nil: what mosquitto takes by itself (20).
        public var maximumInflight: Int?
        /// Messages that wait for a session; 0: no limit.
        public var maximumQueued = 0
        /// Passwords by user name; nobody else may connect. nil: everybody may.
        public var passwords: [String: String]?
        /// Further lines of its configuration.
        public var extraLines: [String] = []

        public init() {}
    }

    /// The same from start to start.
    public let port: Int
    private let folder: ServerFolder
    private let options: Options
    private let process = Mutex<ChildProcess?>(nil)

    /// - Parameter folder: exists, and is kept; nil: a temporary folder, removed with this object.
    /// - Throws: `SandboxError` when mosquitto is not installed.
    public init(folder: URL? = nil, options: Options = Options()) throws {
        self.folder = try ServerFolder(folder)
        self.options = options
        port = try freePort()
        let places = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
        guard places.contains(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw SandboxError("mosquitto is not installed; on Debian: apt-get install mosquitto")
        }
        let text = (configuration + [""]).joined(separator: "\n")
        try text.write(to: self.folder.url.appending(path: "mosquitto.conf"), atomically: false, encoding: .utf8)
    }

    /// Nil while it is not running.
    public var processIdentifier: Int32? { process.withLock { $0?.pollEnd() == nil ? $0?.identifier : nil } }

    /// What it has logged so far, from all starts.
    public var log: String { process.withLock { $0?.errors ?? "" } }

    /// Starts the broker and waits until it accepts connections; does nothing when it is running.
    /// - Throws: `SandboxError` with the end of the log, also when it has not come up within 15 s.
    public func start() async throws {
        guard processIdentifier == nil else { return }
        if let passwords = options.passwords { try await write(passwords) }
        let started = try ChildProcess(
            ["mosquitto", "-c", folder.url.appending(path: "mosquitto.conf").path], outputs: "mosquitto", in: folder.url)
        process.withLock { $0 = started }
        let deadline = ContinuousClock.now + .seconds(15)
        while !answers(port: port) {
            guard started.pollEnd() == nil, ContinuousClock.now < deadline else {
                throw SandboxError("mosquitto did not start: \(started.errors.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Ends the broker, if it is running, and waits for the end; in good order it writes its sessions to disk. Kills it after 20 s.
    public func stop(_ mode: StopMode = .fast) async {
        guard let running = process.withLock({ $0 }) else { return }
        resume()
        await running.end(mode == .fast ? SIGTERM : SIGKILL, within: .seconds(20))
    }

    /// Stops the broker and starts it with the same sessions on the same port.
    public func restart(_ mode: StopMode = .fast) async throws {
        await stop(mode)
        try await start()
    }

    /// Freezes the broker: connections stay, and nothing is answered any more.
    public func suspend() { process.withLock { $0 }?.signal(SIGSTOP) }

    /// Lets a frozen broker go on.
    public func resume() { process.withLock { $0 }?.signal(SIGCONT) }

    private var passwordFile: URL { folder.url.appending(path: "mosquitto.passwords") }

    private var configuration: [String] {
        var lines = [
            "listener \(port) 127.0.0.1", "allow_anonymous \(options.passwords == nil)",
            "persistence \(options.persistence)", "persistence_location \(folder.url.path)/",
            "max_queued_messages \(options.maximumQueued)", "log_dest stderr",
        ]
        // Started by root it would become a user who cannot get into the folder.
        if getuid() == 0 { lines.append("user root") }
        if let maximum = options.maximumInflight { lines.append("max_inflight_messages \(maximum)") }
        if options.passwords != nil { lines.append("password_file \(passwordFile.path)") }
        return lines + options.extraLines
    }

    private func write(_ passwords: [String: String]) async throws {
        let text = passwords.map { "\($0.key):\($0.value)\n" }.joined()
        guard
            FileManager.default.createFile(
                atPath: passwordFile.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw SandboxError("cannot write \(passwordFile.path)") }
        let hashing = try ChildProcess(["mosquitto_passwd", "-U", passwordFile.path], outputs: "mosquitto_passwd", in: folder.url)
        guard await hashing.waitForEnd(within: .seconds(15)) == .exit(0) else {
            throw SandboxError("mosquitto_passwd failed: \(hashing.errors.suffix(2000))")
        }
    }
}
