import NIOCore

/// What a shard waits for.
public enum Bound: String, Sendable, CaseIterable {
    /// For messages to come: nothing here holds them up.
    case network
    /// For the broker, which sends no more before it has our acknowledgements (max_inflight, receive maximum, prefetch).
    case window
    /// For PostgreSQL.
    case database
}

/// Finds out what bounds a shard, from how things stand each time that a batch comes back from the writer.
///
/// - The database: the next batch is full by then, so that nothing is read, in half of the cases or more.
/// - The broker's window: the writer is busy for half of the time or more, the next batch is not full, and the unacknowledged messages of a session stand
///   at one and the same ceiling, in three cases of five or more. Ceilings below 8 are not recognised: a quiet session has them by chance.
/// - The network else.
struct BoundWatch {
    private struct Session {
        var ceiling = 0
        var timesAtCeiling = 0
        var samples = 0
    }

    static let period = TimeAmount.seconds(2)
    static let smallestWindow = 8

    private var sessions: [Session]
    private var periodBegan: NIODeadline?
    private var batches = 0
    private var fullBatches = 0
    private var busyNanoseconds: UInt64 = 0
    private var verdict: (bound: Bound, at: NIODeadline)?

    init(sessions: Int) { self.sessions = Array(repeating: Session(), count: sessions) }

    /// A batch has come back.
    /// - Parameters:
    ///   - unacknowledged: of each session by its number, before what the batch settles is acknowledged.
    ///   - isNextFull: nothing is read before this.
    mutating func batchEnded(
        now: NIODeadline, busyNanoseconds: UInt64, isNextFull: Bool, unacknowledged: some Sequence<(session: Int, count: Int)>
    ) {
        let began = periodBegan ?? now
        periodBegan = began
        batches += 1
        fullBatches += isNextFull ? 1 : 0
        self.busyNanoseconds &+= busyNanoseconds
        for (session, count) in unacknowledged where sessions.indices.contains(session) {
            sessions[session].samples += 1
            if count > sessions[session].ceiling {
                sessions[session].ceiling = count
                sessions[session].timesAtCeiling = 1
            } else if count == sessions[session].ceiling {
                sessions[session].timesAtCeiling += 1
            }
        }
        guard now - began >= Self.period else { return }
        verdict = (judge(nanoseconds: (now - began).nanoseconds), now)
        self = BoundWatch(verdict, sessions: sessions.count, from: now)
    }

    private init(_ verdict: (bound: Bound, at: NIODeadline)?, sessions: Int, from now: NIODeadline) {
        self.init(sessions: sessions)
        self.verdict = verdict
        periodBegan = now
    }

    private func judge(nanoseconds: Int64) -> Bound {
        if fullBatches * 2 >= batches { return .database }
        let isBusy = Double(busyNanoseconds) >= Double(nanoseconds) / 2
        let isAtWindow = sessions.contains {
            $0.ceiling >= Self.smallestWindow && $0.samples >= 10 && $0.timesAtCeiling * 5 >= $0.samples * 3
        }
        return isBusy && isAtWindow ? .window : .network
    }

    /// What bounds the shard now; nil when nothing has moved lately.
    /// - Parameter writingSince: when the batch went that is on its way.
    func bound(now: NIODeadline, writingSince: NIODeadline?) -> Bound? {
        if let writingSince, now - writingSince >= Self.period { return .database }
        guard let verdict, now - verdict.at < .nanoseconds(Self.period.nanoseconds * 5) else { return nil }
        return verdict.bound
    }
}
