import CopyFormat
import Logging
import MQTT
import Mapping
import NIOCore
import Sparkplug
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
    let connector: any BrokerConnector
    let writer: any BatchWriter
    let settings: ShardSettings
    let leases: any ShardLeaseObserver
    /// Birth certificates of Sparkplug B that this process has seen, in whichever shard.
    let births: BirthRegistry
    /// Any number of a range.
    let jitter: (ClosedRange<Int64>) -> Int64
    var plan: MappingPlan
    /// Which session subscribes to what.
    var subscriptions: SubscriptionPlan
    /// What comes in place of the two once the open batch has gone.
    var nextPlan: (plan: MappingPlan, subscriptions: SubscriptionPlan)?
    let evaluator: UnsafeMutablePointer<Evaluator>
    /// Counted under former plans.
    var formerMappings: [String: MappingCounters] = [:]
    /// By number in the pool; those that this shard holds.
    var sessions: [PoolSession?]
    var lease = ShardLease()

    /// Takes messages.
    var open: Batch
    /// The other batch; nil while the writer has it.
    var spare: Batch?
    private var writingMessages = 0
    /// Of the batch that the writer has: its bytes, when its oldest message came, and when it went.
    private var writing: (bytes: Int, oldestMicroseconds: Int64?, since: NIODeadline)?
    private var boundWatch: BoundWatch
    let metrics: IngestMetrics
    /// Messages at QoS 0 for which there is no room.
    private var waiting: WaitingMessages
    var flood: FloodGate
    var reports: ErrorReports
    /// Set while a linger timer runs.
    private var lingering: Scheduled<Void>?
    /// Set while nothing is read, because of a flood of dead letters.
    private var slowing: Scheduled<Void>?
    /// Set while the database does not take a batch.
    var troubled: Scheduled<Void>?
    /// Why.
    var trouble: Trouble?
    /// When it was last said that messages of an edge node are missing.
    var gapToldAt: NIODeadline?
    var statistics: ShardStatistics
    /// When a failure of a mapping was last taken down; in microseconds since 1970, UTC.
    private var failuresNoted: [Int: Int64] = [:]
    /// Sessions take no message while it is set: the process is ending.
    private(set) var isDraining = false
    private var drained: [EventLoopPromise<Void>] = []
    let allocator = ByteBufferAllocator()

    init(
        index: Int, eventLoop: any EventLoop, plan: MappingPlan, settings: ShardSettings, connector: any BrokerConnector,
        writer: any BatchWriter, leases: any ShardLeaseObserver, births: BirthRegistry = BirthRegistry(),
        metrics: IngestMetrics = IngestMetrics(),
        logger: Logger,
        jitter: @escaping (ClosedRange<Int64>) -> Int64 = { .random(in: $0) }
    ) {
        self.index = index
        self.eventLoop = eventLoop
        self.plan = plan
        self.settings = settings
        self.connector = connector
        self.writer = writer
        self.leases = leases
        self.births = births
        self.metrics = metrics
        boundWatch = BoundWatch(sessions: settings.sessions.count)
        self.jitter = jitter
        self.logger = logger
        evaluator = .allocate(capacity: 1)
        evaluator.initialize(to: Evaluator(plan: plan, limits: settings.decode, births: .seen(births)))
        open = Batch(plan: plan, clientIdentifierPrefix: settings.clientIdentifierPrefix)
        spare = Batch(plan: plan, clientIdentifierPrefix: settings.clientIdentifierPrefix)
        waiting = WaitingMessages(maximumBytes: settings.limits.maximumBytes)
        flood = FloodGate(perMinute: settings.lettersPerMinute, policy: settings.floodPolicy)
        reports = ErrorReports(plan: plan, perMinute: settings.reportsPerMinute)
        subscriptions = settings.subscriptions
        statistics = ShardStatistics()
        sessions = Array(repeating: nil, count: settings.sessions.count)
    }

    deinit {
        evaluator.deinitialize(count: 1)
        evaluator.deallocate()
    }

    // MARK: Messages in

    /// Whether the open batch takes no further message until the writer gives the other one back.
    @inline(__always) var isFull: Bool {
        open.messageCount >= settings.limits.maximumMessages || open.messageBytes >= settings.limits.maximumBytes || nextPlan != nil
    }

    /// Nothing is read, because of a flood of dead letters.
    @inline(__always) var isSlowed: Bool { slowing != nil }

    /// Some packets have to wait.
    @inline(__always) var isPressed: Bool { isFull || isDraining || isSlowed }

    /// Turns one message into rows of the open batch, and covers its delivery with it. Never fails: what cannot be a row becomes a dead letter.
    @inline(__always)
    func take(_ message: borrowing MessageInput, delivery: UInt64?, isDuplicate: Bool, from session: PoolSession) {
        statistics.received += 1
        if isDuplicate { statistics.redelivered += 1 }
        if delivery == nil, isFull || !waiting.isEmpty {
            postpone(message, session)
        } else {
            process(message, session: session.number)
            if let delivery { open.cover(delivery, of: session.number) }
        }
    }

    @inline(__always)
    private func process(_ message: borrowing MessageInput, session: Int) {
        let outcome = evaluator.pointee.process(
            message, into: open.tables, units: open.units, number: open.messages.pointee.nextNumber)
        if outcome.rowCount > 0 { open.messages.pointee.append(message, session: session) }
        if outcome.matchedCount == 0 { statistics.unrouted += 1 }
        if outcome.failureCount > 0 { writeLetters(message, session: session) }
        if plan.usesSparkplug { noteBirths(message, session: session) }
        if message.receivedMicroseconds != open.arrivals.lastMicroseconds {
            open.arrivals.begin(message.receivedMicroseconds, firstMessage: open.messageCount)
        }
        open.messageCount += 1
        open.messageBytes += message.payload.count + message.topic.count + message.properties.bytes.count + outcome.writtenBytes
    }

    /// Lets the open batch's commit settle a delivery that stores nothing itself (the release of a QoS 2 message).
    func cover(_ delivery: UInt64, from session: PoolSession) { open.cover(delivery, of: session.number) }

    private func writeLetters(_ message: borrowing MessageInput, session: Int) {
        for failure in evaluator.pointee.failures {
            noteFailure(failure, message)
            switch flood.letter(of: failure.mapping, now: eventLoop.now) {
            case .drop:
                statistics.lettersDropped[plan.names[failure.mapping], default: 0] += 1
                continue
            case .storeAndSlow(let until): slow(until: until, failure.mapping, failure.letterText)
            case .store: break
            }
            open.letters.pointee.appendDeadLetter(
                topic: message.topic, payload: message.payload, receivedMicroseconds: message.receivedMicroseconds, qos: message.qos,
                isRetained: message.isRetained, mapping: plan.names[failure.mapping], stage: .decode,
                column: failure.column, error: failure.letterText, clientIdentifier: open.clientIdentifier(UInt32(session)),
                properties: message.properties, broker: plan.usesBroker ? message.broker : UnsafeRawBufferPointer(start: nil, count: 0))
            open.undecoded[failure.mapping, default: 0] += 1
            open.messageBytes += message.payload.count + message.properties.bytes.count
            guard plan.reportsErrors, open.reports.count < ErrorReports.reportsPerBatchMaximum else { continue }
            // A device has no use for the line of a file.
            let report = reports.report(
                message, session: session, mapping: failure.mapping, stage: .decode, column: failure.column, sqlState: nil,
                error: failure.reason, now: eventLoop.now)
            if let report { open.reports.append(report) }
        }
    }

    /// For people to look at: ten a second of each mapping are more than enough, and a flood is not to cost more for it.
    private func noteFailure(_ failure: MappingFailure, _ message: borrowing MessageInput) {
        let now = message.receivedMicroseconds
        if let last = failuresNoted[failure.mapping], (0..<100_000).contains(now &- last) { return }
        failuresNoted[failure.mapping] = now
        statistics.noteError(plan.names[failure.mapping], .decode, failure.letterText, topic: message.topic, atMicroseconds: now)
    }

    /// - Parameter reason: of the letter that was one too many; most others will have the same.
    private func slow(until deadline: NIODeadline, _ mapping: Int, _ reason: String) {
        if slowing == nil {
            logger.warning(
                "too many dead letters: reading slows down (dead_letter.max_per_minute)",
                metadata: ["mapping": "\(plan.names[mapping])", "reason": "\(reason)"])
        }
        slowing?.cancel()
        slowing = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
            slowing = nil
            resumeReading()
        }
    }

    // MARK: QoS 0 without room

    private func postpone(_ message: borrowing MessageInput, _ session: PoolSession) {
        if waiting.isEmpty { logger.debug("messages at QoS 0 wait for the database") }
        waiting.append(
            WaitingMessages.Message(
                topic: Array(message.topic), payload: Array(message.payload), properties: Array(message.properties.bytes),
                broker: plan.usesBroker ? Array(message.broker) : [], receivedMicroseconds: message.receivedMicroseconds,
                isRetained: message.isRetained, session: session.number)
        ) { dropped in
            statistics.dropped += 1
            let mappings = dropped.topic.withUnsafeBytes { evaluator.pointee.mappings(for: $0) }
            if mappings.isEmpty { statistics.messagesDropped["", default: 0] += 1 }
            for mapping in mappings { statistics.messagesDropped[plan.names[mapping], default: 0] += 1 }
        }
    }

    func takeWaiting() {
        while !isFull, let message = waiting.popFirst() {
            message.topic.withUnsafeBytes { topic in
                message.payload.withUnsafeBytes { payload in
                    message.properties.withUnsafeBytes { properties in
                        message.broker.withUnsafeBytes { broker in
                            process(
                                MessageInput(
                                    topic: topic, payload: payload, receivedMicroseconds: message.receivedMicroseconds, qos: 0,
                                    isRetained: message.isRetained,
                                    properties: PublishProperties(checking: properties) ?? PublishProperties(), broker: broker),
                                session: message.session)
                        }
                    }
                }
            }
        }
    }

    // MARK: Batches out

    /// At the end of a loop turn's reads: sends the open batch when the writer is idle.
    func commitIfIdle() {
        guard spare != nil, hasSomethingToCommit else { return }
        if settings.limits.linger > .zero, !isFull, !isDraining {
            guard lingering == nil else { return }
            lingering = eventLoop.assumeIsolated().scheduleTask(in: settings.limits.linger) { [self] in
                lingering = nil
                send()
            }
            return
        }
        send()
    }

    /// Lets this loop turn end first.
    func commitSoon() { eventLoop.assumeIsolated().execute { [self] in commitIfIdle() } }

    private var hasSomethingToCommit: Bool { !open.isEmpty || sessions.contains { $0?.isRecordDue == true } }

    func send() {
        guard lease.row != nil, let empty = spare else { return }
        for case let session? in sessions where session.isRecordDue { open.sessions.append(session.makeEntry()) }
        guard !open.isEmpty else { return }
        let batch = open
        open = empty
        spare = nil
        writingMessages = batch.messageCount
        writing = (batch.messageBytes, batch.arrivals.oldestMicroseconds, eventLoop.now)
        if batch.needsCommit {
            writer.write(batch)
        } else {
            // Nothing to store: filtered, unrouted or skipped messages are settled as they are.
            ended(batch, as: .durable(commitNanoseconds: 0))
        }
    }

    /// The writer is done with a batch.
    func ended(_ batch: Batch, as end: BatchEnd) {
        precondition(spare == nil, "a batch comes back once")
        switch end {
        case .durable(let commitNanoseconds):
            statistics.batchBecameDurable(
                batch, commitNanoseconds: commitNanoseconds, nowMicroseconds: wallClockMicroseconds(), metrics)
            if batch.needsCommit {
                boundWatch.batchEnded(
                    now: eventLoop.now, busyNanoseconds: commitNanoseconds, isNextFull: isFull,
                    unacknowledged: sessions.lazy.compactMap { $0 }.map { ($0.number, $0.mqtt.pointee.unacknowledgedCount) })
            }
            for refusal in batch.refusals where refusal.value.stage == .row { noteRefusal(batch, unit: refusal.key, refusal.value) }
            for run in batch.runs { sessions[run.session]?.settled(run.deliveries) }
            for entry in batch.sessions { sessions[entry.session]?.recorded(entry) }
            for report in batch.reports { send(report) }
        case .givenUp(let lostRow):
            trouble = nil
            giveUp(batch)
            if let lostRow { leases.lostRow(index, lostRow) }
        }
        writingMessages = 0
        writing = nil
        batch.reset(keepingCapacityUpTo: settings.limits.maximumBytes)
        spare = batch.plan === plan ? batch : makeBatch()
        if case .givenUp(.some) = end { revoke() }
        if lease.isRevoked {
            finishRevocation()
            finishDrainingIfEmpty()
            return
        }
        if nextPlan == nil { takeWaiting() }
        commitIfIdle()
        changePlanIfIdle()
        for case let session? in sessions { session.flushAcknowledgements() }
        resumeReading()
        finishDrainingIfEmpty()
    }

    private func noteRefusal(_ batch: Batch, unit: Int, _ refusal: Refusal) {
        // Of a former plan the numbers of mappings are others.
        guard batch.plan === plan else { return }
        let place = batch.units.pointee.units[unit]
        let mapping = Int(place.mapping)
        if case .storeAndSlow(let until) = flood.letter(of: mapping, now: eventLoop.now, isStored: true) {
            slow(until: until, mapping, refusal.error)
        }
        guard plan.reportsErrors, batch.reports.count < ErrorReports.reportsPerBatchMaximum else { return }
        let message = batch.messages.pointee.message(Int(place.message))
        let report = reports.report(
            message, session: Int(batch.messages.pointee.entries[Int(place.message)].session), mapping: mapping, stage: refusal.stage,
            column: refusal.column, sqlState: refusal.sqlState, error: refusal.error, now: eventLoop.now)
        if let report { batch.reports.append(report) }
    }

    /// Best effort: a report goes out on the session on which its message came, or another that is connected, or not at all.
    func send(_ report: ErrorReport) {
        let others = sessions.compactMap { $0 }.filter { $0.number != report.session }
        for session in [sessions[report.session]].compactMap({ $0 }) + others
        where session.publish(topic: report.topic, payload: report.payload, properties: ErrorReports.properties) {
            return
        }
        statistics.reportsDropped += 1
    }

    /// The broker was not running at this time.
    func brokerStarted(atMicroseconds started: Int64) {
        for case let session? in sessions { session.brokerStarted(atMicroseconds: started) }
    }

    /// Mappings with a pattern that this filter serves.
    func mappingNames(needing filter: TopicFilter) -> [String] {
        guard let plain = try? TopicFilter(filter.pattern) else { return [] }
        return zip(plan.names, plan.filters).filter { $0.1.contains { plain.covers($0) } }.map(\.0)
    }

    func giveUp(_ batch: Batch) {
        statistics.givenUp += UInt64(batch.messageCount)
        for run in batch.runs { sessions[run.session]?.gaveUp(run.deliveries) }
        for entry in batch.sessions { sessions[entry.session]?.recordLost() }
    }

    func resumeReading() {
        guard !isDraining, !isSlowed else { return }
        for case let session? in sessions { session.resumeReading() }
    }

    /// No batch is on its way.
    var isWriterIdle: Bool { spare != nil }

    // MARK: The end

    /// Takes nothing more in, commits what is open; succeeds when both batches have ended.
    func drain() -> EventLoopFuture<Void> {
        isDraining = true
        let promise = eventLoop.makePromise(of: Void.self)
        drained.append(promise)
        lingering?.cancel()
        lingering = nil
        finishDrainingIfEmpty()
        return promise.futureResult
    }

    func finishDrainingIfEmpty() {
        guard isDraining, spare != nil else { return }
        takeWaiting()
        if hasSomethingToCommit, lease.row != nil {
            send()
            if spare == nil { return }
        }
        let due = drained
        drained = []
        for promise in due { promise.succeed() }
    }

    /// What the shard has counted, with its sessions' states.
    func snapshot() -> ShardSnapshot {
        ShardSnapshot(
            statistics: statistics, openMessages: open.messageCount + waiting.count,
            batchBytes: open.messageBytes + waiting.byteCount + (writing?.bytes ?? 0),
            writingMessages: writingMessages, sessions: sessions.compactMap { $0?.snapshot() },
            mappings: formerMappings.merging(zip(plan.names, evaluator.pointee.counters)) { $0.adding($1) },
            oldestMicroseconds: [open.arrivals.oldestMicroseconds, writing?.oldestMicroseconds, waiting.oldestMicroseconds]
                .compactMap { $0 }.min(),
            bound: trouble != nil ? .database : boundWatch.bound(now: eventLoop.now, writingSince: writing?.since),
            trouble: trouble, isEnrolled: lease.row != nil)
    }

    /// A session leaves; its counts stay.
    func remove(_ session: PoolSession) {
        statistics.acknowledged += session.snapshot().counters.acknowledged
        sessions[session.number] = nil
    }
}
