import MQTT
import Payload
import Sparkplug

/// Sparkplug B for an evaluator: a message is decoded once, for the first mapping that takes it, since a birth and a sequence number count once.
struct SparkplugMessages: ~Copyable {
    private let births: SparkplugDecoder.Births
    /// Nil where no mapping reads Sparkplug B.
    private var decoder: SparkplugDecoder?
    private var plan: MappingPlan?
    private var topic = UnsafeRawBufferPointer(start: nil, count: 0)
    private var receivedMicroseconds: Int64 = 0
    /// The payload that was decoded of the message at hand.
    private var decoded: UnsafeRawBufferPointer?
    private var failure: SparkplugError?
    private(set) var notes = SparkplugDecoder.Notes()

    init(births: SparkplugDecoder.Births, isUsed: Bool) {
        self.births = births
        decoder = isUsed ? SparkplugDecoder(births: births) : nil
    }

    mutating func begin(_ topic: UnsafeRawBufferPointer, receivedMicroseconds: Int64, _ plan: MappingPlan) {
        self.topic = topic
        self.receivedMicroseconds = receivedMicroseconds
        self.plan = plan
        decoded = nil
        failure = nil
        notes = SparkplugDecoder.Notes()
    }

    /// JSON text of the message at hand; valid until the next message.
    mutating func document(of payload: UnsafeRawBufferPointer) throws(SparkplugError) -> UnsafeRawBufferPointer {
        if let decoded, decoded.baseAddress == payload.baseAddress, decoded.count == payload.count {
            if let failure { throw failure }
            return decoder?.document ?? UnsafeRawBufferPointer(start: nil, count: 0)
        }
        decoded = payload
        do throws(SparkplugError) {
            try decoder?.decode(topic: topic, payload: payload, receivedMicroseconds: receivedMicroseconds) { [plan] topic in
                plan?.takesAll(of: topic) ?? false
            }
            notes = decoder?.notes ?? notes
        } catch {
            notes = decoder?.notes ?? notes
            failure = error
            throw error
        }
        return decoder?.document ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// A mapping could not take the message at hand: its payload may never have come so far as to be decoded.
    func passOver() {
        if decoded == nil { decoder?.passOver(topic: topic, receivedMicroseconds: receivedMicroseconds) }
    }

    mutating func rebirthCommand() -> RebirthCommand? {
        guard notes.needsBirth, let plan, plan.asksForBirths, plan.asksForBirths(of: topic) else { return nil }
        return decoder?.rebirth(topic: topic, receivedMicroseconds: receivedMicroseconds)
    }
}

extension MappingPlan {
    /// Whether every message that has a sequence number of this node, whatever its device, comes to some mapping: only then does a number that is missing
    /// mean a message that was lost. Asked for births only.
    fileprivate func takesAll(of topic: SparkplugTopic) -> Bool {
        SparkplugTopic.MessageType.allCases.filter(\.isInSequence).allSatisfy { type in
            // No pattern names a device like that, so one that takes it takes all.
            var levels = Array("spBv1.0/".utf8) + topic.group + Array("/\(type.rawValue)/".utf8) + topic.node
            if type.isOfDevice { levels += Array("/\u{1}any\u{1}".utf8) }
            return levels.withUnsafeBytes { takers(of: $0).contains { mappings[$0].decode.needsOrder } }
        }
    }

    /// Whether a mapping that takes the topic wants its node to be asked for its births.
    fileprivate func asksForBirths(of topic: UnsafeRawBufferPointer) -> Bool {
        takers(of: topic).contains { if case .sparkplug(asksForBirths: true) = mappings[$0].decode { true } else { false } }
    }

    private func takers(of topic: UnsafeRawBufferPointer) -> [Int] {
        let matches = UnsafeMutablePointer<RouteMatch>.allocate(capacity: max(mappings.count, 1))
        let starts = UnsafeMutablePointer<Int32>.allocate(capacity: TopicLevels.levelsMaximum + 1)
        defer {
            matches.deallocate()
            starts.deallocate()
        }
        let levels = TopicLevels(topic, starts: starts)
        return (0..<router.route(levels, into: matches)).map { Int(matches[$0].mapping) }
            .filter { mapping in !mappings[mapping].exclude.contains { $0.matches(levels) } }
    }
}
