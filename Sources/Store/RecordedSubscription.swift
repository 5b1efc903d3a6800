import Foundation

/// A subscription as the database knows it of a broker session.
public struct RecordedSubscription: Sendable, Equatable {
    /// What became of it at the broker.
    public enum State: String, Sendable {
        /// SUBSCRIBE is about to go out, or went out, and the answer is not known.
        case asked
        /// The broker has it.
        case granted
        /// The broker would not take it; an older one of the same filter may be there.
        case refused
        /// UNSUBSCRIBE is about to go out, or went out, and the answer is not known.
        case leaving
    }

    /// The filter as it is sent, `$share/group/` included.
    public var filter: String
    /// The QoS that was asked for.
    public var qos: UInt8
    /// The QoS that was granted.
    public var grantedQoS: UInt8?
    /// The subscription identifier that its messages carry.
    public var identifier: UInt32?
    /// Retain handling: 0 always, 1 if new, 2 never.
    public var retainHandling: UInt8
    /// What became of it.
    public var state: State
    /// Why it was refused, in the broker's words.
    public var reason: String?

    /// Makes a record.
    public init(
        filter: String, qos: UInt8, grantedQoS: UInt8? = nil, identifier: UInt32? = nil, retainHandling: UInt8 = 0, state: State,
        reason: String? = nil
    ) {
        self.filter = filter
        self.qos = qos
        self.grantedQoS = grantedQoS
        self.identifier = identifier
        self.retainHandling = retainHandling
        self.state = state
        self.reason = reason
    }

    /// An object of filters, in their order.
    static func json(_ subscriptions: [RecordedSubscription]) -> String {
        var object: [String: [String: Any]] = [:]
        for subscription in subscriptions {
            var entry: [String: Any] = [
                "qos": Int(subscription.qos), "state": subscription.state.rawValue, "retain": Int(subscription.retainHandling),
            ]
            if let granted = subscription.grantedQoS { entry["granted"] = Int(granted) }
            if let identifier = subscription.identifier { entry["identifier"] = Int(identifier) }
            if let reason = subscription.reason { entry["reason"] = reason }
            object[subscription.filter] = entry
        }
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes]) else {
            return "{}"
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Reads what `json` wrote; an entry that says less counts as asked. Nil when it is no object.
    static func list(ofJSON text: String) -> [RecordedSubscription]? {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else { return nil }
        return object.sorted { $0.key < $1.key }.map { filter, value in
            let entry = value as? [String: Any] ?? [:]
            return RecordedSubscription(
                filter: filter, qos: (entry["qos"] as? Int).flatMap { UInt8(exactly: $0) } ?? 0,
                grantedQoS: (entry["granted"] as? Int).flatMap { UInt8(exactly: $0) },
                identifier: (entry["identifier"] as? Int).flatMap { UInt32(exactly: $0) },
                retainHandling: (entry["retain"] as? Int).flatMap { UInt8(exactly: $0) } ?? 0,
                state: (entry["state"] as? String).flatMap { State(rawValue: $0) } ?? .asked, reason: entry["reason"] as? String)
        }
    }
}
