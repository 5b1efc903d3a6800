/// Why a payload is not what its format asks for, and at which byte.
public struct TreeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What can be met.
    public enum Reason: Hashable, Sendable {
        case unexpectedEnd
        /// A length or a count of items, and what is left to hold them.
        case announced(UInt64, bytesLeft: Int)
        /// Bytes after the end of the value.
        case trailing(count: Int)
        case tooDeep(levels: Int)
        /// The tree written as JSON text is over the limit.
        case tooLong(bytesMax: Int)
        case invalidUTF8
        /// A map's key that is neither text, bytes, a whole number nor a boolean.
        case invalidKey
        /// A byte that starts nothing.
        case reserved(UInt8)
        /// A time that does not exist, or before year 1, or after year 9999.
        case invalidTime
        /// CBOR: a simple value that stands for nothing.
        case reservedSimpleValue(UInt8)
        /// CBOR: the end of an item of indefinite length where there is none to end, or half a member.
        case unexpectedBreak
        /// CBOR: part of a string of indefinite length that is no string of the same type, or itself of indefinite length.
        case invalidChunk
        /// CBOR: a tag and a value that it cannot stand before.
        case invalidTagContent(tag: UInt64)
        /// CBOR: a whole number, or a fraction's digits, of more than that many bits.
        case numberTooLong(bitsMax: Int)
    }

    /// What was met.
    public var reason: Reason
    /// Where, counted from the first byte of the payload, from 0.
    public var byteOffset: Int

    /// An error of that reason at that byte.
    public init(_ reason: Reason, byteOffset: Int) {
        self.reason = reason
        self.byteOffset = byteOffset
    }

    /// What was met and where, on one line.
    public var description: String { "\(words) at byte \(byteOffset)" }

    private var words: String {
        switch reason {
        case .unexpectedEnd: "unexpected end of the payload"
        case .announced(let count, let left): "a length of \(count) where only \(left) \(left == 1 ? "byte is" : "bytes are") left"
        case .trailing(let count): "\(count) \(count == 1 ? "byte" : "bytes") after the end of the value"
        case .tooDeep(let levels): "nested deeper than \(levels) levels"
        case .tooLong(let bytesMax): "more than \(bytesMax) bytes of JSON text"
        case .invalidUTF8: "text that is not UTF-8"
        case .invalidKey: "a map's key that is neither text, bytes, a whole number nor a boolean"
        case .reserved(let byte): "0x\(String(byte >> 4, radix: 16))\(String(byte & 0xF, radix: 16)), which stands for nothing,"
        case .invalidTime: "a time that is not within the years 1 to 9999"
        case .reservedSimpleValue(let value): "simple value \(value), which stands for nothing,"
        case .unexpectedBreak: "a break where nothing of indefinite length can end"
        case .invalidChunk: "a string of indefinite length with a part that is no string of its type"
        case .invalidTagContent(let tag): "tag \(tag) before a value that it cannot stand for"
        case .numberTooLong(let bitsMax): "a number of more than \(bitsMax) bits"
        }
    }
}

/// Bounds of turning a tree into JSON text.
public struct TreeLimits: Sendable {
    /// How deep arrays and maps may be nested: 1 to 1,024, as `JSON.Options` has it, so that the text can be read with the same limit.
    public let maximumDepth: Int
    /// Bytes of JSON text.
    public let maximumTextBytes: Int

    /// - Parameters:
    ///   - maximumDepth: brought into 1 … 1,024.
    ///   - maximumTextBytes: brought into 0 … 2³² − 1, which is what `JSON` reads.
    public init(maximumDepth: Int = 64, maximumTextBytes: Int = 64 * 1024 * 1024) {
        self.maximumDepth = min(max(maximumDepth, 1), JSON.depthLimit)
        self.maximumTextBytes = min(max(maximumTextBytes, 0), Int(UInt32.max))
    }
}
