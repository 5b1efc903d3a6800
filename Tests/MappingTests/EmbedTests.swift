import CopyFormat
import Testing

@testable import Mapping

@Suite("A payload inside a field is read like a payload")
struct EmbedTests {
    private static let head = "topic: t\ntable: x\nkeep_empty: true\n"

    @Test(
        "any decoder, behind any step",
        arguments: [
            ("{from: $.d, decode: json}", "v: real from e.a.0", #"{"d":"{\"a\":[7]}"}"#, "7"),
            ("{from: $.d, decode: text}", "v: text from e", #"{"d":"hello"}"#, "hello"),
            ("{from: $.d, unpack: hex, decode: bytes}", "v: bytea from e", #"{"d":"00ff"}"#, "\\x00ff"),
            ("{from: $.d, unpack: base64, decode: cbor}", "v: real from e.a", #"{"d":"oWFhBw=="}"#, "7"),
            ("{from: $.d, unpack: [hex, base64], decode: json}", "v: real from e", #"{"d":"4e773d3d"}"#, "7"),
            ("{from: $.d, decode: {csv: {header: first_line}}}", "v: text from e.1.b", #"{"d":"a,b\n1,2\n3,4"}"#, "4"),
            ("{from: $.d, decode: {json: {lines: true}}}", "v: jsonb from e", #"{"d":"1\n2"}"#, "[1,2]"),
            ("{from: payload, decode: text}", "v: text from e", #"{"d":1}"#, #"{"d":1}"#),
            ("{from: $.d, decode: json}", "v: real from e", #"{"d":7}"#, "7"),
            ("{from: $.list.-1, decode: json}", "v: real from e.a", #"{"list":["", "{\"a\":7}"]}"#, "7"),
        ])
    func decoders(embed: String, column: String, payload: String, stored: String) throws {
        #expect(try rows(Self.head + "embed: {e: \(embed)}\ncolumns: {\(column)}", payload) == [[stored]])
    }

    @Test("the message before leaves nothing behind where the field is missing")
    func missing() throws {
        let text =
            Self.head
            + "embed: {e: {from: $.d, decode: json}, f: {from: e.g, decode: {csv: {}}}}\ncolumns: {v: real from e.a, w: jsonb from f}"
        let mapping = try mapping(text)
        let full = #"{"d":"{\"a\":1,\"g\":\"x\"}"}"#
        #expect(
            try rowsInTurn(mapping, [full, "{}", #"{"d":null}"#, full]) == [
                "1 [{\"0\":\"x\"}]", "NULL NULL", "NULL NULL", "1 [{\"0\":\"x\"}]",
            ])
    }

    @Test("rest leaves the field that holds a payload where it is; paths into an embed count for the row rule")
    func rest() throws {
        let text = "topic: t\nembed: {e: {from: $.d, decode: json}}\ntable: x\ncolumns: {v: real from e.a, r: jsonb from rest}"
        #expect(try rows(text, #"{"d":"{\"a\":1}","k":2}"#) == [["1", #"{"d":"{\"a\":1}","k":2}"#]])
        #expect(try rows(text, #"{"d":"{}"}"#) == [])
    }

    @Test("an embed that is empty, or larger than a payload may be, is an error")
    func errors() throws {
        let text = Self.head + "embed: {e: {from: $.d, decode: json}}\ncolumns: {v: real from e.a}"
        #expect(try reason(text, #"{"d":""}"#)?.hasPrefix("embed 'e': decode json") == true)
        #expect(try reason(text, #"{"d":[1]}"#)?.hasPrefix("embed 'e': object or array") == true)
    }

    /// The rows of several messages through one evaluator, whose memory is used again.
    private func rowsInTurn(_ mapping: MappingSyntax, _ payloads: [String]) throws -> [String] {
        let plan = MappingPlan([mapping])
        var evaluator = Evaluator(plan: plan)
        let buffer = UnsafeMutablePointer<CopyBuffer>.allocate(capacity: 1)
        buffer.initialize(to: CopyBuffer(capacity: 1024))
        defer {
            buffer.deinitialize(count: 1)
            buffer.deallocate()
        }
        for payload in payloads {
            _ = Array("t".utf8).withUnsafeBytes { topic in
                Array(payload.utf8).withUnsafeBytes { payload in
                    evaluator.process(
                        MessageInput(topic: topic, payload: payload, receivedMicroseconds: 0, qos: 0, isRetained: false), into: buffer)
                }
            }
            #expect(evaluator.failures.isEmpty, "\(evaluator.failures)")
        }
        var reader = CopyReader(buffer.pointee)
        var rows: [String] = []
        while let row = reader.nextRow() {
            let values = zip(row, plan.targets[0].columns).map { field, column in
                field.map { DecodedValue($0, column.type).shown } ?? "NULL"
            }
            rows.append(values.joined(separator: " "))
        }
        return rows
    }
}
