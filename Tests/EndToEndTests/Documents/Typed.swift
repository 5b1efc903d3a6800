import Foundation

/// Something that a page gives its readers to type, or to write into a file.
struct Typed: Sendable {
    enum Kind: Sendable {
        /// A line for a shell.
        case command
        /// SQL, or a command of psql.
        case statement
        /// `penstock.yaml`, or a part of it.
        case configuration
        case mapping
        /// What something prints, or the file of another program.
        case text
        /// An option by itself, such as `--json`.
        case option
        /// A block of a kind that nothing is known of.
        case unknown
    }

    let page: String
    let line: Int
    let kind: Kind
    let text: String

    var place: String { "\(page):\(line)" }

    /// All that a page holds.
    static func all(of page: Page) -> [Typed] {
        (page.blocks.flatMap { inBlock($0, of: page.name) } + page.spans.compactMap { inSentence($0, of: page.name) })
            .sorted { ($0.line, $0.text) < ($1.line, $1.text) }
    }

    private static func inBlock(_ block: Page.Block, of page: String) -> [Typed] {
        func whole(_ kind: Kind) -> [Typed] { [Typed(page: page, line: block.line, kind: kind, text: block.text)] }
        let commands = self.commands(of: block, where: block.language == "sh" ? { _ in true } : isCommand)
            .map { Typed(page: page, line: $0.line, kind: .command, text: $0.text) }
        switch block.language {
        case "sh", "console", nil: return commands
        case "sql": return whole(.statement)
        case "yaml": return whole(block.lines.contains { $0.hasPrefix("topic:") || $0.hasPrefix("columns:") } ? .mapping : .configuration)
        case "text": return commands.isEmpty ? whole(.text) : commands
        default: return whole(.unknown)
        }
    }

    /// The lines behind `$ ` where there are any, else those that are commands; a line that ends in `\` goes on.
    private static func commands(of block: Page.Block, where isOne: (String) -> Bool) -> [(line: Int, text: String)] {
        var found: [(line: Int, text: String)] = []
        let isTranscript = block.lines.contains { $0.hasPrefix("$ ") }
        var goesOn = false
        for (number, line) in zip(block.line..., block.lines) {
            let text = isTranscript ? (line.hasPrefix("$ ") ? String(line.dropFirst(2)) : "") : line
            if goesOn, let last = found.indices.last {
                found[last].text += "\n" + line
            } else if !text.isEmpty, isTranscript || isOne(text) {
                found.append((number, text))
            } else {
                continue
            }
            goesOn = line.hasSuffix("\\")
        }
        return found.map { ($0.line, $0.text.replacing(/\s+#\s.*$/, with: "")) }.filter { !$0.text.hasPrefix("# ") }
    }

    private static func inSentence(_ span: Page.Span, of page: String) -> Typed? {
        let kind: Kind
        if span.text.contains(/^--[a-z]/) {
            kind = .option
        } else if isStatement(span.text) {
            kind = .statement
        } else if isCommand(span.text) {
            kind = .command
        } else {
            return nil
        }
        return Typed(page: page, line: span.line, kind: kind, text: span.text)
    }

    private static let programs: Set = [
        "apt", "apt-get", "callgrind_annotate", "cat", "createdb", "curl", "docker", "dropdb", "git", "install", "journalctl", "kill",
        "kubectl",
        "mkdir", "mosquitto", "mosquitto_passwd", "mosquitto_pub", "mosquitto_sub", "openssl", "pg_basebackup", "pg_dump", "pg_dumpall",
        "pg_restore", "podman", "promtool", "psql", "python3", "sed", "sudo", "swift", "systemctl", "systemd-analyze", "systemd-sysusers",
        "valgrind",
    ]

    /// A program of others is no command by its name alone; one of ours is.
    private static func isCommand(_ text: String) -> Bool {
        let words = text.split(separator: " ", maxSplits: 1)
        guard let first = words.first else { return false }
        if first.contains(/^(scripts|Tests\/Page)\/[a-z_-]+(\.py)?$/) { return true }
        return words.count > 1 && (first == "penstock" || programs.contains(String(first)))
    }

    private static let keywords: Set = [
        "ALTER", "ATTACH", "CALL", "COPY", "CREATE", "DELETE", "DROP", "EXPLAIN", "GRANT", "INSERT", "REVOKE", "SELECT", "SET", "SHOW",
        "TRUNCATE", "UPDATE", "VACUUM", "WITH",
    ]

    /// Capitals alone (`ALTER TABLE`) are the name of a statement.
    private static func isStatement(_ text: String) -> Bool {
        guard let first = text.split(separator: " ").first, text.contains(/[^A-Z ]/) else { return false }
        return keywords.contains(String(first)) || text.contains(#/^\\[a-z+]+ /#)
    }
}
