import NIOCore
import Store

/// Who may use which session, decided by each process for itself from what it sees in the database. A value: it opens no connection and knows no clock.
///
/// A writer is declared dead when this process has seen its row unchanged for the length of a lease, by its own clock and with looks that came in time:
/// so neither clocks that disagree, nor a database that was away for everybody, nor a look after a long sleep, declare anybody dead. The sessions of
/// a pool are shared evenly; a writer with more than its share gives some back, and one with less takes what is free.
struct LeaseProtocol: Sendable {
    /// The database as it was at one look.
    struct View: Sendable, Equatable {
        var writers: [LeaseWriter] = []
        /// By client identifier: who holds it; nil when nobody does.
        var holders: [String: WriterRow?] = [:]
    }

    /// What to do about it.
    struct Decision: Sendable, Equatable {
        /// To be deleted, if they still are as they were seen.
        var bury: [LeaseWriter] = []
        /// Free sessions to be taken, by writer.
        var claims: [WriterRow: [String]] = [:]
        /// How many sessions each writer of this process is to hold.
        var shares: [WriterRow: Int] = [:]
        /// Writers of this process whose row is gone.
        var lost: [WriterRow] = []
    }

    private struct Observation {
        var batch: Int64
        var seen: String
        var silence = TimeAmount.zero
        var lastLook: NIODeadline
    }

    private let lease: TimeAmount
    /// A look that comes later than this after the last one counts for no more silence.
    private let longestStep: TimeAmount
    private var observations: [WriterRow: Observation] = [:]

    /// - Parameter interval: between two looks.
    init(lease: TimeAmount, interval: TimeAmount) {
        precondition(interval > .zero && lease > interval, "a lease is renewed several times before it ends")
        self.lease = lease
        longestStep = .nanoseconds(interval.nanoseconds * 2)
    }

    /// - Parameter mine: the writers of this process, as far as they are registered.
    mutating func decide(_ view: View, mine: [WriterRow], now: NIODeadline) -> Decision {
        var decision = Decision()
        let present = Set(view.writers.map(\.row))
        decision.lost = mine.filter { !present.contains($0) }
        let own = mine.filter { present.contains($0) }
        decision.bury = observe(view.writers.filter { !own.contains($0.row) }, now: now)

        let buried = Set(decision.bury.map(\.row))
        let living = present.subtracting(buried).sorted { $0.identifier.uuidString < $1.identifier.uuidString }
        let sessions = view.holders.keys.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        for (rank, writer) in living.enumerated() where own.contains(writer) {
            decision.shares[writer] = sessions.count / living.count + (rank < sessions.count % living.count ? 1 : 0)
        }
        var held: [WriterRow: Int] = [:]
        for case let holder?? in view.holders.values.map(Optional.some) { held[holder, default: 0] += 1 }
        var free = sessions.filter { name in
            guard let holder = view.holders[name] ?? nil else { return true }
            return buried.contains(holder)
        }[...]
        while let writer = own.max(by: { missing($0, decision, held) < missing($1, decision, held) }), missing(writer, decision, held) > 0,
            let session = free.popFirst()
        {
            decision.claims[writer, default: []].append(session)
            held[writer, default: 0] += 1
        }
        return decision
    }

    private func missing(_ writer: WriterRow, _ decision: Decision, _ held: [WriterRow: Int]) -> Int {
        (decision.shares[writer] ?? 0) - (held[writer] ?? 0)
    }

    /// Looks at the others' rows; those that are dead.
    private mutating func observe(_ others: [LeaseWriter], now: NIODeadline) -> [LeaseWriter] {
        var seen: [WriterRow: Observation] = [:]
        var dead: [LeaseWriter] = []
        for writer in others {
            var observation = Observation(batch: writer.batch, seen: writer.seen, lastLook: now)
            if let last = observations[writer.row], last.batch == writer.batch, last.seen == writer.seen {
                observation.silence = last.silence + min(now - last.lastLook, longestStep)
            }
            seen[writer.row] = observation
            if writer.isCertainlyDead || observation.silence >= lease { dead.append(writer) }
        }
        observations = seen
        return dead
    }

    /// The database could not be looked at: nobody else may have been able to renew anything either.
    mutating func databaseLost() { observations.removeAll() }
}
