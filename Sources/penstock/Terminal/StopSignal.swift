import Dispatch
import Foundation

/// Turns SIGINT and SIGTERM into something a task can wait for; a second one ends the process at once.
final class StopSignal: Sendable {
    private let stream: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal & Sendable]

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.stream = stream
        let received = Received()
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if received.isSecond() { _exit(ExitStatus.failed.rawValue) }
                continuation.yield(number)
                continuation.finish()
            }
            source.resume()
            return source
        }
    }

    /// Waits for the first signal; nil when the waiting task is cancelled.
    func wait() async -> Int32? {
        for await number in stream { return number }
        return nil
    }

    private final class Received: @unchecked Sendable {
        // @unchecked: `count` is read and written under `lock`.
        private let lock = NSLock()
        private var count = 0
        func isSecond() -> Bool {
            lock.withLock {
                count += 1
                return count > 1
            }
        }
    }
}
