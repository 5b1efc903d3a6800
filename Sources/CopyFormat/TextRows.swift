/// Rows of COPY's text format, made of rows in binary format: for tables with a column that has no binary form here.
///
/// One line a row, so that the number which an error gives to a line is the number of the row. It owns its memory, which must outlive the script that sends
/// it. Off the hot path: it costs a second copy of the rows, and a look at each byte of their texts.
/// Format: PostgreSQL documentation, `COPY`, "Text Format".
public final class TextRows {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var count = 0

    /// - Parameters:
    ///   - pieces: whole rows as `CopyBuffer` holds them, one piece after the other.
    ///   - types: of all fields of a row.
    public init(_ pieces: [UnsafeRawBufferPointer], types: [ColumnType]) {
        capacity = max(pieces.reduce(0) { $0 + $1.count } * 2, 64)
        base = .allocate(byteCount: capacity, alignment: 1)
        for piece in pieces {
            var fields = BinaryFields(piece)
            while let fieldCount = fields.nextRow() {
                precondition(fieldCount == types.count, "a row has a field for each column")
                for (index, type) in types.enumerated() {
                    if index > 0 { put(UInt8(ascii: "\t")) }
                    if let field = fields.nextField() { append(field, type) } else { put("\\N") }
                }
                put(UInt8(ascii: "\n"))
            }
        }
    }

    deinit { base.deallocate() }

    /// The rows; valid as long as this object lives.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    // MARK: Values

    /// - Parameter isElement: it stands in double quotes inside an array.
    private func append(_ field: UnsafeRawBufferPointer, _ type: ColumnType, isElement: Bool = false) {
        switch type {
        case .boolean: put(UInt8(ascii: field.first == 0 ? "f" : "t"))
        case .smallint: put(String(field.number(Int16.self)))
        case .integer: put(String(field.number(Int32.self)))
        case .bigint: put(String(field.number(Int64.self)))
        case .real: put(Float(bitPattern: field.number(UInt32.self)).description)
        case .doublePrecision: put(Double(bitPattern: field.number(UInt64.self)).description)
        case .numeric: put(DecodedNumeric(field).text)
        case .text, .varchar, .bpchar, .json, .enumeration, .other: escape(field, isElement)
        case .jsonb: escape(UnsafeRawBufferPointer(rebasing: field.dropFirst()), isElement)
        case .bytea:
            escape(UInt8(ascii: "\\"), isElement)
            put(UInt8(ascii: "x"))
            for byte in field { hexadecimal(byte) }
        case .timestamptz:
            put(TimeText.timestamp(field.number(Int64.self) &+ PostgreSQLTime.epochMicroseconds, offset: "+00"))
        case .timestamp: put(TimeText.timestamp(field.number(Int64.self) &+ PostgreSQLTime.epochMicroseconds, offset: ""))
        case .date: put(TimeText.date(days: Int(field.number(Int32.self)) + 10_957))
        case .time: put(TimeText.time(microseconds: field.number(Int64.self)))
        case .uuid:
            for (index, byte) in field.enumerated() {
                if index == 4 || index == 6 || index == 8 || index == 10 { put(UInt8(ascii: "-")) }
                hexadecimal(byte)
            }
        case .inet: put(InternetAddress(field: field).description)
        case .cidr: put(InternetAddress(field: field).network)
        case .array(let element): append(array: field, element)
        }
    }

    /// `{"1",NULL,"a\"b"}`: in quotes no text means anything else.
    private func append(array field: UnsafeRawBufferPointer, _ element: ColumnType) {
        // A box has commas of its own; its arrays are the only ones with another delimiter.
        let delimiter = UInt8(ascii: element == .other("box") ? ";" : ",")
        var elements = BinaryFields(elementsOf: field)
        var isFirst = true
        put(UInt8(ascii: "{"))
        while !elements.isAtEnd {
            if !isFirst { put(delimiter) }
            isFirst = false
            if let field = elements.nextField() {
                put(UInt8(ascii: "\""))
                append(field, element, isElement: true)
                put(UInt8(ascii: "\""))
            } else {
                put("NULL")
            }
        }
        put(UInt8(ascii: "}"))
    }

    // MARK: Bytes

    private func hexadecimal(_ byte: UInt8) {
        for digit in [byte >> 4, byte & 15] { put(digit < 10 ? 0x30 + digit : 0x57 + digit) }
    }

    private func escape(_ text: UnsafeRawBufferPointer, _ isElement: Bool) {
        reserve(text.count)
        for byte in text { escape(byte, isElement) }
    }

    /// What means something in an array's text, and then what means something in COPY's.
    @inline(__always)
    private func escape(_ byte: UInt8, _ isElement: Bool) {
        if _fastPath(byte > 0x0D && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "\"")) { return put(byte) }
        switch byte {
        case UInt8(ascii: "\\"): put(isElement ? #"\\\\"# : #"\\"#)
        case UInt8(ascii: "\""): put(isElement ? #"\\""# : "\"")
        case 0x08: put("\\b")
        case 0x09: put("\\t")
        case 0x0A: put("\\n")
        case 0x0B: put("\\v")
        case 0x0C: put("\\f")
        case 0x0D: put("\\r")
        default: put(byte)
        }
    }

    private func put(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            reserve(bytes.count)
            UnsafeMutableRawBufferPointer(start: base + count, count: bytes.count).copyBytes(from: bytes)
            count += bytes.count
        }
    }

    @inline(__always)
    private func put(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inline(__always)
    private func reserve(_ bytes: Int) {
        if _slowPath(capacity - count < bytes) { grow(bytes) }
    }

    @inline(never)
    private func grow(_ bytes: Int) {
        let wanted = max(capacity * 2, count + bytes)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 1)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
        capacity = wanted
    }
}

/// Walks over rows and fields as `CopyBuffer` writes them.
struct BinaryFields {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ rows: UnsafeRawBufferPointer) { rest = rows[...] }

    /// The elements of an array's field.
    init(elementsOf array: UnsafeRawBufferPointer) {
        // Dimensions, flags and the element's type, then length and lower bound of the only dimension.
        rest = array.dropFirst(array.count > 12 ? 20 : 12)
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// How many fields the next row has; nil behind the last one.
    mutating func nextRow() -> Int? { rest.isEmpty ? nil : Int(take(2).number(Int16.self)) }

    /// nil: NULL.
    mutating func nextField() -> UnsafeRawBufferPointer? {
        let count = Int(take(4).number(Int32.self))
        return count < 0 ? nil : take(count)
    }

    private mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
        precondition(count <= rest.count, "a field ends within its row")
        defer { rest = rest.dropFirst(count) }
        return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }
}

extension UnsafeRawBufferPointer {
    /// The number that stands here in network order.
    func number<T: FixedWidthInteger>(_ type: T.Type) -> T {
        precondition(count == MemoryLayout<T>.size, "a number has its own size")
        return T(bigEndian: loadUnaligned(as: type))
    }
}

extension InternetAddress {
    /// - Parameter field: as `CopyBuffer.append` writes it.
    init(field: UnsafeRawBufferPointer) {
        let address = UnsafeRawBufferPointer(rebasing: field.dropFirst(4))
        let isVersion6 = field.first == 3
        self.init(
            bits: isVersion6 ? address.number(UInt128.self) : UInt128(address.number(UInt32.self)) << 96, isVersion6: isVersion6,
            prefixLength: field.dropFirst().first ?? 0)
    }
}
