import CopyFormat
import Mapping

/// Opens payloads with the decoders of the mapping language itself: what a proposal says is then what was seen, and a decoder that this build does not
/// have is never proposed.
final class PayloadOpener {
    /// By the words of the mapping; nil where the language does not know them.
    private var plans: [String: MappingPlan?] = [:]

    /// The bytes behind a step of `unpack`; nil where the step is not known or fails.
    func bytes(_ payload: [UInt8], unpack steps: [String]) -> [UInt8]? {
        let plan = plan("unpack: [\(steps.joined(separator: ", "))]\ndecode: bytes", column: "bytea")
        guard let plan, case .bytes(let bytes)? = value(payload, plan) else { return nil }
        return bytes
    }

    /// The document that a decoder reads; nil where the decoder is not known or fails.
    func document(_ payload: [UInt8], decode: String) -> SampleValue? {
        guard let plan = plan("decode: \(decode)", column: "jsonb"), case .json(let text)? = value(payload, plan) else { return nil }
        return SampleValue(json: Array(text.utf8))
    }

    private static func mapping(_ text: String) -> MappingSyntax? {
        let reading = MappingReader.read(text: text, file: "probe.yaml")
        return reading.diagnostics.isEmpty ? reading.mappings.first : nil
    }

    private func plan(_ words: String, column: String) -> MappingPlan? {
        if let known = plans[words] { return known }
        let mapping = Self.mapping("topic: t\n\(words)\ntable: x\ncolumns: {value: \(column) not null from $}")
        let plan = mapping.map { MappingPlan([$0]) }
        plans[words] = .some(plan)
        return plan
    }

    private func value(_ payload: [UInt8], _ plan: MappingPlan) -> DecodedValue? {
        let trial = Trial(plan, topic: "t", payload: payload, receivedMicroseconds: 0)
        return trial.rows.first?.rows.first?.first ?? nil
    }
}
