import Foundation

/// A file that holds one secret: a password, a passphrase, a key.
enum SecretFile {
    /// The content without the line end at its end; nil when it cannot be read as text.
    static func content(_ file: String) -> String? {
        guard let content = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        return content.last?.isNewline == true ? String(content.dropLast()) : content
    }

    /// Whether others than its owner and its group may read it. A link says nothing of that, and Kubernetes mounts secrets as links: it is followed.
    static func isOpenToAll(_ file: String) -> Bool {
        let path = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
        let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? NSNumber
        return mode.map { $0.intValue & 0o004 != 0 } ?? false
    }
}
