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
        self = field.withUnsafeBytes { Self.read($0, type) }
    }

    private static func read(_ field: UnsafeRawBufferPointer, _ type: ColumnType) -> DecodedValue {
        switch type {
        case .boolean: return .boolean(field.first != 0)
        case .smallint: return .integer(Int64(field.number(Int16.self)))
        case .integer: return .integer(Int64(field.number(Int32.self)))
        case .bigint: return .integer(field.number(Int64.self))
        case .real: return .real(Float(bitPattern: field.number(UInt32.self)))
        case .doublePrecision: return .double(Double(bitPattern: field.number(UInt64.self)))
        case .numeric: return .numeric(DecodedNumeric(field).text)
        case .text, .varchar, .bpchar, .enumeration, .other: return .text(String(decoding: field, as: UTF8.self))
        case .bytea: return .bytes(Array(field))
        case .timestamptz, .timestamp: return .time(field.number(Int64.self) &+ PostgreSQLTime.epochMicroseconds)
        case .date: return .date(field.number(Int32.self) &+ 10_957)
        case .time: return .text(TimeText.time(microseconds: field.number(Int64.self)))
        case .uuid:
            var text = ""
            for (index, byte) in field.enumerated() {
                text += ([4, 6, 8, 10].contains(index) ? "-" : "") + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }
            return .text(text)
        case .inet: return .text(InternetAddress(field: field).description)
        case .cidr: return .text(InternetAddress(field: field).network)
        case .json: return .json(String(decoding: field, as: UTF8.self))
        case .jsonb: return .json(String(decoding: field.dropFirst(), as: UTF8.self))
        case .array(let element):
            var values: [DecodedValue?] = []
            var elements = BinaryFields(elementsOf: field)
            while !elements.isAtEnd { values.append(elements.nextField().map { read($0, element) }) }
            return .array(values)
        }
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
