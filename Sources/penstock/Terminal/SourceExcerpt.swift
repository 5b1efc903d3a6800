import Foundation
import Mapping

/// The line of a file that a mistake stands on, with a mark below the place.
///
/// Only for mappings: lines of a configuration may hold a password, and are never shown.
enum SourceExcerpt {
    /// Columns of a line that are shown around the place.
    private static let widthMaximum = 120

    /// The mistake, and its line below it where the file can be read.
    static func text(_ diagnostic: Diagnostic) -> String { diagnostic.description + excerpt(at: diagnostic.mark) }

    /// `\n   14 | columns: {v: {tpye: real}}\n      |              ^`; empty where there is no such line.
    static func excerpt(at mark: SourceMark) -> String {
        guard let data = FileManager.default.contents(atPath: mark.file) else { return "" }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(mark.line - 1) else { return "" }
        // By scalars, as the parser counts columns; a tab is as wide as it was where it stands under itself.
        let line = Array(lines[mark.line - 1].unicodeScalars).filter { $0 != "\r" }
        guard mark.column >= 1, mark.column <= line.count + 1, !line.isEmpty else { return "" }
        let first = max(0, min(mark.column - 1 - widthMaximum / 2, line.count - widthMaximum))
        let shown = line[first..<min(line.count, first + widthMaximum)]
        let before = shown.prefix(mark.column - 1 - first).map { $0 == "\t" ? "\t" : " " }.joined()
        let number = String(mark.line)
        let gutter = String(repeating: " ", count: max(0, 5 - number.count)) + number
        let blank = String(repeating: " ", count: gutter.count)
        let caret = Terminal.hasColour ? "\u{1B}[31m^\u{1B}[0m" : "^"
        return "\n\(gutter) | \(printable(shown))\n\(blank) | \(before)\(caret)"
    }

    /// A terminal obeys control characters; a file may hold any.
    private static func printable(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = ""
        for scalar in scalars {
            let isControl =
                scalar != "\t" && (scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format)
            text.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
        }
        return text
    }
}
