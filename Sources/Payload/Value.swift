/// One value met in a payload, a topic or a message's properties: a kind and either a number or the bytes it stands in.
///
/// It is 16 trivial bytes and owns nothing: textual kinds point into the message (or into a scratch buffer of the evaluator), so a value
/// is valid only while that message is being turned into rows.
public struct Value {
    /// What the value is. Kinds up to `null` hold nothing.
    public enum Kind: UInt8, Sendable {
        /// The path leads nowhere.
        case missing
        /// JSON `null`, or its equal in another format.
        case null
        case `false`
        case `true`
        /// Signed number in `word` (binary decoders).
        case integer
        /// Unsigned number in `word` (binary decoders).
        case unsigned
        /// IEEE double whose bits are in `word`; `count` is 4 where it came as a float of 32 bits, whose shortest text is its own.
        case double
        /// Microseconds since 1970-01-01T00:00:00Z, signed, in `word` (the time of receipt).
        case timestamp
        /// A number as text, exactly as it stood in the payload; its grammar (RFC 8259 §6) is already checked.
        case number
        /// Valid UTF-8 text, ready to use.
        case string
        /// The inside of a JSON string that holds at least one backslash escape; validated, not yet decoded.
        case escapedString
        /// Raw bytes.
        case bytes
        /// A JSON object, from `{` to `}`, validated.
        case object
        /// A JSON array, from `[` to `]`, validated.
        case array
    }

    /// What the value is.
    public var kind: Kind
    /// Length in bytes of what a textual kind points to.
    public var count: UInt32
    /// Bits of a number, or an address.
    public var word: UInt64

    /// A value of those parts.
    @inlinable public init(kind: Kind, count: UInt32 = 0, word: UInt64 = 0) {
        self.kind = kind
        self.count = count
        self.word = word
    }

    /// A value of a textual kind that stands in `bytes` (at most 2³² − 1 of them).
    @inlinable public init(kind: Kind, bytes: UnsafeRawBufferPointer) {
        self.init(kind: kind, start: bytes.baseAddress, count: bytes.count)
    }

    /// A value of a textual kind that starts at `start`.
    @inlinable public init(kind: Kind, start: UnsafeRawPointer?, count: Int) {
        self.kind = kind
        self.count = UInt32(truncatingIfNeeded: count)
        self.word = UInt64(UInt(bitPattern: start))
    }

    /// Nothing there.
    @inlinable public static var missing: Value { Value(kind: .missing) }
    /// An explicit null.
    @inlinable public static var null: Value { Value(kind: .null) }
    /// A signed number.
    @inlinable public static func integer(_ value: Int64) -> Value { Value(kind: .integer, word: UInt64(bitPattern: value)) }
    /// A double.
    @inlinable public static func double(_ value: Double) -> Value { Value(kind: .double, word: value.bitPattern) }

    /// A float: as text it is 24.1, where the double of the same value is 24.100000381469727.
    @inlinable public static func single(_ value: Float) -> Value { Value(kind: .double, count: 4, word: Double(value).bitPattern) }

    /// Whether there is nothing to store: missing or null.
    @inlinable public var isAbsent: Bool { kind.rawValue <= Kind.null.rawValue }

    /// The bytes of a textual kind (`number` … `array`); empty for the others.
    @inlinable public var bytes: UnsafeRawBufferPointer {
        guard kind.rawValue >= Kind.number.rawValue else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: UInt(word)), count: Int(count))
    }
}
