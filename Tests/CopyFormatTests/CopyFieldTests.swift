import Testing

@testable import CopyFormat

/// Pairs of hexadecimal digits, white space between them as one likes.
func hex(_ text: String) -> [UInt8] {
    let digits = Array(text.filter { !$0.isWhitespace })
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0..<$0 + 2]), radix: 16) ?? 0 }
}

/// The bytes of a buffer.
func written(_ body: (inout CopyBuffer) -> Void) -> [UInt8] {
    var buffer = CopyBuffer(capacity: 64)
    body(&buffer)
    return buffer.withUnsafeBytes { Array($0) }
}

/// The bytes that PostgreSQL 15 sends for `COPY (SELECT …) TO STDOUT BINARY`.
@Suite("Fields have the bytes that PostgreSQL itself writes")
struct CopyFieldTests {
    /// −211,813,488,000,000,000: 4714-11-24 BC in microseconds from 2000.
    private let bytesOfLowestTime = hex("00000008") + withUnsafeBytes(of: Int64(-211_813_488_000_000_000).bigEndian) { Array($0) }
    /// SELECT true, -2::int2, 100000, -9223372036854775807, 21.6::float4, -0.1::float8, 'é', '\xdeadbeef', '2024-02-29T12:30:45.123456Z'::timestamptz,
    /// '1969-12-31'::date, 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'::uuid, '{"a":1}'::json, '{"a": 1}'::jsonb, ARRAY[1,NULL,3], '{}'::text[], NULL,
    /// ARRAY['a','bc']
    static let row =
        hex(
            """
            0011 00000001 01 00000002 fffe 00000004 000186a0 00000008 8000000000000001 00000004 41accccd 00000008 bfb999999999999a
            00000002 c3a9 00000004 deadbeef 00000008 0002b58332726980 00000004 ffffd532 00000010 f81d4fae7dec11d0a76500a0c91e6bf6
            00000007 7b2261223a317d 00000009 01 7b2261223a20317d
            00000028 00000001 00000001 00000017 00000003 00000001 00000004 00000001 ffffffff 00000004 00000003
            0000000c 00000000 00000000 00000019 ffffffff
            0000001f 00000001 00000000 00000019 00000002 00000001 00000001 61 00000002 6263
            """)

    private func write(into buffer: inout CopyBuffer) {
        buffer.beginRow(fieldCount: 17)
        buffer.append(true)
        buffer.append(Int16(-2))
        buffer.append(Int32(100_000))
        buffer.append(Int64.min + 1)
        buffer.append(Float(21.6))
        buffer.append(-0.1)
        Array("é".utf8).withUnsafeBytes { buffer.appendText($0) }
        ([0xDE, 0xAD, 0xBE, 0xEF] as [UInt8]).withUnsafeBytes { buffer.appendBytes($0) }
        buffer.appendTimestamp(unixMicroseconds: 1_709_209_845_123_456)
        buffer.appendDate(unixDays: -1)
        buffer.appendUUID(high: 0xF81D_4FAE_7DEC_11D0, low: 0xA765_00A0_C91E_6BF6)
        Array(#"{"a":1}"#.utf8).withUnsafeBytes { buffer.appendText($0) }
        Array(#"{"a": 1}"#.utf8).withUnsafeBytes { buffer.appendJSONB($0) }
        var field = buffer.beginField()
        buffer.appendArrayHeader(elementOID: 23, count: 3, holdsNull: true)
        buffer.append(Int32(1))
        buffer.appendNull()
        buffer.append(Int32(3))
        buffer.endField(field)
        field = buffer.beginField()
        buffer.appendArrayHeader(elementOID: 25, count: 0, holdsNull: false)
        buffer.endField(field)
        buffer.appendNull()
        field = buffer.beginField()
        buffer.appendArrayHeader(elementOID: 25, count: 2, holdsNull: false)
        for text in ["a", "bc"] { Array(text.utf8).withUnsafeBytes { buffer.appendText($0) } }
        buffer.endField(field)
    }

    @Test("A row of every type, in a buffer that has to grow")
    func everyType() {
        var buffer = CopyBuffer(capacity: 64)
        write(into: &buffer)
        let bytes = buffer.withUnsafeBytes { Array($0) }
        #expect(bytes == Self.row)
    }

    @Test("What was written is read back")
    func readBack() {
        let types: [ColumnType] = [
            .boolean, .smallint, .integer, .bigint, .real, .doublePrecision, .text, .bytea, .timestamptz(precision: nil), .date, .uuid,
            .json, .jsonb,
            .array(.integer), .array(.text),
            .integer, .array(.text),
        ]
        var buffer = CopyBuffer(capacity: 64)
        write(into: &buffer)
        write(into: &buffer)
        var reader = CopyReader(buffer)
        for _ in 0..<2 {
            let row = reader.nextRow() ?? []
            let expected: [DecodedValue?] = [
                .boolean(true), .integer(-2), .integer(100_000), .integer(.min + 1), .real(21.6), .double(-0.1), .text("é"),
                .bytes([0xDE, 0xAD, 0xBE, 0xEF]),
                .time(1_709_209_845_123_456), .date(-1), .text("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), .json(#"{"a":1}"#),
                .json(#"{"a": 1}"#),
                .array([.integer(1), nil, .integer(3)]), .array([]), nil, .array([.text("a"), .text("bc")]),
            ]
            let got = zip(row, types).map { field, type in field.map { DecodedValue($0, type) } }
            #expect(got == expected)
        }
        #expect(reader.nextRow() == nil)
    }

    @Test("Booleans, empty texts and the ends of every range")
    func ends() {
        #expect(written { $0.append(false) } == hex("00000001 00"))
        #expect(written { $0.appendText(UnsafeRawBufferPointer(start: nil, count: 0)) } == hex("00000000"))
        #expect(written { $0.appendJSONB(UnsafeRawBufferPointer(start: nil, count: 0)) } == hex("00000001 01"))
        #expect(written { $0.append(Int16.min) } == hex("00000002 8000"))
        #expect(written { $0.append(Int32.max) } == hex("00000004 7fffffff"))
        #expect(written { $0.append(Int64.min) } == hex("00000008 8000000000000000"))
        #expect(written { $0.append(-0.0) } == hex("00000008 8000000000000000"))
        #expect(written { $0.append(Float.infinity) } == hex("00000004 7f800000"))
        #expect(written { $0.appendTimestamp(unixMicroseconds: PostgreSQLTime.epochMicroseconds) } == hex("00000008 0000000000000000"))
        #expect(written { $0.appendTimestamp(unixMicroseconds: PostgreSQLTime.range.lowerBound) } == bytesOfLowestTime)
        #expect(written { $0.appendDate(unixDays: 10_957) } == hex("00000004 00000000"))
    }
}
