import FuzzSupport
import MQTT
import Mapping
import Payload

/// An input is the text of a mapping file. What the reader accepts is compiled, and takes messages.
@main
struct MappingFuzz {
    private static let json =
        #"{"time":"2026-01-01T00:00:00Z","ts":1767225600,"seq":7,"temperature":21.5,"vent":"OPEN","soil":{"moisture":20,"ec":1.0},"#
        + #""samples":[{"v":1,"t":[1,2]},{"v":"x"},null],"n":-3,"b":true,"text":"a\u00e9\u0000","id":"0e984725-c51c-4bf4-9960-e1c80e27aba0"}"#
    /// One for each decoder, and some that fit none.
    private static let payloads: [[UInt8]] =
        [json, "time,temperature,n\n2026-01-01,21.5,x\n\"a\"\"b\",,3\n", "21.5", "deadbeef00ff", "[1,[2,3],{}]", "[]", "nan"].map {
            Array($0.utf8)
        }
        + [Array(0..<64), [0xFF, 0xFE, 0x00]]

    static func main() {
        let target = MappingFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        // No such folder: what a test names as a file is not there.
        let file = "/no/such/folder/fuzz.yaml"
        let reading = MappingReader.read(text: text, file: file)
        let lines =
            text.utf8.count { $0 == 0x0A || $0 == 0x0D }
            + text.unicodeScalars.count { "\u{85}\u{2028}\u{2029}".unicodeScalars.contains($0) } + 1
        for diagnostic in reading.diagnostics {
            claim(diagnostic.mark.file == file && diagnostic.mark.column >= 1, "\(diagnostic) stands nowhere")
            claim((1...lines + 1).contains(diagnostic.mark.line), "\(diagnostic) stands behind the \(lines) lines")
        }
        claim(reading.diagnostics.isEmpty == (reading.mappings.count == 1), "\(reading.mappings.count) mappings, \(reading.diagnostics)")
        guard reading.diagnostics.isEmpty, let mapping = reading.mappings.first else { return }
        let plan = MappingPlan([mapping])
        claim(plan.overlaps.isEmpty, "one mapping overlaps itself")
        claim(!plan.subscriptions.isEmpty && plan.subscriptions.count <= mapping.topics.count, "\(plan.subscriptions)")
        _ = MappingTestRunner.run(mapping)
        for topic in mapping.topics.prefix(2) { messages(on: topic.value, plan) }
    }

    /// A topic that the pattern takes.
    private func topic(_ pattern: TopicPattern) -> String {
        pattern.levels.map { level in
            switch level {
            case .literal(let text): text
            case .any, .rest, .captureRest: "x1"
            case .parts(let parts):
                parts.map { if case .literal(let text) = $0 { text } else { "x1" } }.joined()
            }
        }.joined(separator: "/")
    }

    private func messages(on pattern: TopicPattern, _ plan: MappingPlan) {
        let topic = topic(pattern)
        claim(plan.subscriptions.contains { subscription in (try? TopicName(topic)).map(subscription.filter.matches) ?? true }, "\(topic)")
        var properties = PublishPropertiesWriter()
        properties.contentType("application/json")
        properties.userProperty("k", "v")
        for (index, payload) in Self.payloads.enumerated() {
            var limits = EvaluationLimits()
            limits.maximumRowBytes = 1 << 20
            let trial = Trial(
                plan, topic: topic, payload: payload, receivedMicroseconds: 1_767_225_600_000_000, qos: 1, isRetained: index == 0,
                properties: index % 2 == 0 ? properties.bytes : [], limits: limits)
            let rows = trial.rows.reduce(0) { $0 + $1.rows.count }
            claim(trial.outcome.rowCount == rows, "\(trial.outcome.rowCount) rows, and \(rows) in the buffers")
            claim(trial.outcome.failureCount == trial.failures.count, "\(trial.failures)")
            claim(trial.failures.isEmpty || rows == 0, "a dead letter leaves \(rows) rows")
            for part in trial.rows { claim(part.rows.allSatisfy { $0.count == part.columns.count }, "a row of another width") }
            books(trial)
        }
    }

    /// A message that came is rows, a letter, or counted as what it is else.
    private func books(_ trial: Trial) {
        guard let counters = trial.counters.first, counters.received > 0 else { return }
        claim(trial.outcome.matchedCount == 1 && counters.received == 1, "received \(counters.received)")
        claim(counters.rows == UInt64(trial.outcome.rowCount) && counters.failures == UInt64(trial.failures.count), "\(counters)")
        claim(counters.failures == 0 || counters.rows == 0, "\(counters)")
    }
}
