import PostgreSQL

/// A birth certificate of Sparkplug B, as `penstock.sparkplug_birth` has it.
public struct StoredBirth: Sendable {
    /// Whose: an empty device stands for the edge node itself.
    public struct Key: Sendable, Hashable {
        public var group: String
        public var node: String
        public var device: String

        public init(group: String, node: String, device: String) {
            self.group = group
            self.node = node
            self.device = device
        }
    }

    public var key: Key
    /// By the clock of the edge node, milliseconds since 1970; nil where the payload has none.
    public var bornMilliseconds: UInt64?
    public var bdSeq: UInt64?
    /// Microseconds since 1970, UTC.
    public var receivedMicroseconds: Int64
    /// From when on its aliases are known to hold, microseconds since 1970, UTC.
    public var sinceMicroseconds: Int64
    /// The same for births that define the same.
    public var digest: UInt64
    public var payload: [UInt8]

    public init(
        key: Key, bornMilliseconds: UInt64?, bdSeq: UInt64?, receivedMicroseconds: Int64, sinceMicroseconds: Int64, digest: UInt64,
        payload: [UInt8]
    ) {
        self.key = key
        self.bornMilliseconds = bornMilliseconds
        self.bdSeq = bdSeq
        self.receivedMicroseconds = receivedMicroseconds
        self.sinceMicroseconds = sinceMicroseconds
        self.digest = digest
        self.payload = payload
    }

    /// Takes the place of a former one of the same key. The same definitions in the same session of the node have held since the former one.
    public mutating func replace(_ former: StoredBirth) {
        guard former.digest == digest, let bdSeq, former.bdSeq == bdSeq else { return }
        sinceMicroseconds = min(sinceMicroseconds, former.sinceMicroseconds)
    }
}

/// The statements about `penstock.sparkplug_birth`.
public enum BirthCertificateTable {
    /// Writes births, each key once, in the order of their keys: two writers then cannot wait for each other.
    public static func upsert(_ births: [StoredBirth]) -> String {
        let sorted = births.sorted { ($0.key.group, $0.key.node, $0.key.device) < ($1.key.group, $1.key.node, $1.key.device) }
        let rows = sorted.map { birth in
            """
            (\(quoteLiteral(birth.key.group)), \(quoteLiteral(birth.key.node)), \(quoteLiteral(birth.key.device)), \
            \(time(milliseconds: birth.bornMilliseconds)), \(birth.bdSeq.map { "\($0)" } ?? "NULL::numeric"), \(time(birth.receivedMicroseconds)), \
            \(time(birth.sinceMicroseconds)), \(bytes(withUnsafeBytes(of: birth.digest.bigEndian, Array.init))), \(bytes(birth.payload)))
            """
        }
        return """
            INSERT INTO penstock.sparkplug_birth AS b (group_id, node, device, born, bd_seq, received, since, definition, payload)
            VALUES \(rows.joined(separator: ", "))
            ON CONFLICT (group_id, node, device) DO UPDATE SET born = excluded.born, bd_seq = excluded.bd_seq, received = excluded.received,
                since = CASE WHEN b.definition = excluded.definition AND b.bd_seq = excluded.bd_seq THEN least(b.since, excluded.since)
                    ELSE excluded.since END,
                definition = excluded.definition, payload = excluded.payload, updated = now()
            """
    }

    /// The births of nodes that are on the topics of dead letters, one after the other.
    public static func forDeadLetters(
        _ connection: borrowing Connection,
        _ body: (StoredBirth.Key, _ sinceMicroseconds: Int64, _ receivedMicroseconds: Int64, _ payload: [UInt8]) -> Void
    ) throws(PostgreSQLError) {
        let keys = try connection.query(
            """
            SELECT b.group_id, b.node, b.device FROM penstock.sparkplug_birth AS b JOIN (
                SELECT DISTINCT split_part(topic, '/', 2) AS group_id, split_part(topic, '/', 4) AS node
                FROM penstock.dead_letter WHERE starts_with(topic, 'spBv1.0/')
            ) AS d USING (group_id, node)
            """)
        try read(keys, connection, body)
    }

    /// The births of a node and its devices, one after the other.
    public static func forNode(
        group: String, node: String, _ connection: borrowing Connection,
        _ body: (StoredBirth.Key, _ sinceMicroseconds: Int64, _ receivedMicroseconds: Int64, _ payload: [UInt8]) -> Void
    ) throws(PostgreSQLError) {
        let keys = try connection.query(
            "SELECT group_id, node, device FROM penstock.sparkplug_birth WHERE group_id = $1 AND node = $2", [group, node])
        try read(keys, connection, body)
    }

    private static func read(
        _ keys: [[String?]], _ connection: borrowing Connection,
        _ body: (StoredBirth.Key, _ sinceMicroseconds: Int64, _ receivedMicroseconds: Int64, _ payload: [UInt8]) -> Void
    ) throws(PostgreSQLError) {
        // One at a time: a birth may be as large as a message.
        for key in keys {
            let rows = try connection.query(
                """
                SELECT (extract(epoch FROM since) * 1000000)::bigint, (extract(epoch FROM received) * 1000000)::bigint, encode(payload, 'hex')
                FROM penstock.sparkplug_birth
                WHERE group_id = $1 AND node = $2 AND device = $3
                """, key.map { $0 ?? "" })
            guard key.count == 3, let row = rows.first, let since = row[0].flatMap({ Int64($0) }),
                let received = row[1].flatMap({ Int64($0) })
            else { continue }
            body(
                StoredBirth.Key(group: key[0] ?? "", node: key[1] ?? "", device: key[2] ?? ""), since, received,
                LetterProperties.bytes(ofHex: row[2] ?? ""))
        }
    }

    private static func time(_ microseconds: Int64) -> String {
        "'1970-01-01 00:00:00+00'::timestamptz + \(microseconds) * interval '1 microsecond'"
    }

    /// A clock that is far off is no reason to refuse a batch.
    private static func time(milliseconds: UInt64?) -> String {
        guard let milliseconds, milliseconds < 253_402_300_800_000 else { return "NULL::timestamptz" }
        return "to_timestamp(\(milliseconds) / 1000.0)"
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func bytes(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return "decode('\(String(decoding: text, as: UTF8.self))', 'hex')"
    }
}
