import Mapping
import Payload
import PostgreSQL

extension TableDefinition {
    /// The partition that begins at a time.
    struct NewPartition: Sendable, Equatable {
        /// Quoted.
        var name: String
        /// In one transaction: either it is there and attached, or it is not there.
        var statements: [String]
    }

    /// The statements that make a partition.
    ///
    /// It is made by itself and then attached: that takes a lock which writers and readers do not wait for, where `CREATE TABLE … PARTITION OF` would wait
    /// for every reader, and every writer for it.
    func newPartition(from start: Int64, every unit: TimeUnit) -> NewPartition {
        let parts = name.split(separator: ".", maxSplits: 1)
        let bare = String(parts.last ?? "")
        let bareName = quoteIdentifier(identifier(bare, "_" + unit.suffix(from: start)))
        let partition = parts.count == 2 ? quoteIdentifier(String(parts[0])) + "." + bareName : bareName
        let table = quoteQualified(name)
        return NewPartition(
            name: partition,
            statements: [
                // An identity column cannot be one in a partition; its values come from the table as a whole.
                "CREATE TABLE \(partition) (LIKE \(table) INCLUDING ALL EXCLUDING IDENTITY)",
                "ALTER TABLE \(table) ATTACH PARTITION \(partition) FOR VALUES FROM (\(literal(start))) TO (\(literal(unit.end(from: start))))",
            ])
    }

    private func literal(_ microseconds: Int64) -> String {
        "'" + CivilTime.text(unixMicroseconds: microseconds).replacing("T", with: " ").replacing("Z", with: "+00") + "'"
    }
}
