import Foundation
import Testing

extension EndToEndTests {
    @Suite("The ingester ends when it is asked to")
    struct Termination {
        @Test("SIGTERM under load: exit 0 within 10 s, DISCONNECT, all that was acknowledged is stored, and a restart brings the rest")
        func terminatedUnderLoad() async throws {
            let workplace = try await Workplace(sessions: 2, shards: 2)
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 9000, perSecond: 3000)
            try await waitUntil("messages flow") { publisher.acknowledgedCount >= 3000 }

            workplace.ingester.terminate()
            let end = try await workplace.ingester.waitForEnd(within: .seconds(10))
            #expect(end == .exit(0), "\(workplace.ingester.log)")
            try await waitUntil("the tap has seen both connections end") { workplace.tap.count(.disconnect, .toBroker) == 2 }
            for connection in 0..<2 {
                let last = workplace.tap.passages.last { $0.connection == connection && $0.direction == .toBroker }
                #expect(last?.kind == .disconnect, "nothing follows DISCONNECT [MQTT-3.14.4-2]")
            }
            let stored = try StoredReadings(workplace.probe())
            #expect(stored.missing(of: workplace.tap.acknowledgedSequences) == [])
            // What was committed was also acknowledged before the end: a planned restart makes no repeats.
            #expect(Set(workplace.tap.acknowledgedSequences).count == stored.rowCount)

            try workplace.ingester.start()
            try await waitUntil("all is published", within: .seconds(60)) { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged)
            #expect(try StoredReadings(workplace.probe()).repeatCount == 0)
            try await workplace.close()
        }

        @Test("SIGTERM while PostgreSQL is away: the end comes within its time, and what could not be stored stays with the broker")
        func terminatedWithoutDatabase() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 3000, perSecond: 3000)
            try await waitUntil("messages flow") { publisher.acknowledgedCount >= 1000 }
            try await workplace.servers.stopDatabase()
            try await waitUntil("all is published") { publisher.isFinished }

            workplace.ingester.terminate()
            _ = try await workplace.ingester.waitForEnd(within: .seconds(13))
            try await workplace.servers.startDatabase()
            #expect(try StoredReadings(workplace.probe()).missing(of: workplace.tap.acknowledgedSequences) == [])
            try workplace.ingester.start()
            try await workplace.waitUntilStored(publisher.acknowledged)
            try await workplace.close()
        }
    }
}
