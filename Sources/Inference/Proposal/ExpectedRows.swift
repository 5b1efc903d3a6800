import CopyFormat
import Mapping

/// Rows that the evaluator gave, as a test's `expect` writes them.
enum ExpectedRows {
    /// Longer expectations do not help whoever reads them.
    static let rowsMax = 60

    static func text(_ parts: [DecodedRows], tableCount: Int) -> String {
        var order: [String] = []
        var byTable: [String: [String]] = [:]
        for part in parts {
            if byTable[part.table] == nil { order.append(part.table) }
            byTable[part.table, default: []] += part.rows.map { row(part.columns.map(\.name), $0) }
        }
        if tableCount == 1 { return "[" + (byTable[order.first ?? ""] ?? []).joined(separator: ", ") + "]" }
        return "{" + order.map { "\(YAMLText.scalar($0)): [\((byTable[$0] ?? []).joined(separator: ", "))]" }.joined(separator: ", ") + "}"
    }

    private static func row(_ names: [String], _ values: [DecodedValue?]) -> String {
        let fields = zip(names, values).compactMap { name, value in value.map { "\(name): \(text($0))" } }
        return "{" + fields.joined(separator: ", ") + "}"
    }

    private static func text(_ value: DecodedValue) -> String {
        switch value {
        case .boolean(let isTrue): isTrue ? "true" : "false"
        case .array(let items): "[" + items.map { $0.map(text) ?? "null" }.joined(separator: ", ") + "]"
        case .bytes: YAMLText.scalar(String(value.text.dropFirst(2)))
        default: YAMLText.scalar(value.shown)
        }
    }
}
