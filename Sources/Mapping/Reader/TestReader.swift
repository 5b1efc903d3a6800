import Foundation
import Payload

/// Reads `tests:`.
struct TestReader {
    let diagnostics: DiagnosticList
    /// Tables that the mapping writes, with their columns.
    let tables: [String: Set<String>]
    /// Where `payload_file` starts from.
    let folder: String

    func read(_ node: StrictNode?) -> [TestSyntax] {
        guard let node else { return [] }
        guard let items = node.items else {
            diagnostics.add(at: node.mark, "'tests' is a list")
            return []
        }
        return items.compactMap(test)
    }

    private func test(_ node: StrictNode) -> TestSyntax? {
        guard let object = ObjectReader(node, "a test", keys: Keys.mappingTest, diagnostics) else { return nil }
        guard let topic = object.text("topic") else {
            if object["topic"] == nil { diagnostics.add(at: node.mark, "a test needs a 'topic'") }
            return nil
        }
        guard let payload = payload(object, node.mark) else { return nil }
        var received: Int64 = 1_704_067_200_000_000
        if let node = object["received"], let text = object.text("received") {
            guard let read = time(text) else {
                diagnostics.add(at: node.mark, "'received' is a time such as 2024-01-01T00:00:00Z, not '\(text)'")
                return nil
            }
            received = read
        }
        guard let expectation = expectation(object, node.mark) else { return nil }
        var test = TestSyntax(
            name: object.text("name") ?? topic, mark: node.mark, topic: topic, payload: payload, receivedMicroseconds: received, qos: 0,
            isRetained: false, userProperties: [], expectation: expectation)
        if let node = object["mqtt"], let mqtt = ObjectReader(node, "mqtt of a test", keys: Keys.testMQTT, diagnostics) {
            test.qos = UInt8(mqtt.integer("qos", in: 0...2) ?? 0)
            test.isRetained = mqtt.flag("retain") ?? false
            test.contentType = mqtt.text("content_type")
            test.responseTopic = mqtt.text("response_topic")
            test.correlationData = mqtt.text("correlation").map { Array($0.utf8) }
            test.messageExpirySeconds = mqtt.integer("message_expiry", in: 0...Int(UInt32.max)).map { UInt32($0) }
            test.broker = mqtt.text("broker")
            test.userProperties = (mqtt["user"]?.members ?? []).compactMap { key, value in
                key.text.flatMap { name in value.text.map { (name, $0) } }
            }
        }
        return test
    }

    private func payload(_ object: ObjectReader, _ mark: SourceMark) -> [UInt8]? {
        let given = ["payload", "payload_hex", "payload_base64", "payload_file"].filter { object[$0] != nil }
        guard given.count == 1, let node = object[given[0]], let text = object.text(given[0]) else {
            diagnostics.add(at: mark, "a test needs one of payload, payload_hex, payload_base64 and payload_file")
            return nil
        }
        switch given[0] {
        case "payload": return Array(text.utf8)
        case "payload_file":
            guard let data = FileManager.default.contents(atPath: folder + "/" + text) else {
                diagnostics.add(at: node.mark, "cannot read the file '\(text)'", hint: "it is looked for beside the mapping")
                return nil
            }
            return Array(data)
        default:
            var bytes = [UInt8](repeating: 0, count: text.utf8.count + 3)
            var text = text
            do {
                let count = try bytes.withUnsafeMutableBytes { target in
                    guard let start = target.baseAddress else { return 0 }
                    return try text.withUTF8 { source in
                        given[0] == "payload_hex"
                            ? try Unpack.hex(UnsafeRawBufferPointer(source), into: start)
                            : try Unpack.base64(UnsafeRawBufferPointer(source), into: start)
                    }
                }
                return Array(bytes[..<count])
            } catch {
                diagnostics.add(at: node.mark, "'\(given[0])' does not decode: \(error)")
                return nil
            }
        }
    }

    private func expectation(_ object: ObjectReader, _ mark: SourceMark) -> TestSyntax.Expectation? {
        if object["expect"] != nil, object["expect_error"] != nil {
            diagnostics.add(at: mark, "a test expects rows or an error, not both")
            return nil
        }
        if let text = object.text("expect_error") { return .error(text) }
        guard let node = object["expect"] else {
            diagnostics.add(at: mark, "a test needs 'expect' or 'expect_error'")
            return nil
        }
        if let items = node.items {
            guard !items.isEmpty else { return .rows([]) }
            guard tables.count == 1, let table = tables.keys.first else {
                diagnostics.add(at: node.mark, "the mapping writes several tables", hint: "name them: {table: [rows]}")
                return nil
            }
            return .rows([(table, items.compactMap { row($0, of: table) })])
        }
        guard let members = node.members else {
            diagnostics.add(at: node.mark, "'expect' is a list of rows, or {table: [rows]}")
            return nil
        }
        return .rows(
            members.compactMap { key, value in
                guard let table = key.text, tables[table] != nil else {
                    diagnostics.add(
                        at: key.mark, "the mapping writes no table '\(key.text ?? "")'",
                        hint: suggestion(for: key.text ?? "", among: tables.keys))
                    return nil
                }
                return (table, (value.items ?? []).compactMap { row($0, of: table) })
            })
    }

    private func row(_ node: StrictNode, of table: String) -> ExpectedRow? {
        guard let members = node.members else {
            diagnostics.add(at: node.mark, "an expected row is {column: value, …}")
            return nil
        }
        return ExpectedRow(
            mark: node.mark,
            values: members.compactMap { key, value in
                guard let column = key.text, tables[table]?.contains(column) == true else {
                    diagnostics.add(
                        at: key.mark, "table '\(table)' has no column '\(key.text ?? "")' in this mapping",
                        hint: suggestion(for: key.text ?? "", among: tables[table] ?? []))
                    return nil
                }
                return (column, expected(value))
            })
    }

    private func expected(_ node: StrictNode) -> ExpectedValue {
        if let items = node.items { return .list(items.map(expected)) }
        if let members = node.members { return .object(members.map { ($0.key.text ?? "", expected($0.value)) }) }
        return .scalar(node.isNull ? .null : .text(node.text ?? ""), isQuoted: node.isQuoted)
    }
}
