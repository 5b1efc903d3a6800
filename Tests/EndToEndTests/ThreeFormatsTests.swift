import Foundation
import Testing

extension EndToEndTests {
    @Suite("Three formats become rows")
    struct ThreeFormats {
        static let mappings = ["telemetry": Mappings.telemetry, "weather": Mappings.weather, "pump": Mappings.pump]

        @Test("a JSON, a CSV and a binary message give rows with the values that were sent")
        func values() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: Self.mappings)
            try await workplace.startIngester()
            try await workplace.publish([
                .init("site/hq/dev/d7/telemetry", #"{"seq":9007199254740993,"temp":-12.25,"unit":"°C","door":{"open":[1,2]}}"#),
                .init("site/hq/dev/d8/telemetry", #"{"seq":0,"temp":null,"unit":"a\u0062\"\n\ud83d\ude00"}"#),
                .init("weather/Brocken", "2024-03-31T01:00:00Z;-3,5;120,25;ja\r\n2024-03-31T03:00:00+02:00;;0,5;nein\n"),
                .init("pump/p 1", [0xFF, 0xFF, 0xFF, 0xFF, 0x65, 0x53, 0xF1, 0x00, 0xFC, 0x18, 0x40, 0x49, 0x0F, 0xDB, 0x80]),
                .init("pump/p2", [0, 0, 0, 1, 0, 0, 0, 0, 0x27, 0x10, 0, 0, 0, 0, 0x7F]),
            ])
            let probe = try workplace.probe()
            try await workplace.waitUntilRows(["readings": 2, "weather": 2, "pump": 2])
            try probe.rows("SET timezone = 'UTC'")
            #expect(
                try probe.rows("SELECT device, seq, temp, unit FROM readings ORDER BY device") == [
                    ["d7", "9007199254740993", "-12.25", "°C"], ["d8", "0", nil, "ab\"\n😀"],
                ])
            #expect(
                try probe.rows("SELECT station, time, temp, wind, rain FROM weather ORDER BY wind DESC") == [
                    ["Brocken", "2024-03-31 01:00:00+00", "-3.5", "120.25", "t"],
                    ["Brocken", "2024-03-31 01:00:00+00", nil, "0.50", "f"],
                ])
            #expect(
                try probe.rows("SELECT pump, seq, time, pressure, flow, running FROM pump ORDER BY pump") == [
                    ["p 1", "4294967295", "2023-11-14 22:13:20+00", "-100", "3.1415927", "t"],
                    ["p2", "1", "1970-01-01 00:00:00+00", "1000", "0", "f"],
                ])
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await workplace.close()
        }

        @Test("thousands of messages of all formats through a pool: as many rows as the broker acknowledged, and the right sums")
        func counts() async throws {
            let workplace = try await Workplace(sessions: 4, shards: 2, mappings: Self.mappings)
            try await workplace.startIngester()
            let count = 3000
            let publishers = [
                LoadPublisher(port: workplace.brokerPort, count: count, perSecond: 20_000),
                LoadPublisher(port: workplace.brokerPort, count: count, perSecond: 20_000) { number in
                    // Two lines a message.
                    .init("weather/s\(number % 10)", "2024-01-01T00:00:00Z;\(number),5;1;ja\n2024-01-01T00:00:01Z;0;2;nein")
                },
                LoadPublisher(port: workplace.brokerPort, count: count, perSecond: 20_000) { number in
                    .init("pump/p\(number % 10)", Self.pumpFrame(sequence: UInt32(number)))
                },
            ]
            try await workplace.eventually("all is published", within: .seconds(60)) { publishers.allSatisfy(\.isFinished) }
            #expect(publishers.map(\.acknowledgedCount) == [count, count, count])
            let probe = try workplace.probe()
            try await workplace.waitUntilRows(["readings": count, "weather": 2 * count, "pump": count], within: .seconds(60))
            let sum = count * (count - 1) / 2
            #expect(try probe.number("SELECT sum(seq) FROM readings") == sum)
            #expect(try probe.number("SELECT count(DISTINCT seq) FROM readings") == count)
            #expect(try probe.number("SELECT sum(temp - 0.5)::bigint FROM weather WHERE rain") == sum)
            #expect(try probe.number("SELECT count(DISTINCT seq) FROM pump WHERE flow = seq AND pressure = 10") == count)
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await workplace.close()
        }

        @Test("payloads that cannot be decoded become dead letters that hold the original and say why; the good ones beside them land")
        func deadLetters() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: Self.mappings)
            try await workplace.startIngester()
            let bad: [LoadPublisher.Message] = [
                .init("site/hq/dev/d1/telemetry", #"{"seq":1,"temp":"#),
                .init("site/hq/dev/d2/telemetry", [0x7B, 0x22, 0xFF, 0x00, 0xFE]),
                .init("site/hq/dev/d3/telemetry", #"{"seq":9223372036854775808}"#),
                .init("site/hq/dev/d4/telemetry", #"{"seq":1,"temp":1e400}"#),
                .init("site/hq/dev/d5/telemetry", #"{"seq":1,"unit":"a\u0000b"}"#),
                .init("site/hq/dev/d6/telemetry", String(repeating: "[", count: 10_000)),
                .init("weather/w1", "not a time;1;2;ja"),
                .init("pump/p1", [0, 0, 0, 1, 0, 0, 0, 0, 0x27, 0x10, 0, 0, 0, 0]),
            ]
            let good = LoadPublisher.Message("site/hq/dev/d9/telemetry", #"{"seq":9,"temp":1}"#)
            try await workplace.publish(bad.flatMap { [$0, good] })
            let probe = try workplace.probe()
            try await workplace.waitUntilRows(["readings": 8, "penstock.dead_letter": 8])
            for message in bad {
                let topic = message.topic
                let hex = message.payload.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
                let letters = try probe.rows(
                    """
                    SELECT encode(payload, 'hex'), stage, qos, length(error) > 10, mapping FROM penstock.dead_letter WHERE topic = '\(topic)'
                    """)
                let mapping = topic.hasPrefix("site") ? "telemetry" : topic.hasPrefix("weather") ? "weather" : "pump"
                #expect(letters == [[hex, "decode", "1", "t", mapping]], "\(topic)")
            }
            // Every one of them was acknowledged: a bad message must not hold its session up for ever.
            try await workplace.eventually("all is acknowledged") { workplace.tap.count(.publishAcknowledgement, .toBroker) == 16 }
            try await workplace.close()
        }

        @Test("a message on a topic that no mapping takes is acknowledged, and no row and no letter comes of it")
        func unrouted() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try await workplace.startIngester()
            let reading = #"{"seq":1,"temp":1}"#
            try await workplace.publish([.init("site/lab/dev/d1/telemetry", reading), .init("site/hq/dev/d2/telemetry", reading)])
            try await workplace.eventually("both are acknowledged") { workplace.tap.count(.publishAcknowledgement, .toBroker) == 2 }
            let probe = try workplace.probe()
            #expect(try probe.rows("SELECT device FROM readings") == [["d2"]])
            #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
            workplace.ingester.terminate()
            _ = try await workplace.ingester.waitForEnd()
            #expect(workplace.ingester.log.contains("unrouted=1"), "the last line of the log counts it")
            try await workplace.close()
        }

        private static func pumpFrame(sequence: UInt32) -> [UInt8] {
            func big(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian, Array.init) }
            return big(sequence) + big(1_700_000_000) + [0, 100] + big(Float(sequence).bitPattern) + [0x80]
        }
    }
}
