import Foundation

/// Colours of the results on standard output: none where that is no terminal, or `NO_COLOR` is set.
enum Style: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"

    static let isUsed = isatty(STDOUT_FILENO) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

    func callAsFunction(_ text: String) -> String { Self.isUsed ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text }
}
