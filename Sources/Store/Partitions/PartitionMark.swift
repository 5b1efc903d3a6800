import Payload

/// What the comment of a partition says of it. By it retention knows what is its own to drop, also after it was interrupted.
struct PartitionMark: Sendable, Equatable {
    enum State: String, CaseIterable, Sendable {
        /// Made by us.
        case made = "made for"
        /// Too old: we are about to detach it. Once it is detached nobody knows whether by us, so this alone is no reason to drop it.
        case detaching = "detached from"
        /// Detached by us and not dropped, since something came between.
        case dropping = "too old, to be dropped, of"
    }

    var state: State
    /// The divided table's name, without its schema.
    var table: String
    /// Microseconds since 1970.
    var lower: Int64
    /// Not included.
    var upper: Int64

    init(_ state: State, of table: String, from lower: Int64, until upper: Int64) {
        self.state = state
        self.table = String(table.split(separator: ".", maxSplits: 1).last ?? "")
        self.lower = lower
        self.upper = upper
    }

    /// Nil for a comment of other people.
    init?(_ comment: String) {
        guard comment.hasPrefix(Self.prefix) else { return nil }
        let words = comment.dropFirst(Self.prefix.count)
        guard let state = State.allCases.first(where: { words.hasPrefix($0.rawValue + " ") }),
            let place = words.ranges(of: Self.rowsFrom).last, let end = words.ranges(of: Self.until).last,
            place.upperBound <= end.lowerBound, let lower = Self.time(words[place.upperBound..<end.lowerBound]),
            let upper = Self.time(words[end.upperBound...]), lower < upper
        else { return nil }
        self.init(state, of: "", from: lower, until: upper)
        table = String(words[..<place.lowerBound].dropFirst(state.rawValue.count + 1))
    }

    var text: String {
        Self.prefix + state.rawValue + " " + table + Self.rowsFrom + CivilTime.text(unixMicroseconds: lower) + Self.until
            + CivilTime.text(unixMicroseconds: upper)
    }

    private static let prefix = "penstock: "
    private static let rowsFrom = ", rows from "
    private static let until = " until "

    private static func time(_ text: Substring) -> Int64? {
        Array(text.utf8).withUnsafeBytes { bytes in
            do throws(TimeError) { return try RFC3339.microseconds(bytes, zone: nil) } catch { return nil }
        }
    }
}
