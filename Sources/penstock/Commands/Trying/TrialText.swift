import MQTT
import Mapping

/// A trial as people read it.
extension MessageTrial {
    /// Lines of a payload that are shown; `--json` has all of them.
    private static let payloadLinesMaximum = 200
    /// Patterns of a mapping that are shown with why they do not take the topic.
    private static let patternsMaximum = 5

    var text: String {
        var lines = explanations.flatMap { self.lines(of: $0) }
        if !isMatched { lines.append("no mapping takes this topic: the message would be acknowledged and counted as unrouted") }
        return lines.joined(separator: "\n")
    }

    private func lines(of explanation: Explanation) -> [String] {
        var lines = [heading(explanation)]
        switch explanation.outcome {
        case .notMatched(let patterns):
            for (pattern, mismatch) in patterns.prefix(Self.patternsMaximum) {
                lines.append("  '\(pattern.value)' (\(pattern.mark)): level \(mismatch.level): \(mismatch.words)")
            }
            if patterns.count > Self.patternsMaximum { lines.append("  … and \(patterns.count - Self.patternsMaximum) more patterns") }
        case .excluded(let pattern): lines.append("  it matches, but 'exclude' has '\(pattern.value)' (\(pattern.mark))")
        case .skipped, .noRows, .rows: break
        case .filtered: if explanation.failedTests.isEmpty { lines.append("  no block takes it") }
        case .deadLetter(let letter): lines += self.lines(of: letter)
        }
        for test in explanation.failedTests { lines.append("  when \(Self.words(test))") }
        lines += explanation.blocks.flatMap { blockLines($0, isOnly: explanation.blocks.count == 1) }
        if let payload = explanation.payload { lines += payloadLines(payload, "payload") }
        for embed in explanation.embeds { lines += payloadLines(embed, "embed") }
        for part in explanation.rows {
            let table = TextTable(
                header: part.columns.map(\.name), rows: part.rows.map { row in row.map { $0.map { Self.escaped($0.shown) } ?? "NULL" } })
            lines.append("  table \(Style.bold(part.table)), \(counted(part.rows.count, "row"))")
            lines += table.text.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
        }
        return lines
    }

    private func heading(_ explanation: Explanation) -> String {
        let name = Style.bold(explanation.mapping)
        let place = explanation.pattern.map { " '\($0.value)' (\($0.mark))" } ?? ""
        switch explanation.outcome {
        case .notMatched: return "\(name): \(Style.dim("does not take the topic"))"
        case .excluded: return "\(name): \(Style.dim("the topic is excluded"))"
        case .skipped(let words): return "\(name): takes\(place), \(Style.yellow("skipped")): \(words)"
        case .deadLetter: return "\(name): takes\(place), \(Style.red("dead letter"))"
        case .filtered: return "\(name): takes\(place), \(Style.yellow("no rows")): 'when' does not hold"
        case .noRows(let words): return "\(name): takes\(place), \(Style.yellow("no rows")): \(words)"
        case .rows:
            let count = explanation.rows.reduce(0) { $0 + $1.rows.count }
            return "\(name): takes\(place), \(Style.green(counted(count, "row")))"
        }
    }

    private func lines(of letter: Explanation.Letter) -> [String] {
        var lines = ["  \(Style.red(letter.reason)) (\(letter.mark))"]
        for (source, value) in letter.values { lines.append("    \(source) is \(value.map { Self.escaped($0) } ?? "missing or null")") }
        return lines
    }

    private static func words(_ test: Explanation.FailedTest) -> String {
        let met = test.values.isEmpty ? "there is nothing" : "it is " + test.values.map { escaped($0) }.joined(separator: ", ")
        return "\(test.test) does not hold (\(test.mark)): \(met)"
    }

    private func blockLines(_ block: Explanation.Block, isOnly: Bool) -> [String] {
        var notes = block.failedTests.map { "when \(Self.words($0))" }
        if block.failsTogether { notes.append("no item meets all tests of 'when'") }
        if block.noValues > 0 {
            let (rows, them) = (counted(block.noValues, "row"), block.noValues == 1 ? "it" : "them")
            notes.append("\(rows) without any value \(block.noValues == 1 ? "is" : "are") not written (keep_empty: true keeps \(them))")
        }
        if block.skippedRows > 0 { notes.append("\(counted(block.skippedRows, "row", "is", "are")) skipped (on_error: skip_row)") }
        if block.nulledColumns > 0 {
            notes.append("\(counted(block.nulledColumns, "value", "is", "are")) set to NULL (on_error: set_null)")
        }
        guard !isOnly else { return notes.map { "  " + $0 } }
        return notes.map { "  block for \(block.table) (\(block.mark)): \($0)" }
    }

    // MARK: Values

    /// Foreign text on a terminal: cut, and nothing in it that a terminal obeys.
    private static func escaped(_ text: String, maximum: Int = 80) -> String {
        ForeignText(text.utf8, maximumCharacters: maximum).description + (text.unicodeScalars.count > maximum ? "…" : "")
    }

    // MARK: The payload

    private func payloadLines(_ root: PayloadNode, _ title: String) -> [String] {
        var lines: [(path: String, note: String)] = []
        var left = 0
        Self.collect(root, depth: 0, isElement: false, &lines, &left)
        let width = min(48, lines.map(\.path.count).max() ?? 0)
        var shown = lines.map { line in
            "    "
                + (line.note.isEmpty
                    ? line.path : line.path + String(repeating: " ", count: max(0, width - line.path.count)) + "  " + line.note)
        }
        if left > 0 { shown.append("    … and \(grouped(left)) more (--json has all of them)") }
        return ["  " + title] + shown
    }

    private static func collect(
        _ node: PayloadNode, depth: Int, isElement: Bool, _ lines: inout [(path: String, note: String)], _ left: inout Int
    ) {
        guard lines.count < payloadLinesMaximum else {
            left += 1
            return
        }
        let indentation = String(repeating: "  ", count: depth)
        let name = isElement ? "- \(node.key)" : escaped(node.key, maximum: 40)
        let names = node.nameColumns.isEmpty ? "" : Style.green("its name -> " + node.nameColumns.joined(separator: ", "))
        if node.isContainer, !node.children.isEmpty {
            lines.append((indentation + name, names))
        } else {
            let value = node.isContainer ? (node.kind == .object ? "{}" : "[]") : quoted(node)
            let fate = Self.words(node)
            lines.append((indentation + name + ": " + value, [fate, names].filter { !$0.isEmpty }.joined(separator: "; ")))
        }
        for child in node.children { collect(child, depth: depth + 1, isElement: node.kind == .array, &lines, &left) }
        if node.isCut { lines.append((indentation + "  …", "not all of it was looked at")) }
    }

    private static func quoted(_ node: PayloadNode) -> String {
        switch node.kind {
        case .string: "\"\(escaped(node.text, maximum: 60))\""
        case .bytes: "\\x\(escaped(node.text, maximum: 60))"
        default: escaped(node.text, maximum: 60)
        }
    }

    private static func words(_ node: PayloadNode) -> String {
        switch node.fate {
        case .mapped: Style.green("-> " + node.columns.joined(separator: ", "))
        case .rest: Style.cyan("rest -> " + node.restColumns.joined(separator: ", "))
        case .ignored: Style.dim("ignored")
        case .tested: Style.dim("tested by when")
        case .unmapped: Style.yellow("unmapped")
        }
    }
}
