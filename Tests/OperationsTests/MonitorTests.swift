import Foundation
import Ingest
import Logging
import Testing

@testable import Operations

@Suite("The HTTP server, before there is a service", .serialized)
struct MonitorTests {
    /// Runs with a server on a port of its own.
    private func withMonitor(
        token: String? = nil, limits: ConnectionGuard.Limits = .init(), _ body: @Sendable @escaping (Int) async throws -> Void
    ) async throws {
        var settings = HTTPSettings()
        settings.port = 0
        settings.token = token.map { Secret($0) }
        let monitor = Monitor(
            settings, facts: ServiceFacts(version: "1.2.3", configuration: Configuration()), recorder: PrometheusFactory(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let address = try await monitor.start(limits: limits)
        let port = try #require(URL(string: address)?.port)
        do { try await body(port) } catch {
            await monitor.stop(within: .seconds(1))
            throw error
        }
        await monitor.stop(within: .seconds(1))
    }

    /// Asks again and again, for half a minute at most; each time is a connection, which is refused or closed at once while there is no room for it.
    private func isHealthyEventually(port: Int) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if let answer = try? await RawConnection.get("/healthz", port: port), status(answer) == "HTTP/1.1 200 OK" { return true }
        }
        return false
    }

    private func status(_ answer: String) -> String { String(answer.prefix { !$0.isNewline }) }

    @Test("it lives, and is not ready, and says why")
    func starting() async throws {
        try await withMonitor { port in
            #expect(try await status(RawConnection.get("/healthz", port: port)) == "HTTP/1.1 200 OK")
            let ready = try await RawConnection.get("/readyz", port: port)
            #expect(status(ready) == "HTTP/1.1 503 Service Unavailable")
            #expect(ready.contains("the service is starting"))
            #expect(try await RawConnection.get("/metrics", port: port).contains("\npenstock_ready 0\n"))
            #expect(try await RawConnection.get("/metrics", port: port).contains("penstock_build_info{version=\"1.2.3\"} 1"))
            #expect(try await RawConnection.get("/api/status", port: port).contains("\"ready\":false"))
            #expect(try await status(RawConnection.get("/nothing", port: port)) == "HTTP/1.1 404 Not Found")
        }
    }

    @Test(
        "every answer closes the connection and says what it may be used for", arguments: ["/", "/metrics", "/api/status", "/readyz", "/x"])
    func headers(path: String) async throws {
        try await withMonitor { port in
            let answer = try await RawConnection.get(path, port: port)
            for header in [
                "Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff", "Cache-Control: no-store",
                "Referrer-Policy: no-referrer", "Connection: close", "Content-Length: ",
            ] {
                #expect(answer.contains("\r\n" + header), "\(header)")
            }
        }
    }

    @Test("HEAD has the head of GET and nothing else")
    func head() async throws {
        try await withMonitor { port in
            let answer = try await RawConnection.get("/healthz", port: port, method: "HEAD")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.contains("Content-Length: 3\r\n") && answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test("the nonce of a page is another one each time")
    func nonce() async throws {
        try await withMonitor { port in
            var policies: [Substring?] = []
            for _ in 0..<2 {
                let answer = try await RawConnection.get("/", port: port)
                policies.append(answer.split(separator: "\r\n").first { $0.hasPrefix("Content-Security-Policy") })
            }
            #expect(policies[0] != policies[1])
        }
    }

    @Test("with a token: what tells something needs it; whether it lives does not")
    func token() async throws {
        try await withMonitor(token: "0123456789abcdef") { port in
            for path in ["/metrics", "/api/status"] {
                #expect(try await status(RawConnection.get(path, port: port)) == "HTTP/1.1 401 Unauthorized")
                let wrong = try await RawConnection.get(path, port: port, headers: "Authorization: Bearer 0123456789abcdeX\r\n")
                #expect(status(wrong) == "HTTP/1.1 401 Unauthorized")
                let right = try await RawConnection.get(path, port: port, headers: "Authorization: Bearer 0123456789abcdef\r\n")
                #expect(status(right) == "HTTP/1.1 200 OK")
            }
            #expect(try await status(RawConnection.get("/healthz", port: port)) == "HTTP/1.1 200 OK")
            #expect(try await !RawConnection.get("/readyz", port: port).contains("starting"))
            #expect(
                try await RawConnection.get("/readyz", port: port, headers: "Authorization: Bearer 0123456789abcdef\r\n").contains(
                    "starting"))
        }
    }

    @Test("a port that is taken is a plain error")
    func portInUse() async throws {
        try await withMonitor { port in
            var settings = HTTPSettings()
            settings.port = port
            let other = Monitor(
                settings, facts: ServiceFacts(version: "1", configuration: Configuration()), recorder: PrometheusFactory(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let error = await #expect(throws: CannotListen.self) { try await other.start() }
            #expect(error?.description.contains("somebody listens at 127.0.0.1:\(port) already") == true)
        }
    }

    @Test("a server whose socket is taken away listens again, at the same port")
    func socketLost() async throws {
        try await withMonitor { port in
            #expect(RawConnection.shutDownListeners(port: port) == 1)
            #expect(await isHealthyEventually(port: port))
        }
    }

    /// Bytes that are no request, by a name that can be printed.
    struct Garbage: CustomTestStringConvertible {
        var testDescription: String
        var bytes: String

        init(_ name: String, _ bytes: String) {
            testDescription = name
            self.bytes = bytes
        }
    }

    @Test(
        "what is no request ends the connection at once",
        arguments: [
            Garbage("a header of 20 KB", "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n"),
            Garbage("a path of 200 KB", "GET /\(String(repeating: "x", count: 200_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            Garbage("500 headers", "GET / HTTP/1.1\r\n\((0..<500).map { "A\($0): b\r\n" }.joined())\r\n"),
            Garbage("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{FC}\u{3}\u{3}"), Garbage("blank lines", "\r\n\r\n\r\n\r\nx"),
            Garbage(
                "a body of 99 MB",
                "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n\(String(repeating: "x", count: 60_000))"),
            Garbage(
                "two lengths",
                "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nffffffffffffffff\r\n"),
        ])
    func garbage(_ garbage: Garbage) async throws {
        try await withMonitor { port in
            let began = ContinuousClock.now
            let answer = try await RawConnection.exchange(port: port, garbage.bytes)
            #expect(!answer.hasPrefix("HTTP/1.1 200"), "\(answer.prefix(40))")
            // Sooner than the lifetime of a connection would end it.
            #expect(ContinuousClock.now - began < .seconds(10))
            #expect(try await status(RawConnection.get("/healthz", port: port)) == "HTTP/1.1 200 OK")
        }
    }

    @Test("a request that never ends does, and meanwhile others are answered")
    func slow() async throws {
        var limits = ConnectionGuard.Limits()
        limits.lifetime = .seconds(2)
        try await withMonitor(limits: limits) { port in
            let slow = try (0..<40).map { _ in try RawConnection(port: port) }
            for connection in slow { connection.send("GET / HTTP/1.1\r\nHost: loc") }
            #expect(try await status(RawConnection.get("/healthz", port: port)) == "HTTP/1.1 200 OK")
            let deadline = ContinuousClock.now + .seconds(30)
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for connection in slow { group.addTask { try await onOwnThread { try connection.trickle("a", until: deadline) } } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 40 && answers.allSatisfy { !$0.hasPrefix("HTTP/1.1 200") })
        }
    }

    @Test("a thousand connections: most are closed at once, and when they are gone all is as before")
    func crowd() async throws {
        try await withMonitor { port in
            var crowd: [RawConnection]? = []
            for _ in 0..<1000 { if let connection = try? RawConnection(port: port) { crowd?.append(connection) } }
            #expect((crowd?.count ?? 0) > 900)
            // Those above the limit hear at once that there is no room.
            let heard = try crowd?.last?.receiveAll()
            #expect(heard == "")
            crowd = nil
            #expect(await isHealthyEventually(port: port))
        }
    }
}
