import Payload

/// Times as PostgreSQL writes and reads them under any `DateStyle`: ISO, in UTC.
enum TimeText {
    /// - Parameters:
    ///   - microseconds: since 1970.
    ///   - offset: behind the time; empty for a time without time zone.
    static func timestamp(_ microseconds: Int64, offset: String) -> String {
        var (days, rest) = microseconds.quotientAndRemainder(dividingBy: CivilTime.microsecondsPerDay)
        if rest < 0 {
            days -= 1
            rest += CivilTime.microsecondsPerDay
        }
        let (date, era) = dateAndEra(days: Int(days))
        return date + " " + time(microseconds: rest) + offset + era
    }

    /// - Parameter days: since 1970.
    static func date(days: Int) -> String {
        let (date, era) = dateAndEra(days: days)
        return date + era
    }

    /// - Parameter microseconds: of the day, up to 24:00:00.
    static func time(microseconds: Int64) -> String {
        let seconds = microseconds / 1_000_000
        var text = pad(seconds / 3600, 2) + ":" + pad(seconds / 60 % 60, 2) + ":" + pad(seconds % 60, 2)
        let fraction = microseconds % 1_000_000
        if fraction != 0 {
            var digits = pad(fraction, 6)
            while digits.last == "0" { digits.removeLast() }
            text += "." + digits
        }
        return text
    }

    /// The year before 1 is 1 BC.
    private static func dateAndEra(days: Int) -> (date: String, era: String) {
        let (year, month, day) = CivilTime.date(days: days)
        let shown = pad(Int64(year < 1 ? 1 - year : year), 4) + "-" + pad(Int64(month), 2) + "-" + pad(Int64(day), 2)
        return (shown, year < 1 ? " BC" : "")
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
