import NIOCore
import Testing

@testable import Ingest

@Suite("Waiting between tries")
struct BackoffTests {
    @Test("Delays double, stay between half and the whole, and never exceed the limit")
    func bounds() {
        var backoff = Backoff(base: .milliseconds(100), limit: .seconds(30))
        var ceiling: Int64 = 100_000_000
        for _ in 0..<100 {
            let delay = backoff.next().nanoseconds
            #expect(delay >= ceiling / 2 && delay <= ceiling)
            ceiling = min(ceiling * 2, 30_000_000_000)
        }
    }

    @Test("After a success it starts from the base again")
    func resets() {
        var backoff = Backoff(base: .milliseconds(100), limit: .seconds(30))
        for _ in 0..<10 { _ = backoff.next() }
        backoff.reset()
        #expect(backoff.next() <= .milliseconds(100))
    }

    @Test("Sessions that fail together do not come back together")
    func jitter() {
        let delays = Set(
            (0..<50).map { _ in
                var backoff = Backoff(base: .seconds(1), limit: .seconds(30))
                return backoff.next().nanoseconds
            })
        #expect(delays.count > 25)
    }
}
