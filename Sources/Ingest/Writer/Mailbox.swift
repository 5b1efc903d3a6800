import Glibc

/// A blocking mailbox from the event loop to a writer thread.
///
/// The event loop never waits in it: `put` takes the lock for the length of an append, and a shard sends one batch at a time.
final class Mailbox<Message>: @unchecked Sendable {
    // @unchecked: `messages` and `isClosed` are read and written only while `mutex` is locked.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var messages: [Message] = []
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Deadlines must not move when somebody sets the clock.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Leaves a message; false when the mailbox is closed, and the message is then not taken.
    @discardableResult
    func put(_ message: sending Message) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        messages.append(message)
        pthread_cond_signal(changed)
        return true
    }

    /// Waits for the next message; nil when the mailbox is closed and empty.
    func take() -> Message? {
        locked {
            while messages.isEmpty {
                if isClosed { return nil }
                pthread_cond_wait(changed, mutex)
            }
            return messages.removeFirst()
        }
    }

    /// What a wait with a limit ended with.
    enum Taken {
        case message(Message)
        case closed
        case timedOut
    }

    /// Waits for the next message, but no longer than so many nanoseconds.
    func take(within nanoseconds: Int64) -> Taken {
        var deadline = Self.deadline(in: nanoseconds)
        return locked {
            while messages.isEmpty {
                if isClosed { return .closed }
                if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT, messages.isEmpty {
                    return isClosed ? .closed : .timedOut
                }
            }
            return .message(messages.removeFirst())
        }
    }

    /// Waits, without taking anything, until the mailbox is closed or so many nanoseconds have passed; true when it is closed.
    func waitUntilClosed(nanoseconds: Int64) -> Bool {
        var deadline = Self.deadline(in: nanoseconds)
        return locked {
            while !isClosed {
                if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { return isClosed }
            }
            return true
        }
    }

    private static func deadline(in nanoseconds: Int64) -> timespec {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let sum = Int64(deadline.tv_nsec) + max(nanoseconds, 0)
        deadline.tv_sec += Int(sum / 1_000_000_000)
        deadline.tv_nsec = Int(sum % 1_000_000_000)
        return deadline
    }

    /// Closes the mailbox: nothing more is taken in, and whoever waits wakes up.
    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(changed)
        }
    }
}
