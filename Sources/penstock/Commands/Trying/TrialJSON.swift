import Foundation
import Mapping

/// A trial for machines.
extension MessageTrial {
    /// All of it; an array with one object for each mapping.
    func json() throws -> String { try Self.text(explanations.map(Self.object), [.prettyPrinted]) }

    /// With the message, on one line.
    func jsonLine() throws -> String {
        let object: [String: Any] = [
            "topic": message.topic, "qos": Int(message.qos), "retained": message.isRetained, "mappings": explanations.map(Self.object),
        ]
        return try Self.text(object, [])
    }

    private static func text(_ object: Any, _ options: JSONSerialization.WritingOptions) throws -> String {
        let data = try JSONSerialization.data(withJSONObject: object, options: options.union([.sortedKeys, .withoutEscapingSlashes]))
        return String(decoding: data, as: UTF8.self)
    }

    private static func object(_ explanation: Explanation) -> [String: Any] {
        var object: [String: Any] = ["mapping": explanation.mapping, "matched": explanation.isMatched]
        if let pattern = explanation.pattern { object["pattern"] = ["pattern": pattern.value.description, "at": "\(pattern.mark)"] }
        switch explanation.outcome {
        case .notMatched(let patterns):
            object["outcome"] = "not_matched"
            object["patterns"] = patterns.map { pattern, mismatch -> [String: Any] in
                ["pattern": pattern.value.description, "at": "\(pattern.mark)", "level": mismatch.level, "reason": mismatch.words]
            }
            object["reason"] = "the topic does not match"
        case .excluded(let pattern):
            object["outcome"] = "excluded"
            object["excluded_by"] = ["pattern": pattern.value.description, "at": "\(pattern.mark)"]
            object["reason"] = "the topic is excluded by '\(pattern.value)'"
        case .skipped(let words):
            object["outcome"] = "skipped"
            object["reason"] = words
        case .deadLetter(let letter):
            object["outcome"] = "dead_letter"
            object["dead_letter"] = letter.reason
            var error: [String: Any] = ["reason": letter.reason, "at": "\(letter.mark)"]
            error["column"] = letter.column
            error["table"] = letter.table
            error["values"] = letter.values.map { source, value -> [String: Any] in
                ["source": source, "value": value.map { $0 as Any } ?? NSNull()]
            }
            object["error"] = error
        case .filtered:
            object["outcome"] = "filtered"
            object["reason"] = "no 'when' takes it"
        case .noRows(let words):
            object["outcome"] = "no_rows"
            object["reason"] = words
        case .rows: object["outcome"] = "rows"
        }
        if !explanation.failedTests.isEmpty { object["failed_tests"] = explanation.failedTests.map(test) }
        if explanation.isMatched { object["blocks"] = explanation.blocks.map(block) }
        if let payload = explanation.payload { object["payload"] = node(payload) }
        if !explanation.embeds.isEmpty { object["embeds"] = explanation.embeds.map(node) }
        object["tables"] = explanation.rows.map { part -> [String: Any] in
            let rows = part.rows.map { row in
                Dictionary(uniqueKeysWithValues: zip(part.columns, row).map { ($0.name, $1.map { $0.shown as Any } ?? NSNull()) })
            }
            return ["table": part.table, "rows": rows]
        }
        return object
    }

    private static func test(_ test: Explanation.FailedTest) -> [String: Any] {
        ["test": test.test, "at": "\(test.mark)", "values": test.values]
    }

    private static func block(_ block: Explanation.Block) -> [String: Any] {
        [
            "table": block.table, "at": "\(block.mark)", "rows": block.rowCount, "failed_tests": block.failedTests.map(test),
            "no_values": block.noValues, "skipped_rows": block.skippedRows, "nulled_columns": block.nulledColumns,
        ]
    }

    private static func node(_ node: PayloadNode) -> [String: Any] {
        var object: [String: Any] = ["key": node.key, "kind": node.kind.rawValue]
        if !node.nameColumns.isEmpty { object["name_columns"] = node.nameColumns }
        if node.isCut { object["cut"] = true }
        if node.isContainer, !node.children.isEmpty {
            object["children"] = node.children.map(self.node)
            return object
        }
        object["value"] = node.text
        object["fate"] = node.fate.rawValue
        switch node.fate {
        case .mapped: object["columns"] = node.columns
        case .rest: object["columns"] = node.restColumns
        case .ignored, .tested, .unmapped: break
        }
        return object
    }
}
