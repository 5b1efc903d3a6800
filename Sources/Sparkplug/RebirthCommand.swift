/// Asks an edge node for all its birth certificates (Sparkplug 3.0.0 §5.15: NCMD with `Node Control/Rebirth` = true).
public struct RebirthCommand: Sendable, Equatable {
    public var group: String
    public var node: String
    /// Protocol Buffers.
    public var payload: [UInt8]

    public var topic: String { "spBv1.0/\(group)/NCMD/\(node)" }

    /// - Parameter milliseconds: the time, since 1970.
    public init(group: String, node: String, milliseconds: UInt64) {
        self.group = group
        self.node = node
        let name = Array("Node Control/Rebirth".utf8)
        // name = 1, timestamp = 3, datatype = 4, boolean_value = 14.
        var metric: [UInt8] = [0x0A, UInt8(name.count)] + name + [0x18]
        Self.append(milliseconds, to: &metric)
        metric += [0x20, Datatype.boolean.rawValue, 0x70, 1]
        payload = [0x08]
        Self.append(milliseconds, to: &payload)
        payload += [0x12, UInt8(metric.count)] + metric
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
