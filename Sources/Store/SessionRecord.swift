import PostgreSQL

/// What the database is to know of a broker session, whole: written in the transaction of the rows that belong to it.
public struct SessionRecord: Sendable, Equatable {
    public var clientIdentifier: String
    /// Packet identifiers of QoS 2 messages that are stored and not released, as ranges in rising order.
    public var storedIdentifiers: [ClosedRange<UInt16>]
    /// A CONNECT is about to go out, and its answer is not known yet.
    public var isConnecting: Bool
    /// The writer gives the session back: anybody may take it.
    public var isReleased: Bool
    /// What the broker has, or may have, for the session: never less than it really has. Nil: as the database has it.
    public var subscriptions: [RecordedSubscription]?
    /// Before this time a restart of the broker may have taken shared subscriptions unnoticed; in microseconds since 1970, UTC.
    public var subscribedMicroseconds: Int64?
    /// The address of the broker of which all this is known.
    public var broker: String?

    public init(
        clientIdentifier: String, storedIdentifiers: [ClosedRange<UInt16>], isConnecting: Bool, isReleased: Bool = false,
        subscriptions: [RecordedSubscription]? = nil, subscribedMicroseconds: Int64? = nil, broker: String? = nil
    ) {
        self.clientIdentifier = clientIdentifier
        self.storedIdentifiers = storedIdentifiers
        self.isConnecting = isConnecting
        self.isReleased = isReleased
        self.subscriptions = subscriptions
        self.subscribedMicroseconds = subscribedMicroseconds
        self.broker = broker
    }

    /// The identifiers as an `int4multirange` in text: `{[1,5],[9,9]}`.
    var multirange: String { "{" + storedIdentifiers.map { "[\($0.lowerBound),\($0.upperBound)]" }.joined(separator: ",") + "}" }

    /// Reads what PostgreSQL writes for an `int4multirange`: `{[1,6),[9,10)}`. Nil when it is none, or holds what is no packet identifier.
    static func ranges(ofMultirange text: String) -> [ClosedRange<UInt16>]? {
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return nil }
        var ranges: [ClosedRange<UInt16>] = []
        for piece in text.dropFirst().dropLast().split(separator: "[") {
            let bounds = piece.prefix { $0 != ")" }.split(separator: ",", omittingEmptySubsequences: false)
            guard bounds.count == 2, let lower = UInt16(bounds[0]), let upper = Int(bounds[1]), lower > 0, upper > lower,
                let last = UInt16(exactly: upper - 1)
            else { return nil }
            ranges.append(lower...last)
        }
        return ranges
    }
}

extension WriterRow {
    /// The statement that writes the records; it fails with `notAtBatch` when this writer does not hold one of the sessions.
    public func record(_ records: [SessionRecord]) -> String {
        func array(_ items: [String]) -> String { "ARRAY[" + items.joined(separator: ",") + "]" }
        return """
            SELECT penstock.record_sessions('\(identifier.uuidString)', \(array(records.map { quoteLiteral($0.clientIdentifier) })), \
            \(array(records.map { "'\($0.multirange)'" }))::int4multirange[], \(array(records.map { String($0.isConnecting) })), \
            \(array(records.map { String($0.isReleased) })), \
            \(array(records.map { $0.subscriptions.map { quoteLiteral(RecordedSubscription.json($0)) } ?? "NULL" }))::jsonb[], \
            \(array(records.map { $0.subscribedMicroseconds.map { "to_timestamp(\($0) / 1000000.0)" } ?? "NULL" }))::timestamptz[], \
            \(array(records.map { $0.broker.map { quoteLiteral($0) } ?? "NULL" }))::text[])
            """
    }
}
