import CopyFormat
import Testing

@testable import Mapping

@Suite("A message leaves nothing behind for the next one")
struct ReusedMemoryTests {
    /// Processes payloads one after the other at one and the same address, as a socket's buffer gives them.
    private func rows(_ text: String, _ payloads: [String]) throws -> [[String]] {
        let plan = MappingPlan([try mapping(text)])
        var evaluator = Evaluator(plan: plan)
        let buffer = UnsafeMutablePointer<CopyBuffer>.allocate(capacity: 1)
        buffer.initialize(to: CopyBuffer())
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer {
            buffer.deinitialize(count: 1)
            buffer.deallocate()
            memory.deallocate()
        }
        for payload in payloads {
            memory.copyBytes(from: Array(payload.utf8))
            _ = Array("t".utf8).withUnsafeBytes { topic in
                evaluator.process(
                    MessageInput(
                        topic: topic, payload: UnsafeRawBufferPointer(rebasing: memory[..<payload.utf8.count]), receivedMicroseconds: 0,
                        qos: 0,
                        isRetained: false), into: buffer)
            }
        }
        var reader = CopyReader(buffer.pointee)
        var rows: [[String]] = []
        while let row = reader.nextRow() {
            rows.append(
                zip(row, plan.targets[0].columns).map { field, column in field.map { DecodedValue($0, column.type).shown } ?? "NULL" })
        }
        return rows
    }

    @Test("an array beside a loop is looked up anew, though it lies where the last message's lay")
    func cursors() throws {
        let text = "topic: t\neach: {i: $.n.*}\ntable: x\ncolumns:\n  v: real from $.v.{i@index}"
        #expect(try rows(text, [#"{"v":[1,2],"n":[0,0]}"#, #"{"v":[3,4],"n":[0,0]}"#]) == [["1"], ["2"], ["3"], ["4"]])
    }

    @Test("an empty payload that makes a row has nothing of the last message's items")
    func emptyRow() throws {
        let text = "topic: t\nempty_payload: row\neach: {i: $.*}\ntable: x\ncolumns: {v: real from i.v, k: text from i@key}"
        #expect(try rows(text, [#"{"a":{"v":1}}"#, ""]) == [["1", "a"], ["NULL", "NULL"]])
    }

    @Test("a declared type's rules hold where the table's type is wider")
    func widerTable() throws {
        let syntax = try mapping("topic: t\ntable: x\ncolumns: {v: integer}")
        let plan = MappingPlan([syntax], tableTypes: ["x": ["v": StoredType(.doublePrecision)]])
        func value(_ json: String) -> (String?, String?) {
            let trial = Trial(plan, topic: "t", payload: Array("{\"v\":\(json)}".utf8), receivedMicroseconds: 0)
            return (trial.rows.first?.rows.first?.first??.shown, trial.failures.first?.reason)
        }
        #expect(value("16777217").0 == "16777217")
        #expect(value("23.5").1?.contains("not a whole number") == true)
    }
}
