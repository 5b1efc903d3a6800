import PostgreSQL
import Synchronization

/// A connection of the test's own: it sees what any other client of the database sees, that is, what has been committed.
final class DatabaseProbe: Sendable {
    private let connection: Mutex<Connection>

    init(_ url: String) throws { connection = Mutex(try Connection(url: url, defaults: ["application_name": "test"])) }

    /// The rows of a query, or none for a command, each value as text; NULL is nil.
    @discardableResult
    func rows(_ sql: String) throws -> [[String?]] { try connection.withLock { try $0.query(sql) } }

    /// Several statements, one after the other.
    func run(_ statements: String...) throws { for sql in statements { try rows(sql) } }

    /// Several statements in one transaction.
    func transaction(_ statements: [String]) throws { for sql in ["BEGIN"] + statements + ["COMMIT"] { try rows(sql) } }

    /// The single number that a query gives.
    func number(_ sql: String) throws -> Int {
        struct NoNumber: Error { let sql: String }
        guard let text = try rows(sql).first?.first, let text, let number = Int(text) else { throw NoNumber(sql: sql) }
        return number
    }

    /// Ends the server processes that serve ingesters in this database; how many these were.
    func terminateIngesterBackends() throws -> Int {
        try rows(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'penstock' AND pid <> pg_backend_pid()
            """
        ).count
    }
}
