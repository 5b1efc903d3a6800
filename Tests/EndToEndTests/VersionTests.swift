import Foundation
import Testing

extension EndToEndTests {
    @Suite("Versions of MQTT")
    struct Versions {
        struct Version: Sendable, CustomTestStringConvertible {
            /// As the configuration has it.
            let name: String
            /// As CONNECT has it, with a broker that knows all of them.
            let level: UInt8
            var testDescription: String { name }
        }

        static let versions = [
            Version(name: "3.1", level: 3), Version(name: "3.1.1", level: 4), Version(name: "5", level: 5), Version(name: "auto", level: 5),
        ]

        @Test("every message at QoS 0, 1 and 2 is stored once, and acknowledged after that", arguments: versions)
        func ingestion(_ version: Version) async throws {
            let watch = CommitWatch(every: 7)
            let workplace = try await Workplace(
                sessions: 2, shards: 2, mappings: ["telemetry": Mappings.telemetryExactlyOnce], broker: "version: \(version.name)",
                distribution: "shared", whenSeen: watch.see)
            watch.use(try workplace.probe())
            try await workplace.startIngester()
            try workplace.probe().rows("CREATE INDEX ON readings (seq)")
            let count = 1000
            let publishers = (UInt8(0)...2).map { qos in
                LoadPublisher(port: workplace.brokerPort, count: count, perSecond: 2000, qos: qos) { number in
                    LoadPublisher.reading(Int(qos) * count + number)
                }
            }
            try await workplace.eventually("all is published", within: .seconds(60)) { publishers.allSatisfy(\.isFinished) }
            try await workplace.waitUntilStored(Set(0..<3 * count))
            try await workplace.eventually("all is acknowledged") {
                workplace.tap.count(.publishAcknowledgement, .toBroker) == count
                    && workplace.tap.count(.publishComplete, .toBroker) == count
            }

            let stored = try StoredReadings(workplace.probe())
            #expect(stored.rowCount == 3 * count)
            #expect(stored.foreign == [])
            let findings = try watch.findings()
            #expect(findings.lookCount > 200)
            #expect(findings.tooEarly == [])
            let levels = workplace.tap.passages.compactMap(\.protocolLevel)
            #expect(levels == [version.level, version.level])
            try await workplace.close()
        }

        @Test("the session waits for an ingester that is away, and what came meanwhile is stored", arguments: versions)
        func keptSession(_ version: Version) async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, broker: "version: \(version.name)")
            try await workplace.startIngester()
            try await workplace.publish((0..<10).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<10))
            try await workplace.terminateIngester()
            try await workplace.publish((10..<60).map(LoadPublisher.reading))
            try workplace.ingester.start()
            try await workplace.waitUntilStored(Set(0..<60))
            // 3.1 does not say.
            #expect(workplace.ingester.log.contains(version.level == 3 ? "session_present=unknown" : "session_present=true"))
            #expect(try StoredReadings(workplace.probe()).repeatCount == 0)
            try await workplace.close()
        }

        /// How a broker says that it does not know a version.
        struct Refusal: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let answer: [UInt8]
        }

        static let refusals = [
            Refusal(testDescription: "return code 1 of MQTT 3.1.1", answer: [0x20, 2, 0, 1]),
            Refusal(testDescription: "reason code 0x84 of MQTT 5", answer: [0x20, 3, 0, 0x84, 0]),
            Refusal(testDescription: "no answer but the end of the connection", answer: []),
        ]

        @Test("auto comes down to 3.1.1 where the broker does not know 5, and stays there", arguments: refusals)
        func fallback(_ refusal: Refusal) async throws {
            let workplace = try await Workplace(
                sessions: 2, shards: 1, broker: "version: auto", distribution: "shared",
                refusal: .init(aboveLevel: 4, answer: refusal.answer))
            try await workplace.startIngester()
            try await workplace.publish((0..<100).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<100))
            workplace.tap.cut()
            try await workplace.publish((100..<200).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<200))
            #expect(workplace.tap.passages.contains { $0.protocolLevel == 5 })
            #expect(workplace.tap.passages.contains { $0.protocolLevel == 4 })
            #expect(!workplace.tap.passages.contains { $0.protocolLevel == 3 })
            try await workplace.close()
        }

        @Test("a version that is demanded is the only one that is tried, and the log says that the broker does not know it")
        func demandedVersion() async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1, broker: "version: 5", refusal: .init(aboveLevel: 4, answer: [0x20, 2, 0, 1]))
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("no connection to the broker")
            try await workplace.eventually("it tries again") {
                workplace.tap.passages.compactMap(\.protocolLevel).count >= 3
            }
            #expect(workplace.tap.passages.compactMap(\.protocolLevel).allSatisfy { $0 == 5 })
            #expect(workplace.ingester.log.contains("version"))
            try await workplace.close()
        }
    }
}
