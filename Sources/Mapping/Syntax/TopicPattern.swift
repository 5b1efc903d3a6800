/// A topic pattern of a mapping: `site/{site}/dev/{device...}`.
///
/// Grammar: level ("/" level)*, where a level is a literal, `+`, `#` (last), `{name...}` (last, one level or more) or text with `{name}` inside.
public struct TopicPattern: Hashable, Sendable, CustomStringConvertible {
    /// One level.
    public enum Level: Hashable, Sendable {
        case literal(String)
        /// `+`
        case any
        /// `#`: the rest, also none
        case rest
        /// `{name...}`: the rest, one level at least
        case captureRest(String)
        /// Literals and captures in turn: `{app}@{tenant}` is [capture app, literal @, capture tenant].
        case parts([Part])
    }

    public enum Part: Hashable, Sendable {
        case literal(String)
        case capture(String)
    }

    /// As it was written.
    public let description: String
    public let levels: [Level]
}
