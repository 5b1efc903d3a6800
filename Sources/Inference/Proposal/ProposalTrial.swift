import CopyFormat
import Mapping

/// Runs a draft through the reader and the evaluator: what it really makes of the messages.
struct ProposalTrial {
    /// What became of one message.
    struct Outcome {
        var message: Int
        var rows: [DecodedRows]
        var failure: MappingFailure?
        var rowCount: Int { rows.reduce(0) { $0 + $1.rows.count } }
    }

    let diagnostics: [String]
    let outcomes: [Outcome]

    /// - Parameter name: of the file, without `.yaml`.
    init(text: String, name: String, sample: Sample, messages: [Int]) {
        let reading = MappingReader.read(text: text, file: name + ".yaml")
        diagnostics = reading.diagnostics.map(\.description)
        guard reading.diagnostics.isEmpty, !reading.mappings.isEmpty else {
            outcomes = []
            return
        }
        let plan = MappingPlan(reading.mappings)
        outcomes = messages.map { index in
            let message = sample.messages[index]
            // A retained copy stands for the message that it once was.
            let trial = Trial(
                plan, topic: message.topic, payload: message.payload, receivedMicroseconds: message.receivedMicroseconds, qos: message.qos)
            return Outcome(message: index, rows: trial.rows, failure: trial.failures.first)
        }
    }

    var storedCount: Int { outcomes.filter { $0.failure == nil && $0.rowCount > 0 }.count }
}
