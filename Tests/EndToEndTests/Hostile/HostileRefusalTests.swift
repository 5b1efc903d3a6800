import Foundation
import Testing

extension EndToEndTests {
    @Suite("Brokers that say no")
    struct HostileRefusal {
        /// Every code with which a broker may refuse a connection, in the words of the standard.
        private static func refusals(_ version: WireVersion) -> [(code: UInt8, words: String)] {
            guard version.hasProperties else {
                return [
                    (1, "unsupported protocol version: set broker.version"),
                    (2, "client identifier not valid: choose another pool.client_id"),
                    (3, "server unavailable"), (4, "bad user name or password: check broker.username"),
                    (5, "not authorized: check broker.username"),
                ]
            }
            return [
                (0x80, "unspecified error"), (0x81, "malformed packet"), (0x82, "protocol error"), (0x83, "implementation specific error"),
                (0x84, "unsupported protocol version"), (0x85, "client identifier not valid"), (0x86, "bad user name or password"),
                (0x87, "not authorized"), (0x88, "server unavailable"), (0x89, "server busy"), (0x8A, "banned"),
                (0x8C, "bad authentication method"), (0x90, "topic name invalid"), (0x95, "packet too large"), (0x97, "quota exceeded"),
                (0x99, "payload format invalid"), (0x9A, "retain not supported"), (0x9B, "QoS not supported"), (0x9C, "use another server"),
                (0x9D, "server moved"), (0x9F, "connection rate exceeded"),
            ]
        }

        @Test(
            "a connection that is refused is told with the broker's reason, and asked for again after a pause",
            arguments: WireVersion.allCases)
        func refusedConnection(_ version: WireVersion) async throws {
            let refusals = Self.refusals(version)
            let pool = try await ScriptedPool(sessions: refusals.count, version: version) { connection, visit in
                guard visit.number == 0 else {
                    try connection.serve([visit.session])
                    return _ = try connection.expect(.disconnect)
                }
                let reason = [0x1F] + Packets.text("for \(visit.session)")
                try connection.send(
                    Packets.connectionAcknowledgement(version, code: refusals[visit.session].code, properties: reason))
                guard try connection.packetsUntilEnd().isEmpty else {
                    throw ScriptedConnection.Unexpected(description: "it goes on after a refusal")
                }
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored(refusals.indices)
            for (session, refusal) in refusals.enumerated() {
                let endings = pool.endings(of: session)
                #expect(endings.count == 1 && endings[0].contains("refused the connection: \(refusal.words)"), "\(endings)")
                if version.hasProperties { #expect(endings.first?.contains("it says: for \(session)") == true) }
                let visits = pool.visits(of: session)
                #expect(visits.count == 2 && visits[1].at - visits[0].at >= .milliseconds(50))
            }
            try await pool.close()
            #expect(pool.complaints == [])
        }

        @Test("a filter that is refused leaves the others as they are, and is asked for again")
        func refusedFilter() async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for version in WireVersion.allCases { group.addTask { try await Self.refusedFilter(version) } }
                try await group.waitForAll()
            }
        }

        private static func refusedFilter(_ version: WireVersion) async throws {
            let refusal: UInt8 = version.hasProperties ? 0x87 : 0x80
            let pool = try await ScriptedPool(sessions: 1, version: version) { connection, _ in
                connection.answersPings = true
                try connection.accept()
                try connection.takeStatus()
                let subscribe = try connection.expect(.subscribe)
                try connection.send(
                    Packets.subscriptionGranted(
                        packetIdentifier: subscribe.packetIdentifier ?? 0,
                        codes: subscribe.filters.map { $0.hasPrefix("weather") ? refusal : 1 }, version: version))
                try connection.publish(0)
                try connection.require(.publishAcknowledgement, 1)
                let again = try connection.require(.subscribe)
                guard again.filters == ["weather/+"] else {
                    throw ScriptedConnection.Unexpected(description: "it asks for \(again.filters)")
                }
                try connection.grant(again, qos: 1)
                try connection.publish(1)
                try connection.require(.publishAcknowledgement, 2)
                try connection.expect(.disconnect)
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored([0, 1])
            let told = pool.workplace.ingester.log.split(separator: "\n").filter { $0.contains("refuses a subscription") }
            #expect(told.count == 1 && told[0].contains("filter=weather/+") && told[0].contains("mappings=weather"), "\(told)")
            #expect(pool.visits.count == 1)
            try await pool.close()
            #expect(pool.complaints == [])
        }
    }
}
