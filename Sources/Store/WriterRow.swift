import Foundation
import PostgreSQL

/// The row of `penstock.writer` in which a writer thread counts its batches.
public struct WriterRow: Sendable, Equatable {
    public let identifier: UUID

    /// Makes a row for this process, with batch 0.
    public static func register(_ connection: borrowing Connection) throws(PostgreSQLError) -> WriterRow {
        let identifier = UUID()
        _ = try connection.query(
            "INSERT INTO penstock.writer (id, process, host) VALUES ($1, $2, $3)",
            [identifier.uuidString, String(ProcessInfo.processInfo.processIdentifier), ProcessInfo.processInfo.hostName])
        return WriterRow(identifier: identifier)
    }

    /// The number of the last batch that is in; nil when the row is gone. Waits until an older backend has let go of the row, so the answer is final.
    public func batchNumber(_ connection: borrowing Connection) throws(PostgreSQLError) -> Int64? {
        let rows = try connection.query("SELECT batch FROM penstock.writer WHERE id = $1 FOR UPDATE", [identifier.uuidString])
        return rows.first?.first.flatMap { $0 }.flatMap { Int64($0) }
    }

    /// The statement that ends the transaction of batch `number`.
    public func advance(to number: Int64) -> String { "SELECT penstock.advance('\(identifier.uuidString)', \(number));" }

    /// The SQLSTATE with which `penstock.advance` refuses.
    public static let notAtBatch = "PS001"

    /// A small durable transaction: when it has been confirmed by a standby, everything before it has.
    public func renew(_ connection: borrowing Connection) throws(PostgreSQLError) {
        _ = try connection.query("UPDATE penstock.writer SET seen = now() WHERE id = $1", [identifier.uuidString])
    }

    /// Takes the row away: nothing of this writer is under way any more.
    public func remove(_ connection: borrowing Connection) throws(PostgreSQLError) {
        _ = try connection.query("DELETE FROM penstock.writer WHERE id = $1", [identifier.uuidString])
    }
}
