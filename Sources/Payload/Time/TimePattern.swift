/// A format of local times that a mapping spells out: `dd.MM.yyyy HH:mm:ss`.
///
/// Fields are yyyy, yy (2000 to 2099), MM, dd, HH, mm, ss and a run of S (any number of digits of a fraction); everything else but letters stands for itself.
public struct TimePattern: Sendable, Hashable {
    private enum Step: Hashable, Sendable {
        case year, shortYear, month, day, hour, minute, second, fraction
        case literal(UInt8)
    }

    private let steps: [Step]

    /// What is wrong with a pattern.
    public enum Fault: Error, Equatable {
        case unknownLetter(Character)
        /// A date needs a year, a month and a day.
        case incompleteDate
    }

    /// Compiles a pattern.
    public init(_ pattern: String) throws(Fault) {
        let names: [(text: String, step: Step)] = [
            ("yyyy", .year), ("yy", .shortYear), ("MM", .month), ("dd", .day), ("HH", .hour), ("mm", .minute), ("ss", .second),
        ]
        var steps: [Step] = []
        var rest = pattern[...]
        while let next = rest.first {
            if let name = names.first(where: { rest.hasPrefix($0.text) }) {
                steps.append(name.step)
                rest = rest.dropFirst(name.text.count)
            } else if next == "S" {
                steps.append(.fraction)
                rest = rest.drop { $0 == "S" }
            } else {
                guard !next.isLetter || next == "T" else { throw .unknownLetter(next) }
                steps += String(next).utf8.map { .literal($0) }
                rest = rest.dropFirst()
            }
        }
        guard steps.contains(.year) || steps.contains(.shortYear), steps.contains(.month), steps.contains(.day) else {
            throw .incompleteDate
        }
        self.steps = steps
    }

    /// Microseconds since 1970, as if the local time were UTC. No allocation.
    /// - Parameter bytes: without surrounding white space; must match as a whole.
    public func localMicroseconds(_ bytes: UnsafeRawBufferPointer) throws(TimeError) -> Int64 {
        var year = 1970
        var month = 1
        var day = 1
        var hour = 0
        var minute = 0
        var second = 0
        var fraction = 0
        var place = 0
        for step in steps {
            switch step {
            case .year: year = try Self.number(bytes, &place, digits: 4)
            case .shortYear: year = 2000 + (try Self.number(bytes, &place, digits: 2))
            case .month: month = try Self.number(bytes, &place, digits: 2)
            case .day: day = try Self.number(bytes, &place, digits: 2)
            case .hour: hour = try Self.number(bytes, &place, digits: 2)
            case .minute: minute = try Self.number(bytes, &place, digits: 2)
            case .second: second = try Self.number(bytes, &place, digits: 2)
            case .fraction:
                var unit = 100_000
                let start = place
                while place < bytes.count, bytes[place] >= 0x30, bytes[place] <= 0x39 {
                    fraction += Int(bytes[place] - 0x30) * unit
                    unit /= 10
                    place += 1
                }
                guard place > start else { throw .malformed }
            case .literal(let byte):
                guard place < bytes.count, bytes[place] == byte else { throw .malformed }
                place += 1
            }
        }
        guard place == bytes.count else { throw .malformed }
        guard year >= 1, (1...12).contains(month), day >= 1, day <= CivilTime.days(inMonth: month, of: year), hour < 24, minute < 60,
            second <= 60
        else { throw .nonexistent }
        let seconds = CivilTime.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        return Int64(seconds) * 1_000_000 + Int64(fraction)
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ place: inout Int, digits: Int) throws(TimeError) -> Int {
        guard bytes.count - place >= digits else { throw .malformed }
        var value = 0
        for _ in 0..<digits {
            guard bytes[place] >= 0x30, bytes[place] <= 0x39 else { throw .malformed }
            value = value * 10 + Int(bytes[place] - 0x30)
            place += 1
        }
        return value
    }
}
