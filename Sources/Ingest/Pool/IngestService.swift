import Logging
import MQTT
import Mapping
import NIOCore
import NIOPosix

/// The whole ingester: shards, each an event loop with its writer thread, and the pool's sessions spread over them.
public final class IngestService: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let shards: [NIOLoopBound<Shard>]
    private let writers: [DatabaseWriter]
    private let targets: [String]
    private let logger: Logger

    /// Prepares everything; nothing connects before `start`.
    /// - Parameters:
    ///   - configuration: checked.
    ///   - plan: the compiled mappings, with the types of the tables as they are.
    /// - Throws: `SubscriptionPlanError` when the pool's distribution cannot give a mapping what it asks for.
    public init(configuration: Configuration, plan: MappingPlan, logger: Logger) throws {
        let subscriptions = try SubscriptionPlan(
            needs: plan.subscriptions, sessions: configuration.pool.sessions, distribution: configuration.pool.distribution,
            group: configuration.pool.group)
        let shardCount = min(configuration.pool.shards, configuration.pool.sessions)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: shardCount)
        let writers = (0..<shardCount).map { DatabaseWriter(index: $0, settings: configuration.database, logger: logger) }
        shards = try (0..<shardCount).map { index in
            let loop = group.next()
            return try loop.submit {
                let shard = Shard(
                    index: index, eventLoop: loop, plan: plan, limits: BatchLimits(configuration.batch),
                    decodeLimits: configuration.decode, writer: writers[index], logger: logger)
                for session in stride(from: index, to: configuration.pool.sessions, by: shardCount) {
                    shard.adopt(
                        try PoolSession(
                            indexInShard: shard.sessions.count,
                            settings: SessionSettings(configuration, number: session, subscriptions: subscriptions.bySession[session]),
                            endpoints: configuration.broker.endpoints, shard: shard, logger: logger))
                }
                return NIOLoopBound(shard, eventLoop: loop)
            }.wait()
        }
        self.group = group
        self.writers = writers
        targets = plan.targets.map(\.table)
        self.logger = logger
    }

    /// Starts the writers and connects the sessions; returns at once, and goes on trying whatever does not answer.
    public func start() {
        for (shard, writer) in zip(shards, writers) {
            writer.start { batch, end in
                shard.eventLoop.execute { shard.value.ended(batch, as: end) }
            }
            shard.eventLoop.execute { for session in shard.value.sessions { session.start() } }
        }
    }

    /// What all shards have counted by now.
    public func snapshot() async throws -> ServiceSnapshot {
        var sum = ServiceSnapshot()
        for shard in shards {
            sum.add(try await shard.eventLoop.submit { shard.value.snapshot() }.get(), targets: targets)
        }
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
                EventLoopFuture.andAllComplete(shard.value.sessions.map { $0.stop() }, on: shard.eventLoop)
            }
            _ = await Self.waits(for: stopped, on: shard.eventLoop, until: deadline + .milliseconds(500))
        }
        let last = try await snapshot()
        for writer in writers { writer.stop(waitingUpTo: allDrained ? 2 : 0) }
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
