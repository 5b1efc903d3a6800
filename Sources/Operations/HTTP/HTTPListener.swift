import HTTPTypes
import HummingbirdCore
import Ingest
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The service cannot listen where it is told to.
public struct CannotListen: Error, CustomStringConvertible {
    public let description: String
}

/// The HTTP server, on one thread of its own: whatever is asked of it, messages flow on other ones.
final class HTTPListener: Sendable {
    private let settings: HTTPSettings
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let server: Server<AnsweringChannel>
    private let running = Mutex<Task<Void, any Error>?>(nil)
    private let started: AsyncStream<Int>
    private let startedContinuation: AsyncStream<Int>.Continuation

    init(
        _ settings: HTTPSettings, limits: ConnectionGuard.Limits, logger: Logger, answer: @escaping @Sendable (HTTPRequest) async -> Answer
    ) {
        self.settings = settings
        let (started, startedContinuation) = AsyncStream.makeStream(of: Int.self)
        (self.started, self.startedContinuation) = (started, startedContinuation)
        var quiet = logger
        // What the library says of each start and end is said here.
        quiet.logLevel = max(logger.logLevel, .error)
        server = Server(
            childChannelSetup: AnsweringChannel(limits: limits, answer: answer),
            configuration: ServerConfiguration(
                address: .hostname(settings.host, port: settings.port), backlog: 512, reuseAddress: true),
            onServerRunning: { channel in
                startedContinuation.yield(channel.localAddress?.port ?? 0)
                startedContinuation.finish()
            },
            eventLoopGroup: group, logger: quiet)
    }

    /// - Returns: the port.
    /// - Throws: `CannotListen`.
    func start() async throws -> Int {
        let task = Task { [server, startedContinuation] in
            defer { startedContinuation.finish() }
            try await server.run()
        }
        running.withLock { $0 = task }
        for await port in started { return port }
        do {
            try await task.value
            throw CannotListen(description: "http.listen: cannot listen at \(settings.listen)")
        } catch let error as CannotListen {
            throw error
        } catch {
            throw CannotListen(description: Self.words(error, settings.listen))
        }
    }

    private static func words(_ error: any Error, _ listen: String) -> String {
        guard let failure = error as? IOError else { return "http.listen: cannot listen at \(listen): \(error)" }
        switch failure.errnoCode {
        case EADDRINUSE:
            return "http.listen: somebody listens at \(listen) already: end that, choose another port, or turn it off (http: off)"
        case EACCES: return "http.listen: this user may not listen at \(listen): choose a port above 1023"
        case EADDRNOTAVAIL: return "http.listen: \(listen) is no address of this machine"
        default: return "http.listen: cannot listen at \(listen): \(failure)"
        }
    }

    /// Answers what is being asked, and ends.
    func stop(within limit: Duration) async {
        guard let task = running.withLock({ $0 }) else { return }
        do {
            try await within(limit) { [server] in
                try await server.shutdownGracefully()
                // Connections end a moment later than they close; until then they need the event loop.
                try await task.value
            }
        } catch is TimeLimitReached {
            // The process ends soon, and the thread with it.
            return task.cancel()
        } catch {}
        try? await group.shutdownGracefully()
    }
}
