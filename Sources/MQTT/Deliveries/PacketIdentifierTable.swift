/// What the receiver knows of each packet identifier of the server: one byte each, as many as have been seen (64 KiB at most).
///
/// QoS 1 and QoS 2 do not share: a PUBACK and a PUBREC of one identifier answer different packets.
struct PacketIdentifierTable {
    /// Where an identifier stands in the QoS 2 protocol, receiver's side (MQTT 3.1.1 §4.3.3).
    enum ExactlyOnce: UInt8 {
        /// Not in use.
        case free = 0
        /// PUBLISH came; PUBREC has not gone out.
        case received = 1
        /// Durable and PUBREC went out: a PUBLISH of it is a repeat.
        case stored = 2
        /// PUBREL came; PUBCOMP has not gone out.
        case releasing = 3
    }

    private static let exactlyOnceBits: UInt8 = 0b011
    private static let atLeastOnceBit: UInt8 = 0b100

    private var states: [UInt8] = []
    /// One bit for each identifier that is received or stored: what a PUBLISH would repeat.
    private var heldWords: [UInt64] = []

    /// A QoS 1 PUBLISH came and its PUBACK has not gone out.
    @inline(__always)
    func isAwaitingAcknowledgement(_ identifier: UInt16) -> Bool {
        state(identifier) & Self.atLeastOnceBit != 0
    }

    @inline(__always)
    mutating func setAwaitingAcknowledgement(_ identifier: UInt16, _ isAwaiting: Bool) {
        let others = state(identifier) & ~Self.atLeastOnceBit
        set(identifier, isAwaiting ? others | Self.atLeastOnceBit : others)
    }

    subscript(_ identifier: UInt16) -> ExactlyOnce {
        @inline(__always)
        get { ExactlyOnce(rawValue: state(identifier) & Self.exactlyOnceBits) ?? .free }
        @inline(__always)
        set {
            set(identifier, state(identifier) & ~Self.exactlyOnceBits | newValue.rawValue)
            let bit: UInt64 = 1 << UInt64(identifier & 63)
            let word = Int(identifier >> 6)
            switch newValue {
            case .received, .stored: heldWords[word] |= bit
            case .free, .releasing: heldWords[word] &= ~bit
            }
        }
    }

    /// Identifiers that are received or stored, in rising order.
    var held: [ClosedRange<UInt16>] {
        var ranges: [ClosedRange<UInt16>] = []
        for (index, bits) in heldWords.enumerated() where bits != 0 {
            var rest = bits
            while rest != 0 {
                let start = rest.trailingZeroBitCount
                let length = (~(rest >> UInt64(start))).trailingZeroBitCount
                let lower = UInt16(truncatingIfNeeded: index * 64 + start)
                let upper = lower + UInt16(truncatingIfNeeded: length - 1)
                if let last = ranges.last, last.upperBound + 1 == lower {
                    ranges[ranges.count - 1] = last.lowerBound...upper
                } else {
                    ranges.append(lower...upper)
                }
                rest = start + length == 64 ? 0 : rest & (UInt64.max << UInt64(start + length))
            }
        }
        return ranges
    }

    var holdsNothing: Bool { heldWords.allSatisfy { $0 == 0 } }

    /// Frees every identifier.
    mutating func removeAll() {
        states.removeAll(keepingCapacity: true)
        heldWords.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private func state(_ identifier: UInt16) -> UInt8 {
        let index = Int(identifier)
        return index < states.count ? states[index] : 0
    }

    @inline(__always)
    private mutating func set(_ identifier: UInt16, _ state: UInt8) {
        let index = Int(identifier)
        if index >= states.count { grow(toHold: index) }
        states[index] = state
    }

    @inline(never)
    private mutating func grow(toHold index: Int) {
        var size = max(64, states.count)
        while size <= index { size *= 2 }
        states += [UInt8](repeating: 0, count: size - states.count)
        heldWords += [UInt64](repeating: 0, count: size / 64 - heldWords.count)
    }
}
