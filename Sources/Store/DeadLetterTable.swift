import PostgreSQL

/// A row of `penstock.dead_letter`, as far as replaying needs it.
public struct DeadLetter: Sendable {
    public var identifier: Int64
    public var topic: [UInt8]
    public var payload: [UInt8]
    /// Microseconds since 1970, UTC.
    public var receivedMicroseconds: Int64
    public var qos: UInt8
    public var isRetained: Bool
    /// nil: no mapping took the message.
    public var mapping: String?
    /// Those of MQTT 5.0, as `PublishPropertiesWriter` makes them.
    public var properties: [UInt8]
    /// Sparkplug B could not be decoded, for want of a birth certificate as a rule: nothing that was read of it was certain.
    public var wasRefusedAsSparkplug: Bool
    /// The address of the broker that handed it over; empty where it was not kept.
    public var broker: String
}

/// Which dead letters are meant.
public struct DeadLetterFilter: Sendable {
    public var mappings: [String]?
    public var stage: DeadLetterStage?
    /// A point in time or an age, as PostgreSQL reads it: `2026-01-31T12:00:00Z`, or `2 hours` with `isAge`.
    public var since: (text: String, isAge: Bool)?

    public init(mappings: [String]? = nil, stage: DeadLetterStage? = nil, since: (text: String, isAge: Bool)? = nil) {
        self.mappings = mappings
        self.stage = stage
        self.since = since
    }

    fileprivate var condition: String {
        var parts = ["true"]
        if let mappings { parts.append("mapping IN (NULL\(mappings.map { "," + quoteLiteral($0) }.joined()))") }
        if let stage { parts.append("stage =\(quoteLiteral(stage.rawValue))") }
        if let since {
            let text = quoteLiteral(since.text)
            parts.append(since.isAge ? "received >= now() -\(text)::interval" : "received >=\(text)::timestamptz")
        }
        return parts.joined(separator: " AND ")
    }
}

/// The statements by which dead letters are read and settled.
public enum DeadLetterTable {
    /// How many there are, and the last of them.
    public static func extent(
        _ connection: borrowing Connection, _ filter: DeadLetterFilter
    ) throws(PostgreSQLError) -> (count: Int, last: Int64) {
        let row = try connection.query("SELECT count(*), max(id) FROM penstock.dead_letter WHERE \(filter.condition)").first ?? []
        return (row.first.flatMap { $0 }.flatMap { Int($0) } ?? 0, row.last.flatMap { $0 }.flatMap { Int64($0) } ?? 0)
    }

    /// The next letters behind `after`, in the order of storing: as many as fit the bounds, at least one.
    public static func next(
        _ connection: borrowing Connection, _ filter: DeadLetterFilter, after: Int64, upTo last: Int64, maximum: Int, maximumBytes: Int
    ) throws(PostgreSQLError) -> [DeadLetter] {
        let sizes = try connection.query(
            """
            SELECT id, octet_length(payload) FROM penstock.dead_letter WHERE id > $1 AND id <= $2 AND \(filter.condition)
            ORDER BY id LIMIT \(maximum)
            """, [String(after), String(last)])
        var size = 0
        var identifiers: [String] = []
        for row in sizes {
            size += row[1].flatMap { Int($0) } ?? 0
            if !identifiers.isEmpty, size > maximumBytes { break }
            identifiers.append(row[0] ?? "0")
        }
        guard !identifiers.isEmpty else { return [] }
        let rows = try connection.query(
            """
            SELECT id, topic, encode(payload, 'hex'), (extract(epoch FROM received) * 1000000)::bigint, qos, retain, mapping, properties::text,
                   stage = 'decode' AND starts_with(error, 'decode sparkplug: ')
            FROM penstock.dead_letter WHERE id = ANY ($1::bigint[]) ORDER BY id
            """, ["{" + identifiers.joined(separator: ",") + "}"])
        return rows.map { row in
            DeadLetter(
                identifier: row[0].flatMap { Int64($0) } ?? 0, topic: Array((row[1] ?? "").utf8),
                payload: LetterProperties.bytes(ofHex: row[2] ?? ""),
                receivedMicroseconds: row[3].flatMap { Int64($0) } ?? 0, qos: row[4].flatMap { UInt8($0) } ?? 0, isRetained: row[5] == "t",
                mapping: row[6], properties: row[7].map { LetterProperties.bytes(ofJSON: $0) } ?? [],
                wasRefusedAsSparkplug: row[8] == "t", broker: row[7].flatMap { LetterProperties.broker(ofJSON: $0) } ?? "")
        }
    }

    /// Keeps others from replaying the same letters at the same time.
    public static func lock(_ letters: [Int64]) -> ScriptStep {
        .sql("SELECT FROM penstock.dead_letter WHERE id = ANY (\(array(letters))) ORDER BY id FOR UPDATE")
    }

    /// Deletes letters that have become rows; fails with `WriterRow.notAtBatch` when one is gone.
    public static func remove(_ letters: [Int64]) -> ScriptStep { .sql("SELECT penstock.remove_letters(\(array(letters)))") }

    /// Why a letter still fails.
    public struct Reason: Sendable {
        public var mapping: String?
        public var stage: DeadLetterStage
        public var column: String?
        public var sqlState: String?
        public var error: String

        public init(mapping: String?, stage: DeadLetterStage, column: String?, sqlState: String?, error: String) {
            self.mapping = mapping
            self.stage = stage
            self.column = column
            self.sqlState = sqlState
            self.error = error
        }
    }

    /// Writes the new reasons of a letter: one of the letter itself, each further one, of another mapping, of a copy.
    public static func update(_ letter: Int64, _ reasons: [Reason]) -> [ScriptStep] {
        func literal(_ text: String?) -> String { text.map { quoteLiteral($0.filter { $0 != "\0" }) } ?? "NULL::text" }
        func values(_ reason: Reason) -> [String] {
            [
                literal(reason.mapping), literal(reason.stage.rawValue), literal(reason.column), literal(reason.sqlState),
                literal(reason.error),
            ]
        }
        let columns = "mapping, stage, column_name, sqlstate, error"
        guard let first = reasons.first else { return [] }
        return [.sql("UPDATE penstock.dead_letter SET (\(columns)) = (\(values(first).joined(separator: ", "))) WHERE id = \(letter)")]
            + reasons.dropFirst().map { reason in
                .sql(
                    """
                    INSERT INTO penstock.dead_letter (received, topic, payload, qos, retain, properties, client_id, \(columns)) \
                    SELECT received, topic, payload, qos, retain, properties, client_id, \(values(reason).joined(separator: ", ")) \
                    FROM penstock.dead_letter WHERE id = \(letter)
                    """)
            }
    }

    private static func array(_ letters: [Int64]) -> String { "'{\(letters.map(String.init).joined(separator: ","))}'::bigint[]" }
}
