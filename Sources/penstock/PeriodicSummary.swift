import Ingest
import Logging

/// What went through, a few lines a day: so that a log in which nothing went wrong shows that the service lives.
enum PeriodicSummary {
    private static let pause = Duration.seconds(6 * 3600)

    /// Writes a line every six hours, until it is cancelled.
    static func write(of service: IngestService, _ logger: Logger) async {
        guard var last = try? await service.snapshot() else { return }
        while (try? await Task.sleep(for: pause)) != nil, let now = try? await service.snapshot() {
            logger.info("the last 6 hours", metadata: counts(now, since: last))
            last = now
        }
    }

    static func counts(_ now: ServiceSnapshot, since last: ServiceSnapshot) -> Logger.Metadata {
        func grown(_ count: (ServiceSnapshot) -> UInt64) -> Logger.MetadataValue { "\(count(now) &- count(last))" }
        return [
            "received": grown(\.received), "rows": grown { $0.rowsByTable.values.reduce(0, +) }, "dead_letters": grown(\.deadLetters),
            "dropped": grown { $0.dropped + $0.lettersDropped }, "unrouted": grown(\.unrouted), "redelivered": grown(\.redelivered),
            "in_flight": "\(now.inFlight)",
        ]
    }
}
