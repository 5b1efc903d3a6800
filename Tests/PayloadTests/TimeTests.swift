import Testing

@testable import Payload

@Suite("Times")
struct TimeTests {
    private func microseconds(_ text: String, zone: String? = nil) throws -> Int64 {
        let rules = try zone.map { try TimeZoneRules($0) }
        return try Array(text.utf8).withUnsafeBytes { try RFC3339.microseconds($0, zone: rules) }
    }

    @Test(
        "RFC 3339 texts are instants",
        arguments: [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"), ("2024-02-29T12:00:00.5+05:30", "2024-02-29T06:30:00.5Z"),
            ("2000-01-01 00:00:00-0100", "2000-01-01T01:00:00Z"), ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
            ("1969-12-31t23:59:59.000001z", "1969-12-31T23:59:59.000001Z"), ("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.25Z"),
        ])
    func instants(text: String, same: String) throws { #expect(CivilTime.text(unixMicroseconds: try microseconds(text)) == same) }

    @Test(
        "texts that are no time",
        arguments: [
            "", "2024-01-01", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:61Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+1:00", "2024-01-01T00:00:00ZZ",
            "2024-01-01T00:00:00+24:00", "0000-01-01T00:00:00Z", "20x4-01-01T00:00:00Z", "2024-1-01T000:00:00Z", "2024-01-01T00:00:00+",
        ])
    func noTimes(text: String) { #expect(throws: TimeError.self) { try microseconds(text) } }

    @Test(
        "local times: the first of two in autumn, the offset from before the gap in spring, rules beyond the database's last entry",
        arguments: [
            ("Europe/Berlin", "2024-01-01T12:00:00", "2024-01-01T11:00:00Z"),
            ("Europe/Berlin", "2024-03-31T01:59:59", "2024-03-31T00:59:59Z"),
            ("Europe/Berlin", "2024-03-31T02:30:00", "2024-03-31T01:30:00Z"),
            ("Europe/Berlin", "2024-03-31T03:00:00", "2024-03-31T01:00:00Z"),
            ("Europe/Berlin", "2024-10-27T02:59:59", "2024-10-27T00:59:59Z"),
            ("Europe/Berlin", "2024-10-27T03:00:00", "2024-10-27T02:00:00Z"),
            ("Europe/Berlin", "2080-07-01T12:00:00", "2080-07-01T10:00:00Z"),
            ("America/New_York", "2024-11-03T01:30:00", "2024-11-03T05:30:00Z"),
            ("America/New_York", "2060-01-15T00:00:00", "2060-01-15T05:00:00Z"),
            ("Australia/Lord_Howe", "2024-01-01T00:00:00", "2023-12-31T13:00:00Z"),
            ("Australia/Lord_Howe", "2050-06-01T00:00:00", "2050-05-31T13:30:00Z"),
            ("Asia/Kolkata", "2024-06-01T05:30:00", "2024-06-01T00:00:00Z"),
            ("UTC", "2024-06-01T00:00:00", "2024-06-01T00:00:00Z"),
        ])
    func zones(zone: String, local: String, instant: String) throws {
        #expect(CivilTime.text(unixMicroseconds: try microseconds(local, zone: zone)) == instant)
    }

    @Test("zones that are none", arguments: ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "zone.tab"])
    func noZones(name: String) { #expect(throws: TimeZoneRules.Fault.self) { try TimeZoneRules(name) } }

    @Test("every day of 1,100 years comes back")
    func days() {
        for day in stride(from: -200_000, through: 200_000, by: 1) {
            let date = CivilTime.date(days: day)
            #expect(CivilTime.days(year: date.year, month: date.month, day: date.day) == day)
            if CivilTime.days(year: date.year, month: date.month, day: date.day) != day { return }
        }
    }

    @Test(
        "patterns",
        arguments: [
            ("ddMMyy HHmmss.SSS", "170316 160700.25", "2016-03-17T16:07:00.25Z"), ("yyyy-MM-dd", "2024-02-29", "2024-02-29T00:00:00Z"),
        ])
    func patterns(pattern: String, text: String, instant: String) throws {
        let pattern = try TimePattern(pattern)
        let read = try Array(text.utf8).withUnsafeBytes { try pattern.localMicroseconds($0) }
        #expect(CivilTime.text(unixMicroseconds: read) == instant)
        for count in 0..<text.utf8.count {
            Array(text.utf8.prefix(count)).withUnsafeBytes { bytes in _ = try? pattern.localMicroseconds(bytes) }
        }
    }

    @Test(
        "durations",
        arguments: [
            ("20 ms", 20_000_000), ("1.5s", 1_500_000_000), ("90 days", 7_776_000_000_000_000), ("0.5 ns", nil), ("1 fortnight", nil),
            ("", nil),
        ] as [(String, Int64?)])
    func durations(text: String, nanoseconds: Int64?) { #expect(DurationText.nanoseconds(text) == nanoseconds) }
}

@Suite("Text that stands for bytes")
struct UnpackTests {
    private func unpack(_ text: String, _ step: (UnsafeRawBufferPointer, UnsafeMutableRawPointer) throws -> Int) rethrows -> [UInt8] {
        var target = [UInt8](repeating: 0, count: text.utf8.count + 3)
        let count = try target.withUnsafeMutableBytes { target in
            try Array(text.utf8).withUnsafeBytes { source in try target.baseAddress.map { try step(source, $0) } ?? 0 }
        }
        return Array(target[..<count])
    }

    @Test(
        "hexadecimal",
        arguments: [("03 03 04", [3, 3, 4]), ("0xFFfe", [255, 254]), ("01:02-03", [1, 2, 3]), ("", [])] as [(String, [UInt8])])
    func hex(text: String, bytes: [UInt8]) throws { #expect(try unpack(text) { try Unpack.hex($0, into: $1) } == bytes) }

    @Test(
        "base64, both alphabets, padding or none",
        arguments: [("gkHe", [0x82, 0x41, 0xDE]), ("_-8=", [0xFF, 0xEF]), ("/+8", [0xFF, 0xEF]), ("QQ==", [65]), ("Q Q", [65])]
            as [(String, [UInt8])])
    func base64(text: String, bytes: [UInt8]) throws { #expect(try unpack(text) { try Unpack.base64($0, into: $1) } == bytes) }

    @Test("what does not decode says where")
    func errors() {
        #expect(throws: Unpack.Fault.oddDigits) { try unpack("abc") { try Unpack.hex($0, into: $1) } }
        #expect(throws: Unpack.Fault.unexpectedByte(UInt8(ascii: "g"), offset: 1)) { try unpack("ag") { try Unpack.hex($0, into: $1) } }
        #expect(throws: Unpack.Fault.incomplete) { try unpack("QUJDR") { try Unpack.base64($0, into: $1) } }
    }
}
