import Store
import Testing

@Suite("Dead letters that were kept for long enough", .withDatabase)
struct OldLettersTests {
    @Test("go, whatever waits for its table between them, and younger ones stay")
    func deleted() throws {
        let database = try TestDatabase.connect()
        // More than are looked at in one go, of each kind.
        _ = try database.rows(
            """
            INSERT INTO penstock.dead_letter (received, topic, payload, qos, retain, mapping, stage, error, client_id)
            SELECT now() - CASE WHEN n <= 25000 THEN interval '31 days' ELSE interval '29 days' END, 't', '', 1, false, 'm',
                   CASE WHEN n <= 12000 THEN 'table' ELSE 'decode' END, 'e', 'c' FROM generate_series(1, 27000) AS n
            """)
        let month: Int64 = 30 * 86_400
        #expect(try OldLetters.delete(olderThanSeconds: month, database.connection) == 13_000)
        #expect(
            try database.rows("SELECT stage, count(*) FROM penstock.dead_letter GROUP BY 1 ORDER BY 1") == [
                ["decode", "2000"], ["table", "12000"],
            ])
        #expect(try OldLetters.delete(olderThanSeconds: month, database.connection) == 0)
        _ = try database.rows("TRUNCATE penstock.dead_letter")
        #expect(try OldLetters.delete(olderThanSeconds: month, database.connection) == 0)
    }
}
