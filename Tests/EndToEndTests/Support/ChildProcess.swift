import Foundation
import Glibc
import Synchronization

/// A process that a test starts, with its outputs in files; it is killed when nobody holds it any more.
final class ChildProcess: Sendable {
    enum End: Equatable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    let identifier: pid_t
    private let outputPath: String
    private let errorPath: String
    private let end = Mutex<End?>(nil)

    /// - Parameters:
    ///   - executable: an absolute path.
    ///   - folder: where its outputs are kept, under `name`.
    ///   - environment: replaces these variables; the rest is inherited, except what would lead PostgreSQL's or our own settings elsewhere.
    init(_ executable: String, _ arguments: [String], outputs name: String, in folder: URL, environment: [String: String] = [:]) throws {
        outputPath = folder.appending(path: "\(name).out").path
        errorPath = folder.appending(path: "\(name).err").path
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)

        // The threads of a test block signals, and a child would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var every = sigset_t()
        sigfillset(&every)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &every)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") && !$0.key.hasPrefix("PENSTOCK_") }
        variables.merge(environment) { $1 }
        let argumentList = CStringList([executable] + arguments)
        let environmentList = CStringList(variables.map { "\($0.key)=\($0.value)" })
        var identifier: pid_t = 0
        let result = posix_spawn(&identifier, executable, &actions, &attributes, argumentList.pointers, environmentList.pointers)
        guard result == 0 else { throw SystemError("start \(executable)", code: result) }
        self.identifier = identifier
    }

    deinit {
        if pollEnd() == nil {
            Glibc.kill(identifier, SIGKILL)
            var status: Int32 = 0
            waitpid(identifier, &status, 0)
        }
    }

    var output: String { Self.text(at: outputPath) }
    var errors: String { Self.text(at: errorPath) }

    func signal(_ number: Int32) {
        // A process that was waited for is gone, and its number may be another's.
        if pollEnd() == nil { Glibc.kill(identifier, number) }
    }

    /// How it ended; nil while it lives.
    func pollEnd() -> End? {
        end.withLock { end in
            if end != nil { return end }
            var status: Int32 = 0
            guard waitpid(identifier, &status, WNOHANG) == identifier else { return nil }
            end = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
            return end
        }
    }

    func waitForEnd(within limit: Duration) async throws -> End {
        try await waitUntil("process \(identifier) ends", within: limit) { pollEnd() != nil }
        return pollEnd() ?? .exit(-1)
    }

    private static func text(at path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}

/// Strings as the null-terminated list that `posix_spawn` takes.
private final class CStringList {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) { pointers = strings.map { strdup($0) } + [nil] }
    deinit { for pointer in pointers { free(pointer) } }
}
