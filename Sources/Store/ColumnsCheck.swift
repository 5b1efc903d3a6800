import CopyFormat
import Mapping
import PostgreSQL

extension MappingPlan.Target {
    /// The statement behind this target's COPY: it fails with `columnsChanged` when the table's columns have not the types that were written.
    public var confirmation: String {
        let names = columns.map { quoteLiteral($0.name) }.joined(separator: ",")
        let types = columns.map { String($0.stored.oid) }.joined(separator: ",")
        return "SELECT penstock.confirm_columns(\(quoteLiteral(quoteQualified(table))), ARRAY[\(names)], ARRAY[\(types)]::oid[])"
    }

    /// The SQLSTATE with which `confirmation` fails.
    public static var columnsChanged: String { "PS002" }
}
