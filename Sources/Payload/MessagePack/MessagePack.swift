/// MessagePack (the specification of 2013, with `str`, `bin`, `ext` and the timestamp extension), rewritten as JSON text.
public enum MessagePack {
    /// The same tree as JSON text, which stays until `scratch` is reset.
    ///
    /// Whole numbers and text are exact; a float is the shortest text of the double it is, nan and infinities the texts "nan", "inf" and
    /// "-inf". Byte strings are base64. A timestamp (ext −1) is RFC 3339 text in UTC, any other ext `{"type": n, "data": base64}`. Keys of
    /// maps that are whole numbers or booleans become their text, byte strings text where they are UTF-8 and base64 otherwise; repeated
    /// keys stay.
    /// - Throws: where the payload is not one value of MessagePack and nothing else, or over the limits.
    public static func jsonText(
        of bytes: UnsafeRawBufferPointer, limits: TreeLimits, into scratch: inout ScratchMemory
    ) throws(TreeError) -> UnsafeRawBufferPointer {
        try TreeWriter.text(in: &scratch, inputBytes: bytes.count, limits: limits) { writer throws(TreeError) in
            var reader = MessagePackReader(input: TreeInput(bytes), limits: limits)
            try reader.value(&writer, depth: 0)
            try reader.input.finish()
            guard !writer.isOverLimit else { throw TreeError(.tooLong(bytesMax: limits.maximumTextBytes), byteOffset: bytes.count) }
        }
    }
}
