import Foundation
import Testing

extension EndToEndTests {
    @Suite("A device gone mad: more dead letters than dead_letter.max_per_minute")
    struct LetterFlood {
        private static let broken = LoadPublisher.Message("site/hq/dev/mad/telemetry", "{")

        @Test("on_flood: drop stores a sample, acknowledges the rest and counts it; good messages land as ever")
        func drop() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, more: "dead_letter: {max_per_minute: 60, on_flood: drop}")
            try await workplace.startIngester()
            let start = ContinuousClock.now
            try await workplace.publish((0..<1000).flatMap { [Self.broken, LoadPublisher.reading($0)] })
            try await workplace.waitUntilStored(Set(0..<1000))
            try await workplace.eventually("all are acknowledged") { workplace.tap.count(.publishAcknowledgement, .toBroker) == 2000 }
            let letters = try workplace.probe().number("SELECT count(*) FROM penstock.dead_letter")
            let secondsBegun = Int((ContinuousClock.now - start) / .seconds(1)) + 1
            #expect(letters >= 60 && letters <= 60 + secondsBegun)
            try await workplace.close()
        }

        @Test("on_flood: slow keeps all letters and reads no faster than the limit allows")
        func slow() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, more: "dead_letter: {max_per_minute: 600, on_flood: slow}")
            try await workplace.startIngester()
            let start = ContinuousClock.now
            // Ten a second refill what a minute allows; what is over that takes its time.
            try await workplace.publish(Array(repeating: Self.broken, count: 630) + [LoadPublisher.reading(1)])
            try await workplace.waitUntilStored([1])
            #expect(ContinuousClock.now - start > .seconds(1))
            #expect(try workplace.probe().number("SELECT count(*) FROM penstock.dead_letter") == 630)
            #expect(workplace.ingester.log.contains("reading slows down"))
            try await workplace.close()
        }
    }
}
