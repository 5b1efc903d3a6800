import Foundation
import Glibc
import Synchronization

/// A mosquitto of one's own on loopback, on a free port, in a folder.
public final class PrivateMosquitto: Sendable {
    public let port: Int
    private let folder: URL
    private let process = Mutex<ChildProcess?>(nil)

    /// - Parameters:
    ///   - folder: exists.
    ///   - settings: further lines of its configuration.
    public init(folder: URL, settings: [String] = ["max_queued_messages 0"]) throws {
        self.folder = folder
        port = try freePort()
        let places = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
        guard places.contains(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw SandboxError("mosquitto is not installed; on Debian: apt-get install mosquitto")
        }
        let lines =
            (getuid() == 0 ? ["user root"] : []) + [
                "listener \(port) 127.0.0.1", "allow_anonymous true", "persistence true", "persistence_location \(folder.path)/",
                "log_dest stderr",
            ] + settings
        try (lines.joined(separator: "\n") + "\n").write(to: folder.appending(path: "mosquitto.conf"), atomically: false, encoding: .utf8)
    }

    public var log: String { process.withLock { $0?.errors ?? "" } }

    /// Starts the broker and waits until it accepts connections; does nothing when it is running.
    public func start() async throws {
        if let running = process.withLock({ $0 }), running.pollEnd() == nil { return }
        let started = try ChildProcess(
            ["mosquitto", "-c", folder.appending(path: "mosquitto.conf").path], outputs: "mosquitto", in: folder)
        process.withLock { $0 = started }
        let deadline = ContinuousClock.now + .seconds(15)
        while !answers(port: port) {
            guard started.pollEnd() == nil, ContinuousClock.now < deadline else {
                throw SandboxError("mosquitto did not start: \(started.errors.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Asks the broker to end, so that it writes its sessions to disk.
    public func stop() async {
        guard let running = process.withLock({ $0 }) else { return }
        running.signal(SIGTERM)
        if await running.waitForEnd(within: .seconds(20)) == nil { running.signal(SIGKILL) }
    }
}
