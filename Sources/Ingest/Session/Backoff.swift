import NIOCore

/// How long to wait before the next try: exponential with full jitter, bounded on both sides.
///
/// Full jitter spreads the tries of many sessions over the whole interval, so a broker that comes back is not met by all of them at once.
struct Backoff: Sendable {
    /// The first delay's upper end.
    let base: TimeAmount
    /// No delay is longer.
    let limit: TimeAmount
    private(set) var attempts = 0

    init(base: TimeAmount = .milliseconds(100), limit: TimeAmount = .seconds(30)) {
        precondition(base.nanoseconds > 0 && limit >= base, "a backoff grows from a positive base to its limit")
        self.base = base
        self.limit = limit
    }

    /// The next delay, between half and the whole of base × 2ⁿ, never over the limit.
    /// - Parameter jitter: any number of the range.
    mutating func next(_ jitter: (ClosedRange<Int64>) -> Int64 = { .random(in: $0) }) -> TimeAmount {
        let doublings = min(attempts, 30)
        attempts = min(attempts + 1, 1_000_000)
        let (product, overflow) = base.nanoseconds.multipliedReportingOverflow(by: 1 << doublings)
        let ceiling = overflow ? limit.nanoseconds : min(product, limit.nanoseconds)
        return .nanoseconds(jitter(ceiling / 2...ceiling))
    }

    /// After a success the next failure starts from the base again.
    mutating func reset() { attempts = 0 }
}
