/// Writes a draft as the text of a mapping file.
struct ProposalText {
    /// A seen message with the rows that it gave.
    struct Test {
        var name: String?
        var message: ObservedMessage
        /// The value of `expect`, as YAML on one line.
        var expect: String
    }

    let draft: MappingDraft
    var tests: [Test] = []

    var text: String {
        var lines = ["# yaml-language-server: $schema=penstock.schema.json"]
        for remark in draft.remarks { lines += Self.wrapped(remark).map { "# " + $0 } }
        lines += topics("topic", draft.topics)
        if !draft.exclude.isEmpty { lines += topics("exclude", draft.exclude) }
        if draft.unpack.count == 1 { lines.append("unpack: \(draft.unpack[0])") }
        if draft.unpack.count > 1 { lines.append("unpack: [\(draft.unpack.joined(separator: ", "))]") }
        lines.append("decode: \(draft.decode.first ?? "json")".trimmedEnd)
        lines += draft.decode.dropFirst()
        if draft.blocks.count == 1, let block = draft.blocks.first {
            lines += block.remarks.flatMap(Self.wrapped).map { "# " + $0 }
            lines += self.lines(of: block)
        } else {
            lines.append("rows:")
            for block in draft.blocks {
                lines += block.remarks.flatMap(Self.wrapped).map { "  # " + $0 }
                for (index, line) in self.lines(of: block).enumerated() { lines.append((index == 0 ? "  - " : "    ") + line) }
            }
        }
        if !tests.isEmpty {
            lines.append("tests:")
            lines += tests.flatMap(self.lines)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func topics(_ key: String, _ topics: [String]) -> [String] {
        if topics.count == 1 { return ["\(key): \(YAMLText.topic(topics[0]))"] }
        return ["\(key):"] + topics.map { "  - \(YAMLText.topic($0))" }
    }

    // MARK: Blocks

    private func lines(of block: BlockDraft) -> [String] {
        var lines: [String] = []
        if block.key.isEmpty {
            lines.append("table: \(YAMLText.scalar(block.table))")
        } else {
            // A key that only looked like one would drop rows: what becomes of repeats is for a person to say.
            lines.append("table: {name: \(YAMLText.scalar(block.table)), key: [\(block.key.joined(separator: ", "))]}")
        }
        if !block.loops.isEmpty {
            lines.append("each: {\(block.loops.map { "\($0.variable): \(YAMLText.scalar($0.path))" }.joined(separator: ", "))}")
        }
        if !block.when.isEmpty {
            lines.append("when: {\(block.when.map { "\(YAMLText.scalar($0.source)): \($0.test)" }.joined(separator: ", "))}")
        }
        lines.append("columns:")
        for column in block.columns {
            let text = "  \(column.name): \(self.text(of: column, block))"
            lines.append(column.remark.map { text + "  # " + YAMLText.comment($0) } ?? text)
        }
        if block.keepsEmpty { lines.append("keep_empty: true") }
        return lines
    }

    private func text(of column: ColumnDraft, _ block: BlockDraft) -> String {
        let isPlain =
            column.parse == nil && column.zone == nil && column.plus == nil && column.nullIf.isEmpty && column.isKind == nil
            && column.when == nil && column.from.count == 1
        let type = column.type + (column.isNotNull ? " not null" : "")
        if isPlain, let source = column.from.first {
            // Without a source a column takes the field of its own name.
            let isOwnName = source == "\(root(of: block)).\(column.name)" && draft.decode.first != "text" && draft.decode.first != "bytes"
            let text = isOwnName ? type : "\(type) from \(source)"
            let isASCII = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
            return !isASCII || text.contains(": ") || text.contains(" #") ? YAMLText.scalar(text) : text
        }
        var parts = ["type: \(YAMLText.scalar(type))"]
        let sources = column.from.map(YAMLText.scalar)
        if let separator = column.joinedWith {
            parts.append("join: [\(sources.joined(separator: ", "))]")
            if separator != " " { parts.append("with: \(YAMLText.scalar(separator))") }
        } else {
            parts.append("from: \(sources.count == 1 ? sources[0] : "[\(sources.joined(separator: ", "))]")")
        }
        if let when = column.when { parts.append("when: \(when)") }
        if let isKind = column.isKind { parts.append("is: \(isKind)") }
        if !column.nullIf.isEmpty {
            let values = column.nullIf.map { $0.isEmpty ? "\"\"" : YAMLText.scalar($0) }
            parts.append("null_if: \(values.count == 1 ? values[0] : "[\(values.joined(separator: ", "))]")")
        }
        if let parse = column.parse { parts.append("parse: \(YAMLText.scalar(parse))") }
        if let zone = column.zone { parts.append("zone: \(zone)") }
        if let plus = column.plus { parts.append("plus: {from: \(YAMLText.scalar(plus.from)), times: \(plus.times)}") }
        return "{" + parts.joined(separator: ", ") + "}"
    }

    private func root(of block: BlockDraft) -> String {
        block.loops.last?.variable ?? (draft.decode.first?.contains("csv") == true ? "line" : "$")
    }

    // MARK: Tests

    private func lines(of test: Test) -> [String] {
        var lines: [String] = []
        if let name = test.name { lines.append("name: \(YAMLText.scalar(name))") }
        lines.append("topic: \(YAMLText.scalar(test.message.topic))")
        if let text = Self.printable(test.message.payload) {
            lines.append("payload: \(YAMLText.scalar(text))")
        } else {
            let digits = test.message.payload.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            lines.append("payload_hex: \"\(digits)\"")
        }
        lines.append("received: \(Times.text(test.message.receivedMicroseconds))")
        lines.append("expect: \(test.expect)")
        return lines.enumerated().map { ($0 == 0 ? "  - " : "    ") + $1 }
    }

    private static func printable(_ payload: [UInt8]) -> String? {
        guard let text = String(validating: payload, as: UTF8.self) else { return nil }
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\n" || $0 == "\r" || $0 == "\t" }
        return isPlain ? text : nil
    }

    /// Lines of at most 120 characters.
    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in YAMLText.comment(text).split(separator: " ") {
            if !line.isEmpty, line.count + word.count + 1 > 120 {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + (line.isEmpty ? [] : [line])
    }
}

extension YAMLText {
    /// A topic pattern: braces inside a level are plain there, in front they are not.
    static func topic(_ text: String) -> String {
        let letters = text.replacing("{", with: "").replacing("}", with: "")
        return !text.hasPrefix("{") && !letters.isEmpty && scalar(letters) == letters ? text : scalar(text)
    }
}

extension String {
    fileprivate var trimmedEnd: String { hasSuffix(" ") ? String(dropLast()) : self }
}
