import Foundation
import Sandbox

/// One session that gathers as many messages in one batch as a test wants: somebody holds the table while they come.
final class BatchStage {
    let workplace: Workplace
    let probe: DatabaseProbe
    private let intruder: DatabaseProbe
    private let table: String

    /// - Parameters:
    ///   - table: the one that is held.
    ///   - preparation: statements that run in the database before there are tables.
    init(mappings: [String: String], holding table: String, preparation: [String] = []) async throws {
        // No bound to what the broker sends unacknowledged: its twenty would be the largest batch.
        var options = PrivateMosquitto.Options()
        options.maximumInflight = 0
        workplace = try await Workplace(sessions: 1, shards: 1, mappings: mappings, brokerOptions: options, preparation: preparation)
        probe = try workplace.probe()
        intruder = try workplace.probe()
        self.table = table
        try await workplace.startIngester()
    }

    /// Publishes the messages so that the ingester stores the first alone and all others in one batch.
    /// - Parameter watch: called again and again while they are stored.
    /// - Returns: the time from the moment when the table is free to the acknowledgement of the last message.
    @discardableResult
    func storeInOneBatch(
        _ messages: [LoadPublisher.Message], within limit: Duration = .seconds(20), watch: () throws -> Void = {}
    ) async throws -> Duration {
        let tap = workplace.tap
        let acknowledged = tap.count(.publishAcknowledgement, .toBroker)
        let delivered = tap.count(.publish, .toIngester)
        try intruder.run("BEGIN", "LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE")
        try await workplace.publish(Array(messages.prefix(1)))
        try await workplace.eventually("the first message waits for the table") {
            try probe.number("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0
        }
        try await workplace.publish(Array(messages.dropFirst()))
        try await workplace.eventually("all are delivered") { tap.count(.publish, .toIngester) == delivered + messages.count }
        let start = ContinuousClock.now
        try intruder.rows("COMMIT")
        try await workplace.eventually("all are acknowledged", within: limit, every: .milliseconds(2)) {
            try watch()
            return tap.count(.publishAcknowledgement, .toBroker) == acknowledged + messages.count
        }
        return (tap.passages.last { $0.kind == .publishAcknowledgement && $0.direction == .toBroker }?.at ?? .now) - start
    }

    /// Forgets what is stored.
    func clear() throws { try probe.run("TRUNCATE \(table)", "DELETE FROM penstock.dead_letter") }

    func close() async throws { try await workplace.close() }
}
