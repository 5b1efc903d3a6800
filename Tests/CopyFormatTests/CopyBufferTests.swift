import Testing

@testable import CopyFormat

@Suite("Binary COPY")
struct CopyBufferTests {
    private func bytes(_ write: (inout CopyBuffer) -> Void) -> [UInt8] {
        var buffer = CopyBuffer(capacity: 64)
        write(&buffer)
        return buffer.withUnsafeBytes { Array($0) }
    }

    @Test("the header, the trailer, and every field in network order")
    func layout() {
        #expect(CopyBuffer.header == Array("PGCOPY\n".utf8) + [0xFF, 13, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(CopyBuffer.trailer == [0xFF, 0xFF])
        #expect(bytes { $0.beginRow(fieldCount: 2) } == [0, 2])
        #expect(bytes { $0.appendNull() } == [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(bytes { $0.append(true) } == [0, 0, 0, 1, 1])
        #expect(bytes { $0.append(Int16(-2)) } == [0, 0, 0, 2, 0xFF, 0xFE])
        #expect(bytes { $0.append(Int32(1)) } == [0, 0, 0, 4, 0, 0, 0, 1])
        #expect(bytes { $0.append(Double(1)) } == [0, 0, 0, 8, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0])
        #expect(bytes { $0.appendTimestamp(unixMicroseconds: 946_684_800_000_001) } == [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(bytes { $0.appendDate(unixDays: 10_958) } == [0, 0, 0, 4, 0, 0, 0, 1])
    }

    /// The bytes are those of PostgreSQL 15's own `numeric_send`.
    @Test(
        "numeric, digit by digit",
        arguments: [
            ("0", [0, 0, 0, 0, 0, 0, 0, 0]), ("1", [0, 1, 0, 0, 0, 0, 0, 0, 0, 1]),
            ("-1.5", [0, 2, 0, 0, 0x40, 0, 0, 1, 0, 1, 0x13, 0x88]),
            ("10000", [0, 1, 0, 1, 0, 0, 0, 0, 0, 1]), ("0.0001", [0, 1, 0xFF, 0xFF, 0, 0, 0, 4, 0, 1]),
            ("0.00001", [0, 1, 0xFF, 0xFE, 0, 0, 0, 5, 0x03, 0xE8]),
            ("123456.789", [0, 3, 0, 1, 0, 0, 0, 3, 0, 12, 0x0D, 0x80, 0x1E, 0xD2]),
            ("1e4", [0, 1, 0, 1, 0, 0, 0, 0, 0, 1]), ("0.00", [0, 0, 0, 0, 0, 0, 0, 2]),
        ] as [(String, [UInt8])])
    func numeric(text: String, field: [UInt8]) {
        var isTaken = false
        let written = bytes { buffer in isTaken = Array(text.utf8).withUnsafeBytes { buffer.appendNumeric(text: $0) } }
        #expect(isTaken)
        #expect(Array(written.dropFirst(4)) == field)
    }

    @Test(
        "numbers of any size read back as they were written",
        arguments: [
            "12345678901234567890.123", "-0.000000000000000000012", "99999999.99999999", "1000000", "0.1", "100.0010",
            String(repeating: "9", count: 200),
        ])
    func roundTrip(text: String) {
        let written = bytes { buffer in _ = Array(text.utf8).withUnsafeBytes { buffer.appendNumeric(text: $0) } }
        #expect(DecodedValue(Array(written.dropFirst(4)), .numeric(precision: nil, scale: 0)) == .numeric(text))
    }

    @Test(
        "numeric's limits",
        arguments: [("1e131071", true), ("1e131072", false), ("1e-16383", true), ("1e-16384", false), ("0e-20000", false)])
    func limits(text: String, isTaken: Bool) {
        var buffer = CopyBuffer()
        let count = buffer.count
        #expect(Array(text.utf8).withUnsafeBytes { buffer.appendNumeric(text: $0) } == isTaken)
        if !isTaken { #expect(buffer.count == count, "what is refused leaves nothing behind") }
    }

    @Test("a message is taken back whole, and memory grows as it must")
    func marks() {
        var buffer = CopyBuffer(capacity: 64)
        buffer.beginRow(fieldCount: 1)
        buffer.append(Int64(1))
        let mark = buffer.mark
        for _ in 0..<1000 {
            buffer.beginRow(fieldCount: 1)
            Array(repeating: 7 as UInt8, count: 100).withUnsafeBytes { buffer.appendBytes($0) }
        }
        #expect(buffer.rowCount == 1001)
        buffer.truncate(to: mark)
        #expect(buffer.rowCount == 1)
        var reader = CopyReader(buffer)
        #expect(reader.nextRow() == [[0, 0, 0, 0, 0, 0, 0, 1]])
        #expect(reader.nextRow() == nil)
    }
}
