/// Text read straight into the type a column has, without allocation, in the grammar of `DecimalText`. A number of JSON is already within
/// that grammar.
public enum NumberText {
    /// Whether the text reads as a finite number.
    public static func isNumber(_ bytes: UnsafeRawBufferPointer) -> Bool { DecimalText(bytes) != nil }

    /// The nearest double, ties to even; −0 keeps its sign and what is too small becomes 0 or a subnormal.
    /// - Throws: `notANumber`; `outOfRange` where the nearest double would be infinite.
    public static func double(_ bytes: UnsafeRawBufferPointer) throws(NumberError) -> Double {
        guard let text = DecimalText(bytes) else { throw .notANumber }
        if _fastPath(!text.isCut) {
            if let value = DecimalRounding.double(text.mantissa, exponent: text.exponent) { return text.isNegative ? -value : value }
        }
        let value = DecimalRounding.libraryDouble(text)
        guard value.isFinite else { throw .outOfRange }
        return value
    }

    /// The nearest float, ties to even, rounded once; otherwise as `double`.
    public static func float(_ bytes: UnsafeRawBufferPointer) throws(NumberError) -> Float {
        guard let text = DecimalText(bytes) else { throw .notANumber }
        if _fastPath(!text.isCut) {
            if let value = DecimalRounding.float(text.mantissa, exponent: text.exponent) {
                guard value.isFinite else { throw .outOfRange }
                return text.isNegative ? -value : value
            }
        }
        let value = DecimalRounding.libraryFloat(text)
        guard value.isFinite else { throw .outOfRange }
        return value
    }

    /// The whole number, exactly, however it is written: "23.0", "1e3" and "2300e-2" too.
    /// - Throws: `notANumber`; `notWhole` where a fraction is left; `outOfRange` beyond 64 bits.
    public static func int64(_ bytes: UnsafeRawBufferPointer) throws(NumberError) -> Int64 {
        guard let text = DecimalText(bytes) else { throw .notANumber }
        if _fastPath(!text.isCut) { return try DecimalRounding.int64(text.mantissa, exponent: text.exponent, isNegative: text.isNegative) }
        // 20 significant digits or more: beyond 2⁶³, or not whole.
        throw text.lowestExponent < 0 ? .notWhole : .outOfRange
    }
}
