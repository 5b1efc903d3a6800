import Foundation
import Synchronization
import Testing

extension EndToEndTests {
    @Suite("Brokers that fall silent, close, or refuse")
    struct HostileTiming {
        // MARK: Silence

        enum Silence: Int, CaseIterable, Sendable {
            case noAcknowledgement, halfAcknowledgement, noSubscribeAcknowledgement, noPingResponse

            var words: String {
                switch self {
                case .noAcknowledgement, .halfAcknowledgement: "no CONNACK within"
                case .noSubscribeAcknowledgement: "no SUBACK within"
                case .noPingResponse: "did not answer PINGREQ"
                }
            }

            /// What DISCONNECT says from 5.0 on; nothing is said before CONNACK.
            var code: UInt8? { self == .noAcknowledgement || self == .halfAcknowledgement ? nil : 0x80 }
        }

        @Test(
            "a broker that does not answer CONNECT, SUBSCRIBE or PINGREQ is left when its time is over, told why from 5.0 on, and met again"
        )
        func silence() async throws {
            try await atEveryVersion { try await Self.silence($0) }
        }

        private static func silence(_ version: WireVersion) async throws {
            let silences = Silence.allCases
            let pool = try await ScriptedPool(
                sessions: silences.count, version: version, broker: ["keep_alive: 1s", "connect_timeout: 1s"]
            ) { connection, visit in
                guard visit.number == 0 else {
                    try connection.serve([visit.session])
                    _ = try connection.expect(.disconnect)
                    return
                }
                let silence = silences[visit.session]
                switch silence {
                case .noAcknowledgement: break
                case .halfAcknowledgement: try connection.send([0x20])
                case .noSubscribeAcknowledgement:
                    try connection.accept()
                    try connection.takeStatus()
                    try connection.expect(.subscribe)
                case .noPingResponse:
                    try connection.accept()
                    try connection.takeStatus()
                    try connection.grantSubscription()
                }
                connection.answersPings = silence != .noPingResponse
                let packets = try connection.packetsUntilEnd().filter { $0.kind != .pingRequest }
                let codes = packets.filter { $0.kind == .disconnect }.map(\.reasonCode)
                guard codes == (version.hasProperties ? silence.code.map { [$0] } ?? [] : []) else {
                    throw ScriptedConnection.Unexpected(description: "\(silence): DISCONNECT with the codes \(codes)")
                }
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored(silences.map(\.rawValue))
            for silence in silences {
                let endings = pool.endings(of: silence.rawValue)
                #expect(endings.count == 1 && endings[0].contains(silence.words), "\(version) \(silence): \(endings)")
                #expect(pool.visits(of: silence.rawValue).count == 2)
            }
            #expect(try #require(pool.workplace.ingester.processorSeconds) < 10)
            try await pool.close()
            #expect(pool.complaints == [])
        }

        // MARK: Closing

        @Test("a broker that closes the connection when we publish: after three such ends nothing is published, and messages come")
        func closingOnPublish() async throws {
            let pool = try await ScriptedPool(sessions: 1, version: .v3_1_1) { connection, visit in
                try connection.accept(isSessionPresent: visit.number > 0)
                guard visit.number > 2 else { return _ = try connection.expect(.publish) }
                try connection.grant(try connection.require(.subscribe), qos: 1)
                try connection.publish(7)
                try connection.require(.publishAcknowledgement)
                try connection.require(.disconnect)
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored([7])
            #expect(pool.workplace.ingester.log.components(separatedBy: "nothing is published any more").count == 2)
            try await pool.close()
            #expect(pool.complaints == [])
        }

        enum Closing: Int, CaseIterable, Sendable {
            case atOnce, resetAtOnce, refusing
            case afterAcknowledgement, afterSubscription, resetAfterSubscription
        }

        @Test("a broker that closes every connection, before CONNACK or after it, is asked a few times in two seconds, less and less")
        func closing() async throws {
            try await atEveryVersion { try await Self.closing($0) }
        }

        /// All at once: they wait more than they work.
        private func atEveryVersion(_ body: @escaping @Sendable (WireVersion) async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for version in WireVersion.allCases { group.addTask { try await body(version) } }
                try await group.waitForAll()
            }
        }

        private static func closing(_ version: WireVersion) async throws {
            let closings = Closing.allCases
            let start = Mutex<ContinuousClock.Instant?>(nil)
            // A session that loses each connection before its status is acknowledged would end by publishing none.
            let pool = try await ScriptedPool(sessions: closings.count, version: version, broker: ["status_topic: null"]) {
                connection, visit in
                let closing = closings[visit.session]
                let first = start.withLock { start in
                    start = start ?? visit.at
                    return start ?? visit.at
                }
                guard visit.at - first < .seconds(2) else {
                    try connection.serve([visit.session])
                    try connection.expect(.disconnect)
                    return
                }
                switch closing {
                case .atOnce: break
                case .resetAtOnce: connection.endsWithReset = true
                case .refusing: try connection.send(Packets.connectionAcknowledgement(version, code: version.hasProperties ? 0x87 : 5))
                case .afterAcknowledgement: try connection.accept()
                case .afterSubscription, .resetAfterSubscription:
                    try connection.accept()
                    try connection.takeStatus()
                    try connection.grantSubscription()
                    connection.endsWithReset = closing == .resetAfterSubscription
                }
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored(closings.indices)
            let first = try #require(start.withLock { $0 })
            for (session, closing) in closings.enumerated() {
                let visits = pool.visits(of: session).filter { $0.at - first < .seconds(2) }
                #expect((3...7).contains(visits.count), "\(version) \(closing): \(visits.count) connections in two seconds")
                // Each pause is at least half of what it can be: 100 ms, 200 ms, 400 ms …
                for (number, (one, next)) in zip(visits, visits.dropFirst()).enumerated() {
                    #expect(next.at - one.at >= .milliseconds(50 << number), "\(version) \(closing): the pause after connection \(number)")
                }
            }
            #expect(try #require(pool.workplace.ingester.processorSeconds) < 5)
            try await pool.close()
            #expect(pool.complaints == [])
        }
    }
}
