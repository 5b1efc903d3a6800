import Logging
import MQTT
import Mapping
import NIOCore
import NIOPosix
import Sparkplug
import Synchronization

/// The whole ingester: shards, each an event loop with its writer thread, and the leases by which they share the pool's sessions with other processes.
public final class IngestService: Sendable {
    private let configuration: Configuration
    private let group: MultiThreadedEventLoopGroup
    private let shards: [NIOLoopBound<Shard>]
    private let writers: [DatabaseWriter]
    private let leases: LeaseThread
    private let parked: ParkedReplay
    private let tables: TableKeeper
    private let watch: BrokerWatch
    private let parkedMappings = ParkedMappings()
    private let runningPlan: Mutex<MappingPlan>
    private let metrics: IngestMetrics
    private let phase = Mutex(Phase.running)
    private let logger: Logger

    /// The service does not do that any more: it is shutting down.
    public struct IsEnding: Error, CustomStringConvertible {
        public let description = "the service is shutting down"
    }

    private enum Phase {
        case running
        case ending
        /// The event loops take no work.
        case ended
    }

    /// Prepares everything; nothing connects before `start`.
    /// - Parameters:
    ///   - configuration: checked.
    ///   - plan: the compiled mappings, with the types of the tables as they are.
    ///   - metrics: where what happens is recorded.
    /// - Throws: `SubscriptionPlanError` when the pool's distribution cannot give a mapping what it asks for; `MQTTError.invalidConfiguration`.
    public init(configuration: Configuration, plan: MappingPlan, metrics: IngestMetrics = IngestMetrics(), logger: Logger) throws {
        let subscriptions = try SubscriptionPlan(plan, configuration.pool)
        let shardCount = min(configuration.pool.shards, configuration.pool.sessions)
        let settings = ShardSettings(configuration, subscriptions: subscriptions, shards: shardCount)
        for session in settings.sessions { try session.mqtt.validate() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: shardCount)
        let writers = (0..<shardCount).map { DatabaseWriter(index: $0, logger: logger) }
        let leases = LeaseThread(interval: configuration.pool.leaseInterval, logger: logger)
        let tls = TLSContexts(configuration.broker.tls)
        let credentials = BrokerCredentials(configuration.broker)
        let births = BirthRegistry()
        let versions = BrokerVersions(configuration.broker.version)
        shards = try (0..<shardCount).map { index in
            let loop = group.next()
            return try loop.submit {
                let shard = Shard(
                    index: index, eventLoop: loop, plan: plan, settings: settings,
                    connector: NetworkConnector(
                        configuration.broker, versions: versions, tls: tls, credentials: credentials, eventLoop: loop, logger: logger),
                    writer: writers[index], leases: leases, births: births, metrics: metrics, logger: logger)
                return NIOLoopBound(shard, eventLoop: loop)
            }.wait()
        }
        self.configuration = configuration
        self.group = group
        self.writers = writers
        self.leases = leases
        parked = ParkedReplay(
            plan: plan, settings: configuration.database, limits: configuration.decode, parkedMappings: parkedMappings, logger: logger)
        tables = TableKeeper(
            plan: plan, settings: configuration.database, lettersAge: configuration.deadLetter.keep, logger: logger)
        watch = try BrokerWatch(
            configuration.broker, clientIdentifier: configuration.pool.shortLivedClientIdentifier, tls: tls, credentials: credentials,
            eventLoop: group.next(), logger: logger)
        self.logger = logger
        self.metrics = metrics
        runningPlan = Mutex(plan)
    }

    /// Starts the writers and the leases, and with them the sessions; returns at once, and goes on trying whatever does not answer.
    public func start() {
        let database = configuration.database
        let pool = configuration.pool
        let leaseMilliseconds = Int(pool.lease.nanoseconds / 1_000_000)
        for (index, (shard, writer)) in zip(shards, writers).enumerated() {
            writer.start(
                store: { [logger, parked, parkedMappings, metrics] in
                    PostgreSQLBatchStore(
                        settings: database, idleLimitMilliseconds: leaseMilliseconds * 4 / 5, logger: logger,
                        parkingChanged: { mappings, reason in
                            let isNews = parkedMappings.change(mappings, parkedBecause: reason, writer: index)
                            if isNews || reason == nil { parked.tableWasParked() }
                        }, mendCount: { parked.mendCount }, metrics: metrics)
                },
                report: { report in
                    shard.eventLoop.execute {
                        switch report {
                        case .ended(let batch, let end): shard.value.ended(batch, as: end)
                        case .troubled(let reason): shard.value.databaseTroubled(because: reason)
                        case .recovered: shard.value.databaseRecovered()
                        }
                    }
                })
        }
        parked.start()
        tables.start()
        leases.start(
            keeper: LeaseKeeper(shards: shards.count, lease: pool.lease, interval: pool.leaseInterval),
            store: {
                PostgreSQLLeaseStore(
                    settings: database, pool: pool.clientIdentifier, sessions: pool.clientIdentifiers,
                    timeoutMilliseconds: leaseMilliseconds)
            },
            report: { [shards] index, report in
                shards[index].eventLoop.execute { shards[index].value.take(report) }
            })
        guard configuration.broker.isWatched else { return }
        watch.start { [shards] started in
            for shard in shards { shard.eventLoop.execute { shard.value.brokerStarted(atMicroseconds: started) } }
        }
    }

    /// Takes other mappings: what has come is stored under the old ones, what comes under the new ones, and the subscriptions follow. No message is lost or
    /// stored twice by it.
    /// - Throws: `SubscriptionPlanError`, `IsEnding` from the beginning of `shutdown` on; then all stays as it is.
    public func reload(_ plan: MappingPlan) throws {
        let subscriptions = try SubscriptionPlan(plan, configuration.pool)
        // Under the lock, so that no loop is given work once it may have ended.
        try phase.withLock { phase in
            guard phase == .running else { throw IsEnding() }
            parked.change(to: plan)
            tables.change(to: plan)
            runningPlan.withLock { $0 = plan }
            for shard in shards { shard.eventLoop.execute { shard.value.change(to: plan, subscriptions: subscriptions) } }
        }
    }

    /// What all shards have counted by now.
    /// - Throws: `IsEnding` after `shutdown`.
    public func snapshot() async throws -> ServiceSnapshot {
        var sum = ServiceSnapshot()
        // Under the lock, so that no loop is given work once it may have ended.
        let answers = try phase.withLock { phase in
            guard phase != .ended else { throw IsEnding() }
            return shards.map { shard in shard.eventLoop.submit { shard.value.snapshot() } }
        }
        for answer in answers { sum.add(try await answer.get()) }
        sum.databaseTrouble = sum.databaseTrouble ?? leases.troubles.current
        let parked = parkedMappings.troubles
        let plan = runningPlan.withLock { $0 }
        sum.runningMappings = zip(plan.names, zip(plan.patterns, plan.tableNames)).map { name, rest in
            MappingSnapshot(name: name, patterns: rest.0, tables: rest.1, parked: parked[name])
        }
        sum.brokerDropped = watch.droppedCount
        sum.sessions.sort {
            $0.clientIdentifier.utf8.count == $1.clientIdentifier.utf8.count
                ? $0.clientIdentifier < $1.clientIdentifier : $0.clientIdentifier.utf8.count < $1.clientIdentifier.utf8.count
        }
        return sum
    }

    /// Stops reading, commits and acknowledges what is open, says DISCONNECT (the broker keeps the sessions), closes everything.
    ///
    /// What could not be committed by the deadline stays unacknowledged, so the broker sends it again.
    /// - Returns: the last snapshot, taken after the last acknowledgement.
    public func shutdown(within limit: TimeAmount) async throws -> ServiceSnapshot {
        let deadline = NIODeadline.now() + limit
        var allDrained = true
        phase.withLock { $0 = .ending }
        watch.stop()
        let draining = shards.map { shard in shard.eventLoop.flatSubmit { shard.value.drain() } }
        for (shard, drained) in zip(shards, draining) {
            allDrained = await Self.waits(for: drained, on: shard.eventLoop, until: deadline) && allDrained
        }
        if !allDrained {
            logger.error(
                "not everything could be committed before the deadline; the broker keeps what is unacknowledged and sends it again")
        }
        for shard in shards {
            let stopped = shard.eventLoop.flatSubmit {
                EventLoopFuture.andAllComplete(shard.value.sessions.compactMap { $0?.stop() }, on: shard.eventLoop)
            }
            _ = await Self.waits(for: stopped, on: shard.eventLoop, until: deadline + .milliseconds(500))
        }
        let last = try await snapshot()
        parked.stop(waitingUpTo: allDrained ? 2 : 0)
        tables.stop(waitingUpTo: allDrained ? 2 : 0)
        leases.stop(waitingUpTo: 2)
        for writer in writers { writer.stop(waitingUpTo: allDrained ? 2 : 0) }
        phase.withLock { $0 = .ended }
        if allDrained { try await group.shutdownGracefully() }
        return last
    }

    private static func waits(for future: EventLoopFuture<Void>, on loop: any EventLoop, until deadline: NIODeadline) async -> Bool {
        let promise = loop.makePromise(of: Bool.self)
        let timer = loop.scheduleTask(deadline: deadline) { promise.succeed(false) }
        future.whenComplete { result in
            timer.cancel()
            if case .success = result { promise.succeed(true) } else { promise.succeed(false) }
        }
        return (try? await promise.futureResult.get()) ?? false
    }
}
