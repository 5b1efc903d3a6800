import Foundation
import Glibc
import Synchronization

/// A RabbitMQ of one's own on loopback, on free ports, with its plugins for MQTT 3.1 and 3.1.1: for tests. It ends with its owner, and when this
/// process dies.
///
/// It knows no QoS 2 (such a subscription is granted QoS 1) and no shared subscriptions, and ends a connection of MQTT 5 without an answer.
public final class PrivateRabbitMQ: Sendable {
    /// Where MQTT is spoken; the same from start to start.
    public let port: Int
    /// Where it is spoken over WebSocket, at the path `/ws`; the same from start to start.
    public let webSocketPort: Int
    private let folder: ServerFolder
    private let name: String
    /// For AMQP, for other nodes of Erlang, and for their directory `epmd`.
    private let otherPorts: (amqp: Int, distribution: Int, directory: Int)
    private let process = Mutex<ChildProcess?>(nil)
    private let directory = Mutex<ChildProcess?>(nil)

    private static let program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    private static let count = Atomic(0)

    /// Whether this machine has RabbitMQ.
    public static var isInstalled: Bool { access(program, X_OK) == 0 }

    /// - Parameters:
    ///   - folder: exists, and is kept; nil: a temporary folder, removed with this object.
    ///   - extraLines: further lines of `rabbitmq.conf`.
    /// - Throws: `SandboxError` when RabbitMQ is not installed.
    public init(folder: URL? = nil, extraLines: [String] = []) throws {
        guard Self.isInstalled else { throw SandboxError("RabbitMQ is not installed; on Debian: apt-get install rabbitmq-server") }
        self.folder = try ServerFolder(folder)
        let ports = try freePorts(5)
        (port, webSocketPort) = (ports[0], ports[1])
        otherPorts = (ports[2], ports[3], ports[4])
        // Nodes of one directory need different names, and a directory of one's own does not keep others from being asked.
        name = "penstock-\(getpid())-\(Self.count.add(1, ordering: .relaxed).newValue)@localhost"
        let lines = [
            "listeners.tcp.1 = 127.0.0.1:\(otherPorts.amqp)", "mqtt.listeners.tcp.1 = 127.0.0.1:\(port)", "mqtt.allow_anonymous = true",
            "web_mqtt.tcp.ip = 127.0.0.1", "web_mqtt.tcp.port = \(webSocketPort)", "log.console = true", "log.console.level = info",
            "log.file = false",
        ]
        try write((lines + extraLines).joined(separator: "\n") + "\n", to: "rabbitmq.conf")
        try write("[rabbitmq_mqtt,rabbitmq_web_mqtt].\n", to: "enabled_plugins")
    }

    /// Nil while it is not running.
    public var processIdentifier: Int32? { process.withLock { $0?.pollEnd() == nil ? $0?.identifier : nil } }

    /// What it has logged so far, from all starts.
    public var log: String { process.withLock { $0.map { $0.output + $0.errors } ?? "" } }

    /// Starts the broker and waits until it is ready, which takes some seconds; does nothing when it is running.
    /// - Throws: `SandboxError` with the end of the log, also when it has not come up within 60 s.
    public func start() async throws {
        guard processIdentifier == nil else { return }
        let deadline = ContinuousClock.now + .seconds(60)
        // RabbitMQ would start one that outlives it, and listens to everybody.
        let directory = try ChildProcess(
            ["epmd", "-address", "127.0.0.1", "-port", "\(otherPorts.directory)"], outputs: "epmd", in: folder.url)
        self.directory.withLock { $0 = directory }
        while !answers(port: otherPorts.directory) {
            guard directory.pollEnd() == nil, ContinuousClock.now < deadline else {
                throw SandboxError("epmd did not start: \(directory.errors.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        // The log goes on from start to start, also in a folder that another one has had before.
        let earlier = Self.readyCount(in: ChildProcess.text(at: folder.url.appending(path: "rabbitmq.out").path))
        let started = try ChildProcess([Self.program], outputs: "rabbitmq", in: folder.url, environment: environment)
        process.withLock { $0 = started }
        while Self.readyCount(in: started.output) <= earlier || !answers(port: port) {
            guard started.pollEnd() == nil, ContinuousClock.now < deadline else {
                throw SandboxError("RabbitMQ did not start: \((started.output + started.errors).suffix(8000))")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Ends the broker, if it is running, and waits for the end; kills it after 30 s.
    public func stop(_ mode: StopMode = .fast) async {
        if let running = process.withLock({ $0 }) { await running.end(mode == .fast ? SIGTERM : SIGKILL, within: .seconds(30)) }
        // It holds nothing but the names of nodes, and heeds SIGTERM only while it has none.
        if let directory = directory.withLock({ $0 }) { await directory.end(SIGKILL, within: .seconds(5)) }
    }

    /// Stops the broker and starts it with the same sessions on the same port.
    public func restart(_ mode: StopMode = .fast) async throws {
        await stop(mode)
        try await start()
    }

    private static func readyCount(in log: String) -> Int { log.components(separatedBy: "Server startup complete").count - 1 }

    /// All that it would look for, or leave, in the places of an installed RabbitMQ.
    private var environment: [String: String] {
        func place(_ name: String) -> String { folder.url.appending(path: name).path }
        return [
            // The cookie of Erlang is kept there.
            "HOME": folder.url.path,
            "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": "\(otherPorts.directory)", "ERL_CRASH_DUMP": place("erl_crash.dump"),
            "RABBITMQ_NODENAME": name, "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": "\(otherPorts.amqp)",
            "RABBITMQ_DIST_PORT": "\(otherPorts.distribution)",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": place("mnesia"), "RABBITMQ_LOG_BASE": place("log"), "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": place("rabbitmq.conf"), "RABBITMQ_ADVANCED_CONFIG_FILE": place("advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_ENABLED_PLUGINS_FILE": place("enabled_plugins"),
            "RABBITMQ_FEATURE_FLAGS_FILE": place("feature_flags"), "RABBITMQ_GENERATED_CONFIG_DIR": place("generated"),
            // Else its script stays as the parent of the broker, and a signal to the one would not reach the other.
            "RUNNING_UNDER_SYSTEMD": "true",
        ]
    }

    private func write(_ text: String, to name: String) throws {
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        let path = folder.url.appending(path: name).path
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: attributes) else {
            throw SandboxError("cannot write \(path)")
        }
    }
}
