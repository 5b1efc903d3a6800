import PostgreSQL
import Store

/// Leases in PostgreSQL, over a connection of their own: a long commit holds up no heartbeat.
final class PostgreSQLLeaseStore: LeaseStore {
    private let settings: DatabaseSettings
    private let pool: String
    private let sessions: [String]
    private let timeoutMilliseconds: Int
    private var open: OpenConnection?

    /// - Parameters:
    ///   - pool: `pool.client_id`.
    ///   - timeoutMilliseconds: for each statement.
    init(settings: DatabaseSettings, pool: String, sessions: [String], timeoutMilliseconds: Int) {
        self.settings = settings
        self.pool = pool
        self.sessions = sessions
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    var isConnected: Bool { open?.connection.isOpen == true }

    func connect() throws(PostgreSQLError) {
        open = nil
        let fresh = OpenConnection(try Connection(url: settings.url.value, defaults: settings.connectionDefaults))
        try fresh.connection.execute("SET statement_timeout = \(timeoutMilliseconds); SET lock_timeout = \(timeoutMilliseconds)")
        open = fresh
    }

    private var connection: OpenConnection {
        get throws(PostgreSQLError) {
            guard let open else { throw .connection("not connected") }
            return open
        }
    }

    func look(renewing mine: [WriterRow]) throws(PostgreSQLError) -> LeaseProtocol.View {
        let found = try LeaseTable.look(try connection.connection, pool: pool, sessions: sessions, renewing: mine)
        return LeaseProtocol.View(
            writers: found.writers.map { entry in
                var writer = entry.writer
                writer.isCertainlyDead = ProcessIdentity.current.isCertainlyDead(birth: entry.birth)
                return writer
            }, holders: found.holders)
    }

    func enroll(_ writers: [WriterRow]) throws(PostgreSQLError) {
        try LeaseTable.enroll(try connection.connection, writers, pool: pool, birth: ProcessIdentity.current.birth, sessions: sessions)
    }

    func bury(_ writers: [LeaseWriter]) throws(PostgreSQLError) { try LeaseTable.bury(try connection.connection, writers) }

    func claim(_ sessions: [String], for writer: WriterRow) throws(PostgreSQLError) -> [LeasedSession] {
        try LeaseTable.claim(try connection.connection, sessions, for: writer)
    }

    func grantedFilters() throws(PostgreSQLError) -> [String: Set<String>] {
        try LeaseTable.grantedFilters(try connection.connection, sessions: sessions)
    }

    func withdraw(_ writers: [WriterRow]) throws(PostgreSQLError) { try LeaseTable.withdraw(try connection.connection, writers) }
}
