/// Chooses the time of the rows among what looks like one.
enum TimeColumn {
    /// What came of it.
    struct Choice {
        var column: ColumnDraft
        /// Columns that went into it.
        var used: [[String]] = []
        var isOwn: Bool
    }

    static let received: ColumnDraft = {
        var column = ColumnDraft(name: "time", type: "timestamptz", isNotNull: true, from: ["received"])
        column.remark = "no time in the payload: the time of receipt"
        return column
    }()

    /// - Parameters:
    ///   - inner: columns of the innermost row, with the fields they are of.
    ///   - outer: those around the loop.
    static func choose(inner: [ColumnDraft], outer: [ColumnDraft]) -> Choice {
        guard let best = best(of: inner) ?? best(of: outer) else { return Choice(column: received, isOwn: false) }
        var column = best
        column.name = "time"
        let isComplete = !best.isSometimesMissing && best.nullIf.isEmpty
        if !isComplete { column.from.append("received") }
        column.isNotNull = true
        return Choice(column: column, used: [best.path], isOwn: isComplete)
    }

    private static func best(of columns: [ColumnDraft]) -> ColumnDraft? {
        var best: (column: ColumnDraft, score: Double)?
        for column in columns where column.time != nil && column.nullIf.allSatisfy({ $0.isEmpty }) {
            let rank = Double(FieldWords.timeRank(column.path.last ?? ""))
            let score = rank - 1.5 * Double(column.path.count - 1) - (column.isSometimesMissing ? 2 : 0)
            if best.map({ score > $0.score }) ?? true { best = (column, score) }
        }
        return best?.column
    }

    /// A date and a time of day in two fields of one record.
    static func joined(_ field: Field, root: String, rowCount: Int) -> Choice? {
        let texts = field.members.filter { member in
            member.isScalar && member.valueCount == rowCount
                && member.scalars.allSatisfy { if case .text = $0.value.value { true } else { false } }
        }
        for clock in texts {
            let values = clock.scalars.map(\.value.value)
            guard let clockPattern = TimeGuess.clockPatterns.first(where: { TimeGuess.areClock(values, pattern: $0) }) else { continue }
            for date in texts where date !== clock {
                let dates = date.scalars.map(\.value)
                var best: (pattern: String, distance: Int64)?
                for pattern in TimeGuess.datePatterns {
                    guard let times = TimeGuess.times(of: dates, pattern: pattern) else { continue }
                    let distance = zip(times, dates).map { abs($0 - $1.receivedMicroseconds) }.max() ?? 0
                    if best.map({ distance < $0.distance }) ?? true { best = (pattern, distance) }
                }
                guard let best, let from = YAMLText.path(root, date.path), let with = YAMLText.path(root, clock.path) else { continue }
                let whole = zip(date.scalars, clock.scalars).map { date, clock in
                    TimedValue(
                        value: .text((date.value.value.scalarText ?? "") + " " + (clock.value.value.scalarText ?? "")),
                        receivedMicroseconds: date.value.receivedMicroseconds)
                }
                let pattern = best.pattern + " " + clockPattern
                var form = TimeForm(parse: pattern, isLocal: true)
                form.stepMicroseconds = clockPattern.contains("S") ? 1000 : clockPattern.contains("ss") ? 1_000_000 : 60_000_000
                var column = ColumnDraft(name: "time", type: "timestamptz", isNotNull: true, from: [from, with])
                column.joinedWith = " "
                column.parse = pattern
                column.zone = "UTC"
                column.time = form
                column.remark = "no offset: taken for UTC"
                if let seconds = TimeGuess.zoneOffsetSeconds(of: whole, form) {
                    column.remark =
                        "no offset: taken for UTC, but it is \(abs(seconds) / 60) min \(seconds > 0 ? "ahead of" : "behind") the time of receipt: name the device's zone"
                }
                return Choice(column: column, used: [date.path, clock.path], isOwn: true)
            }
        }
        return nil
    }

    /// Small steps in the items from a time around them.
    /// - Returns: the step's column, and what its unit is.
    static func offset(in inner: Field, _ units: [RowUnit], outer: ColumnDraft) -> (path: [String], times: String, remark: String)? {
        for member in inner.members where member.isScalar && member.valueCount == units.count {
            let (isOffset, unit) = FieldWords.timeOffset(member.name)
            let values = member.scalars.compactMap { $0.value.value.scalarText.flatMap(Double.init) }
            guard isOffset, values.count == units.count, values.allSatisfy({ abs($0) < 1e7 }) else { continue }
            if let unit { return (member.path, unit, "the unit of '\(member.name)' is in its name") }
            // Steps in seconds would reach beyond the next message.
            var spans: [Int: Double] = [:]
            for (value, row) in zip(values, units) { spans[row.message] = max(spans[row.message] ?? 0, abs(value)) }
            let longest = spans.values.max() ?? 0
            let isSeconds = outer.parse == "unix" || longest * 1e6 <= Double(gap(units)) * 1.5
            let isMilliseconds = outer.parse == "unix_ms" || !isSeconds
            return (
                member.path, isMilliseconds ? "1 ms" : "1 s",
                "'\(member.name)' is taken for \(isMilliseconds ? "milliseconds" : "seconds") from the time around it"
            )
        }
        return nil
    }

    /// The median time between two messages of one topic, in microseconds.
    private static func gap(_ units: [RowUnit]) -> Int64 {
        var last: [Int: (message: Int, time: Int64)] = [:]
        var gaps: [Int64] = []
        for unit in units {
            if let previous = last[unit.topic], previous.message != unit.message { gaps.append(unit.receivedMicroseconds - previous.time) }
            last[unit.topic] = (unit.message, unit.receivedMicroseconds)
        }
        return gaps.sorted().dropFirst(gaps.count / 2).first ?? 0
    }
}
