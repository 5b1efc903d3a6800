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

        @Test("a broker that is restarted while messages at QoS 2 are under way: each stands in the table once")
        func restartedUnderWay() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["telemetry": Mappings.telemetryExactlyOnce])
            try await workplace.startIngester()
            let intruder = try workplace.probe()
            for round in 1...3 {
                try intruder.run("BEGIN", "LOCK TABLE readings IN ACCESS EXCLUSIVE MODE")
                let numbers = (round - 1) * 200..<round * 200
                try await workplace.publish(numbers.map(LoadPublisher.reading), qos: 2)
                // In good order it keeps on disk how far each message has come.
                try await workplace.stopBroker()
                try await workplace.startBroker()
                try intruder.rows("COMMIT")
                try await workplace.waitUntilStored(Set(0..<numbers.upperBound))
            }
            try await workplace.eventually("the broker has released every message") {
                try intruder.number("SELECT count(*) FROM penstock.session WHERE stored_ids <> '{}'") == 0
            }
            #expect(try StoredReadings(intruder).repeatCount == 0)
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
