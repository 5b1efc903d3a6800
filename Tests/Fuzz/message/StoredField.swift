import CopyFormat
import FuzzSupport
import Payload

/// What PostgreSQL's receive functions demand of a field: a row that it refuses costs a transaction.
enum StoredField {
    static func check(_ field: [UInt8], _ type: ColumnType) {
        func holds(_ isTrue: Bool) { claim(isTrue, "\(field.prefix(40)) is no \(type.sql)") }
        switch type {
        case .boolean: holds(field == [0] || field == [1])
        case .smallint: holds(field.count == 2)
        case .integer, .real: holds(field.count == 4)
        case .bigint, .doublePrecision: holds(field.count == 8)
        case .uuid: holds(field.count == 16)
        case .numeric(let precision, let scale): holds(isNumeric(field, precision: precision, scale: scale))
        case .text, .json, .enumeration, .other: holds(isText(field))
        case .inet, .cidr:
            let bytes = field.dropFirst(4)
            holds(
                field.count > 4
                    && (field[0] == 2 ? bytes.count == 4 && field[1] <= 32 : field[0] == 3 && bytes.count == 16 && field[1] <= 128))
            holds(field.count > 4 && field[2] == (type == .cidr ? 1 : 0) && Int(field[3]) == bytes.count)
        case .time: holds(field.count == 8 && (0...86_400_000_000).contains(number(field[...])))
        case .varchar(let limit), .bpchar(let limit):
            holds(isText(field) && String(decoding: field, as: UTF8.self).unicodeScalars.count <= limit ?? .max)
        case .bytea: break
        case .timestamptz, .timestamp:
            let time = number(field[...])
            holds(field.count == 8 && PostgreSQLTime.range.contains(time &+ PostgreSQLTime.epochMicroseconds))
        case .date: holds(field.count == 4 && (-2_451_545..<2_145_031_949).contains(number(field[...])))
        case .jsonb:
            let text = Array(field.dropFirst())
            let value = text.withUnsafeBytes { bytes in
                (try? JSON.validate(bytes, options: .init(maximumDepth: 1024, allowsNaN: false))).map(JSON.containsNUL)
            }
            holds(field.first == 1 && isText(text) && value == false)
        case .array(let element): array(field, element)
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
        let shift = UInt64(64 - bytes.count * 8)
        return Int64(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) } << shift) >> Int64(shift)
    }

    private static func isText(_ field: [UInt8]) -> Bool { !field.contains(0) && String(validating: field, as: UTF8.self) != nil }

    /// `numeric_recv`: groups of four digits, a sign, and a scale that is kept.
    private static func isNumeric(_ field: [UInt8], precision: Int?, scale: Int) -> Bool {
        guard field.count >= 8, field.count % 2 == 0 else { return false }
        let words = stride(from: 0, to: field.count, by: 2).map { UInt16(field[$0]) << 8 | UInt16(field[$0 + 1]) }
        let (weight, shown) = (Int(Int16(bitPattern: words[1])), Int(words[3]))
        guard Int(words[0]) == words.count - 4, words[2] == 0 || words[2] == 0x4000, shown <= 16_383, weight < 32_768 else { return false }
        guard words.dropFirst(4).allSatisfy({ $0 < 10_000 }) else { return false }
        // No digit stands behind the scale: it would be cut without a word.
        let below = (words.count - 4 - 1 - weight) * 4
        if words.count > 4, below - 3 > shown { return false }
        guard let precision else { return true }
        let first = words.count > 4 ? String(words[4]).count + weight * 4 : 0
        // More digits behind the point than declared are rounded by the table.
        return max(first, 0) <= precision - scale
    }

    /// `array_recv`: one dimension, elements with a length each.
    private static func array(_ field: [UInt8], _ element: ColumnType) {
        claim(field.count >= 12, "an array of \(field.count) bytes")
        let dimensions = number(field[0..<4])
        guard dimensions > 0 else { return claim(dimensions == 0 && field.count == 12, "an empty array of \(field.count) bytes") }
        claim(dimensions == 1 && field.count >= 20, "\(dimensions) dimensions")
        var place = 20
        var hasNull = false
        for _ in 0..<number(field[12..<16]) {
            claim(place + 4 <= field.count, "an array that is cut")
            let count = Int(number(field[place..<place + 4]))
            place += 4
            if count < 0 {
                hasNull = true
            } else {
                claim(place + count <= field.count, "an element that is cut")
                check(Array(field[place..<place + count]), element)
                place += count
            }
        }
        claim(place == field.count && (number(field[4..<8]) == 1) == hasNull, "an array with \(field.count - place) bytes behind it")
    }
}
