import Mapping
import Payload
import PostgreSQL

extension TableDefinition {
    /// A partition that is to be made.
    struct NewPartition: Sendable, Equatable {
        /// Quoted, qualified as the mapping names the table.
        var name: String
        /// In one transaction: either it is there and attached, or it is not there.
        var statements: [String]
    }

    /// The statements that make a partition.
    ///
    /// It is made by itself and then attached: that takes a lock which writers and readers do not wait for, where `CREATE TABLE … PARTITION OF` would wait
    /// for every reader, and every writer for it.
    /// - Parameters:
    ///   - span: microseconds since 1970; a whole `unit`, or what other partitions leave of it.
    ///   - parent: the table in the database; nil where it is still to be made.
    func newPartition(of span: Range<Int64>, every unit: TimeUnit, in parent: PartitionList.Parent?) -> NewPartition {
        let parts = name.split(separator: ".", maxSplits: 1)
        let bareName = quoteIdentifier(identifier(String(parts.last ?? ""), "_" + unit.suffix(of: span)))
        let shown = parts.count == 2 ? quoteIdentifier(String(parts[0])) + "." + bareName : bareName
        let partition = parent.map { $0.schema + "." + bareName } ?? shown
        let table = parent?.qualifiedName ?? quoteQualified(name)
        let tablespace = parent?.tablespace.map { " TABLESPACE \($0)" } ?? ""
        let mark = PartitionMark(.made, of: name, from: span.lowerBound, until: span.upperBound)
        return NewPartition(
            name: shown,
            statements: [
                // An identity column cannot be one in a partition; its values come from the table as a whole.
                "CREATE TABLE \(partition) (LIKE \(table) INCLUDING ALL EXCLUDING IDENTITY)\(tablespace)",
                Self.attachment(of: partition, to: table, from: span.lowerBound, until: span.upperBound),
                "COMMENT ON TABLE \(partition) IS\(quoteLiteral(mark.text))",
            ])
    }

    /// - Parameters:
    ///   - partition: as SQL takes it, as `table`.
    ///   - lower: microseconds since 1970, as `upper`.
    static func attachment(of partition: String, to table: String, from lower: Int64, until upper: Int64) -> String {
        "ALTER TABLE \(table) ATTACH PARTITION \(partition) FOR VALUES FROM (\(literal(lower))) TO (\(literal(upper)))"
    }

    private static func literal(_ microseconds: Int64) -> String {
        "'" + CivilTime.text(unixMicroseconds: microseconds).replacing("T", with: " ").replacing("Z", with: "+00") + "'"
    }
}
