/// Reads the rows of a binary COPY back: what mapping tests compare and `penstock try` shows. Clarity over speed.
public struct CopyReader {
    private let bytes: [UInt8]
    private var place = 0

    /// Takes a copy of what a buffer holds.
    public init(_ buffer: borrowing CopyBuffer) {
        bytes = buffer.withUnsafeBytes { Array($0) }
    }

    /// The fields of the next row, nil for NULL; nil behind the last row.
    public mutating func nextRow() -> [[UInt8]?]? {
        guard place + 2 <= bytes.count else { return nil }
        let count = Int(Int16(truncatingIfNeeded: number(2)))
        guard count >= 0 else { return nil }
        return (0..<count).map { _ in field() }
    }

    private mutating func field() -> [UInt8]? {
        let count = Int(Int32(truncatingIfNeeded: number(4)))
        guard count >= 0 else { return nil }
        defer { place += count }
        return Array(bytes[place..<place + count])
    }

    private mutating func number(_ count: Int) -> UInt64 {
        defer { place += count }
        return bytes[place..<place + count].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// A field as a value of its type.
public indirect enum DecodedValue: Equatable, Sendable {
    case boolean(Bool)
    case integer(Int64)
    case real(Float)
    case double(Double)
    /// Exact decimal text.
    case numeric(String)
    case text(String)
    case bytes([UInt8])
    /// Microseconds since 1970, UTC.
    case time(Int64)
    /// Days since 1970.
    case date(Int32)
    case json(String)
    case array([DecodedValue?])

    /// - Parameter field: the bytes of a field that was written for the type.
    public init(_ field: [UInt8], _ type: ColumnType) {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        func signed(_ bytes: ArraySlice<UInt8>) -> Int64 {
            let shift = UInt64(64 - bytes.count * 8)
            return Int64(bitPattern: number(bytes) << shift) >> Int64(shift)
        }
        switch type {
        case .boolean: self = .boolean(field.first != 0)
        case .smallint, .integer, .bigint: self = .integer(signed(field[...]))
        case .real: self = .real(Float(bitPattern: UInt32(truncatingIfNeeded: number(field[...]))))
        case .doublePrecision: self = .double(Double(bitPattern: number(field[...])))
        case .numeric: self = .numeric(Self.numeric(field))
        case .text, .varchar, .inet: self = .text(String(decoding: field, as: UTF8.self))
        case .bytea: self = .bytes(field)
        case .timestamptz, .timestamp: self = .time(signed(field[...]) &+ PostgreSQLTime.epochMicroseconds)
        case .date: self = .date(Int32(truncatingIfNeeded: signed(field[...])) &+ 10_957)
        case .uuid:
            let digits = field.map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
            var text = ""
            for (index, digit) in digits.enumerated() { text += ([8, 12, 16, 20].contains(index) ? "-" : "") + String(digit) }
            self = .text(text)
        case .json: self = .json(String(decoding: field, as: UTF8.self))
        case .jsonb: self = .json(String(decoding: field.dropFirst(), as: UTF8.self))
        case .array(let element):
            var values: [DecodedValue?] = []
            var place = 20
            while place + 4 <= field.count {
                let count = Int(signed(field[place..<place + 4]))
                place += 4
                values.append(count < 0 ? nil : DecodedValue(Array(field[place..<place + count]), element))
                place += max(0, count)
            }
            self = .array(values)
        }
    }

    private static func numeric(_ field: [UInt8]) -> String {
        func word(_ index: Int) -> Int { Int(Int16(bitPattern: UInt16(field[index * 2]) << 8 | UInt16(field[index * 2 + 1]))) }
        let groups = word(0)
        let weight = word(1)
        let isNegative = word(2) == 0x4000
        let scale = word(3)
        func group(_ place: Int) -> String {
            let index = weight - place
            let digits = index >= 0 && index < groups ? String(word(4 + index)) : "0"
            return String(repeating: "0", count: 4 - digits.count) + digits
        }
        var whole = weight >= 0 ? (0...weight).reversed().map(group).joined() : "0"
        while whole.count > 1, whole.first == "0" { whole.removeFirst() }
        guard scale > 0 else { return (isNegative ? "-" : "") + whole }
        let fraction = (1...(scale + 3) / 4).map { group(-$0) }.joined().prefix(scale)
        return (isNegative ? "-" : "") + whole + "." + fraction
    }

    /// As psql would show it, times in UTC.
    public var text: String {
        switch self {
        case .boolean(let value): value ? "t" : "f"
        case .integer(let value): String(value)
        case .real(let value): Self.plain(String(describing: value))
        case .double(let value): Self.plain(String(describing: value))
        case .numeric(let text), .text(let text), .json(let text): text
        case .bytes(let bytes): "\\x" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        case .time(let microseconds): String(microseconds)
        case .date(let days): String(days)
        case .array(let values): "{" + values.map { $0?.text ?? "NULL" }.joined(separator: ",") + "}"
        }
    }

    private static func plain(_ text: String) -> String { text.hasSuffix(".0") ? String(text.dropLast(2)) : text }
}
