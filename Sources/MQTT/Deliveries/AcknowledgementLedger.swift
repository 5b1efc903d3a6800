/// What the server is owed, in the order in which it asked: a ring of packets, each waiting, then settled, then answered.
///
/// Acknowledgements leave as the longest settled prefix, because PUBACK and PUBREC go out in the order of the PUBLISH packets
/// ([MQTT-4.6.0-2], [MQTT-4.6.0-3]) though what makes them durable may end in another order.
///
/// Sequence numbers are dense and never repeat in the life of a ledger, so that one of a former connection cannot be taken for a new one.
/// The ring grows by doubling, up to 65,535 entries; between growths nothing allocates. An entry takes four bytes.
struct AcknowledgementLedger {
    /// The most entries that may wait at once: there are no more packet identifiers.
    static let entriesMaximum = 65_535

    /// How the server is answered once the entry is settled.
    enum Answer: UInt8 {
        case publishAcknowledgement
        case publishReceived
        case publishComplete

        var packetType: PacketType {
            switch self {
            case .publishAcknowledgement: .publishAcknowledgement
            case .publishReceived: .publishReceived
            case .publishComplete: .publishComplete
            }
        }
    }

    enum State: UInt8 {
        /// The caller has it and has not said that it is durable.
        case waiting
        /// The caller said so.
        case durable
        /// Nothing had to be stored for it: it only waits for its turn.
        case needsNothing
        /// The caller gave it up after its connection was gone.
        case abandoned
    }

    struct Entry {
        var packetIdentifier: UInt16
        var answer: Answer
        var state: State
    }

    /// The oldest sequence that has not left.
    private(set) var first: UInt64 = 0
    /// The sequence that comes next.
    private(set) var next: UInt64 = 0
    private var ring: [Entry] = []

    var count: Int { Int(next &- first) }
    var isEmpty: Bool { next == first }

    /// Enters a packet and gives its sequence.
    ///
    /// - Throws: `tooManyUnacknowledged` when 65,535 are waiting already.
    @inline(__always)
    mutating func receive(_ packetIdentifier: UInt16, answer: Answer, state: State) throws(MQTTError) -> UInt64 {
        if count == ring.count { grow() }
        guard count < Self.entriesMaximum else { throw .tooManyUnacknowledged(maximum: Self.entriesMaximum) }
        let sequence = next
        ring[index(of: sequence)] = Entry(packetIdentifier: packetIdentifier, answer: answer, state: state)
        next &+= 1
        return sequence
    }

    /// Marks packets as durable, in any order of calls. Entries that need nothing may lie within the range.
    ///
    /// - Precondition: each sequence was received and is settled for the first time.
    mutating func settle(_ sequences: Range<UInt64>, as state: State = .durable) {
        precondition(sequences.lowerBound >= first && sequences.upperBound <= next, "sequences \(sequences) are not in \(first)..<\(next)")
        for sequence in sequences {
            let index = index(of: sequence)
            switch ring[index].state {
            case .waiting: ring[index].state = state
            case .needsNothing: continue
            case .durable, .abandoned: preconditionFailure("sequence \(sequence) was settled before")
            }
        }
    }

    /// The oldest entry is settled.
    var isFirstSettled: Bool { first != next && ring[index(of: first)].state != .waiting }

    /// Takes out the oldest entry if it is settled.
    @inline(__always)
    mutating func popSettled() -> Entry? {
        guard first != next else { return nil }
        let entry = ring[index(of: first)]
        guard entry.state != .waiting else { return nil }
        first &+= 1
        return entry
    }

    /// Changes entries that have not left, oldest first.
    mutating func forEachEntry(_ body: (inout Entry) -> Void) {
        for sequence in first..<next { body(&ring[index(of: sequence)]) }
    }

    /// The ring's size is a power of two, so this is in bounds whatever the sequence.
    @inline(__always)
    private func index(of sequence: UInt64) -> Int { Int(truncatingIfNeeded: sequence) & (ring.count - 1) }

    @inline(never)
    private mutating func grow() {
        let size = max(16, ring.count * 2)
        var grown = [Entry](repeating: Entry(packetIdentifier: 0, answer: .publishAcknowledgement, state: .waiting), count: size)
        for sequence in first..<next { grown[Int(truncatingIfNeeded: sequence) & (size - 1)] = ring[index(of: sequence)] }
        ring = grown
    }
}
