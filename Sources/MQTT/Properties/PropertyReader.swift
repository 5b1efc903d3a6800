/// What is wrong with the properties of a packet (MQTT 5.0 §2.2.2).
public enum PropertyFault: Error, Equatable, Sendable {
    /// The property length, or a property, goes beyond the packet.
    case truncated
    /// The length or number has more than four bytes, or is not in its shortest form ([MQTT-1.5.5-1]).
    case malformedLength
    /// No property has this identifier.
    case unknown(UInt8)
    /// A packet of this type does not carry it.
    case notAllowed(PropertyIdentifier)
    /// It stands twice, and may only once.
    case repeated(PropertyIdentifier)
    /// Its text is not well-formed UTF-8 or holds U+0000 ([MQTT-1.5.4-1], [MQTT-1.5.4-2]).
    case malformedText(PropertyIdentifier)
    /// Its number is none that it can have.
    case invalidNumber(PropertyIdentifier, UInt32)
}

/// One property where it lies in the packet.
struct Property: BitwiseCopyable {
    var identifier: PropertyIdentifier
    /// Of a property that is a number.
    var number: UInt32 = 0
    /// Of one that is text or bytes; the name of a user property.
    var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The value of a user property.
    var value = UnsafeRawBufferPointer(start: nil, count: 0)
}

/// Walks the properties of a packet, one after the other, checking each. Allocates nothing.
struct PropertyReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// - Parameter bytes: the properties without their length.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The properties that begin at `offset` with their length, which moves behind them.
    @inline(__always)
    static func block(in body: UnsafeRawBufferPointer, at offset: inout Int) throws(PropertyFault) -> UnsafeRawBufferPointer {
        let length = Int(try variableByteInteger(in: body, at: &offset))
        guard length <= body.count - offset else { throw .truncated }
        let start = offset
        offset += length
        return UnsafeRawBufferPointer(rebasing: body[start..<offset])
    }

    /// A variable byte integer of at most four bytes in its shortest form (§1.5.5).
    @inline(__always)
    static func variableByteInteger(in bytes: UnsafeRawBufferPointer, at offset: inout Int) throws(PropertyFault) -> UInt32 {
        guard offset < bytes.count else { throw .truncated }
        let first = bytes[offset]
        offset += 1
        if first < 0x80 { return UInt32(first) }
        return try longInteger(in: bytes, at: &offset, first: first)
    }

    @inline(never)
    private static func longInteger(
        in bytes: UnsafeRawBufferPointer, at offset: inout Int, first: UInt8
    ) throws(PropertyFault) -> UInt32 {
        var number = UInt32(first & 0x7F)
        for shift in stride(from: UInt32(7), through: 21, by: 7) {
            guard offset < bytes.count else { throw .truncated }
            let byte = bytes[offset]
            offset += 1
            number |= UInt32(byte & 0x7F) << shift
            guard byte < 0x80 else { continue }
            guard byte != 0 else { throw .malformedLength }
            return number
        }
        throw .malformedLength
    }

    /// The next property; nil at the end.
    @inline(__always)
    mutating func next() throws(PropertyFault) -> Property? {
        guard offset < bytes.count else { return nil }
        // Identifiers are variable byte integers too, and all that there are take one byte (§2.2.2.2).
        let first = bytes[offset]
        offset += 1
        guard let identifier = PropertyIdentifier(rawValue: first) else { throw .unknown(first) }
        var property = Property(identifier: identifier)
        switch identifier.form {
        case .byte: property.number = try integer(bytes: 1)
        case .twoBytes: property.number = try integer(bytes: 2)
        case .fourBytes: property.number = try integer(bytes: 4)
        case .variableByteInteger: property.number = try Self.variableByteInteger(in: bytes, at: &offset)
        case .text: property.bytes = try text(identifier)
        case .binary: property.bytes = try field()
        case .textPair:
            property.bytes = try text(identifier)
            property.value = try text(identifier)
        }
        guard identifier.allowedNumbers.contains(property.number) || property.bytes.baseAddress != nil else {
            throw .invalidNumber(identifier, property.number)
        }
        return property
    }

    /// Walks all of them: each must be allowed, and stand once unless `mayRepeat` says otherwise.
    @inline(__always)
    static func forEach(
        in bytes: UnsafeRawBufferPointer, allowed: PropertySet, _ body: (Property) throws(PropertyFault) -> Void
    ) throws(PropertyFault) {
        var reader = PropertyReader(bytes)
        var seen: UInt64 = 0
        while let property = try reader.next() {
            guard allowed.contains(property.identifier) else { throw .notAllowed(property.identifier) }
            let bit: UInt64 = 1 << UInt64(property.identifier.rawValue)
            // A PUBLISH names every subscription that it is for (§3.3.2.3.8).
            let mayRepeat = property.identifier == .userProperty || property.identifier == .subscriptionIdentifier
            guard seen & bit == 0 || mayRepeat else { throw .repeated(property.identifier) }
            seen |= bit
            try body(property)
        }
    }

    @inline(__always)
    private mutating func integer(bytes count: Int) throws(PropertyFault) -> UInt32 {
        guard bytes.count - offset >= count else { throw .truncated }
        var number: UInt32 = 0
        for _ in 0..<count {
            number = number << 8 | UInt32(bytes[offset])
            offset += 1
        }
        return number
    }

    @inline(__always)
    private mutating func field() throws(PropertyFault) -> UnsafeRawBufferPointer {
        let count = Int(try integer(bytes: 2))
        guard bytes.count - offset >= count else { throw .truncated }
        let start = offset
        offset += count
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }

    @inline(__always)
    private mutating func text(_ identifier: PropertyIdentifier) throws(PropertyFault) -> UnsafeRawBufferPointer {
        let text = try field()
        guard TextValidation.isWellFormed(text) else { throw .malformedText(identifier) }
        return text
    }
}

extension PropertyFault {
    /// Malformed packets cannot be parsed; protocol errors say what they must not (MQTT 5.0 §4.13).
    var reasonCode: ReasonCode {
        switch self {
        case .truncated, .malformedLength, .unknown, .notAllowed, .malformedText: .malformedPacket
        case .repeated, .invalidNumber: .protocolError
        }
    }
}

extension PropertyFault: CustomStringConvertible {
    /// The rule, as the end of a sentence that starts with the packet.
    public var description: String {
        switch self {
        case .truncated: "properties that go beyond its end (MQTT 5.0 §2.2.2)"
        case .malformedLength: "a variable byte integer of more than four bytes or not in its shortest form [MQTT-1.5.5-1]"
        case .unknown(let identifier): "a property of the unknown identifier \(identifier) (MQTT 5.0 §2.2.2.2)"
        case .notAllowed(let property): "the property \(property), which belongs to other packets (MQTT 5.0 §2.2.2.2)"
        case .repeated(let property): "the property \(property) twice (MQTT 5.0 §3)"
        case .malformedText(let property):
            "the property \(property) with text that is not well-formed UTF-8 or holds U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2]"
        case .invalidNumber(let property, let number):
            "the property \(property) with the value \(number), which it cannot have (MQTT 5.0 §3)"
        }
    }
}
