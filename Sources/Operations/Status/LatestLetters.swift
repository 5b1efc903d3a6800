import Foundation
import Ingest
import PostgreSQL
import Store

/// The last dead letters, asked of the database when somebody looks, and no more often than every few seconds.
///
/// libpq blocks, so each look runs on a thread of its own; there is one at a time. A database that does not answer leaves what was known.
actor LatestLetters {
    static let lettersMaximum = 20
    private static let agePermitted = Duration.seconds(4)

    private let read: @Sendable () throws -> [LetterSummary.Letter]
    private var known: [StatusReport.DeadLetter] = []
    private var lookedAt: ContinuousClock.Instant?
    private var look: Task<Void, Never>?

    init(_ settings: DatabaseSettings) {
        self.init {
            let connection = try Connection(
                url: settings.url.value, defaults: settings.connectionDefaults.merging(["connect_timeout": "3"]) { $1 })
            return try LetterSummary.latest(Self.lettersMaximum, connection)
        }
    }

    /// - Parameter read: asks the database; may block.
    init(read: @escaping @Sendable () throws -> [LetterSummary.Letter]) { self.read = read }

    /// - Parameter isReachable: false: the database is away, and is not asked.
    func letters(isReachable: Bool) async -> [StatusReport.DeadLetter] {
        let isFresh = lookedAt.map { .now - $0 < Self.agePermitted } ?? false
        guard isReachable, !isFresh else { return known }
        let running = look ?? Task { await refresh() }
        look = running
        // A slow database must not make the answer slow.
        _ = try? await within(.seconds(1)) { await running.value }
        return known
    }

    private func refresh() async {
        let found = try? await onOwnThread(read)
        if let found { known = found.map(StatusReport.DeadLetter.init) }
        lookedAt = .now
        look = nil
    }
}

extension StatusReport.DeadLetter {
    init(_ letter: LetterSummary.Letter) {
        let preview = PayloadPreview(letter.payloadStart, payloadBytes: letter.payloadBytes)
        self.init(
            id: letter.identifier, at: timeText(microseconds: letter.storedMicroseconds), mapping: letter.mapping, stage: letter.stage,
            topic: String(letter.topic.unicodeScalars.prefix(500)), error: String(letter.error.unicodeScalars.prefix(1000)),
            payloadPreview: preview.text, payloadKind: preview.kind, payloadBytes: letter.payloadBytes)
    }
}

/// Runs what blocks on a thread of its own.
func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
