/// Reads `unpack`, of a mapping or of an embed.
struct UnpackReader {
    let diagnostics: DiagnosticList

    func read(_ object: ObjectReader) -> [UnpackStep] {
        object.list("unpack").compactMap { node in
            guard let text = node.text else {
                diagnostics.add(at: node.mark, "a step of 'unpack' is a single word, not \(node.kindInWords)")
                return nil
            }
            guard let step = UnpackStep(rawValue: text) else {
                diagnostics.add(
                    at: node.mark, "unknown step '\(text)' of 'unpack'",
                    hint: suggestion(for: text, among: UnpackStep.allCases.map(\.rawValue)))
                return nil
            }
            return step
        }
    }
}
