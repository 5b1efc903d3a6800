import Testing

@testable import Ingest

@Suite("How long messages took")
struct LatencyHistogramTests {
    @Test("a time on a bound belongs below it; what is longer than all bounds is counted too")
    func bounds() {
        var histogram = LatencyHistogram()
        for time: Int64 in [0, 500, 501, 300_000_000, 300_000_001, .max] { histogram.observe(microseconds: time) }
        #expect(histogram.counts[0] == 2)
        #expect(histogram.counts[1] == 1)
        #expect(Array(histogram.counts.suffix(2)) == [1, 2])
        #expect(histogram.count == 6)
    }

    @Test("a clock that was set back makes no negative time")
    func negative() {
        var histogram = LatencyHistogram()
        histogram.observe(microseconds: -5, count: 3)
        #expect(histogram.counts[0] == 3 && histogram.sumMicroseconds == 0)
    }

    @Test("what came since an earlier state, and both together")
    func differences() {
        var histogram = LatencyHistogram()
        histogram.observe(microseconds: 700, count: 2)
        let before = histogram
        histogram.observe(microseconds: 1700, count: 5)
        let since = histogram.since(before)
        #expect(since.count == 5 && since.sumMicroseconds == 8500)
        var sum = before
        sum.add(since)
        #expect(sum == histogram)
    }

    @Test("quantiles lie in the bucket of their rank", arguments: [(0.5, 500.0...1000.0), (0.99, 5000.0...7500.0), (0.0, 500.0...1000.0)])
    func quantiles(part: Double, range: ClosedRange<Double>) throws {
        var histogram = LatencyHistogram()
        histogram.observe(microseconds: 800, count: 90)
        histogram.observe(microseconds: 6000, count: 10)
        #expect(range.contains(try #require(histogram.quantile(part))))
        #expect(LatencyHistogram().quantile(part) == nil)
    }

    @Test("each message is counted with the time of its own read")
    func arrivals() {
        var arrivals = Arrivals()
        // Three messages of one read, one of the next, two that had waited since before.
        let times: [Int64] = [1000, 1000, 1000, 4000, 200, 200]
        for (number, time) in times.enumerated() where time != arrivals.lastMicroseconds { arrivals.begin(time, firstMessage: number) }
        #expect(arrivals.oldestMicroseconds == 200)
        var histogram = LatencyHistogram()
        arrivals.observe(into: &histogram, atMicroseconds: 5000, messageCount: times.count)
        #expect(histogram.count == 6)
        #expect(histogram.sumMicroseconds == UInt64(times.reduce(0) { $0 + 5000 - $1 }))
        arrivals.removeAll()
        #expect(arrivals.oldestMicroseconds == nil)
        var empty = LatencyHistogram()
        arrivals.observe(into: &empty, atMicroseconds: 5000, messageCount: 0)
        #expect(empty.count == 0)
    }
}
