import Foundation

/// Where a private server keeps its files: a folder that was named, or one that goes with the server.
final class ServerFolder: Sendable {
    let url: URL
    private let isTemporary: Bool

    /// - Parameter url: exists and is kept; nil: a new folder, removed with its owner.
    init(_ url: URL?) throws {
        isTemporary = url == nil
        self.url = url ?? FileManager.default.temporaryDirectory.appending(path: "penstock-sandbox-\(UUID().uuidString)")
        if isTemporary {
            // PostgreSQL runs as another user than root and has to get into its own folder below; no other may look around here.
            try FileManager.default.createDirectory(
                at: self.url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        }
    }

    deinit {
        if isTemporary { try? FileManager.default.removeItem(at: url) }
    }
}

/// How a private server is stopped.
public enum StopMode: Sendable {
    /// In good order: what it keeps is on disk.
    case fast
    /// At once, as a crash would.
    case immediate
}
