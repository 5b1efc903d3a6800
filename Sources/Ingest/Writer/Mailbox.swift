import Foundation

/// A bounded, blocking mailbox from the event loop to a writer thread.
///
/// The event loop never blocks in it: `put` only takes the lock for the length of an append, and the shard sends one batch at a time.
final class Mailbox<Message>: @unchecked Sendable {
    // @unchecked: `messages` and `isClosed` are read and written only while `condition` is locked.
    private let condition = NSCondition()
    private var messages: [Message] = []
    private var isClosed = false

    /// Leaves a message; false when the mailbox is closed, and the message is then not taken.
    @discardableResult
    func put(_ message: sending Message) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { return false }
        messages.append(message)
        condition.signal()
        return true
    }

    /// Waits for the next message until `deadline`; nil when that has passed or the mailbox is closed and empty.
    func take(before deadline: Date) -> Message? {
        condition.lock()
        defer { condition.unlock() }
        while messages.isEmpty {
            if isClosed || !condition.wait(until: deadline) { return messages.isEmpty ? nil : messages.removeFirst() }
        }
        return messages.removeFirst()
    }

    /// Waits without taking anything until the mailbox is closed or `deadline` has passed; true when it is closed.
    func waitUntilClosed(before deadline: Date) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while !isClosed {
            if !condition.wait(until: deadline) { return isClosed }
        }
        return true
    }

    /// Closes the mailbox: nothing more is taken in, and whoever waits wakes up.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }

    var closed: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isClosed
    }
}
