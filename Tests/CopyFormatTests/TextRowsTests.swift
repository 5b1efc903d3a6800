import Testing

@testable import CopyFormat

@Suite("Rows in COPY's text format")
struct TextRowsTests {
    private func rows(_ types: [ColumnType], _ fill: (inout CopyBuffer) -> Void) -> String {
        var buffer = CopyBuffer(capacity: 64)
        fill(&buffer)
        let text = TextRows([buffer.bytes(0..<buffer.count)], types: types)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    private func text(_ text: String, _ buffer: inout CopyBuffer) { Array(text.utf8).withUnsafeBytes { buffer.appendText($0) } }

    @Test("fields stand between tabs, rows on lines of their own, and NULL is \\N")
    func lines() {
        let written = rows([.integer, .text, .boolean]) { buffer in
            for number in 1...2 {
                buffer.beginRow(fieldCount: 3)
                buffer.append(Int32(number))
                if number == 1 { text("\\N", &buffer) } else { buffer.appendNull() }
                buffer.append(number == 1)
            }
        }
        #expect(written == "1\t\\\\N\tt\n2\t\\N\tf\n")
    }

    @Test("whatever ends a field, a line or the stream is escaped")
    func escapes() {
        let written = rows([.other("citext")]) { buffer in
            buffer.beginRow(fieldCount: 1)
            text("\\.\u{8}\t\n\u{B}\u{C}\r\"'é😀\u{1}", &buffer)
        }
        #expect(written == #"\\.\b\t\n\v\f\r"'é😀"# + "\u{1}\n")
    }

    @Test("elements stand in quotes, with what ends them escaped for the array and then for the line")
    func arrays() {
        let written = rows([.array(.text), .array(.other("box")), .array(.integer)]) { buffer in
            buffer.beginRow(fieldCount: 3)
            for values in [["a\"b\\c\n", nil], ["(1,2),(3,4)", "(5,6),(7,8)"], []] as [[String?]] {
                let field = buffer.beginField()
                buffer.appendArrayHeader(elementOID: 25, count: values.count, holdsNull: values.contains(nil))
                for value in values { if let value { text(value, &buffer) } else { buffer.appendNull() } }
                buffer.endField(field)
            }
        }
        #expect(written == #"{"a\\"b\\\\c\n",NULL}"# + "\t" + #"{"(1,2),(3,4)";"(5,6),(7,8)"}"# + "\t{}\n")
    }

    @Test("pieces follow one another, and the memory grows")
    func pieces() {
        var buffer = CopyBuffer(capacity: 64)
        for number in 0..<1000 {
            buffer.beginRow(fieldCount: 1)
            buffer.append(Int64(number))
        }
        let half = buffer.count / 2
        let text = TextRows([buffer.bytes(0..<half), buffer.bytes(half..<buffer.count)], types: [.bigint])
        #expect(String(decoding: text.bytes, as: UTF8.self) == (0..<1000).map { "\($0)\n" }.joined())
        #expect(TextRows([], types: [.bigint]).bytes.isEmpty)
    }

    @Test(
        "times are ISO in UTC, also before the year 1 and beyond 9999",
        arguments: [
            (Int64(0), "1970-01-01 00:00:00+00"), (-1, "1969-12-31 23:59:59.999999+00"),
            (-62_135_596_800_000_000, "0001-01-01 00:00:00+00"),
            (-62_135_596_800_000_001, "0001-12-31 23:59:59.999999+00 BC"), (PostgreSQLTime.range.lowerBound, "4714-11-24 00:00:00+00 BC"),
            (.max, "294247-01-10 04:00:54.775807+00"), (1_704_067_200_120_000, "2024-01-01 00:00:00.12+00"),
        ])
    func times(microseconds: Int64, expected: String) {
        let written = rows([.timestamptz(precision: nil)]) { buffer in
            buffer.beginRow(fieldCount: 1)
            buffer.appendTimestamp(unixMicroseconds: microseconds)
        }
        #expect(written == expected + "\n")
    }
}
