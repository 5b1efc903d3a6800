import FuzzSupport
import MQTT

/// What the server is owed, kept a second time and plainly: each message answered once, in order, after it was settled.
struct OwedAnswers {
    private struct Owed {
        var type: UInt8
        var identifier: UInt16
        /// nil: a repeat, which is answered in its turn.
        var sequence: UInt64?
    }

    private var messages: [Owed] = []
    private var releases: [Owed] = []
    /// In the order in which they came; those of a former connection first.
    private var unsettled: [UInt64] = []
    private var formerUnsettled = 0

    // MARK: What came

    mutating func received(_ sequence: UInt64, _ identifier: UInt16, _ qos: QoS) {
        enter(sequence)
        messages.append(Owed(type: qos == .atLeastOnce ? 4 : 5, identifier: identifier, sequence: sequence))
    }

    mutating func repeated(_ identifier: UInt16) { messages.append(Owed(type: 5, identifier: identifier, sequence: nil)) }

    mutating func released(_ sequence: UInt64, _ identifier: UInt16) {
        enter(sequence)
        // Repeats of what is released are not answered any more: the identifier may be another message's by then.
        messages.removeAll { $0.sequence == nil && $0.identifier == identifier }
        releases.append(Owed(type: 7, identifier: identifier, sequence: sequence))
    }

    private mutating func enter(_ sequence: UInt64) {
        claim(formerUnsettled == 0, "a delivery came before those of the former connection were settled")
        claim(!unsettled.contains(sequence), "sequence \(sequence) came twice")
        unsettled.append(sequence)
    }

    // MARK: What is settled

    mutating func takeOldest() -> UInt64? {
        guard !unsettled.isEmpty else { return nil }
        formerUnsettled = max(formerUnsettled - 1, 0)
        return unsettled.removeFirst()
    }

    mutating func takeNewest() -> UInt64? {
        formerUnsettled = min(formerUnsettled, max(unsettled.count - 1, 0))
        return unsettled.popLast()
    }

    /// A delivery of a former connection.
    mutating func takeFormer() -> UInt64? { formerUnsettled > 0 ? takeOldest() : nil }

    // MARK: What is answered

    mutating func sent(_ type: UInt8, _ identifier: UInt16) {
        switch type {
        case 4, 5:
            while let next = messages.first, next.sequence == nil, next.type != type || next.identifier != identifier {
                messages.removeFirst()
            }
            guard let next = messages.first else { return claim(false, "an answer \(type) for \(identifier), and nothing is owed") }
            claim(
                next.type == type && next.identifier == identifier, "\(type) for \(identifier), before \(next.type) for \(next.identifier)")
            claim(next.sequence.map { !unsettled.contains($0) } ?? true, "\(type) for \(identifier) before it was settled")
            messages.removeFirst()
        case 7:
            // One that names no release of ours answers a repeated PUBREL.
            guard let place = releases.firstIndex(where: { $0.identifier == identifier }), let sequence = releases[place].sequence else {
                return
            }
            claim(!unsettled.contains(sequence), "PUBCOMP for \(identifier) before the release was settled")
            releases.remove(at: place)
        default: break
        }
    }

    /// Nothing but repeats is left.
    var isAnswered: Bool { releases.isEmpty && messages.allSatisfy { $0.sequence == nil } }

    // MARK: Connections

    mutating func connectionOpened() { connectionClosed() }

    mutating func connectionClosed() {
        messages = []
        releases = []
        formerUnsettled = unsettled.count
    }
}
