/// What is known of one edge node: the births in force, and whether its sequence of messages has held since (Sparkplug 3.0.0 §5.8, §6.4).
///
/// An alias means what the last birth says. When a message is missing, that birth may be one that was missed: then no alias is believed until the next birth.
/// Data that carry names need no belief, and are taken as they are.
struct EdgeNode {
    /// A birth certificate, and when it was believed.
    struct Standing {
        var device: [UInt8]
        var table: BirthTable
        var generation: UInt32
        var interruptions: UInt64
    }

    /// How long after the first data that needed it a birth still speaks for them.
    static let answerMicroseconds: Int64 = 300_000_000

    let group: [UInt8]
    let name: [UInt8]
    private(set) var standings: [Int: Standing] = [:]
    private(set) var isBorn = false
    private var last: UInt8?
    private(set) var bdSeq: UInt64?
    /// Counts the times that messages were found missing: a standing of an earlier one is in doubt.
    private var generation: UInt32 = 0
    /// All messages of the node come to us, so that one that is missing shows.
    private var isWholeSeen = false
    /// The first message that the births at hand could not answer for, since the last death.
    private var doubtedSince: Int64?
    /// From when on the births that follow that of the node hold; nil: each from its own coming, since others may have been before it.
    private var since: Int64?
    var askedAt: Int64?
    private(set) var gaps: UInt64 = 0

    init(group: [UInt8], name: [UInt8]) {
        self.group = group
        self.name = name
    }

    /// Of all births in force.
    private(set) var size = BirthSize()

    /// What a birth for that device, or for the node itself, takes the place of.
    func sizeReplaced(byBirthOf device: UnsafeRawBufferPointer) -> BirthSize {
        device.isEmpty ? size : standing(of: device)?.table.size ?? BirthSize()
    }

    // MARK: Messages

    /// NBIRTH: a session begins; whatever was born before is not any more (§5.4).
    /// - Returns: since when it holds.
    mutating func nodeBirth(
        _ table: BirthTable, seq: UInt64?, bdSeq: UInt64?, isWholeSeen: Bool, interruptions: UInt64, now: Int64
    ) -> Int64 {
        removeAll()
        isBorn = true
        last = seq.map { UInt8(truncatingIfNeeded: $0) }
        // Of another session than the one that was known: what was in doubt may have been of either.
        let since = self.bdSeq == nil || self.bdSeq == bdSeq ? answers(now) : now
        self.bdSeq = bdSeq
        self.isWholeSeen = isWholeSeen
        self.since = since
        doubtedSince = nil
        install(table, device: [], interruptions)
        return since
    }

    /// DBIRTH: a device of the session.
    /// - Returns: since when it holds, and whether messages before it are missing.
    mutating func deviceBirth(
        _ table: BirthTable, device: UnsafeRawBufferPointer, seq: UInt64?, isWholeSeen: Bool, interruptions: UInt64, now: Int64
    ) -> (since: Int64, hasGap: Bool) {
        if !isBorn { self.isWholeSeen = isWholeSeen }
        let hasGap = follow(seq, now)
        // The first one since the node's birth belongs to it; a later one may define something else.
        let isFirst = standing(of: device) == nil && !hasGap
        let since = isFirst ? isBorn ? self.since ?? now : answers(now) : now
        // What it ends, no later answer can speak for.
        if isBorn { doubtedSince = nil }
        install(table, device: Array(device), interruptions)
        return (since, hasGap)
    }

    mutating func data(seq: UInt64?, now: Int64) -> Bool { follow(seq, now) }

    mutating func deviceDeath(_ device: UnsafeRawBufferPointer, seq: UInt64?, now: Int64) -> Bool {
        let hasGap = follow(seq, now)
        since = nil
        doubtedSince = nil
        if let former = standings.removeValue(forKey: BirthTable.hash(device)) { size -= former.table.size }
        return hasGap
    }

    /// NDEATH: of the session that it names, or of an earlier one that is over anyway (§5.5: the last will of a connection that was lost may come late).
    /// - Returns: whether it was of this session.
    mutating func nodeDeath(bdSeq: UInt64?) -> Bool {
        if let bdSeq, let own = self.bdSeq, bdSeq != own { return false }
        removeAll()
        isBorn = false
        last = nil
        self.bdSeq = nil
        doubtedSince = nil
        return true
    }

    /// A birth came that could not be taken: what it says takes the place of what was said before all the same, and nobody knows what that is.
    /// - Parameter header: nil where not even that could be read.
    /// - Returns: whether messages before it are missing.
    mutating func birthRefused(_ device: UnsafeRawBufferPointer, _ header: PayloadHeader?, now: Int64) -> Bool {
        guard device.isEmpty else { return deviceDeath(device, seq: header?.seq ?? last.map { UInt64($0) }, now: now) }
        removeAll()
        isBorn = false
        last = nil
        bdSeq = nil
        doubtedSince = nil
        return false
    }

    /// Data came that no birth answers for.
    mutating func noteDoubt(now: Int64) { if doubtedSince == nil { doubtedSince = now } }

    /// The births of a node, or of a device with an empty name for the node itself, if they are believed.
    func births(of device: UnsafeRawBufferPointer, interruptions: UInt64) -> (table: BirthTable?, doubt: Doubt) {
        guard let standing = standing(of: device) else { return (nil, .noBirth) }
        guard standing.generation == generation else { return (nil, .gap) }
        guard isWholeSeen || standing.interruptions == interruptions else { return (nil, .interruption) }
        return (standing.table, .notInBirth)
    }

    // MARK: Parts

    private func answers(_ now: Int64) -> Int64 {
        guard let doubtedSince, doubtedSince <= now, now - doubtedSince <= Self.answerMicroseconds else { return now }
        return doubtedSince
    }

    private func standing(of device: UnsafeRawBufferPointer) -> Standing? {
        guard let standing = standings[BirthTable.hash(device)], standing.device.elementsEqual(device) else { return nil }
        return standing
    }

    private mutating func install(_ table: BirthTable, device: [UInt8], _ interruptions: UInt64) {
        let hash = device.withUnsafeBytes { BirthTable.hash($0) }
        let standing = Standing(device: device, table: table, generation: generation, interruptions: interruptions)
        if let former = standings.updateValue(standing, forKey: hash) { size -= former.table.size }
        size += table.size
    }

    private mutating func removeAll() {
        standings.removeAll()
        size = BirthSize()
    }

    /// Takes a sequence number: one more than the last, from 255 on 0 again (§6.4.5). The last one once more is a message that was delivered twice.
    /// - Returns: whether messages are missing.
    private mutating func follow(_ seq: UInt64?, _ now: Int64) -> Bool {
        guard let former = last else {
            // Without a birth's number there is nothing to go by.
            if !isBorn { last = seq.map { UInt8(truncatingIfNeeded: $0) } }
            return false
        }
        let number = seq.map { UInt8(truncatingIfNeeded: $0) }
        if number == former { return false }
        if let number { last = number }
        guard isWholeSeen, number != former &+ 1 else { return false }
        generation &+= 1
        gaps &+= 1
        since = nil
        noteDoubt(now: now)
        return true
    }
}
