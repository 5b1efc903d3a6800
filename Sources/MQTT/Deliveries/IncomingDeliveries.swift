import NIOCore

/// The receiver's side of QoS 1 and 2 (MQTT 3.1.1 §4.3.2, §4.3.3): what came, what is durable, what the server is told and when.
///
/// A delivery outlives its connection: what was handed out before a connection was lost still settles, but is not answered on the next one.
struct IncomingDeliveries {
    /// What a PUBLISH at QoS 1 or 2 is.
    enum Receipt: Equatable {
        /// A message to store; its sequence.
        case delivery(UInt64)
        /// A packet that the session has already: nothing to store.
        case repeated
        /// A new message with the identifier of one that the server has not released: the server has lost the state to which that belongs.
        case contradiction
    }

    /// Sequences of releases have this bit: they are answered in an order of their own, since PUBCOMP need not wait for the PUBRECs of messages that came
    /// before its PUBREL.
    static let releaseBit: UInt64 = 1 << 63

    /// Messages, answered with PUBACK and PUBREC.
    private var messages = AcknowledgementLedger()
    /// Releases, answered with PUBCOMP.
    private var releases = AcknowledgementLedger()
    private var table = PacketIdentifierTable()
    /// The first sequences of the present connection.
    private var firstMessage: UInt64 = 0
    private var firstRelease: UInt64 = 0
    /// The server has forgotten the session to which the deliveries of the former connection belong.
    private var isFormerSessionForgotten = false

    /// Deliveries of a former connection have not all settled.
    var hasUnsettledOfFormerConnection: Bool {
        @inline(__always) get { messages.first < firstMessage || releases.first < firstRelease }
    }

    /// Packets that have not been answered.
    var unacknowledgedCount: Int { messages.count + releases.count }

    /// Identifiers whose PUBLISH would be a repeat, once everything that was handed out is durable.
    var heldIdentifiers: [ClosedRange<UInt16>] { table.held }

    var holdsNoIdentifier: Bool { table.holdsNothing }

    /// Messages that came on this connection and whose PUBACK or PUBCOMP has not gone out: what the receive maximum bounds (MQTT 5.0 §4.9). PUBCOMPs of
    /// messages of a former connection are counted too, so it is never more than the server has by its own count.
    private var underWay = 0

    /// Held identifiers of a former connection that the server has not named on this one.
    private var unconfirmed: Set<UInt16> = []

    // MARK: What the server sends

    /// A PUBLISH at QoS 1.
    ///
    /// The same identifier again before our PUBACK is a repeat if it says so (DUP), else the server breaks [MQTT-2.3.1-4]. A repeat gets no
    /// PUBACK of its own: the server may give the identifier to a new message after the first one, and a second would acknowledge that.
    @inline(__always)
    mutating func receiveAtLeastOnce(_ packetIdentifier: UInt16, isDuplicate: Bool, maximum: Int = .max) throws(MQTTError) -> Receipt {
        guard !table.isAwaitingAcknowledgement(packetIdentifier) else {
            guard isDuplicate else { throw .packetIdentifierInUse(packetIdentifier) }
            return .repeated
        }
        try count(maximum)
        let sequence = try messages.receive(packetIdentifier, answer: .publishAcknowledgement, state: .waiting)
        table.setAwaitingAcknowledgement(packetIdentifier, true)
        return .delivery(sequence)
    }

    /// A PUBLISH at QoS 2: until PUBREL the same identifier is the same message, and each gets a PUBREC ([MQTT-4.3.3-2]).
    ///
    /// On one connection that is so whatever DUP says. On the next one a server MUST set DUP ([MQTT-3.3.1-1]): without it, an identifier that is stored
    /// from before is a new message's, and the server has lost what it knew of the old one, in a crash or since somebody else took the session.
    mutating func receiveExactlyOnce(_ packetIdentifier: UInt16, isDuplicate: Bool, maximum: Int = .max) throws(MQTTError) -> Receipt {
        switch table[packetIdentifier] {
        case .free:
            try count(maximum)
            let sequence = try messages.receive(packetIdentifier, answer: .publishReceived, state: .waiting)
            if !unconfirmed.isEmpty { unconfirmed.remove(packetIdentifier) }
            table[packetIdentifier] = .received
            return .delivery(sequence)
        case .received, .stored:
            if !unconfirmed.isEmpty, unconfirmed.contains(packetIdentifier) {
                guard isDuplicate else { return .contradiction }
                unconfirmed.remove(packetIdentifier)
            }
            _ = try messages.receive(packetIdentifier, answer: .publishReceived, state: .needsNothing)
            return .repeated
        case .releasing:
            throw .packetIdentifierInUse(packetIdentifier)
        }
    }

    /// One more message is under way.
    @inline(__always)
    private mutating func count(_ maximum: Int) throws(MQTTError) {
        guard underWay < maximum else { throw .receiveMaximumExceeded(maximum: maximum) }
        underWay += 1
    }

    /// A PUBREL: the sequence of a release that must become durable before PUBCOMP, or nil when there is none to store.
    mutating func receiveRelease(_ packetIdentifier: UInt16) throws(MQTTError) -> UInt64? {
        if !unconfirmed.isEmpty { unconfirmed.remove(packetIdentifier) }
        switch table[packetIdentifier] {
        case .stored:
            let sequence = try releases.receive(packetIdentifier, answer: .publishComplete, state: .waiting)
            table[packetIdentifier] = .releasing
            return sequence | Self.releaseBit
        case .free:
            // Released before, and our PUBCOMP was lost: the server waits for it.
            _ = try releases.receive(packetIdentifier, answer: .publishComplete, state: .needsNothing)
            return nil
        case .releasing:
            // A second PUBCOMP could reach the server after it gave the identifier to a new message.
            return nil
        case .received:
            throw .releaseBeforeReceipt(packetIdentifier)
        }
    }

    // MARK: What the caller says

    /// - Precondition: each sequence was handed out and is settled for the first time.
    mutating func settle(_ sequences: Range<UInt64>) {
        settle(sequences, as: .durable)
        leaveFormerConnection()
    }

    /// Gives up deliveries whose connection is gone; the server sends them again.
    ///
    /// - Precondition: none of them belongs to the present connection, where giving up would hold back every later acknowledgement.
    mutating func abandon(_ sequences: Range<UInt64>) {
        let start = sequences.lowerBound & Self.releaseBit == 0 ? firstMessage : firstRelease | Self.releaseBit
        precondition(sequences.upperBound <= start, "only deliveries of a former connection can be given up")
        settle(sequences, as: .abandoned)
        leaveFormerConnection()
    }

    private mutating func settle(_ sequences: Range<UInt64>, as state: AcknowledgementLedger.State) {
        if sequences.lowerBound & Self.releaseBit == 0 {
            messages.settle(sequences, as: state)
        } else {
            releases.settle(sequences.lowerBound ^ Self.releaseBit..<sequences.upperBound ^ Self.releaseBit, as: state)
        }
    }

    /// Replaces what is known of identifiers by those that are durable and not released.
    ///
    /// - Precondition: nothing is unacknowledged; zero is no packet identifier.
    mutating func loadStored(_ identifiers: [ClosedRange<UInt16>]) {
        precondition(messages.isEmpty && releases.isEmpty, "stored identifiers are loaded before the first message of a connection")
        table.removeAll()
        for identifier in identifiers.joined() {
            precondition(identifier != 0, "0 is no packet identifier")
            table[identifier] = .stored
        }
        unconfirmed = Set(identifiers.joined())
    }

    /// A connection to a session that the server has: it sends again whatever it has not seen through ([MQTT-4.4.0-1]), and names it thereby.
    mutating func sessionResumed() {
        unconfirmed = Set(table.held.joined())
    }

    /// Frees the stored identifiers that the server has not named: they belong to a session that it has forgotten.
    ///
    /// - Precondition: every delivery of a former connection has settled.
    mutating func freeUnconfirmed() {
        precondition(!hasUnsettledOfFormerConnection, "what is not settled cannot be told from what is forgotten")
        for identifier in unconfirmed where table[identifier] == .stored { table[identifier] = .free }
        unconfirmed = []
    }

    // MARK: Answers

    /// Writes the answers of the longest settled prefix, oldest first: four bytes each, put in place in one go.
    mutating func writeAnswers(to output: inout ByteBuffer) {
        guard !hasUnsettledOfFormerConnection else { return }
        while releases.isFirstSettled {
            write(min(releases.count, Self.answersPerWrite), to: &output) { deliveries in deliveries.releases.popSettled() }
        }
        while messages.isFirstSettled {
            write(min(messages.count, Self.answersPerWrite), to: &output) { deliveries in deliveries.messages.popSettled() }
        }
    }

    @inline(__always)
    private mutating func write(
        _ count: Int, to output: inout ByteBuffer, next: (inout IncomingDeliveries) -> AcknowledgementLedger.Entry?
    ) {
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: count * 4) { space in
            var bytesWritten = 0
            while bytesWritten < count * 4, let entry = next(&self) {
                guard answer(entry) else { continue }
                let packet = UInt32(entry.answer.packetType.firstByte) << 24 | 2 << 16 | UInt32(entry.packetIdentifier)
                space.storeBytes(of: packet.bigEndian, toByteOffset: bytesWritten, as: UInt32.self)
                bytesWritten += 4
            }
            return bytesWritten
        }
    }

    private static let answersPerWrite = 1024
    /// What the answer means for the identifier; false when it is not to be sent.
    @inline(__always)
    private mutating func answer(_ entry: AcknowledgementLedger.Entry) -> Bool {
        switch entry.answer {
        case .publishAcknowledgement:
            table.setAwaitingAcknowledgement(entry.packetIdentifier, false)
            underWay = max(underWay - 1, 0)
        case .publishReceived:
            // A repeat is answered while its message is stored; once that is released, the identifier may be another message's.
            guard entry.state != .needsNothing else { return table[entry.packetIdentifier] == .stored }
            switch table[entry.packetIdentifier] {
            case .received:
                table[entry.packetIdentifier] = .stored
            case .stored, .releasing, .free: preconditionFailure("a message is stored once, and released after its PUBREC")
            }
        case .publishComplete:
            // The answer to a repeated PUBREL frees nothing: the identifier may be a new message's by now.
            if entry.state == .durable { table[entry.packetIdentifier] = .free }
            underWay = max(underWay - 1, 0)
        }
        return true
    }

    // MARK: Connections

    /// Nothing that has come so far is answered any more. May be called more than once.
    mutating func connectionClosed() {
        messages.forEachEntry { entry in
            if entry.answer == .publishAcknowledgement { table.setAwaitingAcknowledgement(entry.packetIdentifier, false) }
        }
        firstMessage = messages.next
        firstRelease = releases.next
        unconfirmed = []
        underWay = 0
        leaveFormerConnection()
    }

    /// The server has no session: identifiers mean nothing any more, those of deliveries under way included.
    mutating func sessionForgotten() {
        table.removeAll()
        isFormerSessionForgotten = hasUnsettledOfFormerConnection
    }

    /// Takes settled deliveries of the former connection out, and keeps what they mean for their identifiers.
    private mutating func leaveFormerConnection() {
        while messages.first < firstMessage, let entry = messages.popSettled() { leave(entry) }
        while releases.first < firstRelease, let entry = releases.popSettled() { leave(entry) }
        if !hasUnsettledOfFormerConnection { isFormerSessionForgotten = false }
    }

    private mutating func leave(_ entry: AcknowledgementLedger.Entry) {
        guard !isFormerSessionForgotten else { return }
        switch (entry.answer, entry.state) {
        case (.publishReceived, .durable), (.publishComplete, .abandoned): table[entry.packetIdentifier] = .stored
        case (.publishReceived, .abandoned), (.publishComplete, .durable): table[entry.packetIdentifier] = .free
        default: return
        }
    }
}
