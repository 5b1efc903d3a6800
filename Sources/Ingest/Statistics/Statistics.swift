import MQTT
import Mapping
import Store

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
    /// Messages at QoS 0 that had to make room for newer ones while the database was away.
    var dropped: UInt64 = 0
    /// The same by mapping; one that no mapping takes counts for none.
    var messagesDropped: [String: UInt64] = [:]
    /// Dead letters over the limit, by mapping: acknowledged and gone.
    var lettersDropped: [String: UInt64] = [:]
    /// Dead letters committed.
    var lettersCommitted: UInt64 = 0
    /// The same by mapping and stage.
    var lettersByKey: [LetterKey: UInt64] = [:]
    /// What went wrong last, by mapping.
    var lastErrors: [String: LastError] = [:]
    /// From a message's arrival until it is settled.
    var latency = LatencyHistogram()
    /// When the last transaction was committed; in microseconds since 1970, UTC.
    var lastCommitMicroseconds: Int64?
    /// Rows committed, by table.
    var rowsCommitted: [String: UInt64] = [:]
    var commits: UInt64 = 0
    /// Time the writer took for all commits.
    var commitNanoseconds: UInt64 = 0
    /// Messages in batches that were given up: they come again.
    var givenUp: UInt64 = 0
    /// Reports of errors that were not sent.
    var reportsDropped: UInt64 = 0
    /// Times that messages of a Sparkplug edge node were missing, by their sequence numbers.
    var sequenceGaps: UInt64 = 0
    /// Acknowledgements sent by sessions that have left.
    var acknowledged: UInt64 = 0

    mutating func batchBecameDurable(_ batch: Batch, commitNanoseconds: UInt64, nowMicroseconds: Int64, _ metrics: IngestMetrics) {
        for (target, rows) in batch.committedRows { rowsCommitted[batch.plan.targets[target].table, default: 0] += UInt64(rows) }
        countLetters(of: batch, nowMicroseconds)
        settled += UInt64(batch.messageCount)
        batch.arrivals.observe(into: &latency, atMicroseconds: nowMicroseconds, messageCount: batch.messageCount)
        if batch.needsCommit {
            commits += 1
            lastCommitMicroseconds = nowMicroseconds
            metrics.commitSeconds.recordNanoseconds(Int64(clamping: commitNanoseconds))
            metrics.batchRows.record(Int64(batch.committedRows.reduce(0) { $0 + $1.rows }))
        }
        self.commitNanoseconds += commitNanoseconds
    }

    private mutating func countLetters(of batch: Batch, _ nowMicroseconds: Int64) {
        lettersCommitted += UInt64(batch.letters.pointee.rowCount + batch.refusals.count)
        for (mapping, count) in batch.undecoded {
            lettersByKey[LetterKey(mapping: batch.plan.names[mapping], stage: DeadLetterStage.decode.rawValue), default: 0] += count
        }
        guard !batch.refusals.isEmpty else { return }
        /// The last one of each mapping.
        var last: [Int: (unit: Int, refusal: Refusal)] = [:]
        for (number, refusal) in batch.refusals {
            let mapping = Int(batch.units.pointee.units[number].mapping)
            lettersByKey[LetterKey(mapping: batch.plan.names[mapping], stage: refusal.stage.rawValue), default: 0] += 1
            if last[mapping].map({ $0.unit < number }) ?? true { last[mapping] = (number, refusal) }
        }
        for (mapping, (number, refusal)) in last {
            let message = batch.messages.pointee.message(Int(batch.units.pointee.units[number].message))
            noteError(
                batch.plan.names[mapping], refusal.stage, refusal.error, topic: message.topic, atMicroseconds: nowMicroseconds)
        }
    }

    /// Something is wrong with a message of this mapping.
    mutating func noteError(
        _ mapping: String, _ stage: DeadLetterStage, _ text: String, topic: UnsafeRawBufferPointer, atMicroseconds: Int64
    ) {
        lastErrors[mapping] = LastError(
            atMicroseconds: atMicroseconds, stage: stage, text: text, topic: ForeignText(topic).description)
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

/// A filter that a mapping needs and the broker does not take.
public struct RefusedFilter: Sendable, Hashable {
    /// As it is sent, `$share/group/` included.
    public var filter: String
    public var reason: String
}

/// A session as it stands.
public struct SessionSnapshot: Sendable {
    public var clientIdentifier: String
    public var isConnected: Bool
    /// The broker has answered all its subscriptions.
    public var isSubscribed: Bool
    /// Filters that the broker does not take; it is asked again from time to time.
    public var refused: [RefusedFilter]
    /// Why it is not connected.
    public var problem: String?
    /// Since when there is this problem; in microseconds since 1970, UTC.
    public var problemSinceMicroseconds: Int64?
    /// Deliveries that wait for their acknowledgement, those of a former connection that have not settled included.
    public var unacknowledged: Int
    public var counters: SessionCounters
}

/// A shard as it stands.
struct ShardSnapshot: Sendable {
    var statistics: ShardStatistics
    var openMessages: Int
    /// Bytes taken in by batches that are not durable yet.
    var batchBytes: Int
    /// Messages in the batch that the writer holds.
    var writingMessages: Int
    var sessions: [SessionSnapshot]
    var mappings: [String: MappingCounters]
    /// When the message came that has waited for longest; in microseconds since 1970, UTC.
    var oldestMicroseconds: Int64?
    var bound: Bound?
    /// Why it stores nothing.
    var trouble: Trouble?
    /// It has a row in the database, and may write.
    var isEnrolled: Bool
}

/// The service as it stands: all shards added up.
public struct ServiceSnapshot: Sendable {
    public var received: UInt64 = 0
    public var redelivered: UInt64 = 0
    public var unrouted: UInt64 = 0
    public var settled: UInt64 = 0
    public var givenUp: UInt64 = 0
    /// Messages at QoS 0 that had to make room for newer ones while the database was away.
    public var dropped: UInt64 = 0
    /// Dead letters over the limit.
    public var lettersDropped: UInt64 = 0
    public var acknowledged: UInt64 = 0
    /// Messages taken in and neither durable nor given up.
    public var inFlight: UInt64 = 0
    public var deadLetters: UInt64 = 0
    public var commits: UInt64 = 0
    public var commitNanoseconds: UInt64 = 0
    /// Rows committed, by table.
    public var rowsByTable: [String: UInt64] = [:]
    /// What each mapping has counted, by its name.
    public var mappings: [String: MappingCounters] = [:]
    /// Reports of errors that were not sent, since there were too many or no connection.
    public var reportsDropped: UInt64 = 0
    /// Times that messages of a Sparkplug edge node were missing, by their sequence numbers.
    public var sequenceGaps: UInt64 = 0
    /// Messages that the broker says it has dropped since this process looks, for whichever of its clients; nil where it does not say.
    public var brokerDropped: UInt64?
    public var sessions: [SessionSnapshot] = []
    /// Dead letters committed, by mapping and stage.
    public var lettersByKey: [LetterKey: UInt64] = [:]
    /// Messages at QoS 0 that had to make room, by mapping; under the empty name those that no mapping takes.
    public var messagesDroppedByMapping: [String: UInt64] = [:]
    /// Dead letters over the limit, by mapping.
    public var lettersDroppedByMapping: [String: UInt64] = [:]
    public var lastErrors: [String: LastError] = [:]
    /// From a message's arrival until it is settled: durable, or known to make no row.
    public var latency = LatencyHistogram()
    /// When the last transaction was committed; in microseconds since 1970, UTC.
    public var lastCommitMicroseconds: Int64?
    /// Bytes taken in by batches that are not durable yet.
    public var batchBytes = 0
    /// When the message came that has waited for longest; in microseconds since 1970, UTC.
    public var oldestMicroseconds: Int64?
    /// What each shard waits for; nil of one that has nothing to do.
    public var bounds: [Bound?] = []
    /// Why nothing is stored, as the first shard that stores nothing says, or the thread of the leases.
    public var databaseTrouble: Trouble?
    /// Every shard may write.
    public var isEnrolled = true
    /// The mappings that run now.
    public var runningMappings: [MappingSnapshot] = []

    /// Of a service that has not begun.
    public init() {}

    /// Every message ends in exactly one place: received = settled + given up + dropped + in flight.
    public var booksBalance: Bool { received == settled + givenUp + dropped + inFlight }

    mutating func add(_ shard: ShardSnapshot) {
        received += shard.statistics.received
        redelivered += shard.statistics.redelivered
        unrouted += shard.statistics.unrouted
        settled += shard.statistics.settled
        givenUp += shard.statistics.givenUp
        dropped += shard.statistics.dropped
        lettersDropped += shard.statistics.lettersDropped.values.reduce(0, +)
        lettersDroppedByMapping.merge(shard.statistics.lettersDropped, uniquingKeysWith: +)
        messagesDroppedByMapping.merge(shard.statistics.messagesDropped, uniquingKeysWith: +)
        lettersByKey.merge(shard.statistics.lettersByKey, uniquingKeysWith: +)
        lastErrors.merge(shard.statistics.lastErrors) { $0.atMicroseconds < $1.atMicroseconds ? $1 : $0 }
        latency.add(shard.statistics.latency)
        lastCommitMicroseconds = [lastCommitMicroseconds, shard.statistics.lastCommitMicroseconds].compactMap { $0 }.max()
        batchBytes += shard.batchBytes
        oldestMicroseconds = [oldestMicroseconds, shard.oldestMicroseconds].compactMap { $0 }.min()
        bounds.append(shard.bound)
        databaseTrouble = databaseTrouble ?? shard.trouble
        isEnrolled = isEnrolled && shard.isEnrolled
        reportsDropped += shard.statistics.reportsDropped
        sequenceGaps += shard.statistics.sequenceGaps
        acknowledged += shard.statistics.acknowledged
        deadLetters += shard.statistics.lettersCommitted
        commits += shard.statistics.commits
        commitNanoseconds += shard.statistics.commitNanoseconds
        rowsByTable.merge(shard.statistics.rowsCommitted, uniquingKeysWith: +)
        mappings.merge(shard.mappings) { $0.adding($1) }
        for session in shard.sessions { acknowledged += session.counters.acknowledged }
        inFlight += UInt64(shard.openMessages + shard.writingMessages)
        sessions += shard.sessions
    }
}
