import Foundation
import Logging
import MQTT
import Mapping
import NIOCore
import NIOEmbedded
import Store

@testable import Ingest

/// One ingester: the real shard, sessions, batches, writer and leases, on a loop whose time the world moves.
final class SimulatedProcess {
    let name: String
    private let world: World
    let loop = EmbeddedEventLoop()
    private(set) var isAlive = true
    /// SIGSTOP: nothing of it runs, and its connections stay.
    var isStopped = false
    private(set) lazy var shard = Shard(
        index: 0, eventLoop: loop, plan: World.plan, settings: World.settings, connector: Connector(self), writer: messages,
        leases: messages,
        logger: World.logger, jitter: { [random = world.random] in random.int64($0) })
    private var writing: BatchWriting
    private var keeper: LeaseKeeper
    private let leaseStore: ModelLeaseStore
    private let messages = Messages()
    private(set) var links: [Link] = []

    /// What goes from one thread of the process to another, in order.
    private final class Messages: BatchWriter, ShardLeaseObserver {
        enum ToWriter { case enroll(WriterRow), write(Batch), giveUp }
        enum ToKeeper { case ready, lost(WriterRow), asksForFilters }
        enum ToShard { case ended(Batch, BatchEnd), lease(LeaseReport) }
        var toWriter: [ToWriter] = []
        var toKeeper: [ToKeeper] = []
        var toShard: [ToShard] = []

        func enroll(_ row: WriterRow) { toWriter.append(.enroll(row)) }
        func write(_ batch: Batch) { toWriter.append(.write(batch)) }
        func giveUp() { toWriter.append(.giveUp) }
        func isReady(_ shard: Int) { toKeeper.append(.ready) }
        func lostRow(_ shard: Int, _ row: WriterRow) { toKeeper.append(.lost(row)) }
        func asksForFilters(_ shard: Int) { toKeeper.append(.asksForFilters) }
    }

    private final class Connector: BrokerConnector {
        unowned let process: SimulatedProcess
        init(_ process: SimulatedProcess) { self.process = process }
        func connect(_ session: PoolSession, attempt: Int, handler: SessionHandler) {
            // One speaks 3.1.1 with the model broker.
            var configuration = session.settings.mqtt
            configuration.version = .v3_1_1
            configuration.will = nil
            do { try session.mqtt.pointee.reconfigure(configuration) } catch { preconditionFailure("\(error)") }
            process.connect(session, handler)
        }
        func isWanted(_ session: PoolSession) -> Bool { true }
        func ended(_ session: PoolSession, wasAnswered: Bool, because error: MQTTError?) {}
    }

    init(name: String, world: World) {
        self.name = name
        self.world = world
        let random = world.random
        loop.advanceTime(to: world.now)
        writing = BatchWriting(store: ModelBatchStore(world: world, process: name), clock: { 0 })
        keeper = LeaseKeeper(shards: 1, lease: World.lease, interval: World.leaseInterval) {
            WriterRow(identifier: Self.identifier(random))
        }
        leaseStore = ModelLeaseStore(world: world, process: name)
    }

    private static func identifier(_ random: Randomness) -> UUID {
        let high = random.word()
        let low = random.word()
        return withUnsafeBytes(of: (high, low)) { bytes in
            UUID(
                uuid: (
                    bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9], bytes[10],
                    bytes[11],
                    bytes[12], bytes[13], bytes[14], bytes[15]
                ))
        }
    }

    private func connect(_ session: PoolSession, _ handler: SessionHandler) {
        loop.execute { [self] in
            guard isAlive else { return }
            guard !world.isBrokerAway, !world.fault(6), let link = try? Link(world: world, process: self, handler: handler) else {
                return session.connectionEnded(because: "refused")
            }
            links.append(link)
        }
    }

    // MARK: Steps

    var isRunning: Bool { isAlive && !isStopped }
    var hasWriterWork: Bool { !messages.toWriter.isEmpty || writerHasBatch }
    var hasReports: Bool { !messages.toShard.isEmpty }
    private var writerHasBatch = false

    /// The writer thread does its next thing.
    func stepWriter() {
        guard isRunning else { return }
        switch writing.step() {
        case .progress, .trouble: return
        case .ended(let batch, let end):
            writerHasBatch = false
            messages.toShard.append(.ended(batch, end))
        case .idle:
            guard !messages.toWriter.isEmpty else { return }
            switch messages.toWriter.removeFirst() {
            case .enroll(let row): writing.enroll(row)
            case .write(let batch):
                writing.take(batch)
                writerHasBatch = true
            case .giveUp: writing.giveUp()
            }
        }
    }

    /// The lease thread looks.
    func stepLeases() {
        guard isRunning else { return }
        for message in messages.toKeeper {
            switch message {
            case .ready: keeper.shardIsReady(0)
            case .lost(let row): keeper.shardLostRow(0, row)
            case .asksForFilters: keeper.shardAsksForFilters(0)
            }
        }
        messages.toKeeper = []
        try? keeper.step(leaseStore, now: { loop.now }) { _, report in messages.toShard.append(.lease(report)) }
    }

    /// The event loop takes a message of the other threads.
    func stepReport() {
        guard isRunning, !messages.toShard.isEmpty else { return }
        switch messages.toShard.removeFirst() {
        case .ended(let batch, let end):
            if case .givenUp = end { world.note("\(name): a batch is given up") }
            shard.ended(batch, as: end)
        case .lease(let report):
            if case .revoked = report { world.note("\(name): leases revoked") }
            shard.take(report)
        }
    }

    /// The event loop runs what is due.
    func run() {
        guard isRunning else { return }
        loop.advanceTime(to: world.now)
        loop.run()
        for link in links { link.collect() }
        links.removeAll { $0.isDead }
    }

    // MARK: The end

    /// SIGKILL: its connections break, and what it held in memory is gone.
    func kill() {
        isAlive = false
        for link in links {
            link.collect()
            link.loseBytesToBroker(keeping: 0)
            link.closeAtClient()
            link.breakOff()
        }
        links = []
        for session in shard.sessions.compactMap({ $0 }) { session.revoke() }
        try? loop.syncShutdownGracefully()
    }
}
