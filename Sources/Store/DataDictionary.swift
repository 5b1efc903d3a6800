import CopyFormat
import Foundation
import Mapping
import PostgreSQL

/// What mappings say of their tables and columns, for `penstock.mapping`, `penstock.mapping_column` and `penstock.mapped_table`.
///
/// Each pool has its own; the process that starts or reloads last says what stands there. What is the same is not written again.
public struct DataDictionary: Sendable {
    // Members are named as the database names them.
    private struct Mapping: Encodable {
        var name: String
        var description: String?
        var patterns: [String]
        var qos: UInt8
        var decoder: String
        var tables: [String]
        var columns: [Column]
    }

    private struct Column: Encodable {
        var block: Int
        var position: Int
        var table_name: String
        var column_name: String
        var type: String
        var not_null: Bool
        var unit: String?
        var comment: String?
        var source: String
    }

    private struct Table: Encodable {
        var table_name: String
        var mappings: [String]
        var key: [String]
        var time_column: String?
        var on_conflict: String
        var comment: String?
    }

    private let mappings: [Mapping]
    private let tables: [Table]

    public init(_ syntax: [MappingSyntax]) {
        mappings = syntax.map { mapping in
            var tables: [String] = []
            for block in mapping.blocks where !tables.contains(block.table.name) { tables.append(block.table.name) }
            return Mapping(
                name: mapping.name, description: mapping.description, patterns: mapping.topics.map(\.value.description), qos: mapping.qos,
                decoder: mapping.decode.name, tables: tables,
                columns: mapping.blocks.enumerated().flatMap { number, block in
                    block.columns.enumerated().map { position, column in
                        Column(
                            block: number + 1, position: position + 1, table_name: block.table.name, column_name: column.name,
                            type: column.type.sql, not_null: column.isNotNull, unit: column.convert?.toUnit, comment: column.comment,
                            source: column.sourceText)
                    }
                })
        }
        tables = MappingPlan(syntax).tables.map { table in
            Table(
                table_name: table.name, mappings: table.mappings, key: table.key, time_column: table.orderColumn,
                on_conflict: table.onConflict.rawValue, comment: table.comment)
        }
    }

    /// Writes it, in one transaction.
    public func store(forPool pool: String, _ connection: borrowing Connection) throws(PostgreSQLError) {
        _ = try connection.query("SELECT penstock.load_dictionary($1, $2, $3)", [pool, Self.json(mappings), Self.json(tables)])
    }

    private static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        // The same text each time, so that the database sees what has changed.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts, numbers and truth values can always be written.
        guard let data = try? encoder.encode(value) else { return "[]" }
        return String(decoding: data, as: UTF8.self)
    }
}
