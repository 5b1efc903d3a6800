import Mapping
import Payload

/// Partitions of one width stand on the time line in UTC, half-open and without gaps: a time belongs to exactly one of them. All times are microseconds
/// since 1970.
extension TimeUnit {
    private static let microsecondsPerHour: Int64 = 3_600_000_000

    /// When the partition begins that holds a time. The time is within the years 1 to 9999.
    public func start(of microseconds: Int64) -> Int64 {
        if self == .hour { return floor(microseconds, Self.microsecondsPerHour) }
        let days = Int(floor(microseconds, CivilTime.microsecondsPerDay) / CivilTime.microsecondsPerDay)
        let date = CivilTime.date(days: days)
        return switch self {
        case .hour, .day: midnight(days)
        // 1970-01-01 was a Thursday; weeks begin on Mondays.
        case .week: midnight(days - modulo(days + 3, 7))
        case .month: midnight(CivilTime.days(year: date.year, month: date.month, day: 1))
        case .year: midnight(CivilTime.days(year: date.year, month: 1, day: 1))
        }
    }

    /// When the partition ends that begins at `start`, and the next one begins.
    public func end(from start: Int64) -> Int64 {
        switch self {
        case .hour: return start + Self.microsecondsPerHour
        case .day: return start + CivilTime.microsecondsPerDay
        case .week: return start + 7 * CivilTime.microsecondsPerDay
        // 31 days from the first of a month lie in the next one, 366 from the first of a year in the next one.
        case .month: return self.start(of: start + 31 * CivilTime.microsecondsPerDay)
        case .year: return self.start(of: start + 366 * CivilTime.microsecondsPerDay)
        }
    }

    /// What tells a partition from the others of its table: `p2026_11_21`. Names sort as times do.
    func suffix(from start: Int64) -> String {
        let days = Int(floor(start, CivilTime.microsecondsPerDay) / CivilTime.microsecondsPerDay)
        let (year, month, day) = CivilTime.date(days: days)
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        let text = String(String(year + 10_000).suffix(4))
        return switch self {
        case .year: "p\(text)"
        case .month: "p\(text)_\(two(month))"
        // A week is named after its Monday.
        case .week, .day: "p\(text)_\(two(month))_\(two(day))"
        case .hour:
            "p\(text)_\(two(month))_\(two(day))_\(two(Int((start - midnight(days)) / Self.microsecondsPerHour)))"
        }
    }

    /// As `suffix(from:)`; for what other partitions leave of a unit, by the time at which it begins.
    func suffix(of span: Range<Int64>) -> String {
        let lower = span.lowerBound
        if start(of: lower) == lower { return suffix(from: lower) }
        if TimeUnit.day.start(of: lower) == lower { return TimeUnit.day.suffix(from: lower) }
        let hour = TimeUnit.hour.start(of: lower)
        return TimeUnit.hour.suffix(from: hour) + (hour == lower ? "" : "_\(lower - hour)")
    }

    private func midnight(_ days: Int) -> Int64 { Int64(days) * CivilTime.microsecondsPerDay }

    private func floor(_ value: Int64, _ unit: Int64) -> Int64 {
        let rest = value % unit
        return value - (rest < 0 ? rest + unit : rest)
    }

    private func modulo(_ value: Int, _ divisor: Int) -> Int {
        let rest = value % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
