import Foundation
import Testing

extension EndToEndTests {
    @Suite("Packet identifiers at QoS 2 from connection to connection")
    struct ExactlyOnceSession {
        @Test(
            "after a restart a PUBLISH that comes again before PUBREL is a repeat, and what comes after PUBCOMP is new, whatever DUP says")
        func identifierOfOneMessage() async throws {
            let stage = try await ScriptedStage { connection, number, prompt in
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
                    prompt.done()
                    _ = try connection.waitForEnd(without: .publish)
                default:
                    // The session has its subscription, and is not asked for another.
                    try connection.acceptConnection(isSessionPresent: true)
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
            try await stage.waitForScript(1)
            #expect(try stage.probe.rows("SELECT stored_ids FROM penstock.session") == [["{[7,8)}"]])
            #expect(try stage.sequences() == [1, 2])
            try await stage.workplace.ingester.kill()
            try stage.workplace.ingester.start()
            try await stage.waitForScript(2)
            #expect(try stage.sequences() == [1, 2, 3, 4])
            #expect(try stage.probe.rows("SELECT stored_ids FROM penstock.session") == [["{}"]])
            try await stage.close()
        }

        @Test("a broker that has forgotten the session: the identifiers are free in the database before SUBSCRIBE goes out")
        func sessionForgotten() async throws {
            let stage = try await ScriptedStage { connection, number, prompt in
                try connection.acceptConnection()
                let subscribe = try connection.require(.subscribe)
                if number == 1 {
                    let stored = try prompt.probe.rows("SELECT stored_ids, connecting FROM penstock.session")
                    guard stored == [["{}", "f"]] else {
                        throw ScriptedConnection.Unexpected(description: "SUBSCRIBE, and still \(stored)")
                    }
                }
                try connection.grant(subscribe, qos: 2)
                try connection.send(Self.message(number + 1, 7))
                try connection.require(.publishReceived, 7)
                prompt.done()
                if number == 0 { _ = try connection.waitForEnd(without: .publish) }
            }
            try stage.workplace.ingester.start()
            try await stage.waitForScript(1)
            try await stage.workplace.ingester.kill()
            try stage.workplace.ingester.start()
            try await stage.waitForScript(2)
            #expect(try stage.sequences() == [1, 2])
            try await stage.close()
        }

        @Test("within one life of the ingester too: identifiers of a session that the broker has forgotten are free before SUBSCRIBE")
        func sessionForgottenInBetween() async throws {
            let stage = try await ScriptedStage { connection, number, prompt in
                try connection.acceptConnection()
                let subscribe = try connection.require(.subscribe)
                if number > 0 {
                    let stored = try prompt.probe.rows("SELECT stored_ids FROM penstock.session")
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
            let stage = try await ScriptedStage { connection, number, prompt in
                switch number {
                case 0:
                    try connection.acceptConnection()
                    try connection.grantSubscription(qos: 2)
                    try connection.send(Self.message(1, 7) + Self.message(2, 8))
                    try connection.require(.publishReceived, 7)
                    try connection.require(.publishReceived, 8)
                    prompt.done()
                    _ = try connection.waitForEnd(without: .publish)
                case 1:
                    try connection.require(.connect)
                    let isMarked = try prompt.probe.rows("SELECT connecting FROM penstock.session")
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
                    let stored = try prompt.probe.rows("SELECT stored_ids FROM penstock.session")
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
            try await stage.waitForScript(1)
            try await stage.workplace.ingester.kill()
            try stage.workplace.ingester.start()
            try await stage.waitForScript(3)
            #expect(try stage.sequences() == [1, 2, 3, 4])
            try await stage.close()
        }

        @Test("a broker that resumes the session and gives a stored identifier to a new message has lost state: the message is stored")
        func contradiction() async throws {
            let stage = try await ScriptedStage { connection, number, prompt in
                try connection.acceptConnection(isSessionPresent: number > 0)
                if number == 0 { try connection.grantSubscription(qos: 2) }
                try connection.send(Self.message(number * 2 + 1, 7))
                try connection.require(.publishReceived, 7)
                // What was stored under another identifier is of the lost session too.
                let stored = try prompt.probe.rows("SELECT stored_ids FROM penstock.session")
                guard stored == [["{[7,8)}"]] else { throw ScriptedConnection.Unexpected(description: "PUBREC, and stored are \(stored)") }
                try connection.send(Self.message(number * 2 + 2, 8))
                try connection.require(.publishReceived, 8)
                prompt.done()
                _ = try connection.waitForEnd(without: .publish)
            }
            try stage.workplace.ingester.start()
            try await stage.waitForScript(1)
            try await stage.workplace.ingester.kill()
            try stage.workplace.ingester.start()
            try await stage.waitForScript(2)
            #expect(try stage.sequences() == [1, 2, 3, 4])
            try await stage.close()
        }

        @Test("a PUBREC that is lost with its connection comes again, and the message is not stored again")
        func lostReceipt() async throws {
            let stage = try await ScriptedStage { connection, number, prompt in
                try connection.acceptConnection(isSessionPresent: number > 0)
                if number == 0 { try connection.grantSubscription(qos: 2) }
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
            let stage = try await ScriptedStage { connection, number, _ in
                try connection.acceptConnection(isSessionPresent: number > 0)
                if number == 0 { try connection.grantSubscription(qos: 2) }
                for isDuplicate in [number > 0, true] {
                    try connection.send(
                        Packets.publish(
                            topic: Array("site/hq/dev/d1/telemetry".utf8), payload: Array("{".utf8), packetIdentifier: 7, qos: 2,
                            isDuplicate: isDuplicate))
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
    }
}
