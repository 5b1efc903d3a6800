import Foundation
import Testing

extension EndToEndTests {
    @Suite("The broker goes and comes back")
    struct BrokerRestart {
        @Test("a broker that keeps its sessions on disk is restarted under load: nothing is lost")
        func restartedWithPersistence() async throws {
            // One session, so that its subscription is not a shared one: mosquitto 2.0.11 does not find these again on its disk, and what is
            // published between its start and the next SUBSCRIBE is then lost in the broker.
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 6000, perSecond: 2000)
            for moment in [1000, 3000] {
                try await waitUntil("reading \(moment) is published") { publisher.acknowledgedCount >= moment }
                try await workplace.stopBroker()
                try await workplace.ingester.waitForLog("no connection to the broker")
                try await workplace.startBroker()
            }
            try await waitUntil("all is published", within: .seconds(60)) { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged, within: .seconds(40))
            #expect(try StoredReadings(workplace.probe()).missing(of: publisher.acknowledged) == [])
            #expect(workplace.ingester.isAlive)
            try await workplace.close()
        }

        @Test("an ingester that is started before its broker waits for it and then works")
        func brokerComesLater() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try await workplace.stopBroker()
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("no connection to the broker")
            try await workplace.startBroker()
            try await workplace.waitUntilSubscribed()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 100, perSecond: 1000)
            try await waitUntil("all is published") { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged)
            try await workplace.close()
        }
    }
}
