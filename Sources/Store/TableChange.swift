import PostgreSQL

/// One change to the tables of a database: in a transaction of its own, one process at a time.
///
/// `ALTER TABLE` and `CREATE INDEX` wait for those who use the table, and whoever comes after waits for them in turn. So they wait briefly, let the others
/// through, and try again.
struct TableChange {
    /// How long a statement waits for those who use the table, and everybody else for it.
    var lockTimeoutMilliseconds = 2000
    /// How long the others have the table for themselves then.
    var pauseSeconds = 3.0
    /// With the above, about two minutes.
    var triesMaximum = 24

    /// Runs what is needed, and commits it.
    /// - Parameter statements: asked under the lock, since another process may have been faster.
    /// - Returns: what was run.
    /// - Throws: what the database says, after the last try where that is 55P03; then nothing has changed.
    func run(
        _ connection: borrowing Connection, _ statements: (borrowing Connection) throws(PostgreSQLError) -> [String]
    ) throws(PostgreSQLError) -> [String] {
        var tries = 1
        while true {
            do throws(PostgreSQLError) {
                try Self.begin(connection)
                let needed = try statements(connection)
                // An index may take longer than the role's other statements may.
                try connection.execute("SET LOCAL lock_timeout = \(lockTimeoutMilliseconds); SET LOCAL statement_timeout = 0")
                for statement in needed { try connection.execute(statement) }
                try connection.execute("COMMIT")
                return needed
            } catch {
                try? connection.execute("ROLLBACK")
                guard Self.isLocked(error), tries < triesMaximum else { throw error }
                tries += 1
                _ = try connection.query("SELECT pg_sleep($1)", [String(pauseSeconds)])
            }
        }
    }

    /// Begins a transaction that no other process is in that changes tables or the schema `penstock`. The lock ends with it, so that any pool of connections
    /// may stand between.
    static func begin(_ connection: borrowing Connection) throws(PostgreSQLError) {
        try connection.execute(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
        // PostgreSQL takes note of what others have made since when it locks a table, not when it has waited for a lock of ours; names that it has looked up in
        // vain would stay unknown.
        try connection.execute("SELECT pg_advisory_xact_lock(\(lockKey)); SELECT FROM pg_class LIMIT 0")
    }

    static func isLocked(_ error: PostgreSQLError) -> Bool {
        guard case .server(let reason) = error else { return false }
        return reason.sqlState == "55P03"
    }

    /// Any number, as long as nobody else takes it: "penstock" in ASCII.
    private static let lockKey: Int64 = 0x7065_6e73_746f_636b
}
