import Foundation
import Mapping

/// Compares what stands in tables with what tests of mappings expect.
///
/// It is PostgreSQL that reads what is expected: cast to the column's type and given back as text, as the stored value is. So neither our own reading of
/// values nor our own COPY has a say.
struct TableComparison {
    /// When the messages were on their way, in microseconds since 1970.
    typealias Interval = ClosedRange<Int64>

    private let probe: DatabaseProbe
    private let columns: [String: [(name: String, type: String)]]

    init(_ probe: DatabaseProbe, tables: [String]) throws {
        self.probe = probe
        try probe.rows("SET timezone = 'UTC'")
        var columns: [String: [(name: String, type: String)]] = [:]
        for table in tables {
            columns[table] = try probe.rows(
                """
                SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
                WHERE attrelid = '\(table)'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
                """
            ).map { ($0[0] ?? "", $0[1] ?? "") }
        }
        self.columns = columns
    }

    /// Empties all tables.
    func clear() throws {
        for table in columns.keys { try probe.rows("DELETE FROM \(table)") }
        try probe.rows("DELETE FROM penstock.dead_letter")
    }

    // MARK: Rows

    /// What is not as a test expects, in whatever order the rows stand; nil when all is.
    /// - Parameters:
    ///   - test: nil: nothing is to be there.
    ///   - interval: when it was sent at the earliest and stored at the latest.
    func difference(in file: CaseFile, test: TestSyntax?, _ received: ReceivedColumns?, _ interval: Interval) throws -> String? {
        var expected: [(table: String, rows: [ExpectedRow])] = []
        if case .rows(let rows) = test?.expectation { expected = rows }
        if let difference = try differenceOfLetters(in: file, test) { return difference }
        for table in file.tables {
            let wanted = expected.filter { $0.table == table }.flatMap(\.rows)
            let difference = try difference(
                in: table, wanted, received?.columns[table] ?? [], from: test?.receivedMicroseconds ?? 0, interval)
            if let difference { return "table \(table)" + difference }
        }
        return nil
    }

    private func difference(
        in table: String, _ expected: [ExpectedRow], _ received: [Set<String>], from fixedMicroseconds: Int64, _ interval: Interval
    ) throws -> String? {
        let columns = columns[table] ?? []
        let list = columns.map { "\"\($0.name)\"::text" }.joined(separator: ", ")
        var found = try probe.rows("SELECT \(list) FROM \(table)")
        guard found.count == expected.count else {
            return " has \(found.count) rows, expected \(expected.count); it has \(found.map(shown).joined(separator: ", "))"
        }
        for (index, row) in expected.enumerated() {
            if let unknown = row.values.first(where: { value in !columns.contains { $0.name == value.column } }) {
                guard case .scalar(.null, _) = unknown.value else { return " has no column '\(unknown.column)'" }
            }
            let fields = try fields(of: row, columns)
            var nearest: [String]?
            var match: Int?
            for (place, candidate) in found.enumerated() where match == nil {
                var differences: [String] = []
                for (position, column) in columns.enumerated() {
                    let isShifted = index < received.count && received[index].contains(column.name)
                    let isSame =
                        isShifted
                        ? try isSame(candidate[position], fields[position], from: fixedMicroseconds, interval)
                        : try isSame(candidate[position], fields[position], column.type)
                    guard !isSame else { continue }
                    differences.append(
                        ", column '\(column.name)': stored \(candidate[position] ?? "NULL"), expected \(fields[position] ?? "NULL")"
                            + (isShifted ? ", moved to the time at which it was received" : ""))
                }
                if differences.isEmpty { match = place }
                if differences.count < nearest?.count ?? .max { nearest = differences }
            }
            guard let match else { return ", row \(index + 1)" + (nearest ?? []).joined() }
            found.remove(at: match)
        }
        return nil
    }

    private func shown(_ row: [String?]) -> String { "(" + row.map { $0 ?? "NULL" }.joined(separator: ", ") + ")" }

    // MARK: Dead letters

    private func differenceOfLetters(in file: CaseFile, _ test: TestSyntax?) throws -> String? {
        let letters = try probe.rows("SELECT topic, error FROM penstock.dead_letter WHERE mapping = '\(file.name)'")
        guard let test, case .error(let text) = test.expectation else {
            return letters.isEmpty ? nil : "dead letters: \(letters.map(shown).joined(separator: ", "))"
        }
        guard letters.count == 1 else { return "\(letters.count) dead letters, expected one with '\(text)'" }
        guard letters[0][0] == test.topic else { return "a dead letter of the topic \(letters[0][0] ?? "NULL")" }
        return letters[0][1]?.contains(text) ?? false ? nil : "a dead letter with '\(letters[0][1] ?? "NULL")', expected '\(text)'"
    }

    // MARK: Values

    /// What is expected of each column, as PostgreSQL gives it back.
    private func fields(of row: ExpectedRow, _ columns: [(name: String, type: String)]) throws -> [String?] {
        let literals = columns.map { column in
            row.values.first { $0.column == column.name }.map { Self.literal($0.value, column.type) } ?? "NULL"
        }
        return try probe.rows("SELECT " + literals.map { "(\($0))::text" }.joined(separator: ", ")).first ?? []
    }

    private static func literal(_ value: ExpectedValue, _ type: String) -> String {
        if case .scalar(.null, _) = value { return "NULL" }
        if type == "jsonb" { return quoted(json(value, isOutermost: true)) + "::jsonb" }
        switch value {
        case .list(let items) where type.hasSuffix("[]"):
            return "ARRAY[" + items.map { literal($0, String(type.dropLast(2))) }.joined(separator: ", ") + "]::\(type)"
        case .scalar(.text(let text), _):
            switch type {
            // With the type's own length PostgreSQL would cut what is expected.
            case _ where type == "text" || type.hasPrefix("character"): return quoted(text) + "::text"
            case "smallint", "integer", "bigint": return quoted(text) + "::numeric::\(type)"
            case "bytea": return "decode(\(quoted(text.hasPrefix("\\x") ? String(text.dropFirst(2)) : text)), 'hex')"
            default: return quoted(text) + "::\(type)"
            }
        default: return quoted(json(value))
        }
    }

    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

    /// Reals within 10⁻⁶, jsonb by value, everything else exactly.
    private func isSame(_ stored: String?, _ expected: String?, _ type: String) throws -> Bool {
        guard let stored, let expected, stored != expected else { return stored == expected }
        switch type {
        case "real", "double precision":
            guard let stored = Double(stored), let expected = Double(expected) else { return false }
            return abs(stored - expected) <= 1e-6 * max(1, abs(expected))
        case "jsonb":
            return try probe.rows("SELECT \(Self.quoted(stored))::jsonb = \(Self.quoted(expected))::jsonb") == [["t"]]
        default: return false
        }
    }

    /// Whether an instant lies as far from the one at which the message came as the test says of the one that it names.
    private func isSame(_ stored: String?, _ expected: String?, from fixedMicroseconds: Int64, _ interval: Interval) throws -> Bool {
        guard let stored, let expected else { return false }
        func instant(_ microseconds: Int64) -> String { "('epoch'::timestamptz + \(microseconds) * interval '1 microsecond')" }
        return try probe.rows(
            """
            SELECT '\(stored)'::timestamptz - ('\(expected)'::timestamptz - \(instant(fixedMicroseconds)))
                BETWEEN \(instant(interval.lowerBound)) AND \(instant(interval.upperBound))
            """) == [["t"]]
    }

    // MARK: JSON

    /// As tests of mappings write it: text in quotes that is itself an object or an array stands for that, plain words are numbers and truth values where
    /// they read as such.
    private static func json(_ value: ExpectedValue, isOutermost: Bool = false) -> String {
        func string(_ text: String) -> String {
            (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
        }
        switch value {
        case .scalar(.null, _): return "null"
        case .scalar(.text(let text), let isQuoted):
            if isOutermost, text.contains(where: { "{[\"".contains($0) }), isJSON(text) { return text }
            return !isQuoted && (text == "true" || text == "false" || isNumber(text)) ? text : string(text)
        case .list(let items): return "[" + items.map { json($0) }.joined(separator: ", ") + "]"
        case .object(let members):
            return "{" + members.map { "\(string($0.key)): \(json($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    private static func isJSON(_ text: String) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
    }

    /// A number of JSON starts with a digit, or a sign and a digit.
    private static func isNumber(_ text: String) -> Bool {
        (text.first == "-" ? text.dropFirst() : text[...]).first.map { ("0"..."9").contains($0) } ?? false && isJSON(text)
    }
}
