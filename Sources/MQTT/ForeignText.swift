/// Text that a stranger wrote, as a log or a terminal may show it: cut, and with everything escaped that is not seen, or changes how the rest is seen.
///
/// `description` has `\u{9b}` in place of control characters (those of C1 too), of format characters (which turn the direction of text around, or are of no
/// width), and of what ends a line; bytes that are no UTF-8 show as U+FFFD.
public struct ForeignText: CustomStringConvertible, Sendable {
    /// What is to be shown.
    public let description: String

    /// - Parameter maximumCharacters: Unicode scalars of the text that are kept; combining marks count like all others.
    public init(_ bytes: some Collection<UInt8>, maximumCharacters: Int = 200) {
        // No character has more than four bytes.
        let start = String(decoding: bytes.prefix(maximumCharacters &* 4), as: UTF8.self)
        var text = ""
        for scalar in start.unicodeScalars.prefix(maximumCharacters) {
            if Self.isShown(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                text += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        description = text
    }

    /// Whether a character is seen, and leaves alone how others are.
    public static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: false
        default: true
        }
    }
}
