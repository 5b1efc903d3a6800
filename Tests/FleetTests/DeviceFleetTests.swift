import Testing

@testable import Fleet

@Suite("Simulated devices")
struct DeviceFleetTests {
    /// 2026-01-01T00:00:00Z
    private let newYear: Int64 = 1_767_225_600_000

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("send a greenhouse's climate as JSON")
    func json() {
        let message = DeviceFleet(devices: 3).message(0, at: newYear + 7)
        #expect(message.topic == "site/north/greenhouse/g00001/climate")
        #expect(
            String(decoding: message.payload, as: UTF8.self) == #"""
                {"time":"2026-01-01T00:00:00.007Z","seq":0,"temperature":18.0,"humidity":40.0,"co2":400,"vent":"OPEN","soil":{"moisture":20.0,"ec":1.0},"firmware":"2.0.1"}
                """#)
    }

    @Test("send a weather station's lines with decimal commas, the last one now")
    func csv() {
        let message = DeviceFleet(devices: 3).message(1, at: newYear)
        #expect(message.topic == "site/south/weather/w00001/log")
        #expect(
            String(decoding: message.payload, as: UTF8.self)
                == "31.12.2025;23:59:40;0;-5,0;30,0;980,0;0,0;0,0\r\n31.12.2025;23:59:50;1;-4,9;30,1;980,1;0,1;0,1\r\n"
                + "01.01.2026;00:00:00;2;-4,8;30,2;980,2;0,2;0,2\r\n")
    }

    @Test("send a pump gateway's registers, big-endian: 11 bytes and 14 for each pump")
    func binary() {
        let message = DeviceFleet(devices: 3).message(5, at: newYear)
        #expect(message.topic == "site/east/pumps/p00001/registers")
        #expect(
            hex(message.payload) == "6955b90000000001000304" + "00010103000000653e8000000100" + "0002010d000000663e8000000100"
                + "00030117000000673e8000000100" + "00040121000000683e8000000100")
        #expect(message.payload.count == 11 + 4 * 14)
    }

    @Test("say the same of the same message again, and each message's device and sequence follow from its number")
    func deterministic() {
        let fleet = DeviceFleet(topicRoot: "lab", devices: 4, formats: [.binary, .json])
        var names: Set<String> = []
        for number in 0..<40 {
            #expect(fleet.message(number, at: newYear) == fleet.message(number, at: newYear))
            #expect(fleet.message(number, at: newYear).topic.split(separator: "/")[3] == fleet.device(of: number))
            names.insert("\(fleet.device(of: number)) \(fleet.sequence(of: number))")
        }
        #expect(names.count == 40)
        #expect((0..<4).map(fleet.device) == ["p00001", "g00001", "p00002", "g00002"])
        #expect(fleet.message(0, at: newYear).topic.hasPrefix("lab/"))
    }

    @Test(
        "are shared by connections so that each message has one, in its device's order",
        arguments: [(1, 1), (5, 1), (5, 2), (7, 3), (4, 4)])
    func shares(devices: Int, connections: Int) {
        let shares = (0..<connections).map { FleetShare(index: $0, connections: connections, devices: devices) }
        #expect(shares.map(\.ownDevices).reduce(0, +) == devices)
        var numbers: [Int] = []
        for share in shares {
            let own = (0..<share.ownDevices * 3).map(share.message)
            #expect(own == own.sorted())
            #expect(Set(own.map { $0 % devices }).count == share.ownDevices)
            numbers += own
        }
        #expect(numbers.sorted() == Array(0..<devices * 3))
    }
}
