/// How a table is divided by time: one partition an hour, a day and so on.
public struct PartitionSyntax: Sendable, Equatable {
    /// What makes the partitions.
    public enum Maker: String, Sendable, CaseIterable {
        /// PostgreSQL's own declarative partitions.
        case native
        /// A hypertable of TimescaleDB, which divides itself.
        case timescale
    }

    /// The column of the time, `timestamptz not null`.
    public var by: String
    public var every: TimeUnit
    public var with: Maker
    public var mark: SourceMark
}

/// A unit of the calendar, in UTC. Weeks begin on Mondays (ISO 8601).
public enum TimeUnit: String, Sendable, CaseIterable, Comparable {
    case hour, day, week, month, year

    /// How long one is at least: a month has 28 days, a year 365.
    public var shortestHours: Int {
        switch self {
        case .hour: 1
        case .day: 24
        case .week: 7 * 24
        case .month: 28 * 24
        case .year: 365 * 24
        }
    }

    /// How long one is at most.
    public var longestHours: Int {
        switch self {
        case .hour, .day, .week: shortestHours
        case .month: 31 * 24
        case .year: 366 * 24
        }
    }

    public static func < (one: TimeUnit, other: TimeUnit) -> Bool { one.shortestHours < other.shortestHours }
}

/// How long rows are kept: `90 days`, `18 months`. Counted back from now on the calendar.
public struct RetentionSyntax: Sendable, Equatable, Comparable, CustomStringConvertible {
    /// 1 to 100,000.
    public var count: Int
    public var unit: TimeUnit

    public var description: String { "\(count) \(unit.rawValue)\(count == 1 ? "" : "s")" }

    /// Months and years by the days that they have on the average.
    public static func < (one: RetentionSyntax, other: RetentionSyntax) -> Bool { one.hours < other.hours }

    private var hours: Double {
        let days =
            switch unit {
            case .hour: 1 / 24.0
            case .day: 1.0
            case .week: 7.0
            case .month: 365.2425 / 12
            case .year: 365.2425
            }
        return Double(count) * days * 24
    }

    /// Takes `90 days`, `90 d`, `1 year`; nil for anything else.
    public init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let word = text.dropFirst(digits.count).drop { $0 == " " }
        guard let count = Int(digits), (1...100_000).contains(count) else { return nil }
        let unit: TimeUnit? =
            switch word {
            case "h", "hour", "hours": .hour
            case "d", "day", "days": .day
            case "w", "week", "weeks": .week
            case "month", "months": .month
            case "y", "year", "years": .year
            default: nil
            }
        guard let unit else { return nil }
        self.count = count
        self.unit = unit
    }
}

/// An index besides the key's.
public struct IndexSyntax: Sendable, Equatable {
    public struct Column: Sendable, Equatable {
        public var name: String
        public var isDescending: Bool

        public init(name: String, isDescending: Bool = false) {
            self.name = name
            self.isDescending = isDescending
        }
    }

    public var columns: [Column]
    public var mark: SourceMark

    public static func == (one: IndexSyntax, other: IndexSyntax) -> Bool { one.columns == other.columns }
}
