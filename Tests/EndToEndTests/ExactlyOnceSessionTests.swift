import Foundation
import Synchronization
import Testing

extension EndToEndTests {
    @Suite("Packet identifiers at QoS 2 from connection to connection")
    struct ExactlyOnceSession {
        @Test(
            "after a restart a PUBLISH that comes again before PUBREL is a repeat, and what comes after PUBCOMP is new, whatever DUP says")
        func identifierOfOneMessage() async throws {
            let stage = try await Stage { connection, number, _ in
                switch number {
                case 0:
                    try connection.acceptConnection()
                    try connection.grantSubscription(qos: 2)
                    try connection.send(Self.message(1, 7) + Self.message(2, 8))
                    try connection.require(.publishReceived, 7)
                    try connection.require(.publishReceived, 8)
                    // Still in the same connection: again, with DUP and without.
                    try connection.send(Self.message(1, 7, isDuplicate: true) + Self.message(1, 7))
                    try connection.require(.publishReceived, 7)
                    try connection.require(.publishReceived, 7)
                    try connection.send(Packets.release(8))
                    try connection.require(.publishComplete, 8)
                    _ = try connection.waitForEnd(without: .publish)
                default:
                    try connection.acceptConnection(isSessionPresent: true)
                    try connection.grantSubscription(qos: 2)
                    try connection.send(Self.message(1, 7, isDuplicate: true))
                    try connection.require(.publishReceived, 7)
                    try connection.send(Self.message(1, 7))
                    try connection.require(.publishReceived, 7)
                    // Released before the restart: the server has not had its PUBCOMP, or not noticed it. And one that nobody knows.
                    try connection.send(Packets.release(8) + Packets.release(9))
                    try connection.require(.publishComplete, 8)
                    try connection.require(.publishComplete, 9)
                    try connection.send(Packets.release(7))
                    try connection.require(.publishComplete, 7)
                    // The identifiers are free: these are new messages, though one of them says that it came before.
                    try connection.send(Self.message(3, 7, isDuplicate: true) + Self.message(4, 8))
                    try connection.require(.publishReceived, 7)
                    try connection.require(.publishReceived, 8)
                    try connection.send(Packets.release(7) + Packets.release(8))
                    try connection.require(.publishComplete, 7)
                    try connection.require(.publishComplete, 8)
                }
            }
            try stage.workplace.ingester.start()
            try await stage.waitUntil("the first connection has come to its end") {
                try stage.probe.rows("SELECT stored_ids FROM penstock.session") == [["{[7,8)}"]]
                    && stage.probe.number("SELECT count(*) FROM readings") == 2
            }
            try await stage.workplace.ingester.kill()
            try stage.workplace.ingester.start()
            try await stage.waitForScript(2)
            #expect(try stage.sequences() == [1, 2, 3, 4])
            #expect(try stage.probe.rows("SELECT stored_ids FROM penstock.session") == [["{}"]])
            try await stage.close()
        }

        @Test("a broker that has forgotten the session: the identifiers are free in the database before SUBSCRIBE goes out")
        func sessionForgotten() async throws {
            let stage = try await Stage { connection, number, probe in
                try connection.acceptConnection()
                let subscribe = try connection.require(.subscribe)
                if number == 1 {
                    let stored = try probe.rows("SELECT stored_ids, connecting FROM penstock.session")
                    guard stored == [["{}", "f"]] else {
                        throw ScriptedConnection.Unexpected(description: "SUBSCRIBE, and still \(stored)")
                    }
                }
                try connection.grant(subscribe, qos: 2)
                try connection.send(Self.message(number + 1, 7))
                if number == 0 {
                    // It is killed as soon as the message is stored, before or behind its PUBREC.
                    _ = try? connection.waitForEnd(without: .publish)
                } else {
                    try connection.require(.publishReceived, 7)
                }
            }
            try stage.workplace.ingester.start()
            try await stage.waitUntil("a message is stored") { try stage.sequences() == [1] }
            try await stage.workplace.ingester.kill()
            try stage.workplace.ingester.start()
            try await stage.waitForScript(2)
            #expect(try stage.sequences() == [1, 2])
            try await stage.close()
        }

        @Test("within one life of the ingester too: identifiers of a session that the broker has forgotten are free before SUBSCRIBE")
        func sessionForgottenInBetween() async throws {
            let stage = try await Stage { connection, number, probe in
                try connection.acceptConnection()
                let subscribe = try connection.require(.subscribe)
                if number > 0 {
                    let stored = try probe.rows("SELECT stored_ids FROM penstock.session")
                    guard stored == [["{}"]] else { throw ScriptedConnection.Unexpected(description: "SUBSCRIBE, and still \(stored)") }
                }
                try connection.grant(subscribe, qos: 2)
                try connection.send(Self.message(number + 1, 7))
                try connection.require(.publishReceived, 7)
            }
            try stage.workplace.ingester.start()
            try await stage.waitForScript(4)
            #expect(try stage.sequences().prefix(4) == [1, 2, 3, 4])
            try await stage.close()
        }

        @Test(
            "after a CONNECT without an answer the broker is asked which identifiers it knows before SUBSCRIBE goes out",
            arguments: [false, true])
        func connectWithoutAnswer(knowsMessage: Bool) async throws {
            let stage = try await Stage { connection, number, probe in
                switch number {
                case 0:
                    try connection.acceptConnection()
                    try connection.grantSubscription(qos: 2)
                    try connection.send(Self.message(1, 7) + Self.message(2, 8))
                    try connection.require(.publishReceived, 7)
                    try connection.require(.publishReceived, 8)
                    _ = try connection.waitForEnd(without: .publish)
                case 1:
                    try connection.require(.connect)
                    let isMarked = try probe.rows("SELECT connecting FROM penstock.session")
                    guard isMarked == [["t"]] else { throw ScriptedConnection.Unexpected(description: "CONNECT without a mark") }
                // The connection ends: did the broker make a new session, or not?
                default:
                    try connection.acceptConnection(isSessionPresent: true)
                    try connection.require(.pingRequest)
                    // Whatever it has not seen through comes before anything else [MQTT-4.4.0-1].
                    if knowsMessage {
                        try connection.send(Self.message(1, 7, isDuplicate: true))
                        try connection.require(.publishReceived, 7)
                    }
                    try connection.send(Packets.pingResponse)
                    let subscribe = try connection.require(.subscribe)
                    let stored = try probe.rows("SELECT stored_ids FROM penstock.session")
                    guard stored == [[knowsMessage ? "{[7,8)}" : "{}"]] else {
                        throw ScriptedConnection.Unexpected(description: "SUBSCRIBE, and still \(stored)")
                    }
                    try connection.grant(subscribe, qos: 2)
                    if knowsMessage {
                        try connection.send(Packets.release(7))
                        try connection.require(.publishComplete, 7)
                    }
                    try connection.send(Self.message(3, 7) + Self.message(4, 8))
                    try connection.require(.publishReceived, 7)
                    try connection.require(.publishReceived, 8)
                }
            }
            try stage.workplace.ingester.start()
            try await stage.waitUntil("two messages are stored") { try stage.sequences() == [1, 2] }
            try await stage.workplace.ingester.kill()
            try stage.workplace.ingester.start()
            try await stage.waitForScript(3)
            #expect(try stage.sequences() == [1, 2, 3, 4])
            try await stage.close()
        }

        @Test("a PUBREC that is lost with its connection comes again, and the message is not stored again")
        func lostReceipt() async throws {
            let stage = try await Stage { connection, number, probe in
                try connection.acceptConnection(isSessionPresent: number > 0)
                let subscribe = try connection.require(.subscribe)
                try connection.grant(subscribe, qos: 2)
                try connection.send(Self.message(1, 7, isDuplicate: number > 0))
                // Up to the third connection nobody waits for the answer.
                guard number >= 2 else { return }
                try connection.require(.publishReceived, 7)
                try connection.send(Packets.release(7))
                try connection.require(.publishComplete, 7)
            }
            try stage.workplace.ingester.start()
            try await stage.waitForScript(3)
            #expect(try stage.sequences() == [1])
            try await stage.close()
        }

        @Test("a message that cannot be a row becomes one letter, however often it comes before PUBREL")
        func oneLetter() async throws {
            let broken = Packets.publish(
                topic: Array("site/hq/dev/d1/telemetry".utf8), payload: Array("{".utf8), packetIdentifier: 7, qos: 2)
            let stage = try await Stage { connection, number, _ in
                try connection.acceptConnection(isSessionPresent: number > 0)
                try connection.grantSubscription(qos: 2)
                for _ in 0..<2 {
                    try connection.send(broken)
                    try connection.require(.publishReceived, 7)
                }
                guard number == 1 else { return }
                try connection.send(Packets.release(7))
                try connection.require(.publishComplete, 7)
                try connection.send(Self.message(2, 7))
                try connection.require(.publishReceived, 7)
            }
            try stage.workplace.ingester.start()
            try await stage.waitForScript(2)
            #expect(
                try stage.probe.rows("SELECT stage, qos, convert_from(payload, 'UTF8') FROM penstock.dead_letter") == [
                    ["decode", "2", "{"]
                ])
            #expect(try stage.sequences() == [2])
            try await stage.close()
        }

        private static func message(_ sequence: Int, _ identifier: UInt16, isDuplicate: Bool = false) -> [UInt8] {
            let reading = LoadPublisher.reading(sequence)
            return Packets.publish(
                topic: Array(reading.topic.utf8), payload: reading.payload, packetIdentifier: identifier, qos: 2, isDuplicate: isDuplicate)
        }

        /// A broker with a script, a database that it may look into, and one ingester with one session.
        private final class Stage {
            let workplace: Workplace
            let probe: DatabaseProbe
            private let broker: ScriptedBroker
            private let progress: Progress

            private final class Progress: Sendable {
                let probe = Mutex<DatabaseProbe?>(nil)
                let ended = Mutex(0)
            }

            init(_ script: @escaping @Sendable (ScriptedConnection, Int, DatabaseProbe) throws -> Void) async throws {
                let progress = Progress()
                broker = try ScriptedBroker { connection, number in
                    guard let probe = progress.probe.withLock({ $0 }) else { return }
                    try script(connection, number, probe)
                    progress.ended.withLock { $0 += 1 }
                }
                self.progress = progress
                workplace = try await Workplace(
                    sessions: 1, shards: 1, mappings: ["telemetry": Mappings.telemetryExactlyOnce], withoutBroker: broker.port)
                probe = try workplace.probe()
                progress.probe.withLock { [probe] in $0 = probe }
            }

            func waitUntil(_ what: String, _ holds: () throws -> Bool) async throws {
                try await workplace.eventually(what) {
                    if let complaint = broker.complaints.first { throw ScriptedConnection.Unexpected(description: complaint) }
                    return try holds()
                }
            }

            /// Waits until the script has come to its end for so many connections.
            func waitForScript(_ count: Int) async throws {
                try await waitUntil("\(count) connections have gone by their script") { progress.ended.withLock { $0 } >= count }
            }

            /// The `seq` of all stored rows.
            func sequences() throws -> [Int] {
                try probe.rows("SELECT seq FROM readings ORDER BY seq").compactMap { $0[0].flatMap { Int($0) } }
            }

            func close() async throws {
                broker.stop()
                try await workplace.close()
            }
        }
    }
}
