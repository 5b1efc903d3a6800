import Foundation
import Testing

extension EndToEndTests {
    @Suite("Bytes that the standard forbids")
    struct HostileBroker {
        /// One session suffers one offence, all at once in one process; each then meets a broker as it should be.
        @Test(
            "the connection ends with the right reason code and a logged reason, the process lives, the session connects again and works",
            arguments: WireVersion.allCases)
        func endsTheConnection(_ version: WireVersion) async throws {
            let offences = Offence.all(version)
            let pool = try await ScriptedPool(
                sessions: offences.count, version: version, broker: version.hasProperties ? ["receive_maximum: 5"] : [], watches: true
            ) { connection, visit in
                switch visit.number {
                case 0: try connection.suffer(offences[visit.session])
                case 1:
                    try connection.serve([visit.session])
                    try connection.expect(.disconnect)
                default: throw ScriptedConnection.Unexpected(description: "a third connection")
                }
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored(0..<offences.count)
            for (session, offence) in offences.enumerated() {
                let endings = pool.endings(of: session)
                #expect(endings.count == 1 && endings[0].contains(offence.reason), "\(offence.name): \(endings)")
            }
            #expect(pool.visits.count == 2 * offences.count)
            #expect(try #require(pool.workplace.ingester.residentBytesPeak) < 256 << 20)
            #expect(try #require(pool.workplace.ingester.processorSeconds) < 20)
            try await pool.close()
            #expect(pool.complaints == [])
        }

        @Test("a broker that refuses the login is named with what to do, and asked again")
        func refusedLogin() async throws {
            let broker = try ScriptedBroker { connection, number in
                try connection.expect(.connect)
                try connection.send(Packets.connectionAcknowledgement(.v3_1_1, code: number == 0 ? 4 : 5))
                _ = try connection.waitForEnd(without: .publishAcknowledgement)
            }
            defer { broker.stop() }
            let workplace = try await Workplace(
                sessions: 1, shards: 1, broker: WireVersion.v3_1_1.configurationLine, withoutBroker: broker.port)
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("no connection to the broker", times: 2)
            let log = workplace.ingester.log
            #expect(log.contains("user name or password"))
            #expect(log.contains("broker.username") || log.contains("broker.password_file"), "it says where to set them: \(log)")
            #expect(log.contains("not authori"))
            #expect(workplace.ingester.isAlive)
            try await workplace.close()
        }
    }
}

extension ScriptedConnection {
    /// What a broker does that offends once CONNECT is here. The ingester has to end the connection and to acknowledge no message on it.
    func suffer(_ offence: Offence) throws {
        var identifier: UInt16 = 0
        if offence.moment != .connected {
            try accept()
            if offence.moment == .published {
                identifier = try expect(.publish).packetIdentifier ?? 0
            } else {
                try takeStatus()
                let subscribe = try expect(.subscribe)
                identifier = subscribe.packetIdentifier ?? 0
                if offence.moment == .subscribed { try grant(subscribe, qos: 1) }
            }
        }
        try send(offence.bytes(identifier))
        let packets = try packetsUntilEnd()
        if let foreign = packets.first(where: { $0.kind != .disconnect && $0.kind != .subscribe }) {
            throw Unexpected(description: "\(offence.name): it answers with \(foreign.kind.map { "\($0)" } ?? "?")")
        }
        let codes = packets.filter { $0.kind == .disconnect }.map(\.reasonCode)
        guard codes == (version.hasProperties ? offence.code.map { [$0] } ?? [] : []) else {
            throw Unexpected(description: "\(offence.name): DISCONNECT with the codes \(codes) in place of \(offence.code ?? 0)")
        }
        guard codes.isEmpty || packets.last?.kind == .disconnect else {
            throw Unexpected(description: "\(offence.name): something follows DISCONNECT")
        }
    }
}
