import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("What carries MQTT: TLS and WebSocket under load")
    struct Transport {
        struct Way: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let approach: Approach
            var isSecure = false
            /// Of the larger messages.
            var largeBytes = 1 << 18
        }

        static let ways = [
            Way(testDescription: "mqtt", approach: .plain), Way(testDescription: "mqtts", approach: .tls, isSecure: true),
            // mosquitto 2.0 takes a tenth of a second for each 4 KiB of a message over WebSocket.
            Way(testDescription: "ws", approach: .webSocket, largeBytes: 1 << 11),
            Way(testDescription: "wss", approach: .secureWebSocket, isSecure: true, largeBytes: 1 << 11),
        ]

        @Test("a backlog comes in as fast as the database takes it, also when that stops under way, and nothing is lost", arguments: ways)
        func backlog(_ way: Way) async throws {
            let certificates = try await TestCertificates()
            var options = PrivateMosquitto.Options()
            options.webSockets = true
            options.tls = .init(certificate: certificates.server.certificate, key: certificates.server.key)
            // All that waits is sent at once: what is not read has to wait in the network.
            options.maximumInflight = 0
            let tls = "tls: {ca_file: \(certificates.authority.path)}"
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: way.approach, broker: way.isSecure ? tls : nil,
                batch: "{max_bytes: 256KiB, max_messages: 1000}", brokerOptions: options)
            try await workplace.startIngester()
            try await workplace.terminateIngester()
            let count = 10_000
            let text = String(repeating: "0123456789abcdef", count: way.largeBytes / 16)
            let publisher = LoadPublisher(port: workplace.brokerPort, count: count, perSecond: 50_000) { number in
                guard number % 25 == 24 else { return LoadPublisher.reading(number) }
                return .init("site/hq/dev/\(LoadPublisher.device(of: number))/telemetry", #"{"seq":\#(number),"unit":"\#(text)"}"#)
            }
            try await workplace.eventually("all is published", within: .seconds(60)) { publisher.isFinished }

            try workplace.ingester.start()
            var probe = try workplace.probe()
            try await workplace.eventually("rows come in", every: .milliseconds(1)) {
                try probe.number("SELECT count(*) FROM readings") > 0
            }
            try await workplace.servers.stopDatabase()
            try await workplace.ingester.waitForLog("the database does not take a batch")
            try await workplace.servers.startDatabase()
            try await workplace.waitUntilStored(Set(0..<count), within: .seconds(60))
            let residentBytes = try #require(workplace.ingester.residentBytesPeak)
            probe = try workplace.probe()
            let stored = try StoredReadings(probe)
            #expect(stored.foreign == [])
            let complete = try probe.number(
                "SELECT count(DISTINCT seq) FROM readings WHERE unit = repeat('0123456789abcdef', \(way.largeBytes / 16))")
            #expect(complete == count / 25)
            print("\(way.testDescription): \(stored.rowCount - count) rows beyond the first, \(residentBytes >> 20) MiB resident at most")
            #expect(residentBytes < 96 << 20)
            try await workplace.close()
        }
    }
}
