import CopyFormat
import MQTT
import Payload

// A column's way from its source to its field: condition → trim → null_if → map → parse → arithmetic → limits → default → not null.
extension Evaluator {
    /// Writes one field.
    /// - Returns: whether the payload had the value, null included (the row rule asks).
    @inline(__always)
    mutating func write(
        _ column: CompiledColumn, _ details: [ColumnDetails], _ index: Int, _ slots: UnsafeMutablePointer<Value>,
        into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) -> Bool {
        var value = slots[Int(column.slot)]
        if !column.steps.isDisjoint(with: .preparation) { value = try prepared(column, details[index], slots) }
        // What `null_if` or `map` made NULL was still there.
        let isPresent = value.kind != .missing
        if value.isAbsent {
            try writeAbsent(column, details, index, into: buffer)
            return isPresent
        }
        try encode(value, column, details, index, slots, into: buffer)
        return isPresent
    }

    @inline(never)
    private mutating func prepared(
        _ column: CompiledColumn, _ details: ColumnDetails, _ slots: UnsafeMutablePointer<Value>
    ) throws(EvaluationError) -> Value {
        var value = slots[Int(column.slot)]
        if let gather = details.gather { value = try gathered(gather, slots) }
        for condition in details.conditions {
            let asked = self.value(of: condition.source, slots)
            if !passes(condition.test, asked) { return .missing }
        }
        if let kinds = details.kinds, value.kind != .null, !isOfKind(value, kinds) { return .missing }
        guard !value.isAbsent else { return value }
        if column.steps.contains(.trims), value.kind == .string || value.kind == .escapedString {
            value = Value(kind: .string, bytes: trimmed(try text(of: value)))
        }
        for constant in details.nullIf where equalsLoosely(value, constant) { return .null }
        if column.steps.contains(.maps) {
            let text = try text(of: value)
            if let hit = details.map.first(where: { text.elementsEqual($0.key) }) {
                value = hit.value
            } else if let other = details.mapElse {
                value = other
            } else {
                throw .because("\(Quoted(text)) is not in map")
            }
        }
        return value
    }

    private mutating func writeAbsent(
        _ column: CompiledColumn, _ details: [ColumnDetails], _ index: Int, into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        if column.steps.isDisjoint(with: [.hasDefault, .isNotNull]) {
            buffer.pointee.appendNull()
        } else {
            try writeDefault(column, details[index], into: buffer)
        }
    }

    /// The default, or NULL where that is allowed.
    mutating func writeDefault(
        _ column: CompiledColumn, _ details: ColumnDetails, into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        guard let standIn = details.standIn else {
            guard !column.steps.contains(.isNotNull) else { throw .because("is NOT NULL but there is no value") }
            buffer.pointee.appendNull()
            return
        }
        var value = standIn.value
        if value.kind == .timestamp { value.word = UInt64(bitPattern: received) }
        try encode(value, standIn.column, standIn.details, 0, slotMemory, into: buffer)
    }

    @inline(__always)
    private mutating func encode(
        _ value: Value, _ column: CompiledColumn, _ details: [ColumnDetails], _ index: Int, _ slots: UnsafeMutablePointer<Value>,
        into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        switch column.encoding {
        case .float8
        where column.steps.isDisjoint(with: [.calculates, .hasParse]) && value.kind == .number && column.declaredBits == 64:
            do throws(NumberError) {
                buffer.pointee.append(try NumberText.double(value.bytes))
            } catch {
                throw .because(Self.words(error, value.bytes, "double precision"))
            }
        case .float4
        where column.steps.isDisjoint(with: [.calculates, .hasParse]) && value.kind == .number && column.declaredBits == 32:
            do throws(NumberError) { buffer.pointee.append(try NumberText.float(value.bytes)) } catch {
                throw .because(Self.words(error, value.bytes, "real"))
            }
        case .int8 where column.steps.isDisjoint(with: [.calculates, .hasParse]) && value.kind == .number && column.declaredBits == 64:
            do throws(NumberError) { buffer.pointee.append(try NumberText.int64(value.bytes)) } catch {
                throw .because(Self.words(error, value.bytes, "bigint"))
            }
        case .text where value.kind == .string && column.characterLimit == 0:
            guard !UTF8Text.containsNUL(value.bytes) else { throw .because(Self.nulInText) }
            buffer.pointee.appendText(value.bytes)
        case .boolean where value.kind == .true || value.kind == .false:
            buffer.pointee.append(value.kind == .true)
        case .timestamp
        where column.steps.isDisjoint(with: [.shiftsTime, .hasParse]) && (value.kind == .string || value.kind == .timestamp):
            let microseconds = value.kind == .timestamp ? Int64(bitPattern: value.word) : try rfc3339(trimmed(value.bytes), zone: nil)
            buffer.pointee.appendTimestamp(unixMicroseconds: microseconds)
        default: try encodeWithCare(value, column.encoding, column, details[index], slots, into: buffer)
        }
    }

    static let nulInText = "holds a NUL character, which PostgreSQL cannot store in text"

    func rfc3339(_ text: UnsafeRawBufferPointer, zone: TimeZoneRules?) throws(EvaluationError) -> Int64 {
        do throws(TimeError) {
            return try RFC3339.microseconds(text, zone: zone)
        } catch {
            switch error {
            case .malformed: throw .because("\(Quoted(text)) is not an RFC 3339 time")
            case .nonexistent: throw .because("\(Quoted(text)) is not an RFC 3339 time: there is no such date or hour")
            case .noOffset: throw .because("\(Quoted(text)) has no UTC offset and the column has no zone:")
            }
        }
    }

    static func words(_ error: NumberError, _ text: UnsafeRawBufferPointer, _ type: String) -> String {
        switch error {
        case .notANumber: "\(Quoted(text)) is not a number"
        case .notWhole: "\(Quoted(text).bare) is not a whole number"
        case .outOfRange: "\(Quoted(text).bare) is out of range for \(type)"
        }
    }
}

/// A value in a message: at most 64 bytes of it, as a log may show them.
struct Quoted: CustomStringConvertible {
    let bare: String

    init(_ bytes: UnsafeRawBufferPointer) {
        bare = ForeignText(bytes.prefix(64)).description + (bytes.count > 64 ? "…" : "")
    }

    var description: String { "'\(bare)'" }
}
