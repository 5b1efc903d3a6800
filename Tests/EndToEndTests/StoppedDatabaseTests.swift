import Foundation
import Testing

extension EndToEndTests {
    @Suite("A stopped PostgreSQL holds everything up and loses nothing")
    struct StoppedDatabase {
        static let outageSeconds = Settings.number("PENSTOCK_TEST_OUTAGE_SECONDS", default: 3)
        static let messagesPerSecond = 2000

        @Test("no PUBACK leaves while PostgreSQL is away, memory stays bounded, and all is stored when it is back")
        func stoppedUnderLoad() async throws {
            // Batches small enough to fill in the shortest outage, so that the ingester has to stop reading.
            let batchBytes = 1 << 20
            let workplace = try await Workplace(sessions: 2, shards: 2, batch: "{max_bytes: 1MiB, max_messages: 1000}")
            try await workplace.startIngester()
            let publisher = LoadPublisher(
                port: workplace.brokerPort, count: Self.messagesPerSecond * (Self.outageSeconds + 4), perSecond: Self.messagesPerSecond)
            try await workplace.eventually("messages flow") {
                workplace.tap.count(.publishAcknowledgement, .toBroker) > Self.messagesPerSecond
            }

            try await workplace.servers.stopDatabase()
            // Commits that ended before PostgreSQL died may still be on their way through the ingester; half a second is ample for these.
            try await Task.sleep(for: .milliseconds(500))
            let silenceStart = ContinuousClock.now
            let acknowledgedAtStop = workplace.tap.acknowledgedSequences
            try await Task.sleep(for: .seconds(Self.outageSeconds))
            let acknowledgedInSilence = workplace.tap.count(.publishAcknowledgement, .toBroker, since: silenceStart)
            let residentBytes = try #require(workplace.ingester.residentBytesPeak)
            let publishedMeanwhile = publisher.acknowledgedCount
            try await workplace.servers.startDatabase()

            #expect(acknowledgedInSilence == 0)
            #expect(publishedMeanwhile > acknowledgedAtStop.count, "there was no load while PostgreSQL was away")
            // Two shards with two batches each.
            #expect(residentBytes < (96 << 20) + 4 * batchBytes)
            // Not one of them was acknowledged before its row was durable: PostgreSQL was not asked to be nice when it stopped.
            #expect(try StoredReadings(workplace.probe()).missing(of: acknowledgedAtStop) == [])

            try await workplace.eventually("all is published", within: .seconds(120)) { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged, within: .seconds(60))
            let stored = try StoredReadings(workplace.probe())
            #expect(stored.missing(of: publisher.acknowledged) == [])
            #expect(stored.foreign == [])
            // The connection to the broker held, so nothing was delivered twice, and an outcome that was unknown became known.
            #expect(workplace.tap.connectionCount == 2)
            #expect(stored.repeatCount == 0)
            #expect(workplace.ingester.isAlive)
            try await workplace.close()
        }

        @Test(
            "away for longer than database.give_up: the messages under way are left to the broker, and come again",
            arguments: [UInt8(1), 2])
        func givenUp(qos: UInt8) async throws {
            let workplace = try await Workplace(
                sessions: 2, shards: 2, mappings: ExactlyOnceFailure.mappings(qos: qos), database: "give_up: 1s")
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 3000, perSecond: 1500, qos: qos)
            try await workplace.eventually("messages flow") { publisher.acknowledgedCount > 500 }
            try await workplace.servers.stopDatabase()
            try await workplace.eventually("it says DISCONNECT on both connections") {
                workplace.tap.count(.disconnect, .toBroker) == 2
            }
            #expect(workplace.ingester.log.contains("left to the broker"))
            try await workplace.servers.startDatabase()
            try await workplace.eventually("all is published") { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged)
            if qos == 2 { try await workplace.waitUntilStoredOnce(publisher) }
            // Once more where it turns out only then that a batch of the former connection is not in.
            #expect((4...6).contains(workplace.tap.connectionCount))
            try await workplace.close()
        }
    }
}
