import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("Several addresses of the broker")
    struct BrokerList {
        @Test("an address where nobody listens is passed over", arguments: ["mqtt", "mqtts", "ws"])
        func deadAddress(scheme: String) async throws {
            // Nobody has it while this listener is not accepting and closed.
            let dead = try { try Listener().port }()
            let workplace = try await Workplace(
                sessions: 2, shards: 1, approach: .plain.at { "[\"\(scheme)://127.0.0.1:\(dead)\", \"mqtt://127.0.0.1:\($0)\"]" })
            try await workplace.startIngester()
            try await workplace.publish((0..<50).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<50))
            try await workplace.close()
        }

        @Test("when a broker goes the next one is taken, in another scheme, and when that goes the first one again")
        func turns() async throws {
            let certificates = try await TestCertificates()
            var options = PrivateMosquitto.Options()
            options.tls = .init(certificate: certificates.server.certificate, key: certificates.server.key)
            options.logsEverything = true
            let second = try await TestServers.ofThisSuite().makeBroker(options)
            let secondPort = try #require(second.tlsPort)
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: .plain.at { "[\"mqtt://127.0.0.1:\($0)\", \"mqtts://localhost:\(secondPort)\"]" },
                broker: "tls: {ca_file: \(certificates.authority.path)}")
            try await workplace.startIngester()
            try await workplace.publish((0..<50).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<50))

            try await workplace.stopBroker()
            try await workplace.eventually("it is subscribed at the second") { second.log.contains("Sending SUBACK to end-to-end-0") }
            let publisher = LoadPublisher(port: second.port, count: 50, perSecond: 1000) { LoadPublisher.reading(50 + $0) }
            try await workplace.eventually("all is published") { publisher.isFinished }
            try await workplace.waitUntilStored(Set(0..<100))

            try await workplace.startBroker()
            await second.stop()
            // The first broker has kept the session with its subscription.
            try await workplace.ingester.waitForLog("session_present=true")
            try await workplace.publish((100..<150).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<150))
            try await workplace.close()
        }

        @Test("what was asked of one broker is not taken for granted by another one that has kept an older session")
        func brokersOfTheirOwn() async throws {
            let (first, second) = (
                try await TestServers.ofThisSuite().makeBroker(.init()), try await TestServers.ofThisSuite().makeBroker(.init())
            )
            // No tap: a connection that is refused leaves no doubt about what the broker knows.
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: .plain.at { "[\"mqtt://127.0.0.1:\($0)\", \"mqtt://127.0.0.1:\(second.port)\"]" },
                withoutBroker: first.port, publishingTo: first.port)
            let probe = try workplace.probe()
            func waitUntilGranted(_ count: Int) async throws {
                try await workplace.eventually("\(count) subscriptions are granted") {
                    try probe.number(
                        "SELECT count(*) FROM penstock.session, jsonb_each(subscriptions) AS f WHERE f.value->>'state' = 'granted'"
                    ) == count
                }
            }
            try workplace.ingester.start()
            try await waitUntilGranted(1)
            await first.stop()
            try await workplace.ingester.waitForLog("session established", times: 2)

            // The second broker alone learns of the new mapping.
            try await workplace.terminateIngester()
            try workplace.write(mapping: "weather", Mappings.weather)
            try workplace.ingester.start()
            try await waitUntilGranted(2)
            try await first.start()
            await second.stop()
            try await workplace.ingester.waitForLog("session established", times: 2)
            let report = LoadPublisher.Message("weather/Brocken", "2024-03-31T01:00:00Z;-3,5;120,25;ja")
            try await workplace.eventually("a report is stored that the first broker got", every: .milliseconds(500)) {
                let publisher = LoadPublisher(port: first.port, count: 1, perSecond: 1) { _ in report }
                while !publisher.isFinished { usleep(1000) }
                return try probe.number("SELECT count(*) FROM weather") > 0
            }
            try await workplace.close()
            await first.stop()
        }
    }
}
