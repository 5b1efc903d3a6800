import NIOCore

/// A database that is away.
extension Shard {
    /// The writer cannot store a batch for now.
    func databaseTroubled(because reason: String) {
        trouble = trouble?.inOtherWords(reason) ?? Trouble(reason: reason, sinceMicroseconds: wallClockMicroseconds())
        guard troubled == nil else { return }
        troubled = eventLoop.assumeIsolated().scheduleTask(in: settings.giveUpAfter) { [self] in leaveMessagesToBroker() }
    }

    func databaseRecovered() {
        troubled?.cancel()
        troubled = nil
        trouble = nil
    }

    /// Brokers drop consumers that sit on messages: says DISCONNECT, and takes the messages again once the database is back.
    private func leaveMessagesToBroker() {
        troubled = nil
        logger.error("the database has been away for too long; the messages under way are left to the broker (database.give_up)")
        lease.isSuspended = true
        for case let session? in sessions { session.suspend(because: "the database is away") }
        giveUp(open)
        open.reset(keepingCapacityUpTo: settings.limits.maximumBytes)
        writer.giveUp()
    }

    /// What the open batch holds is nobody's any more.
    func dropOpenBatch() {
        statistics.givenUp += UInt64(open.messageCount)
        open.reset(keepingCapacityUpTo: settings.limits.maximumBytes)
    }
}
