import ArgumentParser
import Foundation

/// The command line.
@main
struct Penstock: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "penstock",
        abstract:
            "Takes telemetry out of an MQTT broker and puts it into PostgreSQL; acknowledges a message only when its rows are durable.",
        version: version,
        subcommands: [
            Run.self, Status.self, Demo.self, Check.self, Try.self, Migrate.self, Replay.self, Sessions.self, Infer.self, Simulate.self,
            Schema.self,
        ]
    )

    /// The main thread waits while the command runs on the cooperative pool; it does not become a dispatch thread, so that the process can also be
    /// run under valgrind, which does not survive the end of a main thread.
    static func main() {
        // A peer that goes away must be an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        let ended = DispatchSemaphore(value: 0)
        Task.detached {
            await runCommand()
            ended.signal()
        }
        ended.wait()
    }

    private static func runCommand() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            failure.print()
            Foundation.exit(failure.code.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}

/// What the process says to whoever started it.
enum ExitStatus: Int32 {
    /// Checked and found wrong, or failed while running.
    case failed = 1
    /// Bad usage.
    case usage = 64
    /// Bad configuration or mapping.
    case configuration = 78
}

/// The end of a command that did not do what it was asked: what, where, and what to do.
struct Failure: Error {
    var code: ExitStatus
    var messages: [String]

    init(_ code: ExitStatus, _ messages: String...) {
        self.code = code
        self.messages = messages
    }

    init(_ code: ExitStatus, all messages: [String]) {
        self.code = code
        self.messages = messages
    }

    func print() {
        for message in messages { Terminal.error(message) }
    }
}
