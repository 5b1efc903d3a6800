/// CBOR (RFC 8949), rewritten as JSON text.
public enum CBOR {
    /// The same tree as JSON text, which stays until `scratch` is reset.
    ///
    /// Whole numbers, bignums and decimal fractions are exact; a float is the shortest text of the double it is, nan and infinities the
    /// texts "nan", "inf" and "-inf"; `undefined` is null. Byte strings are base64, or what tags 21 to 23 ask for. Times (tags 0 and 1)
    /// are RFC 3339 text; any other tag gives the value behind it. Keys of maps that are whole numbers or booleans become their text,
    /// byte strings text where they are UTF-8 and base64 otherwise; repeated keys stay.
    /// - Throws: where the payload is not one well-formed item and nothing else, a tag of these stands before what it cannot stand for,
    ///   or the limits do not hold.
    public static func jsonText(
        of bytes: UnsafeRawBufferPointer, limits: TreeLimits, into scratch: inout ScratchMemory
    ) throws(TreeError) -> UnsafeRawBufferPointer {
        try jsonText(of: bytes, limits: limits, into: &scratch, notation: .base64, hasShortFloats: false)
    }

    /// - Parameters:
    ///   - notation: of byte strings for which no tag asks.
    ///   - hasShortFloats: whether a float of 16 or 32 bits is the shortest text of its own width: 0.01 and not 0.009999999776482582.
    static func jsonText(
        of bytes: UnsafeRawBufferPointer, limits: TreeLimits, into scratch: inout ScratchMemory, notation: BinaryNotation,
        hasShortFloats: Bool
    ) throws(TreeError) -> UnsafeRawBufferPointer {
        try TreeWriter.text(in: &scratch, inputBytes: bytes.count, limits: limits) { writer throws(TreeError) in
            var reader = CBORReader(input: TreeInput(bytes), limits: limits, hasShortFloats: hasShortFloats)
            try reader.value(&writer, depth: 0, notation: notation)
            try reader.input.finish()
            guard !writer.isOverLimit else { throw TreeError(.tooLong(bytesMax: limits.maximumTextBytes), byteOffset: bytes.count) }
        }
    }
}
