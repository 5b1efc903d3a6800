import Foundation

/// A page of the documents: its blocks, and the code in its sentences.
struct Page {
    struct Block {
        /// Of its first line, from 1.
        let line: Int
        /// The word behind the fence; nil for a block that is set in by four blanks.
        let language: String?
        let lines: [String]

        var text: String { lines.joined(separator: "\n") }
    }

    /// What stands between backticks in a sentence or a table.
    struct Span {
        let line: Int
        let text: String
    }

    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// `README.md`, `docs/mappings.md` …
    let name: String
    let lines: [String]
    private(set) var blocks: [Block] = []
    private(set) var spans: [Span] = []

    var url: URL { Self.repository.appending(path: name) }

    /// README.md, and the pages of docs in the order of their names.
    static func all() throws -> [Page] {
        let names = try FileManager.default.contentsOfDirectory(atPath: repository.appending(path: "docs").path)
        return try (["README.md"] + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }).map { try Page($0) }
    }

    /// - Parameter name: from the top of the repository.
    init(_ name: String) throws {
        self.init(name, text: try String(contentsOf: Self.repository.appending(path: name), encoding: .utf8))
    }

    init(_ name: String, text: String) {
        self.name = name
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var index = 0
        var paragraph: [Int] = []
        while index < lines.count {
            let line = lines[index]
            let start: Int
            let language: String?
            if line.hasPrefix("```") {
                (start, language) = (index + 1, String(line.dropFirst(3)))
                index = lines[start...].firstIndex { $0.hasPrefix("```") } ?? lines.count
            } else if line.hasPrefix("    "), index == 0 || lines[index - 1].isEmpty {
                (start, language) = (index, nil)
                index = lines[start...].firstIndex { !$0.isEmpty && !$0.hasPrefix("    ") } ?? lines.count
                while lines[index - 1].isEmpty { index -= 1 }
            } else {
                paragraph.append(index)
                if line.isEmpty { addSpans(&paragraph) }
                index += 1
                continue
            }
            addSpans(&paragraph)
            let content = lines[start..<index].map { language == nil ? String($0.dropFirst(4)) : $0 }
            blocks.append(Block(line: start + 1, language: language, lines: content))
            if language != nil { index += 1 }
        }
        addSpans(&paragraph)
    }

    /// A span may go on in the next line, but not in the next paragraph.
    private mutating func addSpans(_ paragraph: inout [Int]) {
        defer { paragraph = [] }
        var open: (line: Int, text: String)?
        for index in paragraph {
            for (number, part) in lines[index].split(separator: "`", omittingEmptySubsequences: false).enumerated() {
                if number > 0 {
                    if let span = open {
                        spans.append(Span(line: span.line, text: span.text))
                        open = nil
                        continue
                    }
                    open = (index + 1, "")
                }
                open?.text += part
            }
            open?.text += " "
        }
    }

    /// The lines of the first block with one that begins so, from that line on.
    func lines(from beginning: String) -> [String] {
        for block in blocks {
            if let first = block.lines.firstIndex(where: { $0.hasPrefix(beginning) }) { return Array(block.lines[first...]) }
        }
        return []
    }

    func text(from beginning: String) -> String { lines(from: beginning).joined(separator: "\n") }
}
