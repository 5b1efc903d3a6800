import CopyFormat
import Logging
import MQTT
import Mapping
import NIOCore
import Store

/// One event loop with its sessions, its writer thread and two batches: one open, one on its way. Shards share nothing but the immutable plan.
///
/// Everything here runs on `eventLoop`. Messages become rows of the open batch; whenever the writer is idle and the open batch is not empty, it
/// goes (group commit without a timer: batches grow by themselves under load, and at low load latency is one commit). What the writer reports
/// durable is settled in the ledgers of the sessions it came from, and only then acknowledged.
final class Shard {
    let index: Int
    let eventLoop: any EventLoop
    let logger: Logger
    private let plan: MappingPlan
    private let limits: BatchLimits
    private let evaluator: UnsafeMutablePointer<Evaluator>
    private let writer: any BatchWriter
    private(set) var sessions: [PoolSession] = []

    /// Takes messages.
    private var open: Batch
    /// The other batch; nil while the writer has it.
    private var spare: Batch?
    private var writingMessages = 0
    /// Set while a linger timer runs.
    private var lingering: Scheduled<Void>?
    private(set) var statistics: ShardStatistics
    /// Sessions take no message while it is set: the process is ending.
    private(set) var isDraining = false
    private var drained: [EventLoopPromise<Void>] = []
    let allocator = ByteBufferAllocator()

    init(
        index: Int, eventLoop: any EventLoop, plan: MappingPlan, limits: BatchLimits, decodeLimits: EvaluationLimits,
        writer: any BatchWriter, logger: Logger
    ) {
        self.index = index
        self.eventLoop = eventLoop
        self.plan = plan
        self.limits = limits
        self.writer = writer
        self.logger = logger
        evaluator = .allocate(capacity: 1)
        evaluator.initialize(to: Evaluator(plan: plan, limits: decodeLimits))
        open = Batch(plan: plan)
        spare = Batch(plan: plan)
        statistics = ShardStatistics(targetCount: plan.targets.count)
    }

    deinit {
        evaluator.deinitialize(count: 1)
        evaluator.deallocate()
    }

    func adopt(_ session: PoolSession) { sessions.append(session) }

    // MARK: Messages in

    /// Whether no further message may be taken in until the writer gives a batch back.
    @inline(__always) var isFull: Bool {
        open.messageCount >= limits.maximumMessages || open.messageBytes >= limits.maximumBytes || isDraining
    }

    /// Turns one message into rows of the open batch, and covers its delivery with it. Never fails: what cannot be a row becomes a dead letter.
    @inline(__always)
    func take(_ message: borrowing MessageInput, delivery: UInt64?, isDuplicate: Bool, from session: PoolSession) {
        let outcome = evaluator.pointee.process(message, into: open.tables)
        if outcome.matchedCount == 0 { statistics.unrouted += 1 }
        if outcome.failureCount > 0 { writeLetters(message, session: session) }
        open.messageCount += 1
        open.messageBytes += message.payload.count + message.topic.count + outcome.writtenBytes
        statistics.received += 1
        if isDuplicate { statistics.redelivered += 1 }
        if let delivery { open.cover(delivery, of: session.indexInShard) }
    }

    /// Lets the open batch's commit settle a delivery that stores nothing itself (the release of a QoS 2 message).
    func cover(_ delivery: UInt64, from session: PoolSession) { open.cover(delivery, of: session.indexInShard) }

    private func writeLetters(_ message: borrowing MessageInput, session: PoolSession) {
        for failure in evaluator.pointee.failures {
            open.letters.pointee.appendDeadLetter(
                topic: message.topic, payload: message.payload, receivedMicroseconds: message.receivedMicroseconds, qos: message.qos,
                isRetained: message.isRetained, mapping: plan.names[failure.mapping], stage: .decode,
                column: failure.column, error: failure.reason, clientIdentifier: session.clientIdentifier)
            open.messageBytes += message.payload.count
            statistics.letters += 1
        }
    }

    // MARK: Batches out

    /// At the end of a loop turn's reads: sends the open batch when the writer is idle.
    func commitIfIdle() {
        guard !open.isEmpty, spare != nil else { return }
        if limits.linger > .zero, !isFull, !isDraining {
            guard lingering == nil else { return }
            lingering = eventLoop.assumeIsolated().scheduleTask(in: limits.linger) { [self] in
                lingering = nil
                send()
            }
            return
        }
        send()
    }

    private func send() {
        guard !open.isEmpty, let empty = spare else { return }
        let batch = open
        open = empty
        spare = nil
        writingMessages = batch.messageCount
        if batch.rowCount == 0 {
            // Nothing to store: filtered, unrouted or skipped messages are settled as they are.
            ended(batch, as: .durable(commitNanoseconds: 0))
        } else {
            batch.seal()
            writer.write(batch)
        }
    }

    /// The writer is done with a batch.
    func ended(_ batch: Batch, as end: BatchEnd) {
        precondition(spare == nil, "a batch comes back once")
        switch end {
        case .durable(let commitNanoseconds):
            statistics.batchBecameDurable(batch, commitNanoseconds: commitNanoseconds)
            for run in batch.runs { sessions[run.session].settled(run.deliveries) }
        case .givenUp:
            statistics.givenUp += UInt64(batch.messageCount)
            for run in batch.runs { sessions[run.session].gaveUp(run.deliveries) }
        }
        writingMessages = 0
        batch.reset(keepingCapacityUpTo: limits.maximumBytes)
        spare = batch
        commitIfIdle()
        for session in sessions { session.flushAcknowledgements() }
        if !isFull { for session in sessions { session.resumeReading() } }
        finishDrainingIfEmpty()
    }

    // MARK: The end

    /// Takes nothing more in, commits what is open; succeeds when both batches have ended.
    func drain() -> EventLoopFuture<Void> {
        isDraining = true
        let promise = eventLoop.makePromise(of: Void.self)
        drained.append(promise)
        lingering?.cancel()
        lingering = nil
        send()
        finishDrainingIfEmpty()
        return promise.futureResult
    }

    private func finishDrainingIfEmpty() {
        guard isDraining, spare != nil else { return }
        if !open.isEmpty {
            send()
            return
        }
        let waiting = drained
        drained = []
        for promise in waiting { promise.succeed() }
    }

    /// What the shard has counted, with its sessions' states.
    func snapshot() -> ShardSnapshot {
        ShardSnapshot(
            statistics: statistics, openMessages: open.messageCount, openBytes: open.copyBytes, writingMessages: writingMessages,
            sessions: sessions.map { $0.snapshot() }, mappings: evaluator.pointee.counters)
    }
}

/// How a batch ended.
enum BatchEnd: Equatable, Sendable {
    /// Committed; the time from the batch's arrival at the writer to the answer.
    case durable(commitNanoseconds: UInt64)
    /// Neither proved durable nor sent again: its deliveries must come again.
    case givenUp
}

/// Takes one batch at a time and reports its end back on the shard's event loop.
protocol BatchWriter: AnyObject {
    func write(_ batch: Batch)
}

/// What bounds a batch.
struct BatchLimits: Sendable {
    var maximumBytes: Int
    var maximumMessages: Int
    var linger: TimeAmount
}
