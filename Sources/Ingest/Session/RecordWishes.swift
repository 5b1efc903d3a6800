/// What a session wants the database to know of it, beside its packet identifiers, and what it does once the database knows.
struct RecordWishes {
    /// Something changed that the next batch is to carry.
    var isDue = false
    /// Counts the wishes.
    private(set) var revision: UInt64 = 0
    var isConnecting = false
    private(set) var isReleased = false
    /// "Connecting" is durable, and nothing else is on its way.
    var isMarkDurable = false
    private var reaction: (revision: UInt64, run: () -> Void)?

    /// - Parameter reaction: runs once this wish, or one after it, is durable; takes the place of one that has not run.
    mutating func set(connecting: Bool, _ reaction: (() -> Void)?) {
        revision += 1
        isConnecting = connecting
        isMarkDurable = false
        isDue = true
        self.reaction = reaction.map { (revision, $0) }
    }

    /// - Parameter connecting: whether the answer to a CONNECT is still not known.
    mutating func release(connecting: Bool) {
        revision += 1
        isReleased = true
        isConnecting = connecting
        isDue = true
        reaction = nil
    }

    /// The connection for which something was wished is gone.
    mutating func forgetReactions() { reaction = nil }

    /// - Returns: the reaction that is due.
    mutating func durable(_ entry: SessionEntry) -> (() -> Void)? {
        if entry.revision == revision { isMarkDurable = entry.record.isConnecting }
        guard let due = reaction, due.revision <= entry.revision else { return nil }
        reaction = nil
        return due.run
    }
}
