import Foundation
import Testing

extension EndToEndTests {
    @Suite("Nothing is lost when the ingester is killed")
    struct KilledIngester {
        /// `scripts/kill-test` sets these; the short run is for every day.
        static let messageCount = Settings.number("PENSTOCK_TEST_MESSAGES", default: 10_000)
        static let killCount = Settings.number("PENSTOCK_TEST_KILLS", default: 3)

        @Test("SIGKILL at random moments: every reading that the broker acknowledged to its publisher is in the table")
        func killedAtRandom() async throws {
            var random = SeededGenerator()
            print("seed \(random.seed) (PENSTOCK_TEST_SEED=\(random.seed) plays the same moments again)")
            let workplace = try await Workplace(sessions: 4, shards: 2)
            try await workplace.startIngester()

            // Each life of the ingester gets enough time to start, to take the backlog and to meet live messages.
            let secondsALife = 0.8
            let perSecond = Int(Double(Self.messageCount) / (secondsALife * Double(Self.killCount + 1)))
            let publisher = LoadPublisher(port: workplace.brokerPort, count: Self.messageCount, perSecond: perSecond)
            let moments = (0..<Self.killCount).map { _ in Int.random(in: 0..<Self.messageCount, using: &random) }.sorted()
            for moment in moments {
                try await workplace.eventually("reading \(moment) is published", within: .seconds(120), every: .milliseconds(1)) {
                    publisher.acknowledgedCount >= moment
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<250, using: &random)))
                try await workplace.ingester.kill()
                // A pause of random length leaves a backlog of random size, so that the next kill also hits the catching up.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<400, using: &random)))
                try workplace.ingester.start()
            }
            try await workplace.eventually("all is published", within: .seconds(300)) { publisher.isFinished }
            #expect(publisher.acknowledgedCount == Self.messageCount)
            try await workplace.waitUntilStored(publisher.acknowledged, within: .seconds(120))

            let deliveries = workplace.tap.passages.filter { $0.kind == .publish && $0.direction == .toIngester }
            print("delivered \(deliveries.count), of them marked as repeats \(deliveries.count(where: \.isDuplicate))")
            let stored = try StoredReadings(workplace.probe())
            print(
                "published \(publisher.acknowledgedCount), killed \(Self.killCount) times, rows \(stored.rowCount), repeats \(stored.repeatCount)"
            )
            #expect(stored.missing(of: publisher.acknowledged) == [])
            #expect(stored.foreign == [])
            // What the ingester acknowledged in any of its lives was durable then, and still is.
            #expect(stored.missing(of: workplace.tap.acknowledgedSequences) == [])
            // Repeats come from the broker alone: nothing is stored more often than it was delivered.
            #expect(stored.rowCount <= deliveries.count)
            try await workplace.close()
        }
    }
}
