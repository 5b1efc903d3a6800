/// Reads `embed: {name: {from, unpack?, decode}}`.
struct EmbedReader {
    let diagnostics: DiagnosticList

    /// Reads all embeds, and makes each a root of `sources` for what comes after it.
    func read(_ node: StrictNode?, _ sources: inout SourceReader) -> [EmbedSyntax] {
        guard let node else { return [] }
        guard let members = node.members else {
            diagnostics.add(
                at: node.mark, "'embed' needs names with a source and a decoder each, not \(node.kindInWords)", hint: Self.example)
            return []
        }
        var embeds: [EmbedSyntax] = []
        for (key, value) in members {
            let name = key.text ?? ""
            guard LoopReader.isVariable(name), !SourceReader.reserved.contains(name) else {
                diagnostics.add(
                    at: key.mark, "'\(name)' cannot name an embed",
                    hint: "letters, digits and _; not \(SourceReader.reserved.sorted().joined(separator: ", "))")
                continue
            }
            let embed = embed(name, key.mark, value, sources)
            // A root all the same where something is wrong with it, so that what reads it is not wrong too.
            sources.embeds.append(name)
            if let embed {
                sources.shapes[name] = DocumentShape(embed.decode)
                embeds.append(embed)
            }
        }
        return embeds
    }

    private static let example = "such as {inner: {from: $.data, decode: json}}"

    private func embed(_ name: String, _ mark: SourceMark, _ node: StrictNode, _ sources: SourceReader) -> EmbedSyntax? {
        guard let object = ObjectReader(node, "embed '\(name)'", keys: Keys.embed, diagnostics) else { return nil }
        for needed in ["from", "decode"] where object[needed] == nil {
            diagnostics.add(at: object.mark, "embed '\(name)' needs '\(needed)'", hint: Self.example)
        }
        let unpack = UnpackReader(diagnostics: diagnostics).read(object)
        let decode = object["decode"].flatMap { DecodeReader(diagnostics: diagnostics).read($0) }
        guard let from = object["from"], let source = sources.read(from), let decode else { return nil }
        if case .rest = source {
            diagnostics.add(at: from.mark, "embed '\(name)' cannot be made of rest")
            return nil
        }
        if decode.needsOrder, let place = object["decode"] {
            diagnostics.add(at: place.mark, "embed '\(name)' cannot hold Sparkplug", hint: "its aliases belong to topics of its own")
            return nil
        }
        return EmbedSyntax(name: name, mark: mark, from: source, unpack: unpack, decode: decode)
    }
}
