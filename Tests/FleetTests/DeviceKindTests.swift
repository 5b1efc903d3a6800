import Testing

@testable import Fleet

@Suite("Devices of well-known kinds")
struct DeviceKindTests {
    /// 2026-03-01T12:00:00Z
    private let now: Int64 = 1_772_366_400_000

    @Test("say the same for the same seed, number and time, and something else for another seed", arguments: DeviceKind.allCases)
    func deterministic(_ kind: DeviceKind) {
        let fleet = DeviceFleet(devices: 3, kinds: [kind], seed: 7)
        let again = DeviceFleet(devices: 3, kinds: [kind], seed: 7)
        let other = DeviceFleet(devices: 3, kinds: [kind], seed: 8)
        let messages = (0..<60).map { fleet.message($0, at: now) }
        #expect(messages == (0..<60).map { again.message($0, at: now) })
        #expect(messages != (0..<60).map { other.message($0, at: now) })
        #expect(messages.allSatisfy { $0.topic.hasPrefix("site/") && !$0.payload.isEmpty })
    }

    @Test("are dealt out in turn, and each message tells its kind")
    func turns() {
        let fleet = DeviceFleet(topicRoot: "lab", devices: 5, kinds: [.edge, .pump])
        #expect((0..<6).map { fleet.kind(of: $0) } == [.edge, .pump, .edge, .pump, .edge, .edge])
        #expect(fleet.message(0, at: now).topic == "lab/plant/edge-100/telemetry")
        #expect(fleet.message(2, at: now).topic == "lab/plant/edge-101/telemetry")
        #expect(DeviceFleet(devices: 5).kind(of: 0) == nil)
    }

    @Test("a pump controller's record: a mark, a counter, a time, little-endian, 24 bytes")
    func pump() {
        let payload = DeviceFleet(devices: 1, kinds: [.pump]).message(258, at: now).payload
        #expect(payload.count == 24)
        #expect(Array(payload[0..<8]) == [0xA5, 0x01, 0x02, 0x01, 0x40, 0x2A, 0xA4, 0x69])
    }

    @Test("a Tasmota device's clock is an hour ahead and says nothing of it")
    func tasmota() {
        let text = String(decoding: DeviceFleet(devices: 1, kinds: [.tasmota]).message(0, at: now).payload, as: UTF8.self)
        #expect(text.hasPrefix(#"{"Time":"2026-03-01T13:00:00","AM2301":{"Temperature":"#), "\(text)")
    }

    @Test("a Shelly says one value a topic, ESPHome says nan at times")
    func scalars() {
        let shelly = DeviceFleet(devices: 1, kinds: [.shelly])
        let topics = (0..<6).map { shelly.message($0, at: now).topic.split(separator: "/").dropFirst(3).joined(separator: "/") }
        #expect(topics == ["relay/0", "relay/0/power", "relay/0/energy", "temperature", "overtemperature", "online"])
        let house = DeviceFleet(devices: 1, kinds: [.esphome])
        #expect((0..<500).contains { house.message($0 * 5, at: now).payload == Array("nan".utf8) })
    }
}
