/// Why a text does not become a number of the type asked for.
public enum NumberError: Error, Hashable, Sendable {
    /// The text is no finite decimal number.
    case notANumber
    /// The number has a fraction and the type has none.
    case notWhole
    /// The number is beyond the type's largest or smallest.
    case outOfRange
}
