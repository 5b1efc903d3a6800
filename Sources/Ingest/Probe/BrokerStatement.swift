import MQTT
import NIOCore

/// What a broker tells of itself on `$SYS` topics, as far as the watch asks for it.
enum BrokerStatement: Equatable {
    /// How long it has been running, in whole seconds, cut.
    case uptime(seconds: UInt32)
    /// Messages that it has dropped since it started, by a counter of its own.
    case dropped(UInt64, counter: String)

    /// Topics of the counters of dropped messages: mosquitto, EMQX.
    private static let droppedTopics = filters("$SYS/broker/publish/messages/dropped", "$SYS/brokers/+/metrics/messages/dropped")
    /// "123 seconds" (mosquitto).
    private static let uptimeTopics = filters("$SYS/broker/uptime")
    /// Bytes of a topic that is looked at.
    private static let topicBytesMaximum = 256
    /// Bytes of a payload that are looked at: the longest number has 20.
    private static let payloadBytesMaximum = 64

    /// What the watch asks for.
    static let subscriptions = (droppedTopics + uptimeTopics).map { Subscription(filter: $0, qos: .atMostOnce) }

    /// Nil: nothing that was asked for, whatever the broker may send, or nothing that can be understood.
    init?(topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, isRetained: Bool) {
        guard topic.count <= Self.topicBytesMaximum else { return nil }
        let text = String(decoding: payload.prefix(Self.payloadBytesMaximum), as: UTF8.self)
        if Self.uptimeTopics.contains(where: { $0.matches(topic) }) {
            // What is retained may be some time old: of a counter it is the first look, of a clock it says nothing.
            guard !isRetained, let seconds = UInt32(text.prefix { $0.isNumber }) else { return nil }
            self = .uptime(seconds: seconds)
        } else if Self.droppedTopics.contains(where: { $0.matches(topic) }) {
            guard payload.count <= Self.payloadBytesMaximum, let count = UInt64(text) else { return nil }
            self = .dropped(count, counter: String(decoding: topic, as: UTF8.self))
        } else {
            return nil
        }
    }

    private static func filters(_ texts: String...) -> [TopicFilter] { texts.compactMap { try? TopicFilter($0) } }
}

/// Adds up the growth of a broker's counters of dropped messages, and says when it is to be told: at most once a minute.
struct DroppedMessages {
    /// Counters that are kept; a cluster has one for each of its nodes. Of more nothing is known.
    static let countersMaximum = 256

    /// The last count of each.
    private(set) var counts: [String: UInt64] = [:]
    private var unreported: UInt64 = 0
    private var reportedAt: NIODeadline?

    /// A counter that starts anew after a restart has grown by what it says.
    /// - Returns: what is to be told, 0 at the first look at a counter; nil: nothing now.
    mutating func growth(_ count: UInt64, of counter: String, now: NIODeadline) -> UInt64? {
        guard let last = counts[counter] else {
            guard counts.count < Self.countersMaximum else { return nil }
            counts[counter] = count
            return 0
        }
        counts[counter] = count
        unreported &+= count >= last ? count - last : count
        guard unreported > 0, reportedAt.map({ now - $0 >= .seconds(60) }) ?? true else { return nil }
        defer { unreported = 0 }
        reportedAt = now
        return unreported
    }
}
