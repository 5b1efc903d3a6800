import Foundation
import Synchronization

/// A thread that starts processes.
///
/// The kernel sends the signal that a child asked for when the *thread* that started it ends (`PR_SET_PDEATHSIG`), and threads of a pool end when
/// they are idle for some seconds. So children that shall live as long as this process are started by a thread that does.
final class Spawner: Sendable {
    /// Lives as long as this process.
    static let shared = Spawner()

    private typealias Job = @Sendable () -> Void

    private final class Queue: Sendable {
        let jobs = Mutex<[Job?]>([])
        let count = DispatchSemaphore(value: 0)

        /// nil ends the thread.
        func put(_ job: Job?) {
            jobs.withLock { $0.append(job) }
            count.signal()
        }

        func runUntilEnd() {
            while true {
                count.wait()
                guard let job = jobs.withLock({ $0.removeFirst() }) else { return }
                job()
            }
        }
    }

    private let queue = Queue()

    init() {
        let thread = Thread { [queue] in queue.runUntilEnd() }
        thread.name = "spawner"
        thread.start()
    }

    deinit { queue.put(nil) }

    /// Runs it on the thread and waits for its result.
    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value {
        let result = Result(body)
        queue.put { result.compute() }
        return result.wait()
    }

    private final class Result<Value: Sendable>: Sendable {
        private let body: @Sendable () -> Value
        private let value = Mutex<Value?>(nil)
        private let isDone = DispatchSemaphore(value: 0)

        init(_ body: @escaping @Sendable () -> Value) { self.body = body }

        func compute() {
            value.withLock { $0 = body() }
            isDone.signal()
        }

        func wait() -> Value {
            isDone.wait()
            guard let value = value.withLock({ $0 }) else { preconditionFailure("the result is there before it is announced") }
            return value
        }
    }
}
