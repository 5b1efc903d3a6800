import CopyFormat
import Mapping
import PostgreSQL
import Store

/// The partitions to which rows of a batch belong and that may not be there.
struct MissingPartitions {
    let table: TableDefinition
    private let maker: PartitionMaker
    private let starts: Set<Int64>

    /// Nil where the target's table has none.
    init?(of target: Int, _ batch: Batch) {
        let destination = batch.plan.targets[target]
        guard let table = batch.plan.tables.first(where: { $0.name == destination.table }), let maker = PartitionMaker(table),
            var needs = PartitionNeeds(destination)
        else { return nil }
        needs.add(batch.tables[target].bytes(0..<batch.tables[target].count))
        self.table = table
        self.maker = maker
        starts = needs.starts
    }

    /// Makes them, outside of any transaction. What is older than the table keeps gets none: such rows are refused one by one.
    /// - Returns: the names of those that were made.
    func make(lockTimeoutMilliseconds: Int, _ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        try maker.make(forRowsIn: starts, lockTimeoutMilliseconds: lockTimeoutMilliseconds, connection)
    }

    /// The statements that would make them.
    func statements(_ connection: borrowing Connection) throws(PostgreSQLError) -> [String] {
        try maker.statements(forRowsIn: starts, connection)
    }
}
