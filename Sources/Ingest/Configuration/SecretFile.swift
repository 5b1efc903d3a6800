import Foundation

/// A file that holds one secret: a password, a passphrase, a key.
enum SecretFile {
    /// The content without the line end at its end; nil when it cannot be read as text.
    static func content(_ file: String) -> String? {
        guard let content = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        return content.last?.isNewline == true ? String(content.dropLast()) : content
    }
}
