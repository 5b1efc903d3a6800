import Foundation
import PostgreSQL

/// A row of `penstock.writer` as it was at one look.
public struct LeaseWriter: Sendable, Equatable {
    public var row: WriterRow
    public var batch: Int64
    /// When it was last renewed, as the database writes it: compared, never read.
    public var seen: String
    /// Its process is known to be dead.
    public var isCertainlyDead: Bool

    public init(row: WriterRow, batch: Int64, seen: String, isCertainlyDead: Bool = false) {
        self.row = row
        self.batch = batch
        self.seen = seen
        self.isCertainlyDead = isCertainlyDead
    }
}

/// A session that was taken, with what is known of it.
public struct LeasedSession: Sendable, Equatable {
    public var writer: WriterRow
    public var record: SessionRecord

    public init(writer: WriterRow, record: SessionRecord) {
        self.writer = writer
        self.record = record
    }
}

/// The statements by which processes share the sessions of a pool: `penstock.writer` and `penstock.session`.
public enum LeaseTable {
    /// Renews the rows of these writers, and looks at all writers of the pool and at the sessions.
    ///
    /// A row that is locked is being written by its own transaction, and renewed by that.
    public static func look(
        _ connection: borrowing Connection, pool: String, sessions: [String], renewing mine: [WriterRow]
    ) throws(PostgreSQLError) -> (writers: [(writer: LeaseWriter, birth: String)], holders: [String: WriterRow?]) {
        let rows = try connection.query(
            """
            WITH renewed AS (
                UPDATE penstock.writer SET seen = clock_timestamp()
                WHERE id IN (SELECT id FROM penstock.writer WHERE id = ANY ($1::uuid[]) FOR UPDATE SKIP LOCKED)
            )
            SELECT 'writer', id::text, batch::text, extract(epoch FROM seen)::text, birth FROM penstock.writer WHERE pool = $2
            UNION ALL
            SELECT 'session', client_id, writer::text, NULL, NULL FROM penstock.session WHERE client_id = ANY ($3::text[])
            """, [array(mine.map(\.identifier.uuidString)), pool, array(sessions)])
        var writers: [(LeaseWriter, String)] = []
        var holders: [String: WriterRow?] = [:]
        for row in rows {
            guard let name = row[1] else { continue }
            if row[0] == "session" {
                holders.updateValue(row[2].flatMap { UUID(uuidString: $0) }.map { WriterRow(identifier: $0) }, forKey: name)
            } else if let identifier = UUID(uuidString: name) {
                writers.append(
                    (
                        LeaseWriter(row: WriterRow(identifier: identifier), batch: row[2].flatMap { Int64($0) } ?? 0, seen: row[3] ?? ""),
                        row[4] ?? ""
                    ))
            }
        }
        return (writers, holders)
    }

    /// The filters that the sessions of a pool have been granted, by client identifier.
    public static func grantedFilters(
        _ connection: borrowing Connection, sessions: [String]
    ) throws(PostgreSQLError) -> [String: Set<String>] {
        let rows = try connection.query(
            """
            SELECT client_id, filter FROM penstock.session, jsonb_each(subscriptions) AS entry (filter, state)
            WHERE client_id = ANY ($1::text[]) AND state ->> 'state' = 'granted'
            """, [array(sessions)])
        var granted: [String: Set<String>] = [:]
        for row in rows { if let name = row[0], let filter = row[1] { granted[name, default: []].insert(filter) } }
        return granted
    }

    /// Makes the rows of writers of this process, and the rows of sessions that are not there yet.
    public static func enroll(
        _ connection: borrowing Connection, _ writers: [WriterRow], pool: String, birth: String, sessions: [String]
    ) throws(PostgreSQLError) {
        _ = try connection.query(
            """
            WITH sessions AS (INSERT INTO penstock.session (client_id) SELECT unnest($6::text[]) ON CONFLICT DO NOTHING)
            INSERT INTO penstock.writer (id, process, host, pool, birth) SELECT id, $2::integer, $3, $4, $5 FROM unnest($1::uuid[]) AS id
            """,
            [
                array(writers.map(\.identifier.uuidString)), String(ProcessInfo.processInfo.processIdentifier),
                ProcessInfo.processInfo.hostName, pool, birth, array(sessions),
            ])
    }

    /// Deletes the rows of dead writers, unless they have changed since they were seen; their sessions are free, and nothing of theirs can commit
    /// any more. A row that is locked is alive.
    public static func bury(_ connection: borrowing Connection, _ writers: [LeaseWriter]) throws(PostgreSQLError) {
        for writer in writers {
            _ = try connection.query(
                """
                DELETE FROM penstock.writer WHERE id IN (
                    SELECT id FROM penstock.writer WHERE id = $1 AND batch = $2 AND extract(epoch FROM seen)::text = $3 FOR UPDATE SKIP LOCKED
                )
                """, [writer.row.identifier.uuidString, String(writer.batch), writer.seen])
        }
    }

    /// Takes sessions that nobody else holds; those that were taken, with what is known of them.
    public static func claim(
        _ connection: borrowing Connection, _ sessions: [String], for writer: WriterRow
    ) throws(PostgreSQLError) -> [LeasedSession] {
        let rows = try connection.query(
            """
            UPDATE penstock.session SET writer = $1, updated = now() WHERE client_id IN (
                SELECT client_id FROM penstock.session WHERE client_id = ANY ($2::text[]) AND (writer IS NULL OR writer = $1) ORDER BY client_id FOR UPDATE SKIP LOCKED
            ) RETURNING client_id, stored_ids::text, connecting, subscriptions::text, (extract(epoch FROM subscribed) * 1000000)::bigint, broker
            """, [writer.identifier.uuidString, array(sessions)])
        var taken: [LeasedSession] = []
        for row in rows {
            guard let name = row[0], let text = row[1], let stored = SessionRecord.ranges(ofMultirange: text) else {
                throw .connection("penstock.session holds what are no packet identifiers: \(row[1] ?? "NULL")")
            }
            taken.append(
                LeasedSession(
                    writer: writer,
                    record: SessionRecord(
                        clientIdentifier: name, storedIdentifiers: stored, isConnecting: row[2] == "t",
                        subscriptions: RecordedSubscription.list(ofJSON: row[3] ?? "") ?? [],
                        subscribedMicroseconds: row[4].flatMap { Int64($0) }, broker: row[5])))
        }
        return taken
    }

    /// Takes the rows of writers away; their sessions are free at once.
    public static func withdraw(_ connection: borrowing Connection, _ writers: [WriterRow]) throws(PostgreSQLError) {
        _ = try connection.query("DELETE FROM penstock.writer WHERE id = ANY ($1::uuid[])", [array(writers.map(\.identifier.uuidString))])
    }

    /// Texts as an array literal.
    private static func array(_ items: [String]) -> String {
        "{" + items.map { "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" }.joined(separator: ",") + "}"
    }
}
