/// The rule at the end of a TZif file: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX TZ, with RFC 8536's hours beyond a day).
struct PosixZone {
    private enum Day {
        /// Week 1 to 5 (the last) of a month, day of week from Sunday.
        case monthWeek(month: Int, week: Int, weekday: Int)
        /// 1 to 365, the leap day never counted.
        case julian(Int)
        /// 0 to 365.
        case ordinal(Int)
    }

    private struct Change {
        var day: Day
        /// Seconds after midnight, local time before the change.
        var seconds: Int
    }

    private var standard: Int32 = 0
    private var summer: (offset: Int32, start: Change, end: Change)?

    init?(_ text: String) {
        var rest = text[...]
        guard Self.skipName(&rest), let west = Self.time(&rest) else { return nil }
        standard = Int32(-west)
        guard !rest.isEmpty else { return }
        guard Self.skipName(&rest) else { return nil }
        var offset = standard + 3600
        if rest.first != ",", let west = Self.time(&rest) { offset = Int32(-west) }
        guard let start = Self.change(&rest), let end = Self.change(&rest), rest.isEmpty else { return nil }
        summer = (offset, start, end)
    }

    func transitions(years: ClosedRange<Int>) -> [TimeZoneRules.Transition] {
        guard let summer else { return [] }
        var transitions: [TimeZoneRules.Transition] = []
        for year in years {
            let start = Self.localSeconds(of: summer.start, in: year) - Int64(standard)
            let end = Self.localSeconds(of: summer.end, in: year) - Int64(summer.offset)
            transitions.append(.init(at: start, offset: summer.offset))
            transitions.append(.init(at: end, offset: standard))
        }
        return transitions
    }

    private static func localSeconds(of change: Change, in year: Int) -> Int64 {
        let days: Int
        switch change.day {
        case .ordinal(let number): days = CivilTime.days(year: year, month: 1, day: 1) + number
        case .julian(let number):
            let isPastLeapDay = CivilTime.isLeap(year) && number >= 60
            days = CivilTime.days(year: year, month: 1, day: 1) + number - 1 + (isPastLeapDay ? 1 : 0)
        case .monthWeek(let month, let week, let weekday):
            let first = CivilTime.days(year: year, month: month, day: 1)
            // 1970-01-01 was a Thursday, day 4 of a week from Sunday.
            let firstWeekday = ((first % 7) + 4 + 7) % 7
            var day = (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
            if day >= CivilTime.days(inMonth: month, of: year) { day -= 7 }
            days = first + day
        }
        return Int64(days) * 86_400 + Int64(change.seconds)
    }

    private static func skipName(_ rest: inout Substring) -> Bool {
        if rest.first == "<" {
            guard let end = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: end)...]
            return true
        }
        let count = rest.prefix { $0.isLetter }.count
        rest = rest.dropFirst(count)
        return count >= 3
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func time(_ rest: inout Substring) -> Int? {
        var sign = 1
        if let first = rest.first, first == "-" || first == "+" {
            sign = first == "-" ? -1 : 1
            rest = rest.dropFirst()
        }
        guard var seconds = number(&rest).map({ $0 * 3600 }) else { return nil }
        for unit in [60, 1] where rest.first == ":" {
            rest = rest.dropFirst()
            guard let part = number(&rest) else { return nil }
            seconds += part * unit
        }
        return sign * seconds
    }

    private static func number(_ rest: inout Substring) -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return digits.count <= 4 ? Int(digits) : nil
    }

    private static func change(_ rest: inout Substring) -> Change? {
        guard rest.first == "," else { return nil }
        rest = rest.dropFirst()
        let day: Day
        if rest.first == "M" {
            rest = rest.dropFirst()
            guard let month = number(&rest), rest.first == "." else { return nil }
            rest = rest.dropFirst()
            guard let week = number(&rest), rest.first == "." else { return nil }
            rest = rest.dropFirst()
            guard let weekday = number(&rest), (1...12).contains(month), (1...5).contains(week), (0...6).contains(weekday) else {
                return nil
            }
            day = .monthWeek(month: month, week: week, weekday: weekday)
        } else if rest.first == "J" {
            rest = rest.dropFirst()
            guard let number = number(&rest), (1...365).contains(number) else { return nil }
            day = .julian(number)
        } else {
            guard let number = number(&rest), (0...365).contains(number) else { return nil }
            day = .ordinal(number)
        }
        var seconds = 7200
        if rest.first == "/" {
            rest = rest.dropFirst()
            guard let time = time(&rest) else { return nil }
            seconds = time
        }
        return Change(day: day, seconds: seconds)
    }
}
