import Synchronization

/// Asks the database, while the tap holds an acknowledgement in its hand, whether the reading that it acknowledges stands in the table.
final class CommitWatch: Sendable {
    private struct State {
        var probe: DatabaseProbe?
        var acknowledgedCount = 0
        var lookCount = 0
        var tooEarly: [Int] = []
        var failure: (any Error)?
    }

    private let state = Mutex(State())
    private let every: Int

    /// - Parameter every: looks at each acknowledgement whose number this divides.
    init(every: Int) { self.every = every }

    /// What it is asked through; before, it looks at nothing.
    func use(_ probe: DatabaseProbe) { state.withLock { $0.probe = probe } }

    /// For the tap.
    func see(_ passage: WireTap.Passage) {
        guard passage.kind == .publishAcknowledgement || passage.kind == .publishReceived, passage.direction == .toBroker,
            let sequence = passage.sequence
        else { return }
        state.withLock { state in
            state.acknowledgedCount += 1
            guard state.acknowledgedCount % every == 0, let probe = state.probe else { return }
            do {
                state.lookCount += 1
                if try probe.number("SELECT count(*) FROM readings WHERE seq = \(sequence)") == 0 { state.tooEarly.append(sequence) }
            } catch {
                state.failure = error
            }
        }
    }

    /// How often it has looked, and the readings that were acknowledged before they stood in the table.
    func findings() throws -> (lookCount: Int, tooEarly: [Int]) {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return (state.lookCount, state.tooEarly)
        }
    }
}
