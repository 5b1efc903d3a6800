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
///
/// Once it has listened it comes back by itself, at the same port: what the system says of its socket ends the library's server for good.
final class HTTPListener: Sendable {
    private struct State {
        /// nil: there is none now, or no more.
        var server: Server<AnsweringChannel>?
        var serving: Task<Void, any Error>?
        /// nil: it has not listened yet.
        var port: Int?
        var isStopping = false
    }

    /// Before the first new attempt; the double before each that follows, up to the maximum.
    private static let firstPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(30)

    private let settings: HTTPSettings
    private let limits: ConnectionGuard.Limits
    private let answer: @Sendable (HTTPRequest) async -> Answer
    private let logger: Logger
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let state = Mutex(State())

    init(
        _ settings: HTTPSettings, limits: ConnectionGuard.Limits, logger: Logger, answer: @escaping @Sendable (HTTPRequest) async -> Answer
    ) {
        self.settings = settings
        self.limits = limits
        self.answer = answer
        self.logger = logger
    }

    /// - Returns: the port.
    /// - Throws: `CannotListen`.
    func start() async throws -> Int {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let task = Task {
            defer { found.finish() }
            try await serve { found.yield($0) }
        }
        state.withLock { $0.serving = task }
        for await port in ports { return port }
        do {
            try await task.value
            throw CannotListen(description: "http.listen: cannot listen at \(settings.listen)")
        } catch let error as CannotListen {
            throw error
        } catch {
            throw CannotListen(description: Self.words(error, settings.listen))
        }
    }

    /// Listens until it is stopped, with one server after the other.
    /// - Throws: when it could not listen for the first time.
    private func serve(_ listens: @escaping @Sendable (Int) -> Void) async throws {
        var pause = Self.firstPause
        while true {
            let failure = ListeningFailure()
            let began = ContinuousClock.now
            let server = makeServer(port: state.withLock(\.port) ?? settings.port) { [self] channel in
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(ListeningWatch(failure, logger: self.logger), position: .first)
                }.get()
                let port = channel.localAddress?.port ?? 0
                let isAgain = state.withLock { state in
                    defer { state.port = port }
                    return state.port != nil
                }
                if isAgain { logger.notice("the HTTP server listens again", metadata: ["port": "\(port)"]) }
                listens(port)
            }
            let isWanted = state.withLock { state in
                if !state.isStopping { state.server = server }
                return !state.isStopping
            }
            guard isWanted else { return }
            do { try await server.run() } catch {
                guard state.withLock({ $0.port != nil }) else { throw error }
                failure.note(error)
            }
            let isStopping = state.withLock { state in
                state.server = nil
                return state.isStopping
            }
            if isStopping { return }
            if .now - began > Self.longestPause { pause = Self.firstPause }
            logger.warning(
                "the HTTP server has ended and is started again; messages flow on",
                metadata: ["reason": "\(failure.text)", "retry_seconds": "\(pause.components.seconds)"])
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func makeServer(port: Int, listens: @escaping @Sendable (any Channel) async -> Void) -> Server<AnsweringChannel> {
        var quiet = logger
        // What the library says of each start and end is said here.
        quiet.logLevel = .critical
        return Server(
            childChannelSetup: AnsweringChannel(limits: limits, answer: answer),
            configuration: ServerConfiguration(address: .hostname(settings.host, port: port), backlog: 512, reuseAddress: true),
            onServerRunning: listens, eventLoopGroup: group, logger: quiet)
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
        let (server, serving) = state.withLock { state in
            state.isStopping = true
            return (state.server, state.serving)
        }
        guard let serving else { return }
        do {
            try await within(limit) {
                // Between two servers there is nothing to answer, and nothing to wait for.
                if let server { try await server.shutdownGracefully() } else { serving.cancel() }
                // Connections end a moment later than they close; until then they need the event loop.
                try await serving.value
            }
        } catch is TimeLimitReached {
            // The process ends soon, and the thread with it.
            return serving.cancel()
        } catch {}
        try? await group.shutdownGracefully()
    }
}
