import Ingest
import Synchronization

/// Snapshots of a service, made at most five times a second: whoever asks in between gets the last one, so that no flood of requests reaches the event loops.
final class SnapshotCache: Sendable {
    private static let agePermitted = Duration.milliseconds(200)

    private struct State {
        var service: IngestService?
        var last: (snapshot: ServiceSnapshot, at: ContinuousClock.Instant)?
        /// Under way; everybody who asks meanwhile waits for it.
        var making: Task<ServiceSnapshot, any Error>?
    }

    private let state = Mutex(State())

    func attach(_ service: IngestService) { state.withLock { $0.service = service } }

    /// The last one that was made, however old.
    var last: ServiceSnapshot? { state.withLock { $0.last?.snapshot } }

    /// - Returns: nil while there is no service.
    /// - Throws: `IngestService.IsEnding` after its end.
    func current() async throws -> ServiceSnapshot? {
        let step: (known: ServiceSnapshot?, making: Task<ServiceSnapshot, any Error>?) = state.withLock { state in
            guard let service = state.service else { return (nil, nil) }
            if let last = state.last, .now - last.at < Self.agePermitted { return (last.snapshot, nil) }
            if let making = state.making { return (nil, making) }
            let making = Task { [self] in
                let result: Result<ServiceSnapshot, any Error>
                do { result = .success(try await service.snapshot()) } catch { result = .failure(error) }
                self.state.withLock { state in
                    state.making = nil
                    if case .success(let snapshot) = result { state.last = (snapshot, .now) }
                }
                return try result.get()
            }
            state.making = making
            return (nil, making)
        }
        if let making = step.making { return try await making.value }
        return step.known
    }
}
