import Foundation
import Testing

extension EndToEndTests {
    @Suite("penstock check with a broker that does wrong")
    struct HostileCheck {
        /// What the broker does once CONNECT is here, and what the command has to say of it.
        private struct Case: Sendable {
            let name: String
            let words: String
            let play: @Sendable (ScriptedConnection) throws -> Void
        }

        private static func cases(_ version: WireVersion) -> [Case] {
            let granted = { @Sendable (connection: ScriptedConnection, codes: [UInt8]) in
                while true {
                    let subscribe = try connection.expect(.subscribe)
                    let isOfMapping = subscribe.filters == ["site/+/dev/+/telemetry"]
                    try connection.send(
                        Packets.subscriptionGranted(
                            packetIdentifier: subscribe.packetIdentifier ?? 0, codes: isOfMapping ? codes : [0], version: version))
                    if isOfMapping { return }
                }
            }
            return [
                Case(name: "garbage", words: "PUBACK with flag bits") { try $0.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)) },
                Case(name: "closing at once", words: "closed the connection") { _ in },
                Case(name: "silence", words: "no CONNACK within") { _ = try $0.packetsUntilEnd() },
                Case(name: "a refusal", words: "not authorized") {
                    try $0.send(Packets.connectionAcknowledgement(version, code: version.hasProperties ? 0x87 : 5))
                },
                Case(name: "a session that was not asked for", words: "a clean one was asked for") { connection in
                    try connection.accept(isSessionPresent: true)
                    _ = try connection.packetsUntilEnd()
                },
                Case(name: "a packet that is too long", words: "268435460 bytes") { connection in
                    try connection.accept()
                    try connection.send([0x30, 0xFF, 0xFF, 0xFF, 0x7F])
                    _ = try connection.packetsUntilEnd()
                },
                Case(name: "SUBACK with too many codes", words: "SUBACK with 2 return codes for 1") { connection in
                    try connection.accept()
                    try granted(connection, [1, 1])
                    _ = try connection.packetsUntilEnd()
                },
                Case(name: "SUBACK that refuses", words: "refuses the subscription") { connection in
                    try connection.accept()
                    try granted(connection, [0x80])
                    _ = try connection.packetsUntilEnd()
                },
                Case(name: "closing after CONNACK", words: "closed the connection") { try $0.accept() },
                Case(name: "silence after CONNACK", words: "no answer in time") { connection in
                    try connection.accept()
                    connection.answersPings = true
                    _ = try connection.packetsUntilEnd()
                },
            ]
        }

        @Test("it says what the broker did, and ends with 1 within its time", arguments: [WireVersion.v3_1_1, .v5])
        func check(_ version: WireVersion) async throws {
            // The last takes eight seconds, whatever the version.
            let cases = version == .v5 ? Self.cases(version) : Self.cases(version).dropLast()
            let broker = try ScriptedBroker { connection, number in
                try connection.expect(.connect)
                try cases[number].play(connection)
            }
            defer { broker.stop() }
            let workplace = try await Workplace(
                sessions: 1, shards: 1, broker: version.configurationLine + "\nconnect_timeout: 3s", withoutBroker: broker.port)
            // All at once: which of them meets which case is seen from what it says.
            var errors: [String] = []
            for process in try cases.map({ _ in try workplace.start("check") }) {
                #expect(try await process.waitForEnd(within: .seconds(30)) == .exit(1), "\(process.errors)")
                errors.append(process.errors)
            }
            for one in cases {
                let index = try #require(errors.firstIndex { $0.contains(one.words) }, "\(one.name): \(errors)")
                errors.remove(at: index)
            }
            #expect(broker.complaints == [])
            try await workplace.close()
        }
    }
}
