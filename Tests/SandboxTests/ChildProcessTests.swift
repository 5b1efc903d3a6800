import Foundation
import Testing

@testable import Sandbox

@Suite("A child process")
struct ChildProcessTests {
    @Test("lives on when the thread that started it has ended")
    func outlivesThread() async throws {
        let folder = try TemporaryFolder()
        let started = Started()
        let thread = Thread {
            started.child = try? ChildProcess(["sleep", "60"], outputs: "sleep", in: folder.url)
            // By then it has asked for the signal at its parent's death.
            while let child = started.child, !child.isRunning("sleep") { usleep(1000) }
            started.folder = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? ""
        }
        thread.start()
        try await waitUntil { thread.isFinished && !FileManager.default.fileExists(atPath: "/proc/" + started.folder) }
        let child = try #require(started.child)
        #expect(child.pollEnd() == nil)
    }

    @Test("is killed when nobody holds it any more")
    func endsWithOwner() async throws {
        let folder = try TemporaryFolder()
        var child: ChildProcess? = try ChildProcess(["sleep", "60"], outputs: "sleep", in: folder.url)
        let identifier = try #require(child?.identifier)
        #expect(kill(identifier, 0) == 0)
        child = nil
        #expect(kill(identifier, 0) == -1)
    }

    @Test("dies with what started it, however that ends")
    func diesWithParent() async throws {
        let folder = try TemporaryFolder()
        var spawner: Spawner? = Spawner()
        let child = try ChildProcess(["sleep", "60"], as: nil, outputs: "sleep", in: folder.url, by: try #require(spawner))
        try await waitUntil { child.isRunning("sleep") }
        #expect(child.pollEnd() == nil)
        // The kernel does the same for the last thread of a process.
        spawner = nil
        #expect(await child.waitForEnd(within: .seconds(10)) == .signal(SIGKILL))
    }

    @Test("tells how it ended, and what it wrote")
    func endAndOutputs() async throws {
        let folder = try TemporaryFolder()
        let child = try ChildProcess(["sh", "-c", "echo out; echo err >&2; exit 3"], outputs: "shell", in: folder.url)
        #expect(await child.waitForEnd(within: .seconds(10)) == .exit(3))
        #expect(child.output == "out\n")
        #expect(child.errors == "err\n")
        let killed = try ChildProcess(["sleep", "60"], outputs: "sleep", in: folder.url)
        killed.signal(SIGKILL)
        #expect(await killed.waitForEnd(within: .seconds(10)) == .signal(SIGKILL))
    }

    @Test("does not see the variables that would lead PostgreSQL or penstock elsewhere")
    func environment() async throws {
        setenv("PGHOST", "elsewhere", 1)
        setenv("PENSTOCK_BROKER_URL", "elsewhere", 1)
        defer {
            unsetenv("PGHOST")
            unsetenv("PENSTOCK_BROKER_URL")
        }
        let folder = try TemporaryFolder()
        let child = try ChildProcess(["env"], outputs: "env", in: folder.url)
        #expect(await child.waitForEnd(within: .seconds(10)) == .exit(0))
        #expect(child.output.contains("PATH="))
        #expect(!child.output.contains("elsewhere"))
    }
}

/// Written by one thread, read after it has ended.
private final class Started: @unchecked Sendable {
    var child: ChildProcess?
    /// Of the thread, below /proc.
    var folder = ""
}

extension ChildProcess {
    fileprivate func isRunning(_ name: String) -> Bool {
        pollEnd() != nil || (try? String(contentsOfFile: "/proc/\(identifier)/comm", encoding: .utf8)) == name + "\n"
    }
}
