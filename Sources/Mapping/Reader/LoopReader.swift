/// Reads `each`, or takes the loop that the decoder has of its own.
struct LoopReader {
    let diagnostics: DiagnosticList

    /// - Parameters:
    ///   - mark: where the block stands, for a loop that nobody wrote.
    ///   - sources: takes the loops' variables.
    func read(_ node: StrictNode?, _ mark: SourceMark, _ decode: DecodeSyntax, _ sources: inout SourceReader) -> [LoopSyntax] {
        guard let node else {
            guard let (variable, path) = decode.defaultLoop else { return [] }
            let loop = LoopSyntax(variable: variable, mark: mark, over: .document(.payload, path))
            add(loop, &sources)
            return [loop]
        }
        var loops: [LoopSyntax] = []
        let pairs: [(variable: String, mark: SourceMark, path: StrictNode)] =
            node.members.map { $0.map { ($0.key.text ?? "", $0.key.mark, $0.value) } } ?? [("item", node.mark, node)]
        if pairs.isEmpty { diagnostics.add(at: node.mark, "'each' names no loop", hint: "such as {sample: $.samples.*}") }
        for (variable, mark, path) in pairs {
            guard Self.isVariable(variable), !SourceReader.reserved.contains(variable) else {
                diagnostics.add(
                    at: mark, "'\(variable)' cannot name a loop variable",
                    hint: "letters, digits and _; not \(SourceReader.reserved.sorted().joined(separator: ", "))")
                continue
            }
            if sources.loops.contains(variable) || sources.embeds.contains(variable) {
                diagnostics.add(at: mark, "the name '\(variable)' stands twice", hint: "loop variables and embeds have names of their own")
            }
            guard let text = path.text, text.hasSuffix(".*") else {
                diagnostics.add(at: path.mark, "a loop runs over a path that ends in .*", hint: "such as $.samples.*")
                sources.loops.append(variable)
                continue
            }
            guard let source = sources.read(String(text.dropLast(2)), at: path.mark) else {
                sources.loops.append(variable)
                continue
            }
            let loop = LoopSyntax(variable: variable, mark: mark, over: source)
            guard case .document = source else {
                diagnostics.add(at: path.mark, "'\(text)': a loop runs over a part of the payload")
                sources.loops.append(variable)
                continue
            }
            do throws(DocumentShape.Fault) { _ = try sources.itemShape(of: source) } catch {
                diagnostics.add(at: path.mark, "'\(text)': \(error.message)", hint: error.hint)
            }
            add(loop, &sources)
            loops.append(loop)
        }
        return loops
    }

    private func add(_ loop: LoopSyntax, _ sources: inout SourceReader) {
        let shape = try? sources.itemShape(of: loop.over)
        sources.loops.append(loop.variable)
        sources.shapes[loop.variable] = shape ?? .anything
    }

    /// Whether a name can stand in front of a path.
    static func isVariable(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
    }
}
