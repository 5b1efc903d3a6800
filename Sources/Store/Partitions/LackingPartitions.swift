import PostgreSQL

extension PartitionMaker {
    /// Those of the partitions that are not there, or not in whole, and that would not be too old at once.
    /// - Parameter starts: when they begin, microseconds since 1970.
    public func lacking(_ starts: Set<Int64>, _ connection: borrowing Connection) throws(PostgreSQLError) -> Set<Int64> {
        let starts = try kept(of: starts, connection)
        let list = try PartitionList(of: table.name, connection)
        return Set(starts.filter { !gaps(in: list, [$0]).isEmpty })
    }
}
