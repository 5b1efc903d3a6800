import CopyFormat
import Mapping
import PostgreSQL

/// The statements by which rows meet others of their key: COPY into a temporary table, then `INSERT … ON CONFLICT` from there.
///
/// A statement may touch a row only once, so rows of one key are folded first, in the order in which they came (`number`): the result is what one statement
/// for each row would have given. Keys are written in their order, so that two writers lock rows in the same order and do not wait for each other in a
/// circle.
///
/// The temporary table lives as long as the connection and is emptied with each transaction. It is made where it is missing, so that a pool of connections
/// between us and the server does no harm; its name depends on its columns, so that one of former columns is not taken for it.
public struct StagedRows: Sendable {
    /// Makes the temporary table where it is missing.
    public let creation: String
    /// Fills it.
    public let copy: CopyStatement
    /// Bring its rows into the table, one after the other.
    public let merges: [String]
    /// Empties it within a transaction.
    public let clearing: String

    /// The column that numbers rows.
    static let number = "penstock_number"

    public init(_ target: MappingPlan.Target, _ conflict: MappingPlan.Conflict) {
        let columns = target.columns.map { (name: quoteIdentifier($0.name), type: $0.stored.sql) }
        let definition = columns.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
        let name = "penstock_stage_\(Self.digest(target.table + "(" + definition + ")"))"
        let stage = "pg_temp." + name
        creation = "CREATE TEMPORARY TABLE IF NOT EXISTS \(stage) (\(Self.number) bigint, \(definition)) ON COMMIT DELETE ROWS"
        copy = CopyStatement(table: stage, columns: [Self.number] + target.columns.map(\.name), format: target.isText ? .text : .binary)
        clearing = "DELETE FROM \(stage)"
        let statement = Statement(
            table: quoteQualified(target.table), stage: stage, columns: columns.map(\.name), key: conflict.key.map(quoteIdentifier),
            newer: conflict.newer.map(quoteIdentifier))
        merges =
            switch conflict.policy {
            case .append, .ignore: [statement.ignore]
            case .update: [statement.update]
            case .merge: statement.merges
            }
    }

    /// FNV-1a, 64 bits, in hexadecimal.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 16)
    }

    /// Names are quoted.
    private struct Statement {
        var table: String
        var stage: String
        var columns: [String]
        var key: [String]
        var newer: String?

        private var list: String { columns.joined(separator: ", ") }
        private var keyList: String { key.joined(separator: ", ") }
        private var others: [String] { columns.filter { !key.contains($0) } }
        private var insertion: String { "INSERT INTO \(table) AS t (\(list))" }

        /// The first row of each key, unless the table has one.
        var ignore: String {
            "\(insertion) SELECT DISTINCT ON (\(keyList)) \(list) FROM \(stage) ORDER BY \(keyList), \(number) ON CONFLICT (\(keyList)) DO NOTHING"
        }

        /// The last row of each key, or the last of the newest ones.
        var update: String {
            guard !others.isEmpty else { return ignore }
            let newest = newer.map { "\($0) DESC, " } ?? ""
            let assignments = others.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
            return
                "\(insertion) SELECT DISTINCT ON (\(keyList)) \(list) FROM \(stage) ORDER BY \(keyList), \(newest)\(number) DESC "
                + "ON CONFLICT (\(keyList)) DO UPDATE SET \(assignments)\(guardOfNewer)"
        }

        /// The last value of each column that has one.
        ///
        /// Which rows are older than what the table has is known before the rows are written, so with `newer` nobody may come between: a statement before
        /// makes and locks the rows of all keys, and the one that writes sees what others have left there.
        var merges: [String] {
            guard !others.isEmpty else { return [ignore] }
            let assignments = others.map { "\($0) = coalesce(excluded.\($0), t.\($0))" }.joined(separator: ", ")
            let merge = "\(folded) ON CONFLICT (\(keyList)) DO UPDATE SET \(assignments)\(guardOfNewer)"
            guard newer != nil else { return [merge] }
            // A row that is there is locked, whatever the condition says.
            return ["\(folded) ON CONFLICT (\(keyList)) DO UPDATE SET \(others[0]) = t.\(others[0]) WHERE false", merge]
        }

        private var folded: String {
            let last = others.enumerated().map { "max(\(number)) FILTER (WHERE \($1) IS NOT NULL) AS penstock_last_\($0)" }
            let values = columns.map { column in others.firstIndex(of: column).map { "s\($0).\(column)" } ?? "folded.\(column)" }
            let joins = others.indices.map { "LEFT JOIN counted AS s\($0) ON s\($0).\(number) = folded.penstock_last_\($0)" }
            let order = key.map { "folded.\($0)" }.joined(separator: ", ")
            return """
                WITH counted AS MATERIALIZED (\(counted)), \
                folded AS (SELECT \(keyList), \(last.joined(separator: ", ")) FROM counted GROUP BY \(keyList)) \
                \(insertion) SELECT \(values.joined(separator: ", ")) FROM folded \(joins.joined(separator: " ")) ORDER BY \(order)
                """
        }

        /// The rows that count, one after the other: none that is older than one before it, in the table or here.
        private var counted: String {
            guard let newer else { return "SELECT * FROM \(stage)" }
            let same = key.map { "old.\($0) = s.\($0)" }.joined(separator: " AND ")
            return """
                SELECT s.* FROM (SELECT *, max(\(newer)) OVER (PARTITION BY \(keyList) ORDER BY \(number)) AS penstock_newest FROM \(stage)) AS s \
                LEFT JOIN \(table) AS old ON \(same) WHERE s.\(newer) >= s.penstock_newest AND (old.\(newer) IS NULL OR s.\(newer) >= old.\(newer))
                """
        }

        private var guardOfNewer: String { newer.map { " WHERE t.\($0) IS NULL OR excluded.\($0) >= t.\($0)" } ?? "" }
    }
}
