import Foundation
import Testing

@testable import Sandbox

@Suite("A private PostgreSQL")
struct PrivatePostgreSQLTests {
    private func run(_ sql: String, at url: String, in folder: TemporaryFolder, limit: Duration = .seconds(20)) async throws -> (
        end: ChildProcess.End?, output: String, errors: String
    ) {
        let psql = try ChildProcess(["psql", "-w", "-X", "-A", "-t", "-c", sql, url], outputs: "psql-\(UUID().uuidString)", in: folder.url)
        let end = await psql.waitForEnd(within: limit)
        return (end, psql.output.trimmingCharacters(in: .whitespacesAndNewlines), psql.errors)
    }

    @Test("keeps what was committed when it crashes, on the same port, with fsync on")
    func crash() async throws {
        let folder = try TemporaryFolder()
        let server = try await PrivatePostgreSQL(settings: ["max_connections=7"])
        try await server.start()
        #expect(try await run("SHOW fsync", at: server.url(), in: folder).output == "on")
        #expect(try await run("SHOW max_connections", at: server.url(), in: folder).output == "7")
        #expect(try await run("CREATE TABLE t AS SELECT 7 AS n", at: server.url(), in: folder).end == .exit(0))
        let (port, process) = (server.port, server.processIdentifier)

        await server.stop(.immediate)
        #expect(server.processIdentifier == nil)
        #expect(!answers(port: port))
        try await server.start()
        #expect(server.port == port)
        #expect(server.processIdentifier != process)
        #expect(try await run("SELECT n FROM t", at: server.url(), in: folder).output == "7")
        #expect(server.log.contains("automatic recovery in progress"))

        try await server.restart()
        #expect(try await run("SELECT n FROM t", at: server.url(), in: folder).output == "7")
    }

    @Test("answers nobody while it is suspended, and everybody afterwards")
    func suspension() async throws {
        let folder = try TemporaryFolder()
        let server = try await PrivatePostgreSQL()
        try await server.start()
        server.suspend()
        let psql = try ChildProcess(["psql", "-w", "-X", "-A", "-t", "-c", "SELECT 1", server.url()], outputs: "psql", in: folder.url)
        #expect(await psql.waitForEnd(within: .milliseconds(500)) == nil)
        server.resume()
        #expect(await psql.waitForEnd(within: .seconds(20)) == .exit(0))
        // A suspended server can be stopped.
        server.suspend()
        await server.stop()
        #expect(server.processIdentifier == nil)
    }

    @Test("asks for the password if there is one, and its URL holds it")
    func password() async throws {
        let folder = try TemporaryFolder()
        let server = try await PrivatePostgreSQL(password: "a b/ü@:%")
        try await server.start()
        #expect(try await run("SELECT 1", at: server.url(), in: folder).output == "1")
        let refused = try await run("SELECT 1", at: "postgresql://postgres@127.0.0.1:\(server.port)/postgres", in: folder)
        #expect(refused.end != .exit(0))
        #expect(refused.errors.contains("no password supplied"))
    }

    @Test("leaves nothing behind")
    func end() async throws {
        var server: PrivatePostgreSQL? = try await PrivatePostgreSQL()
        try await server?.start()
        let process = try #require(server?.processIdentifier)
        let arguments = try String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8).split(separator: "\0")
        let data = try #require(arguments.firstIndex(of: "-D").map { String(arguments[$0 + 1]) })
        let folder = URL(filePath: data).deletingLastPathComponent().path
        #expect(FileManager.default.fileExists(atPath: folder))
        server = nil
        #expect(kill(process, 0) == -1)
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test("keeps a folder that was named, and takes up the cluster in it")
    func keptFolder() async throws {
        let folder = try TemporaryFolder()
        var server: PrivatePostgreSQL? = try await PrivatePostgreSQL(folder: folder.url)
        try await server?.start()
        #expect(try await run("CREATE TABLE t AS SELECT 7 AS n", at: try #require(server).url(), in: folder).end == .exit(0))
        await server?.stop()
        server = nil
        let again = try await PrivatePostgreSQL(folder: folder.url)
        try await again.start()
        #expect(try await run("SELECT n FROM t", at: again.url(), in: folder).output == "7")
    }

    @Test("says why it does not start, in the words of its log")
    func refusal() async throws {
        let server = try await PrivatePostgreSQL(settings: ["shared_buffers=nonsense"])
        let error = await #expect(throws: SandboxError.self) { try await server.start() }
        #expect(error?.description.contains("shared_buffers") == true)
    }
}
