/// What a session wants the database to know of it, beside its packet identifiers, and what it does once the database knows.
struct RecordWishes {
    /// Something changed that the next batch is to carry.
    var isDue = false
    /// Counts the wishes.
    private(set) var revision: UInt64 = 0
    /// The database knows all wishes up to this one.
    private(set) var durableRevision: UInt64 = 0
    var isConnecting = false
    private(set) var isReleased = false
    /// "Connecting" is durable, and nothing else is on its way.
    var isMarkDurable = false
    private var reactions: [(revision: UInt64, run: () -> Void)] = []

    /// - Parameter reaction: runs once this wish, or one after it, is durable.
    mutating func set(connecting: Bool, _ reaction: (() -> Void)?) {
        revision += 1
        isConnecting = connecting
        isMarkDurable = false
        isDue = true
        if let reaction { reactions.append((revision, reaction)) }
    }

    /// - Parameter connecting: whether the answer to a CONNECT is still not known.
    mutating func release(connecting: Bool) {
        revision += 1
        isReleased = true
        isConnecting = connecting
        isDue = true
        reactions = []
    }

    /// The connection for which something was wished is gone.
    mutating func forgetReactions() { reactions = [] }

    /// - Returns: the reactions that are due, oldest first.
    mutating func durable(_ entry: SessionEntry) -> [() -> Void] {
        durableRevision = max(durableRevision, entry.revision)
        if entry.revision == revision { isMarkDurable = entry.record.isConnecting }
        let due = reactions.filter { $0.revision <= entry.revision }.map(\.run)
        reactions.removeAll { $0.revision <= entry.revision }
        return due
    }
}
