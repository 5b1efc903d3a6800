import CopyFormat
import Foundation
import MQTT
import Payload
import Sparkplug

/// Runs the `tests:` of a mapping through the production code, and compares the rows.
public enum MappingTestRunner {
    /// A test that does not hold.
    public struct Failure: Sendable, CustomStringConvertible {
        public var mark: SourceMark
        public var test: String
        public var reason: String

        public var description: String { "\(mark): test '\(test)' fails: \(reason)" }
    }

    /// All tests of one mapping; empty when they hold.
    public static func run(_ mapping: MappingSyntax) -> [Failure] {
        let plan = MappingPlan([mapping])
        // Tests run in order: a birth certificate in one serves the data in the next.
        let births = BirthRegistry()
        return mapping.tests.compactMap { test in
            reason(test, plan, births).map { Failure(mark: test.mark, test: test.name, reason: $0) }
        }
    }

    private static func reason(_ test: TestSyntax, _ plan: MappingPlan, _ births: BirthRegistry) -> String? {
        var properties = PublishPropertiesWriter()
        if let type = test.contentType { properties.contentType(type) }
        if let topic = test.responseTopic { properties.responseTopic(topic) }
        if let data = test.correlationData { properties.correlationData(data) }
        if let seconds = test.messageExpirySeconds { properties.messageExpirySeconds(seconds) }
        for property in test.userProperties { properties.userProperty(property.name, property.value) }
        let trial = Trial(
            plan, topic: test.topic, payload: test.payload, receivedMicroseconds: test.receivedMicroseconds, qos: test.qos,
            isRetained: test.isRetained, properties: properties.bytes, broker: test.broker ?? "", births: .seen(births))
        switch test.expectation {
        case .error(let text):
            guard let failure = trial.failures.first else {
                guard trial.outcome.matchedCount > 0 else {
                    return "its topic '\(test.topic)' matches no pattern of the mapping, or is excluded"
                }
                return "expected an error with '\(text)', got \(trial.outcome.rowCount == 1 ? "1 row" : "\(trial.outcome.rowCount) rows")"
            }
            return failure.reason.contains(text) ? nil : "expected an error with '\(text)', got: \(failure.reason)"
        case .rows(let expected):
            if let failure = trial.failures.first { return "it is a dead letter: \(failure)" }
            if trial.outcome.matchedCount == 0, expected.contains(where: { !$0.rows.isEmpty }) {
                return "its topic '\(test.topic)' matches no pattern of the mapping, or is excluded"
            }
            let difference = compare(trial.rows, expected)
            let lost = trial.counters.reduce(0) { $0 + $1.noValues }
            guard let difference, lost > 0 else { return difference }
            return difference
                + "; \(lost == 1 ? "1 row was" : "\(lost) rows were") not written, since nothing was there for the columns that may be NULL (keep_empty: true keeps such rows)"
        }
    }

    private static func compare(_ got: [DecodedRows], _ expected: [(table: String, rows: [ExpectedRow])]) -> String? {
        for table in Set(got.map(\.table) + expected.map(\.table)).sorted() {
            // Several blocks with other columns may write one table: their rows come block by block.
            var rows: [[(name: String, type: ColumnType, value: DecodedValue?)]] = []
            for part in got where part.table == table {
                rows += part.rows.map { row in zip(part.columns, row).map { ($0.name, $0.type, $1) } }
            }
            let wanted = expected.filter { $0.table == table }.flatMap(\.rows)
            guard rows.count == wanted.count else { return "table \(table) gets \(rows.count) rows, expected \(wanted.count)" }
            for (index, (row, want)) in zip(rows, wanted).enumerated() {
                for (name, value) in want.values where !row.contains(where: { $0.name == name }) {
                    if case .scalar(.null, _) = value { continue }
                    return "table \(table), row \(index + 1): the row has no column '\(name)'"
                }
                for (name, type, value) in row {
                    let wanted = want.values.first { $0.column == name }?.value ?? .scalar(.null)
                    guard !isSame(value, wanted, type) else { continue }
                    return "table \(table), row \(index + 1), column '\(name)': got \(value?.shown ?? "NULL"), expected \(wanted.shown)"
                }
            }
        }
        return nil
    }

    // MARK: Values

    /// Times as instants, reals within 10⁻⁶, jsonb by value, everything else exactly.
    static func isSame(_ value: DecodedValue?, _ expected: ExpectedValue, _ type: ColumnType) -> Bool {
        guard let value else {
            if case .scalar(.null, _) = expected { return true }
            return false
        }
        switch (value, expected) {
        case (.json(let text), _): return JSONExpectation.holds(expected, of: text)
        case (.array(let values), .list(let items)):
            guard values.count == items.count, case .array(let element) = type else { return false }
            return zip(values, items).allSatisfy { isSame($0, $1, element) }
        case (_, .scalar(.text(let text), _)): return isSame(value, text)
        default: return false
        }
    }

    private static func isSame(_ value: DecodedValue, _ text: String) -> Bool {
        switch value {
        case .boolean(let value): return value ? text == "true" : text == "false"
        case .integer(let value): return DecimalNumber(text) == DecimalNumber(value)
        case .numeric(let value): return DecimalNumber(value) == DecimalNumber(text)
        case .real(let value): return Double(text).map { abs($0 - Double(value)) <= 1e-6 * max(1, abs(Double(value))) } ?? false
        case .double(let value): return Double(text).map { abs($0 - value) <= 1e-6 * max(1, abs(value)) } ?? false
        case .time(let microseconds): return time(text) == microseconds
        case .date(let days): return time(text) == Int64(days) * CivilTime.microsecondsPerDay
        case .text(let value): return value == text
        case .bytes(let bytes):
            let digits = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            return digits == text.replacingOccurrences(of: "\\x", with: "").lowercased()
        case .json, .array: return false
        }
    }
}

extension ExpectedValue {
    var shown: String {
        switch self {
        case .scalar(.null, _): "NULL"
        case .scalar(.text(let text), let isQuoted): isQuoted ? "\"\(text)\"" : text
        case .list(let items): "[" + items.map(\.shown).joined(separator: ", ") + "]"
        case .object(let members): "{" + members.map { "\($0.key): \($0.value.shown)" }.joined(separator: ", ") + "}"
        }
    }
}
