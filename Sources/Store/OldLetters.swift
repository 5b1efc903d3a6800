import PostgreSQL

/// Dead letters that were kept for long enough (`dead_letter.keep`).
public enum OldLetters {
    private static let atATime = 10_000

    /// Deletes letters older than that. Those of a table that cannot be written stay: they become rows once it can.
    ///
    /// Goes through them in the order of storing, which is nearly that of time, and ends where they get younger.
    /// - Returns: how many.
    public static func delete(olderThanSeconds age: Int64, _ connection: borrowing Connection) throws(PostgreSQLError) -> Int {
        var (count, last) = (0, Int64.min)
        while true {
            let part = try connection.query(
                """
                WITH part AS MATERIALIZED (
                    SELECT id, received < now() - $1 * interval '1 second' AS is_old, stage FROM penstock.dead_letter
                    WHERE id > $2 ORDER BY id LIMIT \(atATime)
                ), gone AS (
                    DELETE FROM penstock.dead_letter WHERE id IN (SELECT id FROM part WHERE is_old AND stage <> 'table') RETURNING 1
                )
                SELECT max(id), (SELECT count(*) FROM gone), bool_and(is_old) AND count(*) = \(atATime) FROM part
                """, [String(age), String(last)])[0]
            count += part[1].flatMap { Int($0) } ?? 0
            guard part[2] == "t", let end = part[0].flatMap({ Int64($0) }) else { return count }
            last = end
        }
    }
}
