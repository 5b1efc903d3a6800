import CopyFormat
import FuzzSupport
import MQTT
import Mapping
import Payload

/// The last byte of an input says which mapping takes it, the rest is the payload of a device.
@main
struct MessageFuzz {
    private let runs: [MessageRun]
    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = MessageFuzz()
        fuzz(target.run)
    }

    private init() {
        let cases = MappingReader.read(folder: "Tests/MappingTests/Cases")
        let own = FuzzedMappings.all.flatMap { name, text in
            let reading = MappingReader.read(text: text, file: "\(name).yaml")
            precondition(reading.diagnostics.isEmpty, "\(reading.diagnostics)")
            return reading.mappings
        }
        runs = (own + cases.mappings).map { MessageRun($0) }
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let control = Int(input.byte())
        let run = runs[control % runs.count]
        let written = run.process(memory.lay(input.rest))
        // The same message again, elsewhere in memory, through what the first one has left behind.
        claim(run.process(memory.lay(input.rest, atFront: true)) == written, "a message has other rows the second time")
    }
}

/// One mapping with the evaluator and the buffers of a shard.
final class MessageRun {
    private let plan: MappingPlan
    private var evaluator: Evaluator
    private let buffers: UnsafeMutablePointer<CopyBuffer>
    private let topic: [UInt8]
    private let properties: [UInt8]

    init(_ mapping: MappingSyntax) {
        plan = MappingPlan([mapping])
        evaluator = Evaluator(plan: plan, limits: EvaluationLimits(maximumPayloadBytes: 1 << 20, maximumRowBytes: 1 << 18))
        buffers = .allocate(capacity: plan.targets.count)
        for index in plan.targets.indices { (buffers + index).initialize(to: CopyBuffer(capacity: 64)) }
        topic = Array((mapping.tests.first?.topic ?? "t").utf8)
        var writer = PublishPropertiesWriter()
        writer.contentType("application/json")
        writer.userProperty("k", "v")
        properties = writer.bytes
    }

    /// What a message adds to each buffer.
    func process(_ payload: UnsafeRawBufferPointer) -> [[UInt8]] {
        for index in plan.targets.indices { buffers[index].removeAll() }
        let outcome = topic.withUnsafeBytes { topic in
            properties.withUnsafeBytes { properties in
                evaluator.process(
                    MessageInput(
                        topic: topic, payload: payload, receivedMicroseconds: 1_767_225_600_000_000, qos: 1, isRetained: false,
                        properties: PublishProperties(checking: properties) ?? PublishProperties()), into: buffers)
            }
        }
        claim(outcome.matchedCount == 1 && outcome.failureCount == evaluator.failures.count, "\(outcome)")
        var rows = 0
        for (index, target) in plan.targets.enumerated() {
            rows += buffers[index].rowCount
            // The last row of a buffer may be as long as a payload makes it.
            claim(buffers[index].count <= 1 << 21, "\(buffers[index].count) bytes of rows of \(payload.count)")
            var reader = CopyReader(buffers[index])
            var read = 0
            while let row = reader.nextRow() {
                read += 1
                claim(row.count == target.columns.count, "a row of \(row.count) fields")
                for (field, column) in zip(row, target.columns) { if let field { StoredField.check(field, column.type) } }
            }
            claim(read == buffers[index].rowCount, "\(read) rows read, of \(buffers[index].rowCount)")
            // As text each row is a line, each field stands between tabs, and nothing in a value says otherwise.
            let text = TextRows([buffers[index].bytes(0..<buffers[index].count)], types: target.fieldTypes)
            let tabs = text.bytes.reduce(0) { $0 + ($1 == UInt8(ascii: "\t") ? 1 : 0) }
            let lines = text.bytes.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
            claim(lines == read && tabs == read * (target.columns.count - 1), "\(lines) lines and \(tabs) tabs of \(read) rows")
            claim(!text.bytes.contains(0), "NUL in a text")
        }
        claim(rows == outcome.rowCount && (rows == 0 || outcome.failureCount == 0), "\(rows) rows, \(outcome)")
        for failure in evaluator.failures {
            claim(failure.reason.utf8.count < 1000, "an error as long as the payload")
            claim(!failure.reason.unicodeScalars.contains { $0.value < 0x20 }, "control characters in '\(failure.reason)'")
        }
        return plan.targets.indices.map { buffers[$0].withUnsafeBytes { Array($0) } }
    }
}
