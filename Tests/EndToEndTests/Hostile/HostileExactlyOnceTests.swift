import Foundation
import Testing

extension EndToEndTests {
    @Suite("Acknowledgements and packet identifiers that contradict what was said")
    struct HostileExactlyOnce {
        /// What a broker says that makes no sense, and that the standard leaves no way to be sure about: nothing is lost by it, nothing stored twice.
        private struct Oddity: Sendable {
            let name: String
            /// Numbers of readings that have to stand in the table once.
            let readings: [Int]
            /// Connections before the last, which is an ordinary one.
            var connections = 1
            let play: @Sendable (ScriptedConnection, Int) throws -> Void
        }

        private static let oddities: [Oddity] = [
            Oddity(name: "PUBREL of an unknown identifier gets PUBCOMP", readings: []) { connection, _ in
                try connection.send(Packets.release(1) + Packets.release(65_535) + Packets.release(1))
                for identifier in [1, 65_535, 1] as [UInt16] { try connection.require(.publishComplete, identifier) }
            },
            Oddity(name: "PUBREC of an unknown identifier gets PUBREL", readings: []) { connection, _ in
                try connection.send([0x50, 2, 0x12, 0x34])
                try connection.require(.publishRelease, 0x1234)
            },
            Oddity(name: "PUBCOMP of an unknown identifier gets nothing", readings: [100]) { connection, _ in
                try connection.send([0x70, 2, 0x12, 0x34])
                try connection.publish(100, packetIdentifier: 9)
                try connection.require(.publishAcknowledgement, 9)
            },
            Oddity(name: "one message twice before PUBREC, without DUP", readings: [101]) { connection, _ in
                for _ in 0..<2 { try connection.publish(101, packetIdentifier: 9, qos: 2) }
                for _ in 0..<2 { try connection.require(.publishReceived, 9) }
            },
            Oddity(name: "one message twice after PUBREC, without DUP", readings: [102]) { connection, _ in
                for _ in 0..<2 {
                    try connection.publish(102, packetIdentifier: 9, qos: 2)
                    try connection.require(.publishReceived, 9)
                }
            },
            Oddity(name: "PUBREL twice", readings: [103, 104]) { connection, _ in
                for sequence in [103, 104] {
                    try connection.publish(sequence, packetIdentifier: 9, qos: 2)
                    try connection.require(.publishReceived, 9)
                    try connection.send(Packets.release(9))
                    try connection.require(.publishComplete, 9)
                    try connection.send(Packets.release(9))
                    try connection.require(.publishComplete, 9)
                }
            },
            Oddity(name: "one identifier at QoS 1 and 2 at once", readings: [105, 106]) { connection, _ in
                try connection.publish(105, packetIdentifier: 9)
                try connection.publish(106, packetIdentifier: 9, qos: 2)
                let answers = [try connection.next().kind, try connection.next().kind]
                guard answers == [.publishAcknowledgement, .publishReceived] else {
                    throw ScriptedConnection.Unexpected(description: "\(answers)")
                }
            },
            Oddity(name: "a new message under the identifier of a session that the broker has lost", readings: [107, 108], connections: 2) {
                connection, number in
                try connection.publish(107 + number, packetIdentifier: 9, qos: 2)
                try connection.require(.publishReceived, 9)
            },
            Oddity(name: "a new message under an identifier that is being released", readings: [109], connections: 1) { connection, _ in
                try connection.publish(109, packetIdentifier: 9, qos: 2)
                try connection.require(.publishReceived, 9)
                let reading = LoadPublisher.reading(110)
                try connection.send(
                    Packets.release(9)
                        + Packets.publish(
                            topic: Array(reading.topic.utf8), payload: reading.payload, packetIdentifier: 9, qos: 2,
                            version: connection.version))
                guard try connection.packetsUntilEnd().allSatisfy({ $0.kind == .disconnect && $0.reasonCode ?? 0x82 == 0x82 }) else {
                    throw ScriptedConnection.Unexpected(description: "a message is answered that must not be")
                }
            },
            Oddity(name: "DUP on a message that never came before", readings: [111]) { connection, _ in
                try connection.publish(111, packetIdentifier: 9, isDuplicate: true)
                try connection.require(.publishAcknowledgement, 9)
            },
        ]

        @Test(
            "each is settled as far as it can be: nothing is lost, nothing is stored twice, and the session works",
            arguments: WireVersion.allCases)
        func oddities(_ version: WireVersion) async throws {
            let oddities = Self.oddities
            let pool = try await ScriptedPool(
                sessions: oddities.count, version: version, mappings: ["telemetry": Mappings.telemetryExactlyOnce]
            ) { connection, visit in
                let oddity = oddities[visit.session]
                guard visit.number < oddity.connections else {
                    try connection.serve([visit.session])
                    return _ = try connection.expect(.disconnect)
                }
                connection.answersPings = true
                try connection.accept(isSessionPresent: visit.number > 0 && version.reportsSessionPresent)
                try connection.takeStatus()
                try connection.grantSubscription(qos: 2)
                do { try oddity.play(connection, visit.number) } catch {
                    throw ScriptedConnection.Unexpected(description: "\(oddity.name): \(error)")
                }
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored(Array(oddities.indices) + oddities.flatMap(\.readings))
            let repeated = try pool.probe.rows("SELECT seq, count(*) FROM readings GROUP BY seq HAVING count(*) > 1")
            #expect(repeated.isEmpty, "\(repeated)")
            #expect(pool.visits.count == oddities.map { $0.connections + 1 }.reduce(0, +))
            try await pool.close()
            #expect(pool.complaints == [])
        }
    }
}
