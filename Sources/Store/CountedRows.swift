import PostgreSQL

/// Rows of one table that a transaction stores, as `penstock.count_rows` takes them.
public struct CountedRows: Sendable, Equatable {
    /// As the mapping names it.
    public var table: String
    public var count: Int
    /// The newest time among them, microseconds since 2000; nil where the table has no time.
    public var newestMicroseconds: Int64?

    public init(table: String, count: Int, newestMicroseconds: Int64?) {
        self.table = table
        self.count = count
        self.newestMicroseconds = newestMicroseconds
    }

    /// Three arrays: tables, numbers of rows, times. A table may come several times.
    static func arguments(_ rows: [CountedRows]) -> String {
        let tables = rows.map { quoteLiteral($0.table) }.joined(separator: ",")
        let counts = rows.map { String($0.count) }.joined(separator: ",")
        let times = rows.map { $0.newestMicroseconds.map { String($0) } ?? "NULL" }.joined(separator: ",")
        return "ARRAY[\(tables)], '{\(counts)}', '{\(times)}'"
    }
}
