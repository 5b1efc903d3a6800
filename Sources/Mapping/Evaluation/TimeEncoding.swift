import CopyFormat
import Payload

// Times: microseconds since 1970 until they are written.
extension DecimalNumber {
    static func powerOfTen(_ exponent: Int) -> DecimalNumber {
        DecimalNumber(significand: 1, exponent: Int32(clamping: exponent)) ?? DecimalNumber(0 as Int64)
    }

    /// So many nanoseconds, in microseconds.
    static func nanoseconds(_ count: Int64) -> DecimalNumber {
        var number = DecimalNumber(count)
        number.exponent = -3
        return number
    }
}

extension Evaluator {
    mutating func time(_ value: Value, _ details: ColumnDetails, _ slots: UnsafeMutablePointer<Value>) throws(EvaluationError) -> Int64 {
        var microseconds = try parsedTime(value, details)
        if let plus = details.plus { microseconds = try shifted(microseconds, plus, slots) }
        try check(microseconds, details)
        guard PostgreSQLTime.range.contains(microseconds) else { throw .because("the time is out of range for \(details.declared.sql)") }
        return microseconds
    }

    private mutating func parsedTime(_ value: Value, _ details: ColumnDetails) throws(EvaluationError) -> Int64 {
        if value.kind == .timestamp { return Int64(bitPattern: value.word) }
        let text = trimmed(try text(of: value))
        switch details.parse {
        case .unix(let unit): return try unixTime(text, unit)
        case .pattern(let pattern):
            do throws(TimeError) {
                return atUTC(try pattern.localMicroseconds(text), details.zone)
            } catch {
                throw .because("\(Quoted(text)) does not read as the pattern asks")
            }
        default: return try rfc3339(text, zone: details.zone)
        }
    }

    /// Takes a local time to UTC; without a zone it is UTC.
    private func atUTC(_ local: Int64, _ zone: TimeZoneRules?) -> Int64 {
        guard let zone else { return local }
        let seconds = local >= 0 ? local / 1_000_000 : (local - 999_999) / 1_000_000
        return local - Int64(zone.offset(atLocal: seconds)) * 1_000_000
    }

    /// A count of units since 1970, rounded to microseconds half to even.
    private func unixTime(_ text: UnsafeRawBufferPointer, _ unit: UnixUnit) throws(EvaluationError) -> Int64 {
        guard let number = DecimalNumber(text) else { throw .because("\(Quoted(text)) is not a number") }
        var unit = unit
        if unit == .automatic {
            let magnitude = number.isNegative ? -number : number
            unit =
                (magnitude < DecimalNumber.powerOfTen(11))
                ? .seconds
                : (magnitude < DecimalNumber.powerOfTen(14))
                    ? .milliseconds
                    : (magnitude < DecimalNumber.powerOfTen(17)) ? .microseconds : .nanoseconds
        }
        let exponent =
            switch unit {
            case .seconds, .automatic: 6
            case .milliseconds: 3
            case .microseconds: 0
            case .nanoseconds: -3
            }
        var scaled = number
        scaled.exponent = Int32(clamping: Int(number.exponent) + exponent)
        guard let microseconds = scaled.roundedInt64() else {
            throw .because("\(Quoted(text).bare) is out of range")
        }
        return microseconds
    }

    private mutating func shifted(
        _ microseconds: Int64, _ plus: (from: SlotSource, by: SlotSource?, timesNanoseconds: Int64), _ slots: UnsafeMutablePointer<Value>
    ) throws(EvaluationError) -> Int64 {
        let amount = value(of: plus.from, slots)
        guard !amount.isAbsent else { return microseconds }
        var shift = try decimal(amount).multiplied(by: DecimalNumber.nanoseconds(plus.timesNanoseconds))
        if let by = plus.by { shift = shift?.multiplied(by: try decimal(value(of: by, slots))) }
        guard let rounded = shift?.roundedInt64() else { throw .because("plus is out of range") }
        let (sum, overflow) = microseconds.addingReportingOverflow(rounded)
        guard !overflow else { throw .because("plus is out of range") }
        return sum
    }

    private mutating func decimal(_ value: Value) throws(EvaluationError) -> DecimalNumber {
        let text = trimmed(try text(of: value))
        guard let number = DecimalNumber(text) else { throw .because("\(Quoted(text)) is not a number") }
        return number
    }

    private func check(_ microseconds: Int64, _ details: ColumnDetails) throws(EvaluationError) {
        func limit(_ bound: CompiledBound) -> Int64? {
            switch bound {
            case .number: nil
            case .time(let time): time
            case .fromReceived(let distance): received.addingReportingOverflow(distance).partialValue
            }
        }
        if let minimum = details.minimum, let bound = limit(minimum.bound), microseconds < bound {
            throw .because("\(CivilTime.text(unixMicroseconds: microseconds)) is beyond min \(minimum.text)")
        }
        if let maximum = details.maximum, let bound = limit(maximum.bound), microseconds > bound {
            throw .because("\(CivilTime.text(unixMicroseconds: microseconds)) is beyond max \(maximum.text)")
        }
        if let limits = details.timeLimits { try check(microseconds, limits, hasMaximum: details.maximum != nil) }
    }

    private func check(_ microseconds: Int64, _ limits: TimeLimits, hasMaximum: Bool) throws(EvaluationError) {
        let (age, overflow) = received.subtractingReportingOverflow(microseconds)
        if let past = limits.past, overflow ? microseconds < 0 : age > past {
            throw .because(
                "\(CivilTime.text(unixMicroseconds: microseconds)) is older than the \(limits.retention) that table '\(limits.table)' keeps"
            )
        }
        if !hasMaximum, overflow ? microseconds > 0 : age < -TimeLimits.future {
            throw .because(
                "\(CivilTime.text(unixMicroseconds: microseconds)) is more than a day ahead: table '\(limits.table)' has no partition for it "
                    + "(max: allows more)")
        }
    }

    /// Digits of a fraction cut down as PostgreSQL does for `timestamptz(3)` and `time(3)`: to the nearest, halves away from the origin.
    /// - Parameter origin: 2000 for moments, 0 for times of day.
    static func rounded(_ microseconds: Int64, digits: Int?, from origin: Int64) -> Int64 {
        guard let digits else { return microseconds }
        let unit = (digits..<6).reduce(1 as Int64) { unit, _ in unit * 10 }
        let distance = microseconds &- origin
        let whole = distance / unit &* unit
        let rest = distance &- whole
        let step = rest >= unit / 2 ? unit : rest <= -(unit / 2) ? -unit : 0
        let (sum, overflow) = (microseconds &- rest).addingReportingOverflow(step)
        // At the very end of time there is no later one.
        return overflow ? microseconds &- rest : sum
    }

    /// A time of day by itself, or behind a date as it was written there; that of receipt is in UTC.
    mutating func timeOfDay(_ value: Value) throws(EvaluationError) -> Int64 {
        if value.kind == .timestamp {
            let rest = Int64(bitPattern: value.word) % CivilTime.microsecondsPerDay
            return rest < 0 ? rest + CivilTime.microsecondsPerDay : rest
        }
        let text = trimmed(try text(of: value))
        var time = text
        if text.count >= 19, text[13] == UInt8(ascii: ":") {
            // Its date must be one; its offset does not matter.
            do throws(TimeError) { _ = try RFC3339.microseconds(text, zone: nil) } catch  where error != .noOffset {
                throw .because("\(Quoted(text)) is not a time of day")
            } catch {}
            let behind = text[11...]
            let end = behind.firstIndex { ($0 < 0x30 || $0 > 0x3A) && $0 != UInt8(ascii: ".") } ?? behind.endIndex
            time = UnsafeRawBufferPointer(rebasing: behind[..<end])
        }
        do throws(TimeError) { return try TimeOfDay.microseconds(time) } catch {
            throw .because("\(Quoted(text)) is not a time of day")
        }
    }

    /// A date stands as `yyyy-MM-dd`, in front of a time as it was written there, or in a moment (a count of units, the time of receipt) as the day of the
    /// column's zone, or of UTC.
    mutating func date(_ value: Value, _ details: ColumnDetails, _ slots: UnsafeMutablePointer<Value>) throws(EvaluationError) -> Int32 {
        var microseconds: Int64
        var isMoment = false
        if value.kind == .timestamp {
            microseconds = Int64(bitPattern: value.word)
            isMoment = true
        } else {
            let text = trimmed(try text(of: value))
            switch details.parse {
            case .unix(let unit):
                microseconds = try unixTime(text, unit)
                isMoment = true
            case .pattern(let pattern):
                do throws(TimeError) { microseconds = try pattern.localMicroseconds(text) } catch {
                    throw .because("\(Quoted(text)) does not read as the pattern asks")
                }
            default:
                if text.count > 10 { _ = try rfc3339(text, zone: details.zone) }
                let midnight = copied(String(decoding: text.prefix(10), as: UTF8.self) + "T00:00:00Z")
                do throws(TimeError) { microseconds = try RFC3339.microseconds(midnight, zone: nil) } catch {
                    throw .because("\(Quoted(text)) is not a date")
                }
            }
        }
        if let plus = details.plus { microseconds = try shifted(microseconds, plus, slots) }
        if isMoment, let zone = details.zone, PostgreSQLTime.range.contains(microseconds) {
            let second = microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
            let (local, overflow) = microseconds.addingReportingOverflow(Int64(zone.offset(atUTC: second)) * 1_000_000)
            guard !overflow else { throw .because("the date is out of range") }
            microseconds = local
        }
        try check(microseconds, details)
        guard PostgreSQLTime.range.contains(microseconds) else { throw .because("the date is out of range") }
        let days = microseconds.quotientAndRemainder(dividingBy: CivilTime.microsecondsPerDay)
        return Int32(truncatingIfNeeded: days.remainder < 0 ? days.quotient - 1 : days.quotient)
    }
}
