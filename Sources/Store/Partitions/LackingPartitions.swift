import PostgreSQL

extension PartitionMaker {
    /// Those of the partitions that are not there, and that would not be too old at once.
    /// - Parameter starts: when they begin, microseconds since 1970.
    public func lacking(_ starts: Set<Int64>, _ connection: borrowing Connection) throws(PostgreSQLError) -> Set<Int64> {
        let oldest = try PartitionMaker.oldest(of: table, connection)
        let existing = try PartitionList(of: table.name, connection)
        guard !existing.hasDefault else { return [] }
        return starts.filter { start in
            let end = partition.every.end(from: start)
            return end > oldest && !existing.covers(start, end)
        }
    }
}
