/// Times as people write them in files and on the command line.
public enum TimeText {
    /// Microseconds since 1970, UTC, of an RFC 3339 time, or of a date's midnight in UTC; nil where it is neither.
    public static func microseconds(_ text: String) -> Int64? { time(text) }
}
