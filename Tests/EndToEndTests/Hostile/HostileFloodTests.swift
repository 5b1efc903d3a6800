import Foundation
import Testing

extension EndToEndTests {
    @Suite("Brokers that send too much")
    struct HostileFlood {
        private static let mapping = Mappings.telemetry + "\n  colour: text from mqtt.user.colour\n  last: text from mqtt.user.p99999"

        private static let properties: [UInt8] = {
            var properties = [0x26] + Packets.text("colour") + Packets.text("red")
            for number in 0..<100_000 { properties += [0x26] + Packets.text("p\(number)") + Packets.text("\(number)") }
            return properties
        }()

        /// PUBLISH with 100,000 user properties.
        private static func laden(_ payload: [UInt8], packetIdentifier: UInt16) -> [UInt8] {
            Packets.publish(
                topic: Array(LoadPublisher.reading(0).topic.utf8), payload: payload, packetIdentifier: packetIdentifier, version: .v5,
                properties: properties)
        }

        @Test("messages with 100,000 user properties become a row, or a dead letter, in time and memory that grow with their bytes")
        func userProperties() async throws {
            let pool = try await ScriptedPool(sessions: 1, version: .v5, mappings: ["telemetry": Self.mapping]) { connection, _ in
                try connection.serve([])
                try connection.send(Self.laden(LoadPublisher.reading(0).payload, packetIdentifier: 1))
                try connection.send(Self.laden(Array("{".utf8), packetIdentifier: 2))
                for identifier in [1, 2] as [UInt16] { try connection.require(.publishAcknowledgement, identifier) }
                try connection.expect(.disconnect)
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored([0])
            try await pool.workplace.eventually("there is a dead letter") {
                try pool.probe.number("SELECT count(*) FROM penstock.dead_letter") == 1
            }
            #expect(try pool.probe.number("SELECT count(*) FROM readings WHERE colour = 'red' AND last = '99999'") == 1)
            #expect(pool.visits.count == 1)
            print(
                "user properties: \(pool.workplace.ingester.processorSeconds ?? 0) s, \((pool.workplace.ingester.residentBytesPeak ?? 0) >> 20) MiB"
            )
            #expect(try #require(pool.workplace.ingester.processorSeconds) < 10)
            #expect(try #require(pool.workplace.ingester.residentBytesPeak) < 256 << 20)
            try await pool.close()
            #expect(pool.complaints == [])
        }

        /// PUBLISH of a reading at QoS 0, retained, of 5.0.
        private static func retained(_ sequence: Int) -> [UInt8] {
            let reading = LoadPublisher.reading(sequence)
            var packet = Packets.publish(
                topic: Array(reading.topic.utf8), payload: reading.payload + Array(repeating: 0x20, count: 400), packetIdentifier: nil,
                version: .v5)
            packet[0] |= 1
            return packet
        }

        @Test("retained messages at QoS 0 while PostgreSQL is away: memory stays bounded, and the newest are stored")
        func retainedWithoutDatabase() async throws {
            let count = 50_000
            let isAway = DispatchSemaphore(value: 0)
            let isRead = DispatchSemaphore(value: 0)
            let pool = try await ScriptedPool(
                sessions: 1, version: .v5, mappings: ["telemetry": "qos: 0\nretained: use\n" + Mappings.telemetry],
                more: "batch: {max_bytes: 1MiB, max_messages: 1000}"
            ) { connection, _ in
                connection.answersPings = true
                try connection.accept()
                try connection.takeStatus()
                try connection.grantSubscription(qos: 0)
                isAway.wait()
                let thousand = (0..<1000).flatMap { _ in Self.retained(0) }
                for _ in 0..<count / 1000 { try connection.send(thousand) }
                try connection.send(Self.retained(1))
                // Its answer shows that all before it was read.
                try connection.send(Packets.release(77))
                try connection.require(.publishComplete, 77)
                isRead.signal()
                try connection.expect(.disconnect)
            }
            try pool.workplace.ingester.start()
            try await pool.workplace.eventually("the session is subscribed") {
                try pool.probe.number("SELECT count(*) FROM penstock.session WHERE subscriptions::text LIKE '%granted%'") == 1
            }
            let before = try #require(pool.workplace.ingester.residentBytesPeak)
            try await pool.workplace.servers.stopDatabase()
            isAway.signal()
            try await pool.workplace.eventually("all is read", within: .seconds(30)) {
                isRead.wait(timeout: .now()) == .success
            }
            let after = try #require(pool.workplace.ingester.residentBytesPeak)
            print("retained: \((after - before) >> 20) MiB, \(pool.workplace.ingester.processorSeconds ?? 0) s")
            #expect(after - before < 48 << 20)
            try await pool.workplace.servers.startDatabase()
            let probe = try pool.workplace.probe()
            try await pool.workplace.eventually("the newest is stored") {
                try probe.number("SELECT count(*) FROM readings WHERE seq = 1") == 1
            }
            #expect(try probe.number("SELECT count(*) FROM readings") < count / 2)
            #expect(pool.visits.count == 1)
            try await pool.close()
            #expect(pool.complaints == [])
        }

        @Test("a broker that asks for answers and reads none: what it sends is not taken in any more, and memory stays bounded")
        func answersThatNobodyReads() async throws {
            try await unread(keepAlive: "30s") { pool, before in
                let after = try #require(pool.workplace.ingester.residentBytesPeak)
                print("peak memory rose by \((after - before) >> 10) KiB while nobody read")
                #expect(after - before < 8 << 20)
            }
        }

        @Test("a broker that reads nothing is left when its time is over")
        func brokerThatReadsNothing() async throws {
            try await unread(keepAlive: "1s", isLeft: true) { pool, _ in #expect(pool.endings(of: 0).count == 1) }
        }

        /// A broker that asks for more and more answers and reads none, until it is taken in no more.
        /// - Parameter isLeft: whether the ingester has to end the connection then.
        private func unread(
            keepAlive: String, isLeft: Bool = false, _ check: (ScriptedPool, _ residentBytes: Int) async throws -> Void
        ) async throws {
            let isStored = DispatchSemaphore(value: 0)
            let pool = try await ScriptedPool(sessions: 1, version: .v5, broker: ["keep_alive: \(keepAlive)"]) { connection, visit in
                if visit.number == 0 { connection.setBuffers(bytes: 65_536) }
                try connection.serve([visit.number])
                guard visit.number == 0 else { return _ = try connection.expect(.disconnect) }
                isStored.wait()
                // Each PUBREC gets a PUBREL.
                let receipts = (0..<16_384).flatMap { _ in [0x50, 2, 0, 9] as [UInt8] }
                var lastTaken = ContinuousClock.now
                var sent = 0
                while ContinuousClock.now - lastTaken < (isLeft ? .seconds(30) : .seconds(2)) {
                    guard let count = connection.sendWhatFits(Array(receipts[(sent % 4)...])) else { return }
                    sent += count
                    if count > 0 { lastTaken = .now } else { usleep(10_000) }
                    // The buffers of the system hold some megabytes.
                    guard sent < 24 << 20 else { throw ScriptedConnection.Unexpected(description: "it takes in what it cannot answer") }
                }
                if isLeft { throw ScriptedConnection.Unexpected(description: "the connection stays, with nobody who reads") }
            }
            try pool.workplace.ingester.start()
            try await pool.waitUntilStored([0])
            let before = try #require(pool.workplace.ingester.residentBytesPeak)
            isStored.signal()
            try await pool.waitUntilStored([1], within: .seconds(60))
            try await check(pool, before)
            try await pool.close()
            #expect(pool.complaints == [])
        }
    }
}
