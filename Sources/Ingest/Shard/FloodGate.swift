import NIOCore

/// Protects the database from a device gone mad: so many dead letters a minute and mapping, then the shard slows down, or letters are dropped.
///
/// One bucket a mapping, which refills evenly. Letters of tables that are wrong pass freely: they are good data that will be stored.
struct FloodGate {
    enum Verdict: Equatable {
        case store
        /// Stored, but nothing more is read before this time.
        case storeAndSlow(until: NIODeadline)
        /// Over the limit: counted, and gone.
        case drop
    }

    private struct Bucket {
        var letters: Double
        var filledAt: NIODeadline
    }

    private let perMinute: Double
    private let policy: FloodPolicy
    private var buckets: [Int: Bucket] = [:]

    /// - Parameter perMinute: of one mapping, in this shard.
    init(perMinute: Double, policy: FloodPolicy) {
        precondition(perMinute > 0, "some letters pass")
        self.perMinute = perMinute
        self.policy = policy
    }

    /// A message of a mapping is about to become a dead letter, or, with `isStored`, has become one.
    mutating func letter(of mapping: Int, now: NIODeadline, isStored: Bool = false) -> Verdict {
        var bucket = buckets[mapping] ?? Bucket(letters: perMinute, filledAt: now)
        let seconds = Double((now - bucket.filledAt).nanoseconds) / 1e9
        bucket.letters = min(bucket.letters + seconds * perMinute / 60, perMinute)
        bucket.filledAt = now
        defer { buckets[mapping] = bucket }
        if bucket.letters < 1, policy == .drop, !isStored { return .drop }
        bucket.letters -= 1
        guard bucket.letters < 0, policy == .slow else { return .store }
        let nanoseconds = -bucket.letters * 60 / perMinute * 1e9
        return .storeAndSlow(until: now + .nanoseconds(Int64(min(nanoseconds, 60e9))))
    }
}

/// What happens above the limit of dead letters (`dead_letter.on_flood`).
public enum FloodPolicy: String, Sendable, CaseIterable { case slow, drop }
