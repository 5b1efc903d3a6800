import Foundation
import Testing

extension EndToEndTests {
    @Suite("QoS 0 while PostgreSQL is away")
    struct AtMostOnce {
        @Test("memory stays bounded, the oldest of those that wait make room for the newest, and every message is counted once")
        func flood() async throws {
            let count = 40_000
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["telemetry": "qos: 0\n" + Mappings.telemetry],
                batch: "{max_bytes: 256KiB, max_messages: 500}")
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: count, perSecond: 10_000, qos: 0)
            let probe = try workplace.probe()
            try await workplace.eventually("messages flow") { try probe.number("SELECT count(*) FROM readings") > 1000 }
            let residentBefore = try #require(workplace.ingester.residentBytesPeak)

            try await workplace.servers.stopDatabase()
            try await workplace.eventually("all are delivered") {
                publisher.isFinished && workplace.tap.count(.publish, .toIngester) == count
            }
            let residentAfter = try #require(workplace.ingester.residentBytesPeak)
            try await workplace.servers.startDatabase()

            let stored = try await storedSequences(workplace, upTo: count - 1)
            let missing = Set(0..<count).subtracting(stored)
            print(
                "of \(count) messages at QoS 0, \(missing.count) were dropped; peak memory rose by \((residentAfter - residentBefore) >> 10) KiB"
            )
            #expect(Set(stored).count == stored.count, "nothing is stored twice")
            #expect(missing.count > count / 4, "the queue was full")
            let (oldest, newest) = (try #require(missing.min()), try #require(missing.max()))
            #expect(newest - oldest + 1 == missing.count, "what was dropped is one stretch, older than all that waited")
            // 256 KiB hold 1,000 of them at least, at 150 bytes and what a place in the queue costs.
            #expect(count - newest > 1000)
            // Two batches, their copies and the queue.
            #expect(residentAfter - residentBefore < 24 << 20)

            try await workplace.terminateIngester()
            let last = try #require(workplace.ingester.log.split(separator: "\n").last { $0.contains("stopped") })
            #expect(last.contains("received=\(count) "), "\(last)")
            #expect(last.contains("rows=\(stored.count) "), "\(last)")
            #expect(last.contains("dropped=\(missing.count) "), "\(last)")
            #expect(workplace.tap.count(.publishAcknowledgement, .toBroker) == 0)
            try await workplace.close()
        }

        @Test("messages at QoS 1 of the same session are all stored, however many at QoS 0 are dropped beside them")
        func besideQoS1() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, batch: "{max_bytes: 64KiB, max_messages: 100}")
            try await workplace.startIngester()
            try await workplace.servers.stopDatabase()
            // The subscription is for QoS 1; each message keeps the QoS at which it was published.
            let flood = LoadPublisher(port: workplace.brokerPort, count: 10_000, perSecond: 10_000, qos: 0) { number in
                LoadPublisher.reading(1_000_000 + number)
            }
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 1000, perSecond: 1000)
            try await workplace.eventually("all is published") { flood.isFinished && publisher.isFinished }
            try await workplace.servers.startDatabase()
            try await workplace.waitUntilStored(publisher.acknowledged)
            try await workplace.eventually("the newest at QoS 0 is there") {
                try workplace.probe().number("SELECT count(*) FROM readings WHERE seq = 1009999") == 1
            }
            #expect(try StoredReadings(workplace.probe()).repeatCount == 0)
            try await workplace.close()
        }

        /// All stored numbers, once the last one is there.
        private func storedSequences(_ workplace: Workplace, upTo last: Int) async throws -> [Int] {
            let probe = try workplace.probe()
            try await workplace.eventually("the newest message is stored") {
                try probe.number("SELECT count(*) FROM readings WHERE seq = \(last)") == 1
            }
            return try probe.rows("SELECT seq FROM readings").compactMap { $0[0].flatMap { Int($0) } }
        }
    }
}
