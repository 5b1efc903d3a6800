import Foundation
import Ingest

extension StatusReport {
    /// - Parameter snapshot: nil: the service has not started to ingest.
    init(
        _ snapshot: ServiceSnapshot?, problems: Problems, history: StatusHistory, letters: [DeadLetter], facts: ServiceFacts,
        process: ProcessFacts, now: Date
    ) {
        let counted = snapshot ?? ServiceSnapshot()
        let (p50, p99) = history.latency
        // Nothing limits a flow that there is none of: while the database is away all shards wait for it.
        let bound = counted.databaseTrouble == nil ? Self.bound(counted.bounds) : nil
        self.init(
            version: facts.version, startedAt: timeText(facts.startedAt), now: timeText(now), ready: problems.isReady,
            problems: problems.all, totals: Totals(counted), rates: history.rates, history: history.history,
            latency: Latency(
                p50Ms: p50, p99Ms: p99,
                oldestUnacknowledgedSeconds: counted.oldestMicroseconds.map { max(now.timeIntervalSince1970 - Double($0) / 1e6, 0) } ?? 0),
            boundBy: bound?.rawValue, boundHint: bound?.hint ?? "", sessions: counted.sessions.map(Session.init),
            mappings: counted.runningMappings.map { Mapping($0, counted) }, deadLetters: letters,
            database: Database(
                connected: snapshot != nil && counted.databaseTrouble == nil && counted.isEnrolled,
                problem: counted.databaseTrouble?.reason,
                since: counted.databaseTrouble.map { timeText(microseconds: $0.sinceMicroseconds) }, url: facts.databaseURL,
                commits: counted.commits, lastCommitAt: counted.lastCommitMicroseconds.map { timeText(microseconds: $0) }),
            broker: Broker(url: facts.broker, dropped: counted.brokerDropped),
            process: Process(
                residentBytes: process.residentBytes, cpuSeconds: process.cpuSeconds, openFiles: process.openFiles,
                uptimeSeconds: now.timeIntervalSince(facts.startedAt)))
    }

    /// What most shards wait for that have something to do; of two as frequent the one that can be helped.
    private static func bound(_ bounds: [Bound?]) -> Bound? {
        [Bound.database, .window, .network].max { one, other in
            let (left, right) = (bounds.count { $0 == one }, bounds.count { $0 == other })
            return left < right
        }.flatMap { bound in bounds.contains(bound) ? bound : nil }
    }
}

extension Bound {
    /// What to do about it.
    var hint: String {
        switch self {
        case .network: "nothing here holds messages up: they are stored as they come"
        case .window:
            "the broker sends no more before it has our acknowledgements: raise its window (mosquitto: max_inflight_messages, EMQX: max_inflight) or pool.sessions"
        case .database:
            "PostgreSQL is the slowest part: look at its disk, indexes and triggers of the mapped tables, and at synchronous standbys"
        }
    }
}

extension StatusReport.Totals {
    init(_ snapshot: ServiceSnapshot) {
        self.init(
            received: snapshot.received, acknowledged: snapshot.acknowledged, settled: snapshot.settled,
            rows: snapshot.rowsByTable.values.reduce(0, &+), deadLetters: snapshot.deadLetters, redelivered: snapshot.redelivered,
            unrouted: snapshot.unrouted, dropped: snapshot.dropped &+ snapshot.lettersDropped, inFlight: snapshot.inFlight)
    }
}

extension StatusReport.Session {
    init(_ session: SessionSnapshot) {
        self.init(
            clientId: session.clientIdentifier, connected: session.isConnected, subscribed: session.isSubscribed, problem: session.problem,
            since: session.problemSinceMicroseconds.map { timeText(microseconds: $0) }, unacknowledged: session.unacknowledged,
            reconnects: session.counters.reconnects, lost: session.counters.lost,
            refused: session.refused.map { StatusReport.Refused(filter: $0.filter, reason: $0.reason) })
    }
}

extension StatusReport.Mapping {
    init(_ mapping: MappingSnapshot, _ snapshot: ServiceSnapshot) {
        let counters = snapshot.mappings[mapping.name] ?? .init()
        let letters = snapshot.lettersByKey.filter { $0.key.mapping == mapping.name }.values.reduce(0, &+)
        let dropped = (snapshot.messagesDroppedByMapping[mapping.name] ?? 0) &+ (snapshot.lettersDroppedByMapping[mapping.name] ?? 0)
        self.init(
            name: mapping.name, patterns: mapping.patterns, tables: mapping.tables, received: counters.received, rows: counters.rows,
            filtered: counters.filtered, noValues: counters.noValues, deadLetters: letters, dropped: dropped,
            lastMessageAt: counters.lastReceivedMicroseconds == 0 ? nil : timeText(microseconds: counters.lastReceivedMicroseconds),
            lastError: snapshot.lastErrors[mapping.name].map {
                StatusReport.MappingError(at: timeText(microseconds: $0.atMicroseconds), text: $0.text, topic: $0.topic)
            }, parked: mapping.isParked)
    }
}
