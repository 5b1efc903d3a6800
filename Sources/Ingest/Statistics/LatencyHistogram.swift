/// How many of something took how long: counts in buckets that never move, so that shards and processes can be added up.
public struct LatencyHistogram: Sendable, Equatable {
    /// Upper ends of the buckets, each included; one bucket more takes what is longer.
    public static let boundsMicroseconds: [Int64] = [
        500, 1000, 2000, 3000, 5000, 7500, 10_000, 15_000, 20_000, 30_000, 50_000, 75_000, 100_000, 200_000, 300_000, 500_000, 1_000_000,
        2_000_000, 3_000_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000, 300_000_000,
    ]

    /// By bucket, not added up.
    public private(set) var counts = [UInt64](repeating: 0, count: boundsMicroseconds.count + 1)
    public private(set) var sumMicroseconds: UInt64 = 0

    public init() {}

    public var count: UInt64 { counts.reduce(0, &+) }

    /// - Parameters:
    ///   - microseconds: negative ones count as none: somebody has set the clock.
    ///   - count: so many took as long.
    public mutating func observe(microseconds: Int64, count: UInt64 = 1) {
        let time = max(microseconds, 0)
        counts[Self.bucket(of: time)] &+= count
        sumMicroseconds &+= UInt64(time) &* count
    }

    public mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sumMicroseconds &+= other.sumMicroseconds
    }

    /// What came since `earlier`, which must be an earlier state of the same.
    public func since(_ earlier: LatencyHistogram) -> LatencyHistogram {
        var difference = self
        for index in counts.indices { difference.counts[index] &-= min(earlier.counts[index], counts[index]) }
        difference.sumMicroseconds &-= min(earlier.sumMicroseconds, sumMicroseconds)
        return difference
    }

    /// The time below which this part of all stays, in microseconds, as if times lay evenly within a bucket; nil when there is none.
    public func quantile(_ part: Double) -> Double? {
        let total = count
        guard total > 0 else { return nil }
        let rank = part * Double(total)
        var below: UInt64 = 0
        for (index, bound) in Self.boundsMicroseconds.enumerated() {
            let next = below &+ counts[index]
            if Double(next) >= rank, counts[index] > 0 {
                let lower = index == 0 ? 0 : Double(Self.boundsMicroseconds[index - 1])
                return lower + (Double(bound) - lower) * max(rank - Double(below), 0) / Double(counts[index])
            }
            below = next
        }
        return Self.boundsMicroseconds.last.map(Double.init)
    }

    private static func bucket(of time: Int64) -> Int {
        var start = 0
        var end = boundsMicroseconds.count
        while start < end {
            let middle = (start + end) / 2
            if boundsMicroseconds[middle] < time { start = middle + 1 } else { end = middle }
        }
        return start
    }
}

/// When the messages of a batch came, as runs: all messages of one read from a socket share their time of arrival, so a message costs one comparison.
///
/// Nothing is rounded: the runs say of each message when its bytes were read. There are never more runs than messages.
struct Arrivals {
    private struct Run {
        var receivedMicroseconds: Int64
        /// How many messages of the batch came before.
        var firstMessage: Int
    }

    private var runs: [Run] = []
    /// Of the last message.
    private(set) var lastMicroseconds = Int64.min
    /// Of the message that has waited for longest; nil while there is none.
    private(set) var oldestMicroseconds: Int64?

    /// A message came at another time than the one before it.
    @inline(never)
    mutating func begin(_ receivedMicroseconds: Int64, firstMessage: Int) {
        runs.append(Run(receivedMicroseconds: receivedMicroseconds, firstMessage: firstMessage))
        lastMicroseconds = receivedMicroseconds
        oldestMicroseconds = min(oldestMicroseconds ?? receivedMicroseconds, receivedMicroseconds)
    }

    /// All messages have become durable at this time.
    func observe(into histogram: inout LatencyHistogram, atMicroseconds now: Int64, messageCount: Int) {
        for (index, run) in runs.enumerated() {
            let end = index + 1 < runs.count ? runs[index + 1].firstMessage : messageCount
            guard end > run.firstMessage else { continue }
            histogram.observe(microseconds: now &- run.receivedMicroseconds, count: UInt64(end - run.firstMessage))
        }
    }

    mutating func removeAll() {
        runs.removeAll(keepingCapacity: true)
        lastMicroseconds = .min
        oldestMicroseconds = nil
    }
}
