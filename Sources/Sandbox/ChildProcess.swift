import Foundation
import Glibc
import Synchronization

/// A process that is started here, with its outputs in files. It ends with its owner: when nobody holds it any more, and when this process dies.
public final class ChildProcess: Sendable {
    public enum End: Equatable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    public let identifier: pid_t
    private let outputPath: String
    private let errorPath: String
    private let end = Mutex<End?>(nil)

    /// - Parameters:
    ///   - command: the program, found on PATH and in the folders of servers, and its arguments.
    ///   - user: whom it runs as; nil: as ourselves. Only root may name another.
    ///   - name: of the files for its outputs, in `folder`.
    ///   - environment: variables that it gets besides ours, or in their place.
    public convenience init(
        _ command: [String], as user: String? = nil, outputs name: String, in folder: URL, environment: [String: String] = [:]
    ) throws(SandboxError) {
        try self.init(command, as: user, outputs: name, in: folder, environment: environment, by: .shared)
    }

    init(
        _ command: [String], as user: String?, outputs name: String, in folder: URL, environment: [String: String] = [:],
        by spawner: Spawner
    ) throws(SandboxError) {
        let outputPath = folder.appending(path: "\(name).out").path
        let errorPath = folder.appending(path: "\(name).err").path
        // setpriv changes the user first and asks for the signal at our death afterwards, since the kernel forgets that wish when the user changes.
        var arguments = ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
        if let user { arguments += ["--reuid", user, "--regid", user, "--clear-groups"] }
        let spawn = Spawn(arguments: arguments + command, outputPath: outputPath, errorPath: errorPath, environment: environment)
        identifier = try spawner.run(spawn.run).get()
        self.outputPath = outputPath
        self.errorPath = errorPath
    }

    deinit {
        guard pollEnd() == nil else { return }
        kill(identifier, SIGKILL)
        var status: Int32 = 0
        waitpid(identifier, &status, 0)
    }

    public var output: String { Self.text(at: outputPath) }
    public var errors: String { Self.text(at: errorPath) }

    public func signal(_ number: Int32) {
        // A process that was waited for is gone, and its number may be another's.
        if pollEnd() == nil { kill(identifier, number) }
    }

    /// How it ended; nil while it lives.
    public func pollEnd() -> End? {
        end.withLock { end in
            if end != nil { return end }
            var status: Int32 = 0
            guard waitpid(identifier, &status, WNOHANG) == identifier else { return nil }
            end = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
            return end
        }
    }

    /// Waits for the end; nil when it has not come by then.
    public func waitForEnd(within limit: Duration) async -> End? {
        let deadline = ContinuousClock.now + limit
        while pollEnd() == nil, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(10)) }
        return pollEnd()
    }

    /// Sends the signal and waits; kills it when it has not ended by then.
    func end(_ number: Int32, within limit: Duration) async {
        signal(number)
        if await waitForEnd(within: limit) == nil {
            signal(SIGKILL)
            _ = await waitForEnd(within: .seconds(5))
        }
    }

    /// What stands in a file of outputs; nothing where there is none.
    static func text(at path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
