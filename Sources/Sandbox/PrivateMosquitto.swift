import Foundation
import Glibc
import Synchronization

/// A mosquitto of one's own on loopback, on a free port: for the demo and for tests. It ends with its owner, and when this process dies.
public final class PrivateMosquitto: Sendable {
    /// The same from start to start; so are the others.
    public var port: Int { ports.plain }
    /// With the server's certificate; nil without `Options.tls`.
    public var tlsPort: Int? { ports.tls }
    /// Where clients need a certificate too; nil without `TLSFiles.clientAuthority`.
    public var mutualTLSPort: Int? { ports.mutualTLS }
    /// With pre-shared keys; nil without them.
    public var pskPort: Int? { ports.psk }
    /// For WebSocket; nil without `Options.webSockets`.
    public var webSocketPort: Int? { ports.webSocket }
    /// For WebSocket in TLS; nil without `Options.webSockets` and `Options.tls`.
    public var secureWebSocketPort: Int? { ports.secureWebSocket }

    private let ports: MosquittoPorts
    private let folder: ServerFolder
    private let files: MosquittoFiles
    private let options: Options
    private let passwords: Mutex<[String: String]?>
    private let process = Mutex<ChildProcess?>(nil)

    /// - Parameter folder: exists, and is kept; nil: a temporary folder, removed with this object.
    /// - Throws: `SandboxError` when mosquitto is not installed.
    public init(folder: URL? = nil, options: Options = Options()) throws {
        self.folder = try ServerFolder(folder)
        self.options = options
        passwords = Mutex(options.passwords)
        files = MosquittoFiles(folder: self.folder.url)
        ports = try MosquittoPorts(for: options)
        let places = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
        guard places.contains(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw SandboxError("mosquitto is not installed; on Debian: apt-get install mosquitto")
        }
        try files.write(options, ports: ports)
    }

    /// Nil while it is not running.
    public var processIdentifier: Int32? { process.withLock { $0?.pollEnd() == nil ? $0?.identifier : nil } }

    /// What it has logged so far, from all starts.
    public var log: String { process.withLock { $0?.errors ?? "" } }

    /// Starts the broker and waits until it accepts connections; does nothing when it is running.
    /// - Throws: `SandboxError` with the end of the log, also when it has not come up within 15 s.
    public func start() async throws {
        guard processIdentifier == nil else { return }
        if let passwords = passwords.withLock({ $0 }) { try await write(passwords) }
        let started = try ChildProcess(
            ["mosquitto", "-c", files.configuration.path], outputs: "mosquitto", in: folder.url, environment: files.environment(options))
        process.withLock { $0 = started }
        let deadline = ContinuousClock.now + .seconds(15)
        while !ports.all.allSatisfy(answers) {
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

    /// Has it read its certificates, passwords, keys and access rules again; returns when it does so. It does nothing when it is not running.
    public func reload() async throws {
        guard let running = process.withLock({ $0 }), running.pollEnd() == nil else { return }
        let earlier = Self.reloadCount(in: running.errors)
        running.signal(SIGHUP)
        let deadline = ContinuousClock.now + .seconds(15)
        while Self.reloadCount(in: running.errors) == earlier {
            guard running.pollEnd() == nil, ContinuousClock.now < deadline else {
                throw SandboxError("mosquitto did not read its files again: \(running.errors.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// From now on these passwords are the right ones; connections stay. Only for a broker that has had passwords from the start.
    public func change(passwords new: [String: String]) async throws {
        passwords.withLock { $0 = new }
        try await write(new)
        try await reload()
    }

    private static func reloadCount(in log: String) -> Int { log.components(separatedBy: "Reloading config.").count - 1 }

    private func write(_ passwords: [String: String]) async throws {
        let text = passwords.map { "\($0.key):\($0.value)\n" }.joined()
        guard
            FileManager.default.createFile(
                atPath: files.passwords.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw SandboxError("cannot write \(files.passwords.path)") }
        let hashing = try ChildProcess(["mosquitto_passwd", "-U", files.passwords.path], outputs: "mosquitto_passwd", in: folder.url)
        guard await hashing.waitForEnd(within: .seconds(15)) == .exit(0) else {
            throw SandboxError("mosquitto_passwd failed: \(hashing.errors.suffix(2000))")
        }
    }
}
