import PostgreSQL

/// `penstock.session` for people: what is there, and taking away what nobody uses.
public enum SessionTable {
    /// A session as it is recorded.
    public struct Entry: Sendable {
        public var clientIdentifier: String
        /// Process and host of the writer that holds it, and how long ago it was seen; nil: nobody does.
        public var holder: String?
        public var subscriptions: [RecordedSubscription]
        /// Packet identifiers of QoS 2 messages that are stored and not released.
        public var storedIdentifierCount: Int
        public var isConnecting: Bool
        /// As PostgreSQL writes it.
        public var updated: String
    }

    /// All sessions, those with shorter client identifiers first.
    public static func list(_ connection: borrowing Connection) throws(PostgreSQLError) -> [Entry] {
        let rows = try connection.query(
            """
            SELECT s.client_id, 'process ' || w.process || ' on ' || w.host || ', seen ' || round(extract(epoch FROM now() - w.seen)) || ' s ago',
                s.subscriptions::text, (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(s.stored_ids) AS r), s.connecting, s.updated
            FROM penstock.session AS s LEFT JOIN penstock.writer AS w ON w.id = s.writer ORDER BY length(s.client_id), s.client_id
            """)
        return rows.map { row in
            Entry(
                clientIdentifier: row[0] ?? "", holder: row[1], subscriptions: RecordedSubscription.list(ofJSON: row[2] ?? "") ?? [],
                storedIdentifierCount: row[3].flatMap { Int($0) } ?? 0, isConnecting: row[4] == "t", updated: row[5] ?? "")
        }
    }

    /// Whether a session can be taken away.
    public enum Holder: Sendable {
        case unknown
        case held(by: String)
        case free
    }

    /// Begins a transaction that keeps everybody from taking the session; `drop` ends it, or the end of the connection.
    public static func lock(_ clientIdentifier: String, _ connection: borrowing Connection) throws(PostgreSQLError) -> Holder {
        _ = try connection.query("BEGIN")
        let rows = try connection.query("SELECT writer::text FROM penstock.session WHERE client_id = $1 FOR UPDATE", [clientIdentifier])
        guard let row = rows.first else { return .unknown }
        guard let writer = row[0] else { return .free }
        let holder = try connection.query("SELECT 'process ' || process || ' on ' || host FROM penstock.writer WHERE id = $1", [writer])
        return .held(by: (holder.first?.first ?? nil) ?? "another process")
    }

    /// Takes the locked session away.
    public static func drop(_ clientIdentifier: String, _ connection: borrowing Connection) throws(PostgreSQLError) {
        _ = try connection.query("DELETE FROM penstock.session WHERE client_id = $1", [clientIdentifier])
        _ = try connection.query("COMMIT")
    }
}
