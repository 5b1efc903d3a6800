import NIOCore
import Testing

@testable import Ingest

@Suite("What bounds a shard")
struct BoundWatchTests {
    /// So many batches, one every ten milliseconds.
    private func verdict(
        batches: Int = 300, busyMilliseconds: Int64, isNextFull: (Int) -> Bool = { _ in false }, unacknowledged: (Int) -> [Int]
    ) -> Bound? {
        var watch = BoundWatch(sessions: 2)
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        for number in 0..<batches {
            now = now + .milliseconds(10)
            watch.batchEnded(
                now: now, busyNanoseconds: UInt64(busyMilliseconds * 1_000_000), isNextFull: isNextFull(number),
                unacknowledged: unacknowledged(number).enumerated().map { ($0.offset, $0.element) })
        }
        return watch.bound(now: now, writingSince: nil)
    }

    @Test("a busy writer and a session that stands at one ceiling: the broker's window")
    func window() {
        #expect(verdict(busyMilliseconds: 9) { [20, $0 % 7 == 0 ? 13 : 20] } == .window)
    }

    @Test("the next batch is full each time: the database")
    func database() {
        #expect(verdict(busyMilliseconds: 10, isNextFull: { $0 % 3 != 0 }) { _ in [20, 20] } == .database)
    }

    @Test("an idle writer, whatever stands unacknowledged: the network")
    func idle() {
        #expect(verdict(busyMilliseconds: 2) { _ in [20, 20] } == .network)
    }

    @Test("a busy writer and counts that come and go: the network")
    func varying() {
        #expect(verdict(busyMilliseconds: 9) { [10 + $0 * 7 % 13, 0] } == .network)
    }

    @Test("a quiet session has one message each time by chance: that is no window")
    func quiet() {
        #expect(verdict(busyMilliseconds: 9) { _ in [1, 1] } == .network)
    }

    @Test("nothing is said before two seconds have passed, nor long after the last batch")
    func times() {
        #expect(verdict(batches: 100, busyMilliseconds: 9) { _ in [20, 20] } == nil)
        var watch = BoundWatch(sessions: 1)
        let start = NIODeadline.uptimeNanoseconds(1)
        watch.batchEnded(now: start, busyNanoseconds: 1, isNextFull: false, unacknowledged: [(0, 1)])
        watch.batchEnded(now: start + .seconds(3), busyNanoseconds: 1, isNextFull: false, unacknowledged: [(0, 2)])
        #expect(watch.bound(now: start + .seconds(4), writingSince: nil) == .network)
        #expect(watch.bound(now: start + .seconds(60), writingSince: nil) == nil)
    }

    @Test("a batch that does not come back: the database")
    func stuck() {
        let watch = BoundWatch(sessions: 1)
        let start = NIODeadline.uptimeNanoseconds(1)
        #expect(watch.bound(now: start + .seconds(1), writingSince: start) == nil)
        #expect(watch.bound(now: start + .seconds(2), writingSince: start) == .database)
    }
}
