import Foundation

/// A page of the manual as its readers follow it: files to write, and commands with what they print.
///
/// - A `yaml` block whose first line is `# mappings/NAME.yaml`, or a `text` block whose first line is `# NAME`, is a file.
/// - A `console` block holds commands, each behind `$ `, and what they print. A line that is `…` stands for any lines, a `…` within a line for any characters.
/// - The comment `<!-- a folder of its own -->` begins again with an empty folder.
struct Transcript {
    enum Step {
        case newFolder
        case file(name: String, text: String)
        /// - Parameters:
        ///   - line: of the page, from 1.
        ///   - output: the lines that the page shows.
        case command(line: Int, text: String, output: [String])
    }

    private(set) var steps: [Step] = []
    private var lines: [String]

    init(page: Page) {
        lines = page.lines
        var end = 0
        for block in page.blocks {
            let start = block.line - 1
            if lines[end..<start].contains("<!-- a folder of its own -->") { steps.append(.newFolder) }
            end = start + block.lines.count
            if block.language == "console" {
                addCommands(block)
            } else if ["yaml", "text"].contains(block.language), let first = block.lines.first, first.hasPrefix("# "),
                first.hasSuffix(".yaml") || first.hasSuffix(".txt")
            {
                let text = block.language == "text" ? block.lines.dropFirst() : block.lines[...]
                steps.append(.file(name: String(first.dropFirst(2)), text: text.map { $0 + "\n" }.joined()))
            }
        }
    }

    private mutating func addCommands(_ block: Page.Block) {
        var command: (line: Int, text: String)?
        var output: [String] = []
        for (index, line) in zip(block.line..., block.lines) {
            guard line.hasPrefix("$ ") else {
                output.append(line)
                continue
            }
            if let command { steps.append(.command(line: command.line, text: command.text, output: output)) }
            command = (index, String(line.dropFirst(2)))
            output = []
        }
        if let command { steps.append(.command(line: command.line, text: command.text, output: output)) }
    }

    /// The page with other outputs behind the commands at these lines.
    func page(with outputs: [Int: [String]]) -> String {
        var lines = lines
        for (line, output) in outputs.sorted(by: { $0.key > $1.key }) {
            var end = line
            while end < lines.count, lines[end] != "```", !lines[end].hasPrefix("$ ") { end += 1 }
            lines.replaceSubrange(line..<end, with: output.map(Self.trimmed))
        }
        return lines.joined(separator: "\n")
    }

    /// Whether what was printed is what the page shows; spaces at the end of a line do not count.
    static func matches(_ printed: [String], _ shown: [String]) -> Bool {
        matches(printed.map(trimmed)[...], shown.map(trimmed)[...])
    }

    private static func matches(_ printed: ArraySlice<String>, _ shown: ArraySlice<String>) -> Bool {
        guard let first = shown.first else { return printed.isEmpty }
        if first == "…" {
            return (printed.startIndex...printed.endIndex).contains { matches(printed[$0...], shown.dropFirst()) }
        }
        guard let line = printed.first, isLine(line, like: first) else { return false }
        return matches(printed.dropFirst(), shown.dropFirst())
    }

    private static func isLine(_ line: String, like shown: String) -> Bool {
        let parts = shown.split(separator: "…", omittingEmptySubsequences: false)
        guard parts.count > 1, let head = parts.first, let tail = parts.last else { return line == shown }
        guard line.hasPrefix(head), line.hasSuffix(tail), line.count >= head.count + tail.count else { return false }
        var rest = line.dropFirst(head.count).dropLast(tail.count)
        for part in parts.dropFirst().dropLast() {
            guard let range = rest.firstRange(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return true
    }

    private static func trimmed(_ line: String) -> String { String(line.reversed().drop { $0 == " " }.reversed()) }
}
