/// Where an edge node publishes: spBv1.0/{group}/{type}/{node}[/{device}] (Sparkplug 3.0.0 §4.1). Points into the topic's bytes.
public struct SparkplugTopic {
    /// What a message is about. `STATE` messages are JSON and no edge node's.
    public enum MessageType: String, Sendable, CaseIterable {
        case nodeBirth = "NBIRTH"
        case nodeDeath = "NDEATH"
        case deviceBirth = "DBIRTH"
        case deviceDeath = "DDEATH"
        case nodeData = "NDATA"
        case deviceData = "DDATA"
        case nodeCommand = "NCMD"
        case deviceCommand = "DCMD"

        /// On a device's topics, which have one level more.
        public var isOfDevice: Bool { self == .deviceBirth || self == .deviceDeath || self == .deviceData || self == .deviceCommand }
        public var isBirth: Bool { self == .nodeBirth || self == .deviceBirth }
        /// Sent by the node, with a sequence number (§6.4.5).
        public var isInSequence: Bool { self != .nodeDeath && self != .nodeCommand && self != .deviceCommand }
        /// Says that there is such a node; a command may be for anybody, and a death is no reason to remember somebody.
        var makesKnown: Bool { isBirth || self == .nodeData || self == .deviceData }
    }

    public var type: MessageType
    public var group: UnsafeRawBufferPointer
    public var node: UnsafeRawBufferPointer
    /// Empty for the node itself.
    public var device: UnsafeRawBufferPointer

    /// - Returns: nil for any other topic.
    /// - Throws: `stateMessage`.
    public init?(_ topic: UnsafeRawBufferPointer) throws(SparkplugError) {
        guard topic.count > 8, topic.starts(with: Self.namespace) else { return nil }
        var levels = (Self.none, Self.none, Self.none, Self.none)
        var count = 0
        var start = 8
        for index in 8...topic.count where index == topic.count || topic[index] == UInt8(ascii: "/") {
            let level = UnsafeRawBufferPointer(rebasing: topic[start..<index])
            start = index + 1
            switch count {
            case 0: levels.0 = level
            case 1: levels.1 = level
            case 2: levels.2 = level
            case 3: levels.3 = level
            default: return nil
            }
            count += 1
        }
        if count == 2, levels.0.elementsEqual("STATE".utf8) { throw .stateMessage }
        guard let type = MessageType.allCases.first(where: { levels.1.elementsEqual($0.rawValue.utf8) }) else { return nil }
        guard count == (type.isOfDevice ? 4 : 3), !levels.0.isEmpty, !levels.2.isEmpty, !type.isOfDevice || !levels.3.isEmpty else {
            return nil
        }
        self.type = type
        group = levels.0
        node = levels.2
        device = levels.3
    }

    /// For words to people: `node G/N` or `device G/N/D`.
    public var place: String {
        let node = "\(String(decoding: group, as: UTF8.self))/\(String(decoding: node, as: UTF8.self))"
        return device.isEmpty ? "node \(node)" : "device \(node)/\(String(decoding: device, as: UTF8.self))"
    }

    private static let namespace = Array("spBv1.0/".utf8)
    private static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}
