import Foundation
import Ingest
import MQTT
import PostgreSQL
import Store

/// The last dead letters, asked of the database when somebody looks, and no more often than every few seconds.
///
/// libpq blocks, so each look runs on a thread of its own; there is one at a time. A database that does not answer leaves what was known.
actor LatestLetters {
    static let lettersMaximum = 20
    private static let agePermitted = Duration.seconds(4)

    private let settings: DatabaseSettings
    private var known: [StatusReport.DeadLetter] = []
    private var lookedAt: ContinuousClock.Instant?
    private var look: Task<Void, Never>?

    init(_ settings: DatabaseSettings) { self.settings = settings }

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
        let settings = settings
        let found = try? await onOwnThread {
            let connection = try Connection(
                url: settings.url.value, defaults: settings.connectionDefaults.merging(["connect_timeout": "3"]) { $1 })
            return try LetterSummary.latest(Self.lettersMaximum, connection)
        }
        if let found { known = found.map(StatusReport.DeadLetter.init) }
        lookedAt = .now
        look = nil
    }
}

extension StatusReport.DeadLetter {
    init(_ letter: LetterSummary.Letter) {
        self.init(
            id: letter.identifier, at: timeText(microseconds: letter.storedMicroseconds), mapping: letter.mapping, stage: letter.stage,
            topic: ForeignText(letter.topic.utf8, maximumCharacters: 500).description,
            error: ForeignText(letter.error.utf8, maximumCharacters: 1000).description,
            payloadPreview: ForeignText(letter.payloadStart).description, payloadBytes: letter.payloadBytes)
    }
}

/// Runs what blocks on a thread of its own.
func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
