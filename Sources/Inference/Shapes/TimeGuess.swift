import Payload

/// How a field spells the time.
struct TimeForm: Hashable, Sendable {
    /// As a mapping's `parse` takes it; nil: RFC 3339.
    var parse: String?
    /// It says no offset, so the mapping has to name a zone.
    var isLocal = false
    /// The smallest step that was seen, in microseconds: 1,000,000 where all are whole seconds.
    var stepMicroseconds: Int64 = 1
}

/// A value of a field, with the time at which its message was received.
struct TimedValue {
    var value: SampleValue
    var receivedMicroseconds: Int64
}

/// Recognises times by how they are written and by how near they are to the time of receipt.
enum TimeGuess {
    private static let day: Int64 = 86_400_000_000

    /// Patterns of local times, tried in order; of several that fit, the one that comes nearest to the time of receipt counts.
    static let patterns = [
        "yyyy-MM-dd HH:mm:ss", "dd.MM.yyyy HH:mm:ss", "dd/MM/yyyy HH:mm:ss", "MM/dd/yyyy HH:mm:ss", "yyyy/MM/dd HH:mm:ss",
        "dd-MM-yyyy HH:mm:ss", "yyyyMMddHHmmss", "yyyyMMddTHHmmss", "dd.MM.yy HH:mm:ss", "yyyy-MM-dd HH:mm", "dd.MM.yyyy HH:mm",
        "dd/MM/yyyy HH:mm", "yyyy-MM-dd HH:mm:ss,SSS", "dd.MM.yyyy HH:mm:ss,SSS", "dd.MM.yyyy HH:mm:ss.SSS", "yyyy/MM/dd HH:mm:ss.SSS",
        "yyyyMMddTHHmmss.SSS",
    ]
    static let datePatterns = ["yyyy-MM-dd", "dd.MM.yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "yyyy/MM/dd", "yyyyMMdd", "dd.MM.yy"]
    static let clockPatterns = ["HH:mm:ss", "HH:mm", "HH:mm:ss.SSS", "HH:mm:ss,SSS", "HHmmss"]

    /// What all values have in common; nil where they are no times.
    /// - Parameter name: of the field; a number that is called a time may be further from now than one that is not.
    static func form(of values: [TimedValue], name: String) -> TimeForm? {
        guard let first = values.first(where: { $0.value != .null }) else { return nil }
        let values = values.filter { $0.value != .null }
        switch first.value {
        case .number: return numeric(values, name)
        case .text(let text):
            guard let digit = text.utf8.first, (0x30...0x39).contains(digit), (8...40).contains(text.utf8.count) else { return nil }
            if TextGuess.isNumber(text) { return numeric(values, name) ?? patterned(values, patterns.filter { !$0.contains(":") }, name) }
            return written(values, zone: nil).map { TimeForm(stepMicroseconds: step($0)) }
                ?? written(values, zone: utc).map { TimeForm(isLocal: true, stepMicroseconds: step($0)) }
                ?? patterned(values, patterns, name)
        default: return nil
        }
    }

    /// How far the clock that wrote the values is ahead of the time of receipt, if that is the same quarter of an hour for all of them, and not none.
    static func zoneOffsetSeconds(of values: [TimedValue], _ form: TimeForm) -> Int? {
        let offsets = values.compactMap { value -> Int? in
            microseconds(value.value, form).map { Int((Double($0 - value.receivedMicroseconds) / 900e6).rounded()) * 900 }
        }
        guard let first = offsets.first, first != 0, abs(first) <= 14 * 3600, offsets.allSatisfy({ $0 == first }) else { return nil }
        return first
    }

    /// As if a local time were UTC.
    static func microseconds(_ value: SampleValue, _ form: TimeForm) -> Int64? {
        guard let text = value.scalarText else { return nil }
        if let unit = units.first(where: { $0.name == form.parse }) { return microseconds(number: text, unit) }
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            guard let pattern = form.parse else { return try? RFC3339.microseconds(bytes, zone: form.isLocal ? utc : nil) }
            return (try? TimePattern(pattern)).flatMap { try? $0.localMicroseconds(bytes) }
        }
    }

    // MARK: Numbers

    private static let units: [(name: String, perMicrosecond: Double)] = [
        ("unix", 1e6), ("unix_ms", 1e3), ("unix_us", 1), ("unix_ns", 1e-3),
    ]

    private static func microseconds(number: String, _ unit: (name: String, perMicrosecond: Double)) -> Int64? {
        guard let value = Double(number), value > 0, value * unit.perMicrosecond < 9e18 else { return nil }
        return Int64(value * unit.perMicrosecond)
    }

    /// Seconds, milliseconds, microseconds or nanoseconds since 1970: the unit that brings all values near the time of receipt. Some values may say that
    /// the clock is not set (0 to a year after 1970).
    private static func numeric(_ values: [TimedValue], _ name: String) -> TimeForm? {
        let isNamed = FieldWords.isTime(name)
        let (back, ahead) = isNamed ? (3660 * day, 366 * day) : (3 * day, day)
        for unit in units {
            var times: [Int64] = []
            let fits = values.allSatisfy { value in
                guard let text = value.value.scalarText, TextGuess.isNumber(text), let time = microseconds(number: text, unit) else {
                    return false
                }
                times.append(time)
                return time > value.receivedMicroseconds - back && time < value.receivedMicroseconds + ahead
            }
            if fits { return TimeForm(parse: unit.name, stepMicroseconds: step(times)) }
        }
        return nil
    }

    // MARK: Texts

    private static let utc = try? TimeZoneRules("UTC")

    private static func written(_ values: [TimedValue], zone: TimeZoneRules?) -> [Int64]? {
        var times: [Int64] = []
        for value in values {
            guard case .text(let text) = value.value else { return nil }
            let bytes = Array(text.utf8)
            guard let time = bytes.withUnsafeBytes({ try? RFC3339.microseconds($0, zone: zone) }) else { return nil }
            times.append(time)
        }
        return times
    }

    private static func patterned(_ values: [TimedValue], _ patterns: [String], _ name: String) -> TimeForm? {
        var best: (form: TimeForm, distance: Int64)?
        for text in patterns {
            guard let times = times(of: values, pattern: text) else { continue }
            let distance = zip(times, values).map { abs($0 - $1.receivedMicroseconds) }.max() ?? 0
            // Digits alone could be anything: they must come near.
            if !text.contains(":"), distance > (FieldWords.isTime(name) ? 3660 : 3) * day { continue }
            if best.map({ distance < $0.distance }) ?? true {
                best = (TimeForm(parse: text, isLocal: true, stepMicroseconds: step(times)), distance)
            }
        }
        return best?.form
    }

    private static let compiled: [String: TimePattern] = {
        var compiled: [String: TimePattern] = [:]
        for pattern in patterns + datePatterns { compiled[pattern] = try? TimePattern(pattern) }
        return compiled
    }()

    /// nil where one of the values does not match.
    static func times(of values: [TimedValue], pattern text: String) -> [Int64]? {
        guard let pattern = compiled[text] else { return nil }
        var times: [Int64] = []
        for value in values {
            guard let text = value.value.scalarText else { return nil }
            let bytes = Array(text.utf8)
            guard let time = bytes.withUnsafeBytes({ try? pattern.localMicroseconds($0) }) else { return nil }
            times.append(time)
        }
        return times.isEmpty ? nil : times
    }

    /// Whether all values are the time of a day, written so.
    static func areClock(_ values: [SampleValue], pattern: String) -> Bool {
        guard let pattern = try? TimePattern("yyyy-MM-dd " + pattern) else { return false }
        return values.allSatisfy { value in
            guard let text = value.scalarText else { return false }
            let bytes = Array(("2000-01-01 " + text).utf8)
            return bytes.withUnsafeBytes { (try? pattern.localMicroseconds($0)) != nil }
        }
    }

    private static func step(_ times: [Int64]) -> Int64 {
        for unit: Int64 in [60_000_000, 1_000_000, 1000] where times.allSatisfy({ $0 % unit == 0 }) { return unit }
        return 1
    }
}
