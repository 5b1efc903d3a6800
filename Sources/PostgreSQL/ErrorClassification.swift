/// What an error of the server means for what was sent.
public enum ErrorClassification: Sendable, Equatable {
    /// It will pass: the same again, later.
    case passing
    /// A row cannot be stored.
    case badRow
    /// The table is not as the mapping needs it, or may not be written.
    case wrongTable
    /// None of these.
    case other

    /// - Parameter sqlState: five characters (PostgreSQL documentation, appendix A).
    public init(sqlState: String) {
        switch sqlState {
        case "42P01", "42703", "42501", "42804": self = .wrongTable
        case "25006", "57P01", "57P02", "57P03", "57014", "55P03", "25P03": self = .passing
        default:
            switch sqlState.prefix(2) {
            case "08", "53", "40", "58": self = .passing
            case "22", "23": self = .badRow
            default: self = .other
            }
        }
    }
}
