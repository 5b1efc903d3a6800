import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    /// It knows neither MQTT 5 nor QoS 2 nor shared subscriptions.
    @Suite("RabbitMQ", .enabled(if: PrivateRabbitMQ.isInstalled, "RabbitMQ is not installed; scripts/setup --tests installs it"))
    struct RabbitMQ {
        @Test("a broker that is restarted under load: nothing is lost")
        func restart() async throws {
            let broker = try PrivateRabbitMQ()
            try await broker.start()
            let watch = CommitWatch(every: 11)
            // Two filters: one for each session.
            let workplace = try await Workplace(
                sessions: 2, shards: 2, mappings: ["telemetry": Mappings.telemetry, "weather": Mappings.weather], broker: "version: 3.1.1",
                distribution: "split", otherBroker: broker.port, whenSeen: watch.see)
            watch.use(try workplace.probe())
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 6000, perSecond: 1000)
            let reports = LoadPublisher(port: workplace.brokerPort, count: 600, perSecond: 100) { number in
                .init("weather/s\(number)", "2024-01-01T00:00:00Z;\(number),5;1;ja")
            }
            try await workplace.eventually("half is published") { publisher.acknowledgedCount > 3000 }
            try await broker.restart()
            try await workplace.eventually("all is published", within: .seconds(90)) { publisher.isFinished && reports.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged, within: .seconds(60))
            let probe = try workplace.probe()
            try await workplace.eventually("the reports are stored, too") {
                try probe.number("SELECT count(DISTINCT station) FROM weather") == reports.acknowledgedCount
            }
            #expect(workplace.ingester.log.contains("session_present=true"))
            let findings = try watch.findings()
            #expect(findings.lookCount > 100)
            #expect(findings.tooEarly == [])
            try await workplace.close()
            await broker.stop()
        }

        @Test("auto comes down to 3.1.1, and a mapping at QoS 2 is warned that it gets QoS 1")
        func lesserBroker() async throws {
            let broker = try PrivateRabbitMQ()
            try await broker.start()
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["telemetry": Mappings.telemetryExactlyOnce], broker: "version: auto",
                distribution: "split", otherBroker: broker.port)
            try await workplace.startIngester()
            try await workplace.ingester.waitForLog("grants a lower QoS")
            try await workplace.publish((0..<500).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<500))
            #expect(workplace.tap.passages.contains { $0.protocolLevel == 4 })
            try await workplace.close()
            await broker.stop()
        }

        @Test("a session waits for an ingester that is away, and what came meanwhile is stored")
        func keptSession() async throws {
            let broker = try PrivateRabbitMQ()
            try await broker.start()
            let workplace = try await Workplace(
                sessions: 1, shards: 1, broker: "version: 3.1.1", distribution: "split", otherBroker: broker.port)
            try await workplace.startIngester()
            try await workplace.terminateIngester()
            try await workplace.publish((0..<500).map(LoadPublisher.reading))
            try workplace.ingester.start()
            try await workplace.waitUntilStored(Set(0..<500))
            try await workplace.close()
            await broker.stop()
        }
    }
}
