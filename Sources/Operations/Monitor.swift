import Foundation
import HTTPTypes
import Ingest
import Logging
import Synchronization

/// Tells over HTTP how the service is: the status page, `/api/status`, `/metrics`, `/healthz` and `/readyz`.
///
/// It only reads: snapshots that the shards give of themselves, at most five a second however many ask.
public final class Monitor: Sendable {
    private enum Phase: Sendable {
        /// What the service waits for before it ingests.
        case starting(String)
        case running
        case ending
    }

    private let facts: ServiceFacts
    private let snapshots: SnapshotCache
    private let history = Mutex(StatusHistory())
    private let phase = Mutex(Phase.starting("it has just begun"))
    private let letters: LatestLetters
    private let recorder: PrometheusFactory
    private let check: RequestCheck
    private let settings: HTTPSettings
    private let listener = Mutex<HTTPListener?>(nil)
    private let sampling = Mutex<Task<Void, Never>?>(nil)
    private let logger: Logger

    /// How long the event loops may take to answer before the process counts as dead.
    static let healthLimit = Duration.seconds(3)

    /// - Parameter recorder: where the service records what happens (`IngestMetrics`).
    public init(_ settings: HTTPSettings, facts: ServiceFacts, recorder: PrometheusFactory, logger: Logger) {
        self.settings = settings
        self.facts = facts
        self.recorder = recorder
        self.logger = logger
        check = RequestCheck(settings)
        letters = LatestLetters(facts.database)
        snapshots = SnapshotCache()
    }

    /// Listens; from now on requests are answered, with or without a service.
    /// - Returns: the address to look at.
    /// - Throws: `CannotListen`.
    public func start() async throws -> String { try await start(limits: .init()) }

    func start(limits: ConnectionGuard.Limits) async throws -> String {
        let made = HTTPListener(settings, limits: limits, logger: logger) { [weak self] request in
            await self?.answer(request) ?? Answer(.serviceUnavailable, text: "the service has ended\n")
        }
        let port = try await made.start()
        listener.withLock { $0 = made }
        var shown = settings
        shown.port = port
        return "http://\(shown.listen)/"
    }

    /// What the service waits for, before `attach`.
    public func isStarting(_ reason: String) {
        phase.withLock { phase in
            if case .starting = phase { phase = .starting(reason) }
        }
    }

    /// The service ingests.
    public func attach(_ service: IngestService) {
        snapshots.attach(service)
        phase.withLock { $0 = .running }
        let task = Task { [weak self] in
            while !Task.isCancelled {
                guard let self else { return }
                if let snapshot = try? await self.snapshots.current() { self.history.withLock { $0.take(snapshot) } }
                try? await Task.sleep(for: .seconds(StatusHistory.stepSeconds))
            }
        }
        sampling.withLock { $0 = task }
    }

    /// The service is ending: it is not ready any more.
    public func isEnding() { phase.withLock { $0 = .ending } }

    /// Ends; requests under way are answered if they can be within the limit.
    public func stop(within limit: Duration) async {
        sampling.withLock { $0 }?.cancel()
        let made = listener.withLock { listener in
            defer { listener = nil }
            return listener
        }
        await made?.stop(within: limit)
    }

    // MARK: Answers

    func answer(_ request: HTTPRequest) async -> Answer {
        if let refusal = check.refusal(of: request) { return refusal }
        let path = String((request.path ?? "/").prefix { $0 != "?" && $0 != "#" })
        let isAllowed = check.isAllowed(request)
        switch path {
        case "/": return Answer(page: StatusPage.html)
        case "/healthz": return await health()
        case "/readyz": return await readiness(showsReasons: isAllowed)
        case "/metrics", "/api/status": break
        default: return Answer(.notFound, text: "there is /, /metrics, /healthz, /readyz and /api/status\n")
        }
        guard isAllowed else { return RequestCheck.unauthorized }
        return path == "/metrics" ? await metrics(accept: request.headerFields[.accept]) : await status()
    }

    private func health() async -> Answer {
        do {
            _ = try await within(Self.healthLimit) { [snapshots] in try await snapshots.current() }
            return Answer(.ok, text: "ok\n")
        } catch is IngestService.IsEnding {
            return Answer(.ok, text: "ending\n")
        } catch {
            return Answer(.serviceUnavailable, text: "the event loops do not answer\n")
        }
    }

    private func readiness(showsReasons: Bool) async -> Answer {
        let problems = await state().problems
        let shown = showsReasons ? problems.blocking : []
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = (try? encoder.encode(Readiness(ready: problems.isReady, problems: shown))).map(StatusReport.escapingHidden) ?? Data()
        return Answer(problems.isReady ? .ok : .serviceUnavailable, json: body)
    }

    private struct Readiness: Encodable {
        var ready: Bool
        var problems: [StatusReport.Problem]
    }

    private func metrics(accept: String?) async -> Answer {
        let format = PrometheusText.Format(accept: accept)
        let state = await state()
        // Zeros in place of what is not known would look like counters that began anew.
        guard !state.isSilent else { return Answer(.serviceUnavailable, text: "the event loops do not answer\n") }
        let metrics = ServiceMetrics(
            snapshot: state.snapshot ?? ServiceSnapshot(), recorded: recorder.metrics, isReady: state.problems.isReady,
            version: facts.version, process: ProcessFacts(), startedSeconds: facts.startedAt.timeIntervalSince1970,
            nowSeconds: Date().timeIntervalSince1970)
        return Answer(.ok, format.contentType, Array(PrometheusText(metrics.families, format).text.utf8))
    }

    private func status() async -> Answer {
        let state = await state()
        let isReachable = state.snapshot != nil && state.snapshot?.databaseTrouble == nil
        let report = StatusReport(
            state.snapshot, problems: state.problems, history: history.withLock { $0 },
            letters: await letters.letters(isReachable: isReachable), facts: facts, process: ProcessFacts(), now: Date())
        guard let json = try? report.json() else { return Answer(.internalServerError, text: "the report cannot be written\n") }
        return Answer(.ok, json: json)
    }

    /// How the service stands; the last that was known of it while it does not tell.
    private func state() async -> (snapshot: ServiceSnapshot?, problems: Problems, isSilent: Bool) {
        let phase = phase.withLock { $0 }
        if case .starting(let reason) = phase { return (nil, Problems(.starting(reason)), false) }
        let snapshot = try? await within(Self.healthLimit) { [snapshots] in try await snapshots.current() }
        if case .ending = phase {
            let last = snapshot.flatMap { $0 } ?? snapshots.last
            return (last, Problems(.ending), last == nil)
        }
        guard let snapshot = snapshot.flatMap({ $0 }) else { return (snapshots.last, Problems(.silent), true) }
        let now = Date()
        return (snapshot, Problems(snapshot, uptimeSeconds: now.timeIntervalSince(facts.startedAt), now: now), false)
    }
}
