/// What a payload is for a person who looks at it.
public enum PayloadKind: String, Codable, Sendable {
    /// UTF-8 with few control characters: it is shown as it is.
    case text
    /// Anything else: hexadecimal digits are shown.
    case bytes
}

/// How a payload begins, for people: nothing on it needs to be JSON, or text at all.
struct PayloadPreview {
    let kind: PayloadKind
    /// The text as it came, or two digits for each byte with spaces between.
    let text: String

    static let digitsBytesMaximum = 100

    /// - Parameters:
    ///   - start: its first bytes, all of it where it has no more.
    ///   - payloadBytes: how many it has.
    init(_ start: [UInt8], payloadBytes: Int) {
        if let text = Self.text(start, isCut: start.count < payloadBytes), Self.isForPeople(text) {
            kind = .text
            self.text = text
        } else {
            kind = .bytes
            text = start.prefix(Self.digitsBytesMaximum).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        }
    }

    /// - Parameter isCut: the last character may be there in part: then it is left out.
    private static func text(_ bytes: [UInt8], isCut: Bool) -> String? {
        // No character has more than four bytes, so three of them at most are left over.
        for left in 0...(isCut ? min(3, bytes.count) : 0) {
            if let text = String(validating: bytes.dropLast(left), as: UTF8.self) { return text }
        }
        return nil
    }

    /// Registers and counters are often UTF-8 by chance: 01 00 41 is. A text may have a stray NUL at its end.
    private static func isForPeople(_ text: String) -> Bool {
        let controls = text.unicodeScalars.count { scalar in
            scalar.properties.generalCategory == .control && !["\t", "\n", "\r"].contains(scalar)
        }
        return controls * 8 <= text.unicodeScalars.count
    }
}
