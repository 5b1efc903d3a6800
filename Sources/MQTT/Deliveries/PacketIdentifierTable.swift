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
        set { set(identifier, state(identifier) & ~Self.exactlyOnceBits | newValue.rawValue) }
    }

    /// Every identifier whose message is durable and not yet released.
    var stored: [UInt16] {
        states.indices.map { UInt16(truncatingIfNeeded: $0) }.filter { self[$0] == .stored || self[$0] == .releasing }
    }

    /// Frees every identifier.
    mutating func removeAll() { states.removeAll(keepingCapacity: true) }

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
    }
}
