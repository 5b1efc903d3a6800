import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("A broker that does not let everybody do everything")
    struct AccessRules {
        @Test("a wrong password is told, is not shown, and keeps being tried", arguments: ["3.1", "3.1.1", "5"])
        func wrongPassword(version: String) async throws {
            var options = PrivateMosquitto.Options()
            options.passwords = ["ingester": "right"]
            let folder = try TestServers.ofThisSuite().makeFolder()
            let file = try TLS.write("wr0ng\n", to: folder.appending(path: "password"))
            let workplace = try await Workplace(
                sessions: 1, shards: 1, broker: "version: \(version)\nusername: ingester\npassword_file: \(file.path)",
                more: "log: {level: trace}", brokerOptions: options)
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("no connection to the broker")
            try await workplace.eventually("it tries again") { workplace.tap.connectionCount >= 3 }
            let line = try #require(workplace.ingester.log.split(separator: "\n").first { $0.contains("no connection to the broker") })
            #expect(line.localizedCaseInsensitiveContains("not authorized"), "\(line)")
            #expect(!workplace.ingester.log.contains("wr0ng"))
            #expect(workplace.ingester.isAlive)
            try await workplace.close()
        }

        /// One session: its subscriptions are the filters as the mappings have them.
        private func workplaceWithRefusal(version: String) async throws -> Workplace {
            var options = PrivateMosquitto.Options()
            options.allowedSubscriptions = ["site/#"]
            return try await Workplace(
                sessions: 1, shards: 1, mappings: ["telemetry": Mappings.telemetry, "weather": Mappings.weather],
                broker: "version: \(version)", brokerOptions: options)
        }

        private static let report = LoadPublisher.Message("weather/Brocken", "2024-03-31T01:00:00Z;-3,5;120,25;ja")

        @Test("a subscription that is refused is told with its filter, and the other mapping works", arguments: ["3.1.1", "5"])
        func refusedSubscription(version: String) async throws {
            let workplace = try await workplaceWithRefusal(version: version)
            try await workplace.startIngester()
            try await workplace.ingester.waitForLog("refuses a subscription")
            let line = try #require(workplace.ingester.log.split(separator: "\n").first { $0.contains("refuses a subscription") })
            #expect(line.contains("weather/+"), "\(line)")
            #expect(workplace.ingester.log.components(separatedBy: "refuses a subscription").count == 2)
            try await workplace.publish((0..<100).map(LoadPublisher.reading) + [Self.report])
            try await workplace.waitUntilStored(Set(0..<100))
            #expect(try workplace.probe().number("SELECT count(*) FROM weather") == 0)

            // A new connection asks again; this one is allowed to.
            try await workplace.allowEverySubscription()
            workplace.tap.cut()
            try await workplace.eventually("the new connection is subscribed") { workplace.grantCount >= 2 }
            try await workplace.publish([Self.report])
            try await workplace.waitUntilRows(["weather": 1])
            try await workplace.close()
        }

        @Test("a subscription that is refused is asked for again on the same connection")
        func repeatedSubscription() async throws {
            let workplace = try await workplaceWithRefusal(version: "3.1.1")
            try await workplace.startIngester()
            try await workplace.ingester.waitForLog("refuses a subscription")
            try await workplace.allowEverySubscription()
            try await workplace.eventually("it is asked for again", within: .seconds(90)) { workplace.grantCount >= 2 }
            try await workplace.publish([Self.report])
            try await workplace.waitUntilRows(["weather": 1])
            #expect(workplace.tap.connectionCount == 1)
            try await workplace.close()
        }

        @Test("messages that the broker withholds are not missed, and the others come")
        func withheldMessages() async throws {
            var options = PrivateMosquitto.Options()
            // mosquitto grants the subscription to weather/+ and delivers nothing of it.
            options.accessRules = "topic write #\ntopic read site/#"
            let workplace = try await Workplace(
                sessions: 2, shards: 1, mappings: ["telemetry": Mappings.telemetry, "weather": Mappings.weather], brokerOptions: options)
            try await workplace.startIngester()
            try await workplace.publish([Self.report] + (0..<100).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<100))
            #expect(try workplace.probe().number("SELECT count(*) FROM weather") == 0)
            try await workplace.close()
        }
    }
}

extension Workplace {
    /// A broker that refuses subscriptions does so no more; connections stay.
    fileprivate func allowEverySubscription() async throws {
        let message = PrivateMosquitto.allowsEverySubscription
        try await publish([.init(message.topic, message.payload)])
    }
}
