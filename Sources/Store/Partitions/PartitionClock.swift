import Glibc
import Mapping
import PostgreSQL

/// What time it is, as the database and this machine have it. Rows go for good by it, so no single clock is believed that says they are old.
struct PartitionClock: Sendable {
    /// Microseconds since 1970, as `process`.
    var database: Int64
    var process: Int64

    /// - Parameter process: nil: what this machine's clock says.
    init(process: Int64? = nil, _ connection: borrowing Connection) throws(PostgreSQLError) {
        let process = process ?? Self.now()
        self.process = process
        let rows = try connection.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        database = rows.first?.first.flatMap { $0 }.flatMap { Int64($0) } ?? process
    }

    /// Why nothing is dropped by these clocks.
    var disagreement: String? {
        let (difference, overflow) = database.subtractingReportingOverflow(process)
        guard overflow || difference.magnitude > UInt64(Self.differenceMaximum) else { return nil }
        return "nothing is dropped: the clocks of the database and of this machine are more than a day apart"
    }

    /// A day.
    private static let differenceMaximum: Int64 = 86_400_000_000

    /// What ended before is too old for the table, by the clock that is behind: microseconds since 1970, `Int64.min` where everything is kept.
    func oldest(of table: TableDefinition, _ connection: borrowing Connection) throws(PostgreSQLError) -> Int64 {
        // No calendar goes back further than six thousand years.
        guard let retention = table.retention, retention.count * retention.unit.shortestHours < 6000 * 365 * 24 else { return .min }
        let rows = try connection.query(
            """
            SELECT (extract(epoch FROM ((timestamptz 'epoch' + $2::bigint * interval '1 microsecond') AT TIME ZONE 'UTC' - $1::interval)
                    AT TIME ZONE 'UTC') * 1000000)::bigint
            """, [retention.description, String(min(database, process))])
        return rows.first?.first.flatMap { $0 }.flatMap { Int64($0) } ?? .min
    }

    private static func now() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }
}
