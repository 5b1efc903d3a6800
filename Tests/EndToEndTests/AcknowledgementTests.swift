import Foundation
import Testing

extension EndToEndTests {
    @Suite("Acknowledgements on the wire")
    struct Acknowledgements {
        @Test("when a PUBACK leaves the ingester, the row of its message is in the table")
        func rowBeforeAcknowledgement() async throws {
            let watch = CommitWatch(every: 11)
            let workplace = try await Workplace(sessions: 2, shards: 2, whenSeen: watch.see)
            let probe = try workplace.probe()
            watch.use(probe)
            try await workplace.startIngester()
            try probe.rows("CREATE INDEX ON readings (seq)")
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 5000, perSecond: 5000)
            try await workplace.eventually("all is published", within: .seconds(60)) { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged)

            let findings = try watch.findings()
            #expect(findings.lookCount > 300)
            #expect(findings.tooEarly == [])
            try await workplace.close()
        }

        @Test("PUBACKs leave in the order in which the PUBLISH packets of their connection came [MQTT-4.6.0-2]")
        func orderOfArrival() async throws {
            let workplace = try await Workplace(sessions: 3, shards: 2)
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 12_000, perSecond: 8000)
            // Connections that end in the middle: each new one has an order of its own.
            for moment in [3000, 6000] {
                try await workplace.eventually("reading \(moment) is published", every: .milliseconds(1)) {
                    publisher.acknowledgedCount >= moment
                }
                workplace.tap.cut()
            }
            try await workplace.eventually("all is published", within: .seconds(60)) { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged)
            try await workplace.eventually("all is acknowledged") {
                Set(workplace.tap.acknowledgedSequences).isSuperset(of: publisher.acknowledged)
            }

            let passages = workplace.tap.passages
            #expect(workplace.tap.connectionCount >= 9)
            for connection in 0..<workplace.tap.connectionCount {
                let own = passages.filter { $0.connection == connection }
                let arrived = own.filter { $0.kind == .publish && $0.direction == .toIngester }.compactMap(\.packetIdentifier)
                let acknowledged = own.filter { $0.kind == .publishAcknowledgement && $0.direction == .toBroker }.compactMap(
                    \.packetIdentifier)
                #expect(acknowledged == Array(arrived.prefix(acknowledged.count)), "connection \(connection)")
            }
            try await workplace.close()
        }

        @Test("a broker that says nothing more is left after the keep alive, and nothing is lost with it")
        func stalledBroker() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, broker: "keep_alive: 2s")
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 2000, perSecond: 1000)
            try await workplace.eventually("messages flow") { workplace.tap.count(.publishAcknowledgement, .toBroker) > 300 }
            workplace.tap.stall()
            try await workplace.ingester.waitForLog("no connection to the broker", within: .seconds(15))
            #expect(workplace.ingester.log.contains("PINGREQ"))
            workplace.tap.resume()
            try await workplace.eventually("all is published", within: .seconds(60)) { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged)
            try await workplace.close()
        }
    }
}
