import Logging
import NIOCore
import PostgreSQL
import Store

/// Where leases are kept: PostgreSQL, or a model of it. Calls block; one thread makes them.
protocol LeaseStore: AnyObject {
    var isConnected: Bool { get }
    func connect() throws(PostgreSQLError)
    func look(renewing mine: [WriterRow]) throws(PostgreSQLError) -> LeaseProtocol.View
    func enroll(_ writers: [WriterRow]) throws(PostgreSQLError)
    func bury(_ writers: [LeaseWriter]) throws(PostgreSQLError)
    /// Takes those of the sessions that are free or the writer's own.
    func claim(_ sessions: [String], for writer: WriterRow) throws(PostgreSQLError) -> [LeasedSession]
    func withdraw(_ writers: [WriterRow]) throws(PostgreSQLError)
    /// Filters that the pool's sessions have been granted, by client identifier.
    func grantedFilters() throws(PostgreSQLError) -> [String: Set<String>]
}

/// What a shard is told about its leases.
enum LeaseReport: Equatable, Sendable {
    /// It has a row in the database, and may write.
    case enrolled(WriterRow)
    /// It may use these sessions too.
    case granted([LeasedSession])
    /// Nobody takes its sessions before this time. It is to hold so many; more it gives back.
    /// By what the database says it holds these.
    case confirmed(until: NIODeadline, share: Int, held: Set<String>)
    /// Its row is gone: nothing of it can commit, and its sessions may be others'.
    case revoked
    /// It has asked what the pool's sessions have been granted, by client identifier.
    case filters([String: Set<String>])
}

/// Keeps the leases of one process: renews the rows of its shards' writers, looks after the others, takes free sessions. It owns no thread and no timer.
struct LeaseKeeper {
    private struct Shard {
        /// It holds nothing of a former row, and can be given a new one.
        var isReady = true
        var row: WriterRow?
        /// Sessions that it was told of.
        var granted: Set<String> = []
        /// It waits to hear what other sessions have.
        var asksForFilters = false
    }

    private let lease: TimeAmount
    private var shards: [Shard]
    private var decisions: LeaseProtocol
    /// Rows that no shard uses any more: if they are still there, their sessions are to be free at once.
    private var abandoned: [WriterRow] = []
    private let makeRow: () -> WriterRow

    /// - Parameter makeRow: a row with an identifier of its own.
    init(shards: Int, lease: TimeAmount, interval: TimeAmount, makeRow: @escaping () -> WriterRow = { WriterRow() }) {
        self.makeRow = makeRow
        self.lease = lease
        self.shards = Array(repeating: Shard(), count: shards)
        decisions = LeaseProtocol(lease: lease, interval: interval)
    }

    /// The rows that are this process's.
    var rows: [WriterRow] { shards.compactMap(\.row) + abandoned }

    /// The shard has left its former row behind.
    mutating func shardIsReady(_ index: Int) { shards[index].isReady = true }

    /// The shard has found its row gone.
    mutating func shardLostRow(_ index: Int, _ row: WriterRow) {
        if shards[index].row == row { shards[index] = Shard(isReady: false) }
        abandoned.append(row)
    }

    /// The shard wants to know what other sessions have.
    mutating func shardAsksForFilters(_ index: Int) { shards[index].asksForFilters = true }

    /// One look and what follows from it. Reports are to be delivered even when it throws.
    /// - Parameter now: the monotonic clock.
    mutating func step(
        _ store: any LeaseStore, now: () -> NIODeadline, report: (_ shard: Int, LeaseReport) -> Void
    ) throws(PostgreSQLError) {
        do throws(PostgreSQLError) {
            if !store.isConnected {
                decisions.databaseLost()
                try store.connect()
            }
            if !abandoned.isEmpty {
                try store.withdraw(abandoned)
                abandoned = []
            }
            try enroll(store, report)
            let sentAt = now()
            let view = try store.look(renewing: rows)
            let decision = decisions.decide(view, mine: rows, now: now())
            for index in shards.indices {
                guard let row = shards[index].row else { continue }
                if decision.lost.contains(row) {
                    shards[index] = Shard(isReady: false)
                    report(index, .revoked)
                } else {
                    let held = Set(view.holders.filter { $0.value == row }.keys)
                    shards[index].granted.formIntersection(held)
                    report(index, .confirmed(until: sentAt + lease, share: decision.shares[row] ?? 0, held: held))
                }
            }
            if !decision.bury.isEmpty { try store.bury(decision.bury) }
            for index in shards.indices {
                guard let row = shards[index].row else { continue }
                // What is this writer's in the database without the shard's knowledge: the answer to a claim was lost.
                let forgotten = view.holders.filter { $0.value == row }.keys.filter { !shards[index].granted.contains($0) }
                let wanted = forgotten.sorted() + (decision.claims[row] ?? [])
                guard !wanted.isEmpty else { continue }
                let taken = try store.claim(wanted, for: row)
                shards[index].granted.formUnion(taken.map(\.record.clientIdentifier))
                if !taken.isEmpty { report(index, .granted(taken)) }
            }
            if shards.contains(where: \.asksForFilters) {
                let filters = try store.grantedFilters()
                for index in shards.indices where shards[index].asksForFilters {
                    shards[index].asksForFilters = false
                    report(index, .filters(filters))
                }
            }
        } catch {
            if !store.isConnected { decisions.databaseLost() }
            throw error
        }
    }

    private mutating func enroll(_ store: any LeaseStore, _ report: (Int, LeaseReport) -> Void) throws(PostgreSQLError) {
        let ready = shards.indices.filter { shards[$0].isReady && shards[$0].row == nil }
        guard !ready.isEmpty else { return }
        let rows = ready.map { _ in makeRow() }
        try store.enroll(rows)
        for (index, row) in zip(ready, rows) {
            shards[index].row = row
            report(index, .enrolled(row))
        }
    }

    /// Whether a shard waits for a row.
    var isEnrollmentDue: Bool { shards.contains { $0.isReady && $0.row == nil } }
}
