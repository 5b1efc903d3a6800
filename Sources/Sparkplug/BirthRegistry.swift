import Synchronization

/// The births that this process has seen, for all its sessions and shards: they may come on one and the data on another.
///
/// Nothing is believed that it has not seen itself. Each message takes the lock once; what a birth holds is made outside it and never changes.
public final class BirthRegistry: Sendable {
    /// What may be kept; a birth beyond is refused.
    public struct Bounds: Sendable {
        public var nodes: Int
        /// Of all nodes and devices together.
        public var metrics: Int
        /// Names, and what finds them.
        public var bytes: Int

        public init(nodes: Int = 50_000, metrics: Int = 5_000_000, bytes: Int = 1 << 30) {
            self.nodes = nodes
            self.metrics = metrics
            self.bytes = bytes
        }
    }

    /// A node is asked for its birth no more often than this (one command answers for all that is missing).
    public static let rebirthIntervalMicroseconds: Int64 = 30_000_000

    private struct State {
        var nodes: [Int: EdgeNode] = [:]
        var size = BirthSize()
        var interruptions: UInt64 = 0
        var gaps: UInt64 = 0
        var rebirths: UInt64 = 0

        mutating func remove(_ key: Int) {
            guard let node = nodes.removeValue(forKey: key) else { return }
            size -= node.size
        }
    }

    private let bounds: Bounds
    private let state = Mutex(State())

    public init(bounds: Bounds = Bounds()) { self.bounds = bounds }

    /// What has been counted, and is kept.
    public struct Figures: Sendable, Equatable {
        public var nodes = 0
        public var metrics = 0
        /// Times that messages of a node were found missing.
        public var gaps: UInt64 = 0
        /// Nodes asked for their births.
        public var rebirths: UInt64 = 0
    }

    public var figures: Figures {
        state.withLock { Figures(nodes: $0.nodes.count, metrics: $0.size.metrics, gaps: $0.gaps, rebirths: $0.rebirths) }
    }

    /// A connection to the broker was lost: births at QoS 0 may have been missed. Nodes of which all messages are seen tell by their sequence numbers; of the
    /// others no birth seen before is believed.
    public func connectionLost() { state.withLock { $0.interruptions &+= 1 } }

    /// What a message finds, and does.
    struct Finding {
        var births: BirthTable?
        var doubt: Doubt
        var hasGap = false
        /// Since when a birth holds; nil for what is no birth.
        var since: Int64?
        var bdSeq: UInt64?
        /// The node should be asked for its birth, whatever the message holds.
        var needsBirth = false
    }

    /// Takes one message of a node.
    /// - Parameters:
    ///   - birth: what a birth holds.
    ///   - isWholeSeen: of births: whether all other messages of the node come to us too.
    ///   - now: microseconds since 1970.
    func take(
        _ topic: SparkplugTopic, _ header: PayloadHeader, birth: BirthTable?, isWholeSeen: Bool, now: Int64
    ) throws(SparkplugError) -> Finding {
        let result = state.withLock { state in take(topic, header, birth, isWholeSeen, now, &state) }
        return try result.get()
    }

    private func take(
        _ topic: SparkplugTopic, _ header: PayloadHeader, _ birth: BirthTable?, _ isWholeSeen: Bool, _ now: Int64, _ state: inout State
    ) -> Result<Finding, SparkplugError> {
        let nothing = Finding(births: nil, doubt: .noBirth)
        let key = Self.hash(topic)
        // Two nodes of one hash: it takes 2³² of them before that is likely, and then the later one drives the earlier one out.
        if let known = state.nodes[key], !known.name.elementsEqual(topic.node) || !known.group.elementsEqual(topic.group) {
            state.remove(key)
        }
        // Taken out, so that what it holds is changed where it lies.
        var node: EdgeNode
        if let known = state.nodes.removeValue(forKey: key) {
            node = known
        } else {
            guard topic.type.makesKnown else { return .success(nothing) }
            guard makeRoom(&state, for: topic.type) else {
                return birth == nil ? .success(nothing) : .failure(.tooManyBirths("there are \(bounds.nodes) edge nodes already"))
            }
            node = EdgeNode(group: Array(topic.group), name: Array(topic.node))
        }
        defer { state.nodes[key] = node }
        if let birth {
            let replaced = node.sizeReplaced(byBirthOf: topic.device)
            guard state.size.metrics - replaced.metrics + birth.size.metrics <= bounds.metrics,
                state.size.bytes - replaced.bytes + birth.size.bytes <= bounds.bytes
            else { return .failure(.tooManyBirths("there would be more than \(bounds.metrics) metrics, or \(bounds.bytes) bytes of them")) }
        }
        state.size -= node.size
        var finding = nothing
        switch (topic.type, birth) {
        case (.nodeBirth, let table?):
            finding.since = node.nodeBirth(
                table, seq: header.seq, bdSeq: header.bdSeq, isWholeSeen: isWholeSeen, interruptions: state.interruptions, now: now)
        case (.deviceBirth, let table?):
            let (since, hasGap) = node.deviceBirth(
                table, device: topic.device, seq: header.seq, isWholeSeen: isWholeSeen, interruptions: state.interruptions, now: now)
            finding.since = since
            finding.hasGap = hasGap
            finding.needsBirth = !node.isBorn && isWholeSeen
        case (.deviceDeath, _): finding.hasGap = node.deviceDeath(topic.device, seq: header.seq, now: now)
        case (.nodeDeath, _): _ = node.nodeDeath(bdSeq: header.bdSeq)
        case (.nodeData, _), (.deviceData, _): finding.hasGap = node.data(seq: header.seq, now: now)
        default: break
        }
        state.size += node.size
        finding.bdSeq = node.bdSeq
        (finding.births, finding.doubt) = node.births(of: topic.device, interruptions: state.interruptions)
        if finding.births == nil, topic.type == .nodeData || topic.type == .deviceData {
            node.noteDoubt(now: now)
            finding.needsBirth = true
        }
        if finding.hasGap {
            state.gaps &+= 1
            finding.needsBirth = true
        }
        return .success(finding)
    }

    /// Takes a birth that cannot be taken: its node, or its device, has none from now on.
    /// - Parameter header: nil where not even that could be read.
    func refuse(_ topic: SparkplugTopic, _ header: PayloadHeader?, now: Int64) {
        state.withLock { state in
            let key = Self.hash(topic)
            guard var node = state.nodes.removeValue(forKey: key) else { return }
            state.size -= node.size
            if node.birthRefused(topic.device, header, now: now) { state.gaps &+= 1 }
            state.size += node.size
            state.nodes[key] = node
        }
    }

    /// Whether the node may be asked for its births now; then it counts as asked.
    func mayAsk(_ topic: SparkplugTopic, now: Int64) -> Bool {
        state.withLock { state in
            // A node for which there is no room is not asked: nothing would remember that it was.
            guard let asked = state.nodes[Self.hash(topic)].map(\.askedAt) else { return false }
            if let asked, now >= asked, now - asked < Self.rebirthIntervalMicroseconds { return false }
            state.nodes[Self.hash(topic)]?.askedAt = now
            state.nodes[Self.hash(topic)]?.noteDoubt(now: now)
            state.rebirths &+= 1
            return true
        }
    }

    /// With all places taken, nodes without births give theirs to a birth.
    private func makeRoom(_ state: inout State, for type: SparkplugTopic.MessageType) -> Bool {
        if state.nodes.count < bounds.nodes { return true }
        guard type.isBirth else { return false }
        for (key, node) in state.nodes where node.standings.isEmpty { state.nodes[key] = nil }
        return state.nodes.count < bounds.nodes
    }

    private static func hash(_ topic: SparkplugTopic) -> Int {
        var hasher = Hasher()
        hasher.combine(topic.group.count)
        hasher.combine(bytes: topic.group)
        hasher.combine(bytes: topic.node)
        return hasher.finalize()
    }
}
