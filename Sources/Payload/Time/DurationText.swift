/// Durations as people write them in mappings and settings: `20 ms`, `1 s`, `90 days`.
public enum DurationText {
    private static let nanosecondsByUnit: [String: Int64] = [
        "ns": 1, "us": 1000, "ms": 1_000_000, "s": 1_000_000_000, "sec": 1_000_000_000, "second": 1_000_000_000, "seconds": 1_000_000_000,
        "min": 60_000_000_000, "m": 60_000_000_000, "minute": 60_000_000_000, "minutes": 60_000_000_000, "h": 3_600_000_000_000,
        "hour": 3_600_000_000_000, "hours": 3_600_000_000_000, "d": 86_400_000_000_000, "day": 86_400_000_000_000,
        "days": 86_400_000_000_000,
    ]

    /// Nanoseconds; nil when it is no duration, has more digits than nanoseconds hold, or is beyond 64 bits.
    public static func nanoseconds(_ text: String) -> Int64? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard !number.isEmpty, let scale = nanosecondsByUnit[String(unit)] else { return nil }
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = Int64(parts[0]) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return product }
        guard parts[1].count <= 9, let digits = Int64(parts[1]), let power = Int64("1" + String(repeating: "0", count: parts[1].count))
        else { return nil }
        let (numerator, overflows) = digits.multipliedReportingOverflow(by: scale)
        guard !overflows, numerator % power == 0 else { return nil }
        let (sum, overflowed) = product.addingReportingOverflow(numerator / power)
        return overflowed ? nil : sum
    }

    /// `90s`, `1h`: in the largest unit that needs no fraction.
    public static func text(milliseconds: Int) -> String {
        let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        guard milliseconds != 0, let (unit, scale) = units.first(where: { milliseconds % $0.1 == 0 }) else { return "\(milliseconds)ms" }
        return "\(milliseconds / scale)\(unit)"
    }
}
