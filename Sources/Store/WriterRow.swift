import Foundation
import PostgreSQL

/// The row of `penstock.writer` in which a writer thread counts its batches, and by which it holds its sessions.
public struct WriterRow: Sendable, Hashable {
    public let identifier: UUID

    public init(identifier: UUID = UUID()) { self.identifier = identifier }

    /// The number of the last batch that is in; nil when the row is gone.
    ///
    /// It waits until an older backend has let go of the row, so the answer is final; and it renews the row, so that its own commit, once confirmed by a
    /// synchronous standby, confirms everything before it too.
    public func confirmedBatchNumber(
        _ connection: borrowing Connection, synchronousCommit: String
    ) throws(PostgreSQLError) -> Int64? {
        let rows = try connection.query(
            """
            WITH durability AS (SELECT set_config('synchronous_commit', $2, true))
            UPDATE penstock.writer SET seen = now() FROM durability WHERE id = $1 RETURNING batch
            """, [identifier.uuidString, synchronousCommit])
        return rows.first?.first.flatMap { $0 }.flatMap { Int64($0) }
    }

    /// The statement that ends the transaction of batch `number`.
    public func advance(to number: Int64) -> String { "SELECT penstock.advance('\(identifier.uuidString)', \(number))" }

    /// The same, where rows are stored with it: they are counted in `penstock.table_activity`.
    public func advance(to number: Int64, storing rows: [CountedRows]) -> String {
        guard !rows.isEmpty else { return advance(to: number) }
        return "SELECT penstock.advance('\(identifier.uuidString)', \(number), \(CountedRows.arguments(rows)))"
    }

    /// The statement that counts rows in the name of this writer, which need not be registered.
    public func count(_ rows: [CountedRows]) -> String {
        "SELECT penstock.count_rows('\(identifier.uuidString)', \(CountedRows.arguments(rows)))"
    }

    /// The SQLSTATE with which the statements of this row refuse: it does not stand where it should.
    public static let notAtBatch = "PS001"
}
