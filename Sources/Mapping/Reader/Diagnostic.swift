/// Something wrong in a file: where, what, and what to do.
public struct Diagnostic: Error, Sendable, Equatable, CustomStringConvertible {
    public var mark: SourceMark
    public var message: String
    /// What to do; nil where the message says it.
    public var hint: String?

    public init(at mark: SourceMark, _ message: String, hint: String? = nil) {
        self.mark = mark
        self.message = message
        self.hint = hint
    }

    /// `mappings/press.yaml:14:7: unknown key 'tpye' in column 'time' - did you mean 'type'?`
    public var description: String { "\(mark): \(message)" + (hint.map { " - \($0)" } ?? "") }
}

/// Collects everything that is wrong, so that all of it is told at once.
public final class DiagnosticList {
    public private(set) var diagnostics: [Diagnostic] = []

    public init() {}

    public func add(at mark: SourceMark, _ message: String, hint: String? = nil) {
        let diagnostic = Diagnostic(at: mark, message, hint: hint)
        if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
    }

    public var isEmpty: Bool { diagnostics.isEmpty }
}

/// `did you mean 'type'?` for the nearest of the known names; nil when none is near.
public func suggestion(for name: String, among known: some Sequence<String>) -> String? {
    let limit = max(1, name.count / 3)
    let best = known.map { ($0, editDistance(name, $0)) }.filter { $0.1 <= limit }.min { ($0.1, $0.0) < ($1.1, $1.0) }
    return best.map { "did you mean '\($0.0)'?" }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left.prefix(64))
    let right = Array(right.prefix(64))
    guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
    var rows = [Array(0...right.count)]
    for i in 1...left.count {
        var row = [i]
        for j in 1...right.count {
            var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1))
            if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
            row.append(best)
        }
        rows.append(row)
    }
    return rows[left.count][right.count]
}
