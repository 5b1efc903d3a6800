import Store
import Testing

@Suite("Dead letters for people to look at", .withDatabase)
struct LetterSummaryTests {
    @Test("the last ones, and those of the last hour by mapping and stage; however many there are, the table is not read from end to end")
    func summary() throws {
        let database = try TestDatabase.connect()
        #expect(try LetterSummary.latest(20, database.connection).isEmpty)
        #expect(try LetterSummary.ofLastHour(database.connection).isEmpty)
        // 20,000 old ones, and 3 + 2 + 1 + 1 of now, without a mapping too.
        _ = try database.rows(
            """
            INSERT INTO penstock.dead_letter (received, topic, payload, qos, retain, mapping, stage, error, client_id)
            SELECT now() - interval '1 day', 't', repeat('x', 200)::bytea, 1, false, CASE n % 4 WHEN 0 THEN NULL ELSE 'm' || n % 4 END, 'decode', 'old', 'c'
            FROM generate_series(1, 20000) AS n
            """)
        _ = try database.rows(
            """
            INSERT INTO penstock.dead_letter (received, topic, payload, qos, retain, mapping, stage, error, client_id)
            SELECT now(), 't/' || n, decode('01ff', 'hex'), 1, false, mapping, stage, 'new ' || n, 'c'
            FROM (VALUES (1, 'm1', 'decode'), (2, NULL, 'route'), (3, 'm1', 'decode'), (4, 'm9', 'row'), (5, 'm1', 'table'), (6, NULL, 'route'), (7, 'm1', 'decode'))
                AS l (n, mapping, stage) ORDER BY n
            """)
        _ = try database.rows("ANALYZE penstock.dead_letter")
        let before = try wholeReadings(database)
        let latest = try LetterSummary.latest(3, database.connection)
        #expect(latest.map(\.topic) == ["t/7", "t/6", "t/5"] && latest.map(\.mapping) == ["m1", nil, "m1"])
        #expect(latest.allSatisfy { $0.payloadStart == [0x01, 0xFF] && $0.payloadBytes == 2 })
        let counts = try LetterSummary.ofLastHour(database.connection)
        #expect(counts.map(\.mapping) == ["m1", nil, "m1", "m9"] && counts.map(\.letters) == [3, 2, 1, 1])
        #expect(counts.map(\.stage) == ["decode", "route", "table", "row"])
        #expect(counts.map(\.lastError) == ["new 7", "new 6", "new 5", "new 4"])
        #expect(try wholeReadings(database) == before)
    }

    /// How often the table was read from end to end.
    private func wholeReadings(_ database: OpenConnection) throws -> String? {
        _ = try database.rows("SELECT pg_stat_force_next_flush()")
        _ = try database.rows("SELECT pg_stat_clear_snapshot()")
        return try database.value("SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'penstock.dead_letter'::regclass")
    }
}
