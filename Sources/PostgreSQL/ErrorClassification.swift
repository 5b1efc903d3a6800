/// What an error of the server means for rows that were sent by COPY.
public enum ErrorClassification: Sendable, Equatable {
    /// It will pass: the same again, later.
    case passing
    /// A row cannot be stored.
    case badRow
    /// The table is not as the mapping needs it, may not be written, or is broken.
    case wrongTable

    /// - Parameter sqlState: five characters (PostgreSQL documentation, appendix A).
    public init(sqlState: String) {
        switch sqlState {
        // Somebody holds the table for longer than lock_timeout: it alone has to wait, not every other table.
        case "55P03": self = .wrongTable
        default:
            switch sqlState.prefix(2) {
            case "08", "25", "40", "53", "57", "58": self = .passing
            // Features, permissions, names and types, states of objects, foreign servers, and what is broken inside.
            case "0A", "28", "3D", "3F", "42", "55", "F0", "HV", "XX": self = .wrongTable
            // Values, constraints, check options, limits, and what triggers raise, under whatever code they like.
            default: self = .badRow
            }
        }
    }
}
