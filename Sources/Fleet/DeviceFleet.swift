import Foundation

/// What devices send.
public enum PayloadFormat: String, Sendable, CaseIterable { case json, csv, binary }

/// One message of a simulated device.
public struct DeviceMessage: Sendable, Equatable {
    public var topic: String
    public var payload: [UInt8]
}

/// Simulated devices: greenhouses that send JSON, weather stations that send lines of CSV, pump gateways that send binary registers.
///
/// Messages are numbered from 0 over the whole fleet. Device and sequence follow from the number, so whoever counts what arrived can tell each one.
/// The first device of each format is `…00001`.
public struct DeviceFleet: Sendable {
    public let topicRoot: String
    public let devices: Int
    public let formats: [PayloadFormat]
    /// In place of the formats, devices of these kinds; empty: none.
    public let kinds: [DeviceKind]
    private let kindFleet: KindFleet?

    /// Lines of a weather station's message.
    public static let linesPerMessage = 3
    /// Pumps of a gateway.
    public static let pumpsPerGateway = 4

    /// - Parameters:
    ///   - devices: at least 1; formats are dealt out to them in turn.
    ///   - formats: at least one.
    public init(topicRoot: String = "site", devices: Int, formats: [PayloadFormat] = PayloadFormat.allCases) {
        precondition(devices > 0 && !formats.isEmpty, "a fleet has devices and formats")
        self.topicRoot = topicRoot
        self.devices = devices
        self.formats = formats
        kinds = []
        kindFleet = nil
    }

    /// Devices of well-known kinds.
    /// - Parameters:
    ///   - devices: at least 1; kinds are dealt out to them in turn.
    ///   - kinds: at least one.
    ///   - seed: the same seed, number and time give the same message.
    public init(topicRoot: String = "site", devices: Int, kinds: [DeviceKind], seed: UInt64 = 1) {
        precondition(devices > 0 && !kinds.isEmpty, "a fleet has devices and kinds")
        self.topicRoot = topicRoot
        self.devices = devices
        self.kinds = kinds
        // Where formats are counted, a device of a kind is of the nearest one.
        formats = kinds.map(\.nearestFormat)
        kindFleet = KindFleet(topicRoot: topicRoot, kinds: kinds, devices: devices, seed: seed)
    }

    /// The kind of device that a message is of; nil where the fleet is one of formats.
    public func kind(of message: Int) -> DeviceKind? { kinds.isEmpty ? nil : kinds[message % devices % kinds.count] }

    public func format(of message: Int) -> PayloadFormat { formats[message % devices % formats.count] }

    /// Of the device, from 0.
    public func sequence(of message: Int) -> Int { message / devices }

    /// The device's name: `g00001`, `w00001`, `p00001`.
    public func device(of message: Int) -> String {
        let letter =
            switch format(of: message) {
            case .json: "g"
            case .csv: "w"
            case .binary: "p"
            }
        let digits = String(message % devices / formats.count + 1)
        return letter + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// The message as it is published.
    /// - Parameter milliseconds: the device's clock, since 1970.
    public func message(_ number: Int, at milliseconds: Int64) -> DeviceMessage {
        if let kindFleet { return kindFleet.message(of: number % devices, sequence(of: number), at: milliseconds) }
        let device = device(of: number)
        let sequence = sequence(of: number)
        let site = ["north", "south", "east", "west"][number % devices % 4]
        switch format(of: number) {
        case .json:
            return DeviceMessage(topic: "\(topicRoot)/\(site)/greenhouse/\(device)/climate", payload: climate(sequence, milliseconds))
        case .csv:
            return DeviceMessage(topic: "\(topicRoot)/\(site)/weather/\(device)/log", payload: weather(sequence, milliseconds))
        case .binary:
            return DeviceMessage(topic: "\(topicRoot)/\(site)/pumps/\(device)/registers", payload: registers(sequence, milliseconds))
        }
    }

    // MARK: Payloads

    private func climate(_ sequence: Int, _ milliseconds: Int64) -> [UInt8] {
        let temperature = tenths(180 + sequence * 7 % 120)
        let humidity = tenths(400 + sequence * 13 % 500)
        let text = """
            {"time":"\(Self.rfc3339(milliseconds))","seq":\(sequence),"temperature":\(temperature),"humidity":\(humidity),\
            "co2":\(400 + sequence * 3 % 900),"vent":"\(sequence % 4 == 0 ? "OPEN" : "CLOSED")",\
            "soil":{"moisture":\(tenths(200 + sequence % 300)),"ec":\(tenths(10 + sequence % 20))},"firmware":"2.\(sequence % 3).1"}
            """
        return Array(text.utf8)
    }

    private func weather(_ sequence: Int, _ milliseconds: Int64) -> [UInt8] {
        var text = ""
        for line in 0..<Self.linesPerMessage {
            let number = sequence * Self.linesPerMessage + line
            let (date, time) = Self.dateAndTime(milliseconds / 1000 - Int64((Self.linesPerMessage - 1 - line) * 10))
            let comma = { (value: Int) in tenths(value).replacing(".", with: ",") }
            text +=
                "\(date);\(time);\(number);\(comma(-50 + number % 350));\(comma(300 + number % 700));\(comma(9800 + number % 500));\(comma(number % 200));\(comma(number % 15))\r\n"
        }
        return Array(text.utf8)
    }

    private func registers(_ sequence: Int, _ milliseconds: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.bigEndian) { bytes += $0 } }
        put(UInt32(truncatingIfNeeded: milliseconds / 1000))
        put(UInt32(truncatingIfNeeded: sequence))
        put(UInt16(truncatingIfNeeded: sequence % 2 == 0 ? 1 : 3))
        put(UInt8(Self.pumpsPerGateway))
        for pump in 1...Self.pumpsPerGateway {
            put(UInt16(pump))
            put(Int16(truncatingIfNeeded: 250 + pump * 10 - sequence % 300))
            put(UInt32(truncatingIfNeeded: sequence * 100 + pump))
            put((Float(sequence % 64) * 0.25).bitPattern)
            put(UInt8(truncatingIfNeeded: sequence & 1))
            put(UInt8(0))
        }
        return bytes
    }

    private func tenths(_ value: Int) -> String { "\(value < 0 ? "-" : "")\(abs(value) / 10).\(abs(value) % 10)" }

    private static func rfc3339(_ milliseconds: Int64) -> String {
        let (day, time) = civil(milliseconds / 1000)
        return "\(day.year)-\(two(day.month))-\(two(day.day))T\(time).\(String(String(1000 + milliseconds % 1000).dropFirst()))Z"
    }

    /// `2026-01-01T00:00:00`
    static func dateAndClock(_ seconds: Int64) -> String {
        let (day, time) = civil(seconds)
        return "\(day.year)-\(two(day.month))-\(two(day.day))T\(time)"
    }

    static func dateAndTime(_ seconds: Int64) -> (String, String) {
        let (day, time) = civil(seconds)
        return ("\(two(day.day)).\(two(day.month)).\(day.year)", time)
    }

    private static func civil(_ seconds: Int64) -> ((year: Int, month: Int, day: Int), String) {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let day = (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday))
        return (day, "\(two(Int(parts.tm_hour))):\(two(Int(parts.tm_min))):\(two(Int(parts.tm_sec)))")
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
}
