/// Reads the fields of one Protocol Buffers message in place, in the order in which they come. Nothing is allocated and nothing copied.
///
/// A field that comes twice counts with its last value, as the encoding has it for all but repeated ones.
struct ProtobufReader {
    /// What a field holds before its schema is asked.
    enum Content {
        case varint(UInt64)
        case fixed32(UInt32)
        case fixed64(UInt64)
        case bytes(UnsafeRawBufferPointer)
    }

    struct Field {
        var number: UInt32
        var content: Content
    }

    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    /// The next field; nil at the end.
    mutating func next() throws(SparkplugError) -> Field? {
        guard place < bytes.count else { return nil }
        let start = place
        let key = try varint()
        guard let number = UInt32(exactly: key >> 3), number > 0 else { throw .fieldNumber(offset: start) }
        let content: Content
        switch UInt8(truncatingIfNeeded: key & 7) {
        case 0: content = .varint(try varint())
        case 1: content = .fixed64(try fixed(UInt64.self))
        case 2:
            let count = try varint()
            guard count <= UInt64(bytes.count - place) else { throw .truncated(offset: start) }
            let end = place + Int(count)
            content = .bytes(UnsafeRawBufferPointer(rebasing: bytes[place..<end]))
            place = end
        case 5: content = .fixed32(try fixed(UInt32.self))
        case let other: throw .wireType(other, offset: start)
        }
        return Field(number: number, content: content)
    }

    /// A number of seven bits a byte, the lowest first. Bits beyond 64 are dropped, as every reader of the encoding does.
    mutating func varint() throws(SparkplugError) -> UInt64 {
        let start = place
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
            shift += 7
            guard shift < 70 else { throw .longNumber(offset: start) }
        }
        throw .truncated(offset: start)
    }

    private mutating func fixed<Number: FixedWidthInteger>(_ type: Number.Type) throws(SparkplugError) -> Number {
        let size = Number.bitWidth / 8
        guard bytes.count - place >= size else { throw .truncated(offset: place) }
        let number = bytes.loadUnaligned(fromByteOffset: place, as: Number.self)
        place += size
        return Number(littleEndian: number)
    }
}

extension ProtobufReader.Field {
    func number(_ name: @autoclosure () -> String) throws(SparkplugError) -> UInt64 {
        guard case .varint(let number) = content else { throw .fieldEncoding(name()) }
        return number
    }

    func flag(_ name: @autoclosure () -> String) throws(SparkplugError) -> Bool { try number(name()) != 0 }

    func bytes(_ name: @autoclosure () -> String) throws(SparkplugError) -> UnsafeRawBufferPointer {
        guard case .bytes(let bytes) = content else { throw .fieldEncoding(name()) }
        return bytes
    }
}
