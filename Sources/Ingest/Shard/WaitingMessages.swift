import Mapping

/// Messages at QoS 0 that came while both batches were full: a queue of bounded size from which the oldest are dropped.
struct WaitingMessages {
    struct Message {
        var topic: [UInt8]
        var payload: [UInt8]
        /// Those of MQTT 5.0, as they came.
        var properties: [UInt8]
        /// The broker's address, where a mapping stores it.
        var broker: [UInt8]
        var receivedMicroseconds: Int64
        var isRetained: Bool
        /// The session's number in the pool.
        var session: Int

        var byteCount: Int { topic.count + payload.count + properties.count + broker.count + 64 }
    }

    private var messages: [Message?] = []
    private var first = 0
    private(set) var byteCount = 0
    private let maximumBytes: Int

    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    var isEmpty: Bool { first == messages.count }
    /// When the first of them came.
    var oldestMicroseconds: Int64? { first < messages.count ? messages[first]?.receivedMicroseconds : nil }
    var count: Int { messages.count - first }

    /// - Parameter dropped: called with each message that has to go, the new one itself when it alone is too large.
    mutating func append(_ message: Message, dropped: (Message) -> Void) {
        messages.append(message)
        byteCount += message.byteCount
        while byteCount > maximumBytes, let oldest = popFirst() { dropped(oldest) }
    }

    mutating func popFirst() -> Message? {
        guard first < messages.count, let message = messages[first] else { return nil }
        messages[first] = nil
        first += 1
        byteCount -= message.byteCount
        if first == messages.count {
            messages.removeAll(keepingCapacity: first <= 4096)
            first = 0
        } else if first >= 4096, first * 2 >= messages.count {
            messages.removeFirst(first)
            first = 0
        }
        return message
    }
}
