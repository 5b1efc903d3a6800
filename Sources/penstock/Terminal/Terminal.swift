import Foundation

/// Standard output for results, standard error for errors; colour and live lines only on a terminal (`NO_COLOR` respected).
enum Terminal {
    static let isInteractive = isatty(STDERR_FILENO) == 1
    static let hasColour = isInteractive && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

    static func error(_ text: String) {
        let label = hasColour ? "\u{1B}[31merror:\u{1B}[0m " : "error: "
        write(label + text + "\n")
    }

    static func warning(_ text: String) {
        let label = hasColour ? "\u{1B}[33mwarning:\u{1B}[0m " : "warning: "
        write(label + text + "\n")
    }

    /// A line for the person, not part of the result.
    static func note(_ text: String) { write(text + "\n") }

    /// Replaces the line that stands at the bottom of the terminal; nothing where there is no terminal.
    static func live(_ text: String) {
        guard isInteractive else { return }
        write("\r\u{1B}[K" + text)
    }

    static func endLive() {
        guard isInteractive else { return }
        write("\r\u{1B}[K")
    }

    private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// A table in plain text: the first column is aligned left, numbers right.
struct TextTable {
    var header: [String]
    var rows: [[String]] = []

    var text: String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            zip(cells, widths).enumerated().map { index, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return index == 0 || !isNumber(cell.0) ? cell.0 + padding : padding + cell.0
            }.joined(separator: "  ").trimmingTrailingSpaces
        }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
    }

    private func isNumber(_ cell: String) -> Bool {
        !cell.isEmpty && cell.allSatisfy { $0.isNumber || $0 == "," || $0 == "." || $0 == "-" }
    }
}

extension String {
    var trimmingTrailingSpaces: String { String(reversed().drop(while: { $0 == " " }).reversed()) }
}

/// `1 topic`, `1,200 topics`: as many things, for people.
/// - Parameter thing: one of them, a word that takes an s where there are more.
func counted(_ number: some BinaryInteger, _ thing: String) -> String { "\(grouped(number)) \(thing)\(number == 1 ? "" : "s")" }

/// `1 row is`, `1,200 rows are`.
func counted(_ number: some BinaryInteger, _ thing: String, _ one: String, _ many: String) -> String {
    "\(counted(number, thing)) \(number == 1 ? one : many)"
}

/// A number with thousands separated, for people.
func grouped(_ number: some BinaryInteger) -> String {
    let digits = String(number.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
        result.append(digit)
    }
    return number < 0 ? "-" + result : result
}
