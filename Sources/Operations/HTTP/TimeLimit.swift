import Synchronization

/// It took too long.
struct TimeLimitReached: Error, CustomStringConvertible {
    let description = "no answer in time"
}

/// Waits for work, but no longer than the limit; work that comes too late goes on for itself.
func within<Value: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let waiting = FirstAnswer<Value>()
    return try await withCheckedThrowingContinuation { continuation in
        waiting.wait(continuation)
        let timer = Task {
            try await Task.sleep(for: limit)
            waiting.answer(.failure(TimeLimitReached()))
        }
        Task {
            do { waiting.answer(.success(try await work())) } catch { waiting.answer(.failure(error)) }
            timer.cancel()
        }
    }
}

/// Lets one of several answers through.
private final class FirstAnswer<Value: Sendable>: Sendable {
    private let continuation = Mutex<CheckedContinuation<Value, any Error>?>(nil)

    func wait(_ continuation: CheckedContinuation<Value, any Error>) { self.continuation.withLock { $0 = continuation } }

    func answer(_ result: Result<Value, any Error>) {
        let waiting = continuation.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        waiting?.resume(with: result)
    }
}
