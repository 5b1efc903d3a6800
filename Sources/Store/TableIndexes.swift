import Mapping
import PostgreSQL

/// The indexes and the view that a table has for those who query it.
extension TableDefinition {
    /// An index besides the primary key.
    struct WantedIndex: Sendable, Equatable {
        var columns: [IndexSyntax.Column]
        /// For a column whose rows come in its order: a summary of ranges, a thousandth of the size.
        var isBlockRange = false
    }

    /// The mapping's own, that of a key where rows are only appended, and one for the time where nothing else leads to it.
    var wantedIndexes: [WantedIndex] {
        var wanted: [WantedIndex] = []
        if !key.isEmpty, onConflict == .append {
            wanted.append(WantedIndex(columns: key.map { IndexSyntax.Column(name: $0) }))
        }
        for index in indexes where !wanted.contains(where: { $0.columns == index.columns }) {
            wanted.append(WantedIndex(columns: index.columns))
        }
        if !latest.isEmpty, let timeColumn {
            let leads = wanted.map { $0.columns.map(\.name) } + (onConflict == .append ? [] : [key])
            if !leads.contains(where: { $0.starts(with: latest) && $0.dropFirst(latest.count).first == timeColumn }) {
                let columns = latest.map { IndexSyntax.Column(name: $0) } + [IndexSyntax.Column(name: timeColumn, isDescending: true)]
                wanted.append(WantedIndex(columns: columns))
            }
        }
        // A hypertable has an index on its time by itself.
        if let partition, partition.with == .native {
            let leads = wanted.map { $0.columns.first?.name } + [onConflict == .append ? nil : key.first]
            if !leads.contains(partition.by) {
                wanted.append(WantedIndex(columns: [IndexSyntax.Column(name: partition.by)], isBlockRange: true))
            }
        }
        return wanted
    }

    /// Makes an index. PostgreSQL gives it a name that no other one has: of table and columns, names put together here would meet others of the schema.
    func creation(of index: WantedIndex) -> String {
        let columns = index.columns.map { quoteIdentifier($0.name) + ($0.isDescending ? " DESC" : "") }.joined(separator: ", ")
        return "CREATE INDEX ON \(quoteQualified(name)) \(index.isBlockRange ? "USING brin " : "")(\(columns))"
    }

    /// The view's name, as a mapping would write it.
    public var viewName: String { name + "_latest" }

    /// Makes the view of the last rows, nil where none is asked for.
    ///
    /// With one column it walks from value to value along an index that begins with it, and takes the last row of each: a history of years costs no more
    /// than a day's.
    var view: String? {
        guard !latest.isEmpty, let timeColumn else { return nil }
        let table = quoteQualified(name)
        let time = quoteIdentifier(timeColumn)
        let head = "CREATE OR REPLACE VIEW \(quoteQualified(viewName)) AS "
        let isNotNull = columns.first { $0.name == latest[0] }?.isNotNull ?? false
        guard latest.count == 1, isNotNull else {
            let list = latest.map(quoteIdentifier).joined(separator: ", ")
            return head + "SELECT DISTINCT ON (\(list)) * FROM \(table) ORDER BY \(list), \(time) DESC"
        }
        let column = quoteIdentifier(latest[0])
        return head + """
            WITH RECURSIVE value AS (
                (SELECT \(column) AS v FROM \(table) ORDER BY \(column) LIMIT 1)
                UNION ALL
                SELECT (SELECT \(column) FROM \(table) WHERE \(column) > value.v ORDER BY \(column) LIMIT 1) FROM value WHERE value.v IS NOT NULL)
            SELECT last.* FROM value CROSS JOIN LATERAL
                (SELECT * FROM \(table) WHERE \(column) = value.v ORDER BY \(time) DESC LIMIT 1) AS last
            WHERE value.v IS NOT NULL
            """
    }
}

/// A name put together of two, at most 63 bytes long, where PostgreSQL would cut it: what is cut off stays in it as a hash, so that names differ where the
/// whole ones do.
func identifier(_ stem: String, _ suffix: String) -> String {
    let whole = stem + suffix
    guard whole.utf8.count > 63 else { return whole }
    let digest = whole.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    let mark = "_" + String(digest % 0x1000_0000, radix: 16)
    var stem = stem
    var suffix = suffix
    while stem.utf8.count + mark.utf8.count + suffix.utf8.count > 63 {
        if stem.utf8.count > 20 || suffix.isEmpty { stem.removeLast() } else { suffix.removeFirst() }
    }
    return stem + mark + suffix
}
