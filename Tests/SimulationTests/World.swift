import Logging
import MQTT
import Mapping
import NIOCore
import Store

@testable import Ingest

/// A mistake in the ingester that the simulation has to find, made at its edges.
enum SeededBug: CaseIterable {
    /// A batch is called durable before it is.
    case acknowledgesBeforeCommit
    /// PUBCOMP goes out before "free" is durable.
    case completesBeforeFree
    /// The stored identifiers are cleared although the broker has the session.
    case clearsOnPresentSession
    case acknowledgesOutOfOrder
}

/// A broker, a database and two ingesters with one configuration, and a scheduler that decides from a seed what happens next: which thread runs, how many
/// bytes arrive, what breaks. Everything is checked after every step.
final class World {
    static let lease = TimeAmount.seconds(5)
    static let leaseInterval = TimeAmount.seconds(1)
    static let logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
    static let plan: MappingPlan = {
        let reading = MappingReader.read(text: "topic: t/+\nqos: 2\ntable: numbers\ncolumns:\n  n: bigint not null\n", file: "numbers.yaml")
        precondition(reading.diagnostics.isEmpty, "\(reading.diagnostics)")
        return MappingPlan(reading.mappings)
    }()
    static let settings: ShardSettings = {
        var configuration = Configuration()
        configuration.pool.clientIdentifier = "p"
        configuration.pool.sessions = 3
        configuration.batch.maximumMessages = 6
        configuration.batch.maximumBytes = 64 * 1024
        configuration.database.giveUp = .seconds(20)
        do {
            let subscriptions = try SubscriptionPlan(needs: plan.subscriptions, sessions: 3, distribution: .shared, group: "g")
            return ShardSettings(configuration, subscriptions: subscriptions, shards: 1)
        } catch { preconditionFailure("\(error)") }
    }()

    let random: Randomness
    let bugs: Set<SeededBug>
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private(set) lazy var database = ModelDatabase(exactlyOnce: { [unowned self] in published[$0].qos == .exactlyOnce })
    private(set) lazy var broker = ModelBroker(world: self)
    private(set) var processes: [SimulatedProcess] = []
    var isBrokerAway = false
    private var isHealing = false
    private var published: [Message] = []
    private var violation: Violation?
    private var incarnations = 0
    var commits = 0
    var takeovers = 0
    var confirmations = 0
    private let isTraced: Bool
    /// Some worlds are wilder than others: things go wrong so many times less often.
    private let calm: Int
    private(set) var trace: [String] = []

    init(seed: UInt64, bugs: Set<SeededBug> = [], isTraced: Bool = false) {
        random = Randomness(seed: seed)
        calm = random.int(1...8)
        self.bugs = bugs
        self.isTraced = isTraced
    }

    var clientIdentifiers: [String] { (0..<3).map { "p-\($0)" } }

    func note(_ text: @autoclosure () -> String) {
        if isTraced { trace.append("\((now - .uptimeNanoseconds(0)).nanoseconds / 1_000_000) ms: \(text())") }
    }

    /// Whether something goes wrong now, in one of `n` cases; never while the world heals.
    func fault(_ n: Int) -> Bool { !isHealing && random.oneIn(n * calm) }

    func check<Result>(_ body: () throws(Violation) -> Result) -> Result? {
        do throws(Violation) { return try body() } catch {
            violation = violation ?? error
            return nil
        }
    }

    // MARK: Running

    /// Runs so many steps with faults, then heals everything and waits until all is through.
    func run(steps: Int) throws {
        defer { for process in processes where process.isAlive { process.kill() } }
        for _ in 0..<2 { start() }
        for _ in 0..<steps {
            step()
            if random.oneIn(3 * calm) { fault() }
            try settle()
        }
        try heal()
        try checkTheEnd()
    }

    private func start() {
        incarnations += 1
        note("process \(incarnations) starts")
        processes.append(SimulatedProcess(name: "process \(incarnations)", world: self))
    }

    /// What follows from the step, and whether it was allowed.
    private func settle() throws {
        for process in processes { process.run() }
        if let violation { throw violation }
        try checkBounds()
    }

    private func step() {
        guard let process = random.pick(processes) else { return }
        switch random.int(0...15) {
        case 0...1: publish()
        case 2...3: broker.sendNext(random.pick(broker.names) ?? "")
        case 4: process.stepLeases()
        case 5...7: process.stepWriter()
        case 8...9: process.stepReport()
        case 10...11:
            guard let link = random.pick(process.links.filter(\.hasNewsForBroker)) else { return }
            check { () throws(Violation) in try link.readAtBroker(random.oneIn(2) ? .max : random.int(0...9)) }
        case 12...13:
            guard process.isRunning, let link = random.pick(process.links.filter(\.hasNewsForClient)) else { return }
            link.readAtClient(random.oneIn(2) ? .max : random.int(0...30))
        case 14: now = now + .milliseconds(Int64(random.int(1...400)))
        default:
            guard !database.adrift.isEmpty else { return }
            let index = random.int(0...database.adrift.count - 1)
            let applies = random.oneIn(2)
            note("what was adrift is \(applies ? "applied" : "gone")")
            check { () throws(Violation) in try database.settleAdrift(index, applies: applies) }
        }
    }

    private func publish() {
        let qos = random.pick([QoS.atMostOnce, .atLeastOnce, .atLeastOnce, .exactlyOnce, .exactlyOnce, .exactlyOnce]) ?? .exactlyOnce
        let message = Message(number: published.count, qos: qos, isUndecodable: random.oneIn(8))
        // Known before it is sent: it may be stored at once.
        published.append(message)
        if !broker.publish(message) { published.removeLast() }
    }

    private func fault() {
        guard let process = random.pick(processes) else { return }
        switch random.int(0...39) {
        case 0...5:
            guard let link = random.pick(process.links) else { return }
            note("\(process.name): a connection to the broker breaks")
            link.loseBytesToBroker(keeping: random.int(0...40))
            if random.oneIn(2) { check { () throws(Violation) in try link.readAtBroker(.max) } }
            if random.oneIn(2) { link.breakOff() }
            if random.oneIn(2), process.isRunning { link.closeAtClient() } else { link.breakOff() }
        case 6...8: broker.repeatSomething(random.pick(broker.names) ?? "")
        case 9:
            guard let name = random.pick(broker.names), random.oneIn(4) else { return }
            note("the broker forgets \(name)")
            broker.forget(name)
        case 10:
            guard random.oneIn(3) else { return }
            note("\(process.name) is killed")
            process.kill()
            processes.removeAll { $0 === process }
            start()
        case 11:
            guard random.oneIn(2) else { return }
            process.isStopped.toggle()
            note("\(process.name) is \(process.isStopped ? "stopped" : "continued")")
        case 12: database.isAway = random.oneIn(4)
        case 13: isBrokerAway = random.oneIn(4)
        case 14: now = now + .milliseconds(Int64(random.int(400...8000)))
        default: return
        }
    }

    /// Nothing goes wrong any more; everybody gets their turn until all that was published is through.
    private func heal() throws {
        isHealing = true
        database.isAway = false
        isBrokerAway = false
        for process in processes { process.isStopped = false }
        while !database.adrift.isEmpty { check { () throws(Violation) in try database.settleAdrift(0, applies: random.oneIn(2)) } }
        for round in 0..<6000 {
            for process in processes {
                process.stepWriter()
                process.stepReport()
                if round % 10 == 0 { process.stepLeases() }
                for link in process.links {
                    check { () throws(Violation) in try link.readAtBroker(.max) }
                    link.readAtClient(.max)
                }
            }
            for name in broker.names { broker.sendNext(name) }
            now = now + .milliseconds(100)
            try settle()
            if broker.isDrained, broker.isSubscribedAll, processes.allSatisfy({ !$0.hasWriterWork && !$0.hasReports }), round > 20 {
                return
            }
        }
        throw Violation(
            "it does not come to rest: \(broker.sessions.mapValues { ($0.queue.count, $0.inFlight.map(\.identifier), $0.link != nil) })")
    }

    // MARK: Checks

    private func checkBounds() throws {
        for process in processes {
            let shard = process.shard.snapshot()
            var books = ServiceSnapshot()
            books.add(shard)
            guard books.booksBalance else { throw Violation("\(process.name): the books do not balance: \(books)") }
            // Two batches, and what arrives with one read beyond the last.
            guard books.inFlight < 300 else { throw Violation("\(process.name) holds \(books.inFlight) messages") }
        }
    }

    private func checkTheEnd() throws {
        for message in published {
            let copies = database.copies[message.number] ?? 0
            switch message.qos {
            case .atMostOnce:
                guard copies <= 1 else { throw Violation("message \(message.number) at QoS 0 is stored \(copies) times") }
            case .atLeastOnce, .exactlyOnce:
                guard copies >= 1 || broker.forgotten.contains(message.number) else {
                    throw Violation("message \(message.number) at QoS \(message.qos.rawValue) is lost")
                }
                guard copies <= max(broker.deliveries[message.number] ?? 0, 1) else {
                    throw Violation("message \(message.number) is stored \(copies) times, more often than it was delivered")
                }
            }
        }
    }

    /// What happened, for people.
    var summary: String {
        let twice = database.copies.values.filter { $0 > 1 }.count
        return """
            \(published.count) messages, \(broker.deliveries.values.reduce(0, +)) deliveries, \(database.copies.count) stored, \(twice) of QoS 1 again, \
            \(broker.forgotten.count) forgotten, \(commits) commits, \(incarnations) processes, \(takeovers) takeovers, \(confirmations) confirmations
            """
    }
}
