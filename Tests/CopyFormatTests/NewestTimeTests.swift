import CopyFormat
import Testing

@Suite("The newest time of rows")
struct NewestTimeTests {
    /// Two fields: a text, then a time in microseconds since 2000.
    private static func row(_ text: String?, _ time: Int64?) -> [UInt8] {
        let textField = text.map { big(Int32($0.utf8.count)) + Array($0.utf8) } ?? big(Int32(-1))
        let timeField = time.map { big(Int32(8)) + big($0) } ?? big(Int32(-1))
        return big(Int16(2)) + textField + timeField
    }

    private static func big(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    private static func newest(_ rows: [[UInt8]]..., limit: Int64 = 1000) -> Int64? {
        var newest = NewestTime(field: 1, limit: limit)
        for piece in rows { piece.flatMap { $0 }.withUnsafeBytes { newest.add($0) } }
        return newest.microseconds
    }

    @Test("it is the greatest, wherever it stands, over all pieces")
    func greatest() {
        #expect(Self.newest([Self.row("a", 5), Self.row(nil, 700), Self.row("longer", 6)], [Self.row("", 8)]) == 700)
        #expect(Self.newest([Self.row("a", -5), Self.row("b", -700)]) == -5)
    }

    @Test("a clock that is ahead does not count, and no time is none")
    func limits() {
        #expect(Self.newest([Self.row("a", 1000), Self.row("b", 1001), Self.row("c", .max)]) == 1000)
        #expect(Self.newest([Self.row("a", 1001)]) == nil)
        #expect(Self.newest([Self.row("abcdefgh", nil)], []) == nil)
    }
}
