/// Writes samples, whatever shape they come in.
struct AirVantageSamples {
    let bytesMax: Int

    /// Times from here on are milliseconds; in seconds this is the year 5138, in milliseconds the year 1973.
    private static let millisecondsMin = DecimalNumber(100_000_000_000 as Int64)

    /// The time of a sample: given, or left to the server.
    private enum Time {
        case none
        case seconds(DecimalNumber)
    }

    // MARK: JSON

    func plain(_ root: Value, _ writer: inout TreeWriter) throws(AirVantageError) {
        switch root.kind {
        case .object: try members(of: root, &writer)
        case .array:
            try forEach(in: root) { _, part throws(AirVantageError) in
                guard part.kind == .object else { throw .noSamples }
                try members(of: part, &writer)
            }
        default: throw .noSamples
        }
    }

    /// `time: {name: value}`, `name: [{timestamp, value}]` and `name: value`, also side by side.
    private func members(of object: Value, _ writer: inout TreeWriter) throws(AirVantageError) {
        try forEach(in: object) { name, item throws(AirVantageError) in
            switch item.kind {
            case .object:
                let time = try time(name)
                try forEach(in: item) { name, value throws(AirVantageError) in try write(time, name, value, &writer) }
            case .array:
                try forEach(in: item) { _, entry throws(AirVantageError) in
                    guard entry.kind == .object else { throw .noTimedValue }
                    let time = try time(Self.member("timestamp", of: entry))
                    try write(time, name, Self.member("value", of: entry), &writer)
                }
            default: try write(.none, name, item, &writer)
            }
        }
    }

    private static func member(_ name: StaticString, of object: Value) -> Value {
        JSON.member(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), of: object)
    }

    private func forEach(in container: Value, _ body: (Value, Value) throws(AirVantageError) -> Void) throws(AirVantageError) {
        var items = JSON.Items(container)
        var (key, item) = (Value.missing, Value.missing)
        while items.next(key: &key, item: &item) { try body(key, item) }
    }

    /// A number, a number as text, or nothing: null, empty text, no timestamp at all.
    private func time(_ value: Value) throws(AirVantageError) -> Time {
        switch value.kind {
        case .missing, .null: return .none
        case .string where value.count == 0: return .none
        case .string, .number:
            guard let number = DecimalNumber(value.bytes) else { throw .time }
            return time(number)
        default: throw .time
        }
    }

    private func time(_ number: DecimalNumber) -> Time {
        var seconds = number
        if !(number < Self.millisecondsMin) { seconds.exponent -= 3 }
        return .seconds(seconds)
    }

    private func write(_ time: Time, _ name: Value, _ value: Value, _ writer: inout TreeWriter) throws(AirVantageError) {
        try begin(time, name, &writer)
        // An entry without a value has none here either.
        if value.kind != .missing {
            writer.text("value", as: .name)
            writer.json(value)
        }
        writer.endObject()
    }

    private func begin(_ time: Time, _ name: Value, _ writer: inout TreeWriter) throws(AirVantageError) {
        guard !writer.isOverLimit else { throw .tooLong(bytesMax: bytesMax) }
        writer.beginObject()
        writer.text("time", as: .name)
        switch time {
        case .none: writer.null()
        case .seconds(let seconds): guard writer.time(seconds) else { throw .time }
        }
        writer.text("name", as: .name)
        writer.json(name)
    }

    // MARK: Time series in CBOR

    /// A column of the time series: the number that a difference is added to, and the factor that all were multiplied with.
    private struct Column {
        var name: Value
        var factor: DecimalNumber
        var last: DecimalNumber?

        /// Takes a number as the sample it is, or as the difference to the last one.
        mutating func take(_ value: Value) -> DecimalNumber? {
            guard let number = DecimalNumber(value.bytes), number.isExact else { return nil }
            guard let sum = last.map({ $0.adding(number) }) ?? number else { return nil }
            last = sum
            return sum.divided(byFactor: factor)?.normalized
        }
    }

    /// `{"h": [names], "f": [factor of the times, factors of the names], "s": [time, values, difference, differences, …]}`.
    mutating func compact(_ root: Value, _ writer: inout TreeWriter) throws(AirVantageError) {
        var columns = try columns(root)
        let samples = Self.member("s", of: root)
        guard samples.kind == .array else { throw .compact("'s' is not a list of samples") }
        var time = Time.none
        var place = 0
        try forEach(in: samples) { _, value throws(AirVantageError) in
            defer { place = place + 1 == columns.count ? 0 : place + 1 }
            if place == 0 {
                guard value.kind == .number, let number = columns[0].take(value) else { throw .compact("a time in 's' is not a number") }
                time = self.time(number)
                return
            }
            switch value.kind {
            case .null: return
            case .number:
                guard let number = columns[place].take(value) else {
                    throw .compact("a number in 's' and the ones before it have more than 38 digits together")
                }
                try begin(time, columns[place].name, &writer)
                writer.text("value", as: .name)
                writer.decimal(number)
                writer.endObject()
            default: try write(time, columns[place].name, value, &writer)
            }
        }
        guard place == 0 else { throw .compact("'s' ends within a row of a time and \(columns.count - 1) values") }
    }

    /// The times first.
    private func columns(_ root: Value) throws(AirVantageError) -> [Column] {
        let names = Self.member("h", of: root)
        guard names.kind == .array else { throw .compact("'h' is not a list of names") }
        let one = DecimalNumber(1 as Int64)
        var columns = [Column(name: .null, factor: one)]
        try forEach(in: names) { _, name throws(AirVantageError) in
            guard name.kind == .string || name.kind == .escapedString else { throw .compact("a name in 'h' is not text") }
            columns.append(Column(name: name, factor: one))
        }
        let factors = Self.member("f", of: root)
        guard factors.kind != .missing, factors.kind != .null else { return columns }
        var count = 0
        try forEach(in: factors) { _, factor throws(AirVantageError) in
            guard count < columns.count else { throw .compact("'f' has more factors than the time and the names of 'h'") }
            guard factor.kind == .number, let number = DecimalNumber(factor.bytes), number.isExact, !number.isZero,
                UInt64(exactly: number.normalized.significand) != nil
            else { throw .compact("a factor in 'f' is no number of up to 19 digits, or 0") }
            columns[count].factor = number.normalized
            count += 1
        }
        guard count == columns.count else { throw .compact("'f' has \(count) factors for the time and \(columns.count - 1) names") }
        return columns
    }
}

extension DecimalNumber {
    /// The number divided by one whose significand fits 64 bits; nil where the exponent would be out of bounds.
    fileprivate func divided(byFactor factor: DecimalNumber) -> DecimalNumber? {
        guard let divisor = UInt64(exactly: factor.significand), divisor > 0 else { return nil }
        var quotient = divisor == 1 ? self : divided(by: divisor)
        let shifted = Int(quotient.exponent) - Int(factor.exponent)
        guard abs(shifted) <= Self.exponentMax else { return nil }
        quotient.exponent = Int32(shifted)
        if factor.isNegative { quotient.isNegative.toggle() }
        return quotient
    }
}
