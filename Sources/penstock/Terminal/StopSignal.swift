import Dispatch
import Foundation
import Synchronization

/// Turns SIGINT and SIGTERM into something a task can wait for; a second one ends the process at once.
final class StopSignal: Sendable {
    private let received = Mutex<[Int32]>([])
    private let stream: AsyncStream<Int32>
    private let continuation: AsyncStream<Int32>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in take(number) }
            source.resume()
            // It lives as long as the process.
            _ = Unmanaged.passRetained(source as AnyObject)
        }
    }

    private func take(_ number: Int32) {
        let count = received.withLock { received in
            received.append(number)
            return received.count
        }
        if count > 1 { _exit(ExitStatus.failed.rawValue) }
        continuation.yield(number)
        continuation.finish()
    }

    var isReceived: Bool { received.withLock { !$0.isEmpty } }

    /// Waits for the first signal; nil when the waiting task is cancelled.
    func wait() async -> Int32? {
        if let number = received.withLock({ $0.first }) { return number }
        for await number in stream { return number }
        return received.withLock { $0.first }
    }

    /// Sleeps, but no longer than until a signal comes.
    func sleep(seconds: Double) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while !isReceived, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(min(50, seconds * 1000))) }
    }
}
