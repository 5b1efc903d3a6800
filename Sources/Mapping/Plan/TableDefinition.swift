import CopyFormat

/// A table as the mappings that write it describe it, all of them together.
public struct TableDefinition: Sendable {
    public struct Column: Sendable {
        public var name: String
        public var type: ColumnType
        public var isNotNull: Bool
        /// The mapping's own words, the unit and the source: `air [degC] <- sample.tF`.
        public var comment: String
    }

    public var name: String
    public var columns: [Column]
    public var key: [String]
    public var onConflict: ConflictPolicy
    /// The column by which an older row does not take the place of a newer one.
    public var newer: String?
    public var comment: String?
    public var ddl: DDLPolicy?
    public var partition: PartitionSyntax?
    public var retention: RetentionSyntax?
    public var indexes: [IndexSyntax] = []
    /// The columns of each of whose values a view shows the last row, by `timeColumn`.
    public var latest: [String] = []
    /// The column by which rows come one after the other, where the options tell.
    public var timeColumn: String?
    /// The mappings that write it.
    public var mappings: [String]

    static func all(of syntax: [MappingSyntax]) -> [TableDefinition] {
        var tables: [TableDefinition] = []
        for mapping in syntax {
            for block in mapping.blocks {
                let place: Int
                if let known = tables.firstIndex(where: { $0.name == block.table.name }) {
                    place = known
                } else {
                    place = tables.count
                    tables.append(TableDefinition(name: block.table.name, columns: [], key: [], onConflict: .append, mappings: []))
                }
                tables[place].add(block, of: mapping.name)
            }
        }
        return tables
    }

    private mutating func add(_ block: BlockSyntax, of mapping: String) {
        if key.isEmpty { key = block.table.key }
        onConflict = block.table.onConflict ?? onConflict
        newer = newer ?? block.table.newer
        comment = comment ?? block.table.comment
        ddl = ddl ?? block.table.ddl
        if let other = block.table.partition {
            if partition == nil {
                (partition, retention) = (other, block.table.retention)
            } else if let kept = retention, block.table.retention.map({ kept < $0 }) ?? true {
                // Two names in the mappings turned out to be one table: nothing goes that one of them wants to keep.
                retention = block.table.retention
            }
        }
        if indexes.isEmpty { indexes = block.table.indexes }
        if latest.isEmpty { latest = block.table.latest }
        timeColumn = timeColumn ?? block.table.timeColumn(among: block.columns)
        if !mappings.contains(mapping) { mappings.append(mapping) }
        let isFirst = columns.isEmpty
        for column in block.columns {
            if let known = columns.firstIndex(where: { $0.name == column.name }) {
                // A column that some block leaves NULL is not NOT NULL.
                columns[known].isNotNull = columns[known].isNotNull && column.isNotNull
            } else {
                columns.append(
                    Column(name: column.name, type: column.type, isNotNull: column.isNotNull && isFirst, comment: column.catalogComment))
            }
        }
        let written = Set(block.columns.map(\.name))
        for index in columns.indices where !written.contains(columns[index].name) { columns[index].isNotNull = false }
    }
}

extension ColumnSyntax {
    var catalogComment: String {
        var words: [String] = []
        if let comment { words.append(comment) }
        if let convert { words.append("[\(convert.toUnit)]") }
        words.append("<- " + sourceText)
        return words.joined(separator: " ")
    }
}
