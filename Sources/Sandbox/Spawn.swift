import Foundation
import Glibc

/// What `posix_spawn` is asked for.
struct Spawn: Sendable {
    /// The program by its absolute path, and its arguments.
    var arguments: [String]
    var outputPath: String
    var errorPath: String
    /// Added to what is inherited, or put in its place.
    var environment: [String: String] = [:]

    @Sendable func run() -> Result<pid_t, SandboxError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)

        // Threads block signals, and a child would inherit that. A group of its own keeps a terminal's Ctrl-C from reaching it before us.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var every = sigset_t()
        sigfillset(&every)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &every)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") && !$0.key.hasPrefix("PENSTOCK_") }
        variables["PATH", default: ""] += ":/usr/sbin:/usr/local/sbin"
        variables.merge(environment) { $1 }
        let argumentList = arguments.map { strdup($0) } + [nil]
        let environmentList = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argumentList + environmentList { free(text) } }
        var identifier: pid_t = 0
        let result = posix_spawn(&identifier, arguments[0], &actions, &attributes, argumentList, environmentList)
        guard result == 0 else { return .failure(SandboxError("cannot start \(arguments[0]): \(String(cString: strerror(result)))")) }
        return .success(identifier)
    }
}
