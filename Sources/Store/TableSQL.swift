import CopyFormat
import Mapping
import PostgreSQL

extension TableDefinition {
    /// The statements that make the table, its indexes, its view and its comments, for a table that is not there. Its partitions follow.
    ///
    /// Where rows are only appended, a message at QoS 1 that is delivered twice is stored twice: there `key` makes an index and no primary key, which would
    /// turn every repeat into an error.
    public var creation: [String] {
        let table = quoteQualified(name)
        var list = columns.map { "\(quoteIdentifier($0.name)) \($0.type.sql)\($0.isNotNull ? " NOT NULL" : "")" }
        if onConflict != .append { list.append("PRIMARY KEY (\(key.map(quoteIdentifier).joined(separator: ", ")))") }
        var make = "CREATE TABLE IF NOT EXISTS \(table) (\n    \(list.joined(separator: ",\n    "))\n)"
        if let partition, partition.with == .native { make += " PARTITION BY RANGE (\(quoteIdentifier(partition.by)))" }
        var statements = [make]
        if let partition, partition.with == .timescale {
            statements.append(
                "SELECT create_hypertable(\(quoteLiteral(table)), \(quoteLiteral(partition.by)), "
                    + "chunk_time_interval => INTERVAL '1 \(partition.every.rawValue)', if_not_exists => true)")
        }
        statements += wantedIndexes.map { creation(of: $0) }
        if let view { statements.append(view) }
        if let comment { statements.append("COMMENT ON TABLE \(table) IS\(quoteLiteral(comment))") }
        statements += columns.map { "COMMENT ON COLUMN \(table).\(quoteIdentifier($0.name)) IS\(quoteLiteral($0.comment))" }
        return statements
    }

    /// The statement that adds a column.
    public func addition(of column: Column) -> String {
        "ALTER TABLE \(quoteQualified(name)) ADD COLUMN \(quoteIdentifier(column.name)) \(column.type.sql)"
    }
}
