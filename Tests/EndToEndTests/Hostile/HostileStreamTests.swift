import Foundation
import Testing

extension EndToEndTests {
    @Suite("Bytes that come in pieces, or stop")
    struct HostileStream {
        /// A conversation up to the message of this number, as the broker says it when nobody listens to the answers.
        private static func conversation(_ version: WireVersion, _ subscribe: UInt16, _ sequence: Int) -> [[UInt8]] {
            let reading = LoadPublisher.reading(sequence)
            return [
                Packets.connectionAcknowledgement(version),
                Packets.subscriptionGranted(packetIdentifier: subscribe, codes: [1, 1], version: version),
                Packets.publish(
                    topic: Array(reading.topic.utf8), payload: reading.payload,
                    packetIdentifier: ScriptedConnection.packetIdentifier(of: sequence), version: version),
            ]
        }

        // MARK: Cutting

        private static let cutsPerSession = 4

        @Test("a conversation that is cut behind any of its bytes loses nothing", arguments: WireVersion.allCases)
        func cutAnywhere(_ version: WireVersion) async throws {
            let positions = Self.conversation(version, 1, 9999).joined().count
            let sessions = (positions + Self.cutsPerSession - 1) / Self.cutsPerSession
            let pool = try await ScriptedPool(sessions: sessions, version: version) { connection, visit in
                guard visit.number == Self.cutsPerSession else {
                    // Neighbours are cut by different sessions, so that a session is cut in every packet.
                    return try connection.say(version, upTo: visit.number * sessions + visit.session, sequence: 10_000 + visit.session)
                }
                try connection.serve([visit.session, 10_000 + visit.session])
                try connection.expect(.disconnect)
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored(Array(0..<sessions) + Array(10_000..<10_000 + sessions))
            #expect(pool.visits.count == sessions * (Self.cutsPerSession + 1))
            #expect(try pool.probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await pool.close()
            #expect(pool.complaints == [])
        }

        // MARK: Pieces

        @Test("a conversation may come byte by byte", arguments: WireVersion.allCases)
        func byteByByte(_ version: WireVersion) async throws {
            let pool = try await ScriptedPool(sessions: 4, version: version) { connection, visit in
                try connection.sendByteByByte(Packets.connectionAcknowledgement(version))
                try connection.takeStatus()
                let subscribe = try connection.expect(.subscribe).packetIdentifier ?? 0
                for packet in Self.conversation(version, subscribe, visit.session).dropFirst() { try connection.sendByteByByte(packet) }
                let acknowledgement = try connection.expect(.publishAcknowledgement)
                guard acknowledgement.packetIdentifier == ScriptedConnection.packetIdentifier(of: visit.session) else {
                    throw ScriptedConnection.Unexpected(description: "a PUBACK for another")
                }
                try connection.expect(.disconnect)
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored(0..<4)
            #expect(pool.visits.count == 4)
            try await pool.close()
            #expect(pool.complaints == [])
        }

        /// Time grows with the bytes, and not with what came before each of them: 15 MiB, whose last 2,000 bytes come one by one, each to be read by itself.
        /// A copy of all before each of them would keep a processor busy for as long as they come.
        @Test("a long packet in small pieces costs no more than its pieces")
        func longPacketInPieces() async throws {
            let pool = try await ScriptedPool(sessions: 1, version: .v5) { connection, _ in
                try connection.serve([0])
                // No mapping wants it: nothing but the way of its bytes is measured.
                let packet = Packets.publish(
                    topic: Array("site/lab/dev/d1/telemetry".utf8), payload: Array(repeating: 0x20, count: 15 << 20), packetIdentifier: 77,
                    version: .v5)
                try connection.send(packet.dropLast(2000))
                for byte in packet.suffix(2000) {
                    try connection.send([byte])
                    usleep(1000)
                }
                try connection.require(.publishAcknowledgement, 77)
                try connection.publish(1)
                try connection.require(.publishAcknowledgement, 2)
                try connection.expect(.disconnect)
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored([0, 1])
            print(
                "long packet: \(pool.workplace.ingester.processorSeconds ?? 0) s, \((pool.workplace.ingester.residentBytesPeak ?? 0) >> 20) MiB"
            )
            #expect(try #require(pool.workplace.ingester.processorSeconds) < 1.2)
            #expect(try #require(pool.workplace.ingester.residentBytesPeak) < 128 << 20)
            try await pool.close()
            #expect(pool.complaints == [])
        }

        /// Memory grows with what has come, not with what was announced.
        @Test(
            "a packet of 268,435,455 bytes that was announced and only trickles costs what has come of it", arguments: WireVersion.allCases)
        func trickling(_ version: WireVersion) async throws {
            let pool = try await ScriptedPool(sessions: 1, version: version, broker: ["max_packet_bytes: 268435460"]) { connection, visit in
                try connection.serve([visit.number])
                guard visit.number == 0 else { return _ = try connection.expect(.disconnect) }
                try connection.send([0x32, 0xFF, 0xFF, 0xFF, 0x7F] + Packets.text("site/hq/dev/d0/telemetry"))
                for _ in 0..<20_000 { try connection.send(Array(repeating: 0x20, count: 16)) }
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored([0])
            try await pool.waitUntilStored([0, 1])
            let seconds = try #require(pool.workplace.ingester.processorSeconds)
            print("trickling: \(seconds) s, \((pool.workplace.ingester.residentBytesPeak ?? 0) >> 20) MiB")
            #expect(seconds < 2)
            #expect(try #require(pool.workplace.ingester.residentBytesPeak) < 128 << 20)
            #expect(pool.endings(of: 0).count == 1)
            try await pool.close()
            #expect(pool.complaints == [])
        }
    }
}

extension ScriptedConnection {
    func sendByteByByte(_ bytes: [UInt8]) throws { for byte in bytes { try send([byte]) } }

    /// A conversation of which only so many bytes are said; half of these ends are resets.
    fileprivate func say(_ version: WireVersion, upTo count: Int, sequence: Int) throws {
        endsWithReset = count % 2 == 1
        var rest = count
        func say(_ packet: [UInt8]) throws -> Bool {
            try send(Array(packet.prefix(rest)))
            rest -= packet.count
            return rest >= 0
        }
        guard try say(Packets.connectionAcknowledgement(version)) else { return }
        try takeStatus()
        let subscribe = try expect(.subscribe)
        let granted = Packets.subscriptionGranted(
            packetIdentifier: subscribe.packetIdentifier ?? 0, codes: subscribe.filters.map { _ in 1 }, version: version)
        guard try say(granted) else { return }
        let reading = LoadPublisher.reading(sequence)
        _ = try say(
            Packets.publish(
                topic: Array(reading.topic.utf8), payload: reading.payload, packetIdentifier: Self.packetIdentifier(of: sequence),
                version: version))
    }
}
