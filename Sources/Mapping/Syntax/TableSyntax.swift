/// A table as a block names it. Its options stand in one place of all mappings.
public struct TableSyntax: Sendable {
    /// May be qualified: `schema.table`.
    public var name: String
    public var mark: SourceMark
    public var key: [String] = []
    /// What becomes of a row whose key is there already; nil where this place says nothing.
    public var onConflict: ConflictPolicy?
    /// The column by which an older row does not take the place of a newer one.
    public var newer: String?
    public var comment: String?
    /// What the service may create: nil = as the service's configuration says.
    public var ddl: DDLPolicy?
    public var partition: PartitionSyntax?
    /// How long rows are kept; only with a partition.
    public var retention: RetentionSyntax?
    public var indexes: [IndexSyntax] = []
    /// The columns of each of whose values a view shows the last row; empty: there is no such view.
    public var latest: [String] = []

    /// Whether more is said than the name.
    public var hasOptions: Bool {
        !key.isEmpty || onConflict != nil || newer != nil || comment != nil || ddl != nil || partition != nil || retention != nil
            || !indexes.isEmpty || !latest.isEmpty
    }
}

/// What becomes of a row whose key the table has already.
public enum ConflictPolicy: String, Sendable, CaseIterable {
    /// It is stored beside the other one.
    case append
    /// The table keeps the row that it has.
    case ignore
    /// The row takes the place of the other one.
    case update
    /// As `update`, but a column without a value keeps the value that it has.
    case merge
}

/// What the running service may change in the schema of mapped tables.
public enum DDLPolicy: String, Sendable, CaseIterable { case off, create, evolve }
