import PostgreSQL

/// Dead letters for people to look at: the last ones, and how many there are of late.
public struct LetterSummary: Sendable {
    /// A letter without most of its payload.
    public struct Letter: Sendable {
        public var identifier: Int64
        /// When it was committed, in microseconds since 1970, UTC.
        public var storedMicroseconds: Int64
        /// nil: no mapping took the message.
        public var mapping: String?
        public var stage: String
        public var topic: String
        public var error: String
        /// The first bytes of the payload.
        public var payloadStart: [UInt8]
        public var payloadBytes: Int
    }

    /// Letters of one mapping and stage.
    public struct Count: Sendable {
        public var mapping: String?
        public var stage: String
        public var letters: Int
        /// The newest one's reason.
        public var lastError: String
    }

    /// How long a look may take: the database has better things to do.
    private static let timeoutMilliseconds = 3000
    private static let payloadStartBytes = 400

    /// The newest letters, the newest first, by way of the primary key.
    public static func latest(_ maximum: Int, _ connection: borrowing Connection) throws(PostgreSQLError) -> [Letter] {
        let rows = try reading(
            """
            SELECT id, (extract(epoch FROM stored) * 1000000)::bigint, mapping, stage, topic, error,
                encode(substring(payload FROM 1 FOR \(payloadStartBytes)), 'hex'), octet_length(payload)
            FROM penstock.dead_letter ORDER BY id DESC LIMIT \(maximum)
            """, connection)
        return rows.map { row in
            Letter(
                identifier: row[0].flatMap { Int64($0) } ?? 0, storedMicroseconds: row[1].flatMap { Int64($0) } ?? 0, mapping: row[2],
                stage: row[3] ?? "", topic: row[4] ?? "", error: row[5] ?? "", payloadStart: LetterProperties.bytes(ofHex: row[6] ?? ""),
                payloadBytes: row[7].flatMap { Int($0) } ?? 0)
        }
    }

    /// Letters of the last hour, by mapping and stage, the most first. Older ones are not read, however many there are: for each mapping that has letters the
    /// index (mapping, received) leads to those of the hour, and `OFFSET 0` keeps the planner from making one reading of the whole table of it.
    public static func ofLastHour(_ connection: borrowing Connection) throws(PostgreSQLError) -> [Count] {
        let rows = try reading(
            """
            WITH RECURSIVE known AS (
                (SELECT mapping FROM penstock.dead_letter ORDER BY mapping LIMIT 1)
                UNION ALL
                SELECT (SELECT mapping FROM penstock.dead_letter AS l WHERE l.mapping > known.mapping ORDER BY l.mapping LIMIT 1) FROM known
                WHERE known.mapping IS NOT NULL
            )
            SELECT letter.mapping, stage, count(*), (array_agg(error ORDER BY id DESC))[1]
            FROM (SELECT mapping FROM known WHERE mapping IS NOT NULL UNION ALL SELECT NULL) AS one, LATERAL (
                SELECT id, mapping, stage, error FROM penstock.dead_letter AS l
                WHERE l.mapping = one.mapping AND received > now() - interval '1 hour'
                UNION ALL
                SELECT id, mapping, stage, error FROM penstock.dead_letter AS l
                WHERE one.mapping IS NULL AND l.mapping IS NULL AND received > now() - interval '1 hour'
                OFFSET 0) AS letter
            GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 100
            """, connection)
        return rows.map { row in
            Count(mapping: row[0], stage: row[1] ?? "", letters: row[2].flatMap { Int($0) } ?? 0, lastError: row[3] ?? "")
        }
    }

    private static func reading(_ sql: String, _ connection: borrowing Connection) throws(PostgreSQLError) -> [[String?]] {
        // A transaction of its own, so that the time limit stays with nobody else behind a pooling PgBouncer.
        _ = try connection.query("BEGIN READ ONLY")
        do throws(PostgreSQLError) {
            _ = try connection.query("SET LOCAL statement_timeout = \(timeoutMilliseconds)")
            let rows = try connection.query(sql)
            _ = try connection.query("COMMIT")
            return rows
        } catch {
            _ = try? connection.query("ROLLBACK")
            throw error
        }
    }
}

/// `penstock.writer` for people.
public enum WriterTable {
    public struct Entry: Sendable {
        public var process: Int
        public var host: String
        public var batch: Int64
        /// By the clock of the database.
        public var seenSecondsAgo: Double
    }

    /// All writers, the one seen last first.
    public static func list(_ connection: borrowing Connection) throws(PostgreSQLError) -> [Entry] {
        let rows = try connection.query(
            "SELECT process, host, batch, extract(epoch FROM now() - seen) FROM penstock.writer ORDER BY seen DESC LIMIT 1000")
        return rows.map { row in
            Entry(
                process: row[0].flatMap { Int($0) } ?? 0, host: row[1] ?? "", batch: row[2].flatMap { Int64($0) } ?? 0,
                seenSecondsAgo: row[3].flatMap { Double($0) } ?? 0)
        }
    }
}
