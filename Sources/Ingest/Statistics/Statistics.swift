import Mapping

/// What a shard has counted since it started. Kept on its event loop as plain integers, read by asking the loop.
struct ShardStatistics: Sendable {
    /// Messages taken in, repeats included.
    var received: UInt64 = 0
    /// Of these, marked by the broker as sent again.
    var redelivered: UInt64 = 0
    /// Messages that no mapping takes.
    var unrouted: UInt64 = 0
    /// Messages whose rows, letter or absence of both is settled.
    var settled: UInt64 = 0
    /// Dead letters written into batches.
    var letters: UInt64 = 0
    /// Dead letters committed.
    var lettersCommitted: UInt64 = 0
    /// Rows committed, by target of the plan.
    var rowsCommitted: [UInt64]
    var commits: UInt64 = 0
    /// Time the writer took for all commits.
    var commitNanoseconds: UInt64 = 0
    /// Messages in batches that were given up: they come again.
    var givenUp: UInt64 = 0

    init(targetCount: Int) { rowsCommitted = Array(repeating: 0, count: targetCount) }

    mutating func batchBecameDurable(_ batch: Batch, commitNanoseconds: UInt64) {
        for index in 0..<batch.tableCount { rowsCommitted[index] += UInt64(batch.tables[index].rowCount) }
        lettersCommitted += UInt64(batch.letters.pointee.rowCount)
        settled += UInt64(batch.messageCount)
        if batch.rowCount > 0 { commits += 1 }
        self.commitNanoseconds += commitNanoseconds
    }
}

/// What a session has counted.
public struct SessionCounters: Sendable {
    /// Acknowledgements sent.
    public var acknowledged: UInt64 = 0
    public var reconnects: UInt64 = 0
    public var establishments: UInt64 = 0
    /// Times the broker had forgotten the session.
    public var lost: UInt64 = 0
}

/// A session as it stands.
public struct SessionSnapshot: Sendable {
    public var clientIdentifier: String
    public var isConnected: Bool
    /// The broker has answered all its subscriptions.
    public var isSubscribed: Bool
    /// Why it is not connected.
    public var problem: String?
    /// Deliveries that wait for their acknowledgement, those of a former connection that have not settled included.
    public var unacknowledged: Int
    public var counters: SessionCounters
}

/// A shard as it stands.
struct ShardSnapshot: Sendable {
    var statistics: ShardStatistics
    var openMessages: Int
    var openBytes: Int
    /// Messages in the batch that the writer holds.
    var writingMessages: Int
    var sessions: [SessionSnapshot]
    var mappings: [MappingCounters]
}

/// The service as it stands: all shards added up.
public struct ServiceSnapshot: Sendable {
    public var received: UInt64 = 0
    public var redelivered: UInt64 = 0
    public var unrouted: UInt64 = 0
    public var settled: UInt64 = 0
    public var givenUp: UInt64 = 0
    public var acknowledged: UInt64 = 0
    /// Messages taken in and neither durable nor given up.
    public var inFlight: UInt64 = 0
    public var deadLetters: UInt64 = 0
    public var commits: UInt64 = 0
    public var commitNanoseconds: UInt64 = 0
    /// Rows committed, by table.
    public var rowsByTable: [String: UInt64] = [:]
    public var sessions: [SessionSnapshot] = []

    /// Every message ends in exactly one place: received = settled + given up + in flight.
    public var booksBalance: Bool { received == settled + givenUp + inFlight }

    mutating func add(_ shard: ShardSnapshot, targets: [String]) {
        received += shard.statistics.received
        redelivered += shard.statistics.redelivered
        unrouted += shard.statistics.unrouted
        settled += shard.statistics.settled
        givenUp += shard.statistics.givenUp
        deadLetters += shard.statistics.lettersCommitted
        commits += shard.statistics.commits
        commitNanoseconds += shard.statistics.commitNanoseconds
        for (index, rows) in shard.statistics.rowsCommitted.enumerated() { rowsByTable[targets[index], default: 0] += rows }
        for session in shard.sessions { acknowledged += session.counters.acknowledged }
        inFlight += UInt64(shard.openMessages + shard.writingMessages)
        sessions += shard.sessions
    }
}
