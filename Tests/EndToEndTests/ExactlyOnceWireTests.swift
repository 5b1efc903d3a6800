import Foundation
import Synchronization
import Testing

extension EndToEndTests {
    @Suite("QoS 2 on the wire: what is said is durable")
    struct ExactlyOnceWire {
        @Test("PUBREC leaves after the row and its packet identifier are stored, PUBCOMP after the identifier is free in the database")
        func durableBeforeAnswer() async throws {
            // The tap asks the database while it holds the answer in its hand.
            let observation = Mutex<Observation>(Observation())
            let workplace = try await Workplace(sessions: 2, shards: 2, mappings: ["telemetry": Mappings.telemetryExactlyOnce]) { passage in
                guard passage.direction == .toBroker else { return }
                observation.withLock { $0.look(at: passage) }
            }
            let probe = try workplace.probe()
            observation.withLock { $0.probe = probe }
            try await workplace.startIngester()
            try probe.rows("CREATE INDEX ON readings (seq)")
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 4000, perSecond: 5000, qos: 2)
            try await workplace.waitUntilStoredOnce(publisher)

            try observation.withLock { observation in
                if let failure = observation.failure { throw failure }
                #expect(observation.receiptCount > 300 && observation.completionCount > 300)
                #expect(observation.faults == [])
            }
            #expect(workplace.tap.count(.publishAcknowledgement, .toBroker) == 0, "QoS 2 knows no PUBACK")
            try await workplace.close()
        }

        /// Asks the database about every seventh answer.
        private struct Observation {
            var probe: DatabaseProbe?
            var answerCount = 0
            var receiptCount = 0
            var completionCount = 0
            var faults: [String] = []
            var failure: (any Error)?

            mutating func look(at passage: WireTap.Passage) {
                guard passage.kind == .publishReceived || passage.kind == .publishComplete else { return }
                answerCount += 1
                guard answerCount % 7 == 0, let probe, let identifier = passage.packetIdentifier, let sequence = passage.sequence else {
                    return
                }
                do {
                    let isStored = try probe.number("SELECT count(*) FROM readings WHERE seq = \(sequence)")
                    let isHeld = try probe.number(
                        "SELECT (stored_ids @> \(identifier))::integer FROM penstock.session WHERE client_id = '\(passage.client)'")
                    if passage.kind == .publishReceived {
                        receiptCount += 1
                        if isStored != 1 || isHeld != 1 { faults.append("PUBREC \(identifier): \(isStored) rows, held \(isHeld)") }
                    } else {
                        completionCount += 1
                        if isHeld != 0 { faults.append("PUBCOMP \(identifier): still stored") }
                    }
                } catch {
                    failure = error
                }
            }
        }

        @Test("PUBRECs and PUBCOMPs leave in the order of their PUBLISH and PUBREL packets [MQTT-4.6.0-3]")
        func orderOfAnswers() async throws {
            let workplace = try await Workplace(sessions: 2, shards: 1, mappings: ["telemetry": Mappings.telemetryExactlyOnce])
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 16_000, perSecond: 3000, qos: 2)
            var connectionsCut = 0
            for cut in 1...7 {
                // mosquitto 2.0.11 forgets how far a message was when a connection ends while it still sends again what a former one left
                // (docs/reliability.md): each session has to be past that.
                try await workplace.eventually(
                    "reading \(cut * 500) is published, and new messages are sent", every: .milliseconds(5)
                ) {
                    publisher.acknowledgedCount >= cut * 500 && workplace.tap.isSendingNewMessages(since: connectionsCut)
                }
                connectionsCut = workplace.tap.connectionCount
                workplace.tap.cut()
            }
            try await workplace.waitUntilStoredOnce(publisher)
            let passages = workplace.tap.passages
            #expect(workplace.tap.connectionCount >= 8)
            for connection in 0..<workplace.tap.connectionCount {
                let own = passages.filter { $0.connection == connection }
                for (asked, answered) in [(WirePacket.Kind.publish, WirePacket.Kind.publishReceived), (.publishRelease, .publishComplete)] {
                    let came = own.filter { $0.kind == asked && $0.direction == .toIngester }.compactMap(\.packetIdentifier)
                    let left = own.filter { $0.kind == answered && $0.direction == .toBroker }.compactMap(\.packetIdentifier)
                    #expect(left == Array(came.prefix(left.count)), "connection \(connection), \(answered)")
                }
            }
            try await workplace.close()
        }
    }
}
