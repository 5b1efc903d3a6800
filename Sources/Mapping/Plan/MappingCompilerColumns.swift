import CopyFormat
import Payload

/// Columns: every step of the pipeline that a column asks for.
extension MappingCompiler {
    mutating func compile(_ column: ColumnSyntax, wire: StoredType, in block: BlockSyntax) -> (CompiledColumn, ColumnDetails) {
        var steps: ColumnSteps = []
        var details = ColumnDetails(
            name: column.name, mark: column.mark, declared: column.type, wire: wire.type, elementOID: wire.elementOID)
        // What the mapping knows only by name has the rules of the table's type.
        if case .other = column.type.element { details.declared = wire.type }
        if case .enumeration(_, let labels) = wire.type.element { details.labels = labels.map { Array($0.utf8) } }
        // What a default needs of it.
        let plain = details
        var slot = 0
        if column.from == [.rest] {
            details.gather = rest(of: block)
        } else if let separator = column.joinSeparator {
            details.gather = .join(column.from.map { resolve($0) }, separator: Array(separator.utf8))
        } else if column.from.count > 1 {
            details.gather = .first(column.from.map { resolve($0) })
        } else {
            switch resolve(column.from[0]) {
            case .slot(let found): slot = found
            case let sought: details.gather = .single(sought)
            }
        }
        if details.gather != nil { steps.insert(.gathers) }
        details.conditions = column.when.map { condition($0) }
        details.kinds = column.isKind
        if !column.when.isEmpty || column.isKind != nil { steps.insert(.hasCondition) }
        if column.trim { steps.insert(.trims) }
        details.nullIf = column.nullIf.map { ComparisonText($0) }
        if !column.nullIf.isEmpty { steps.insert(.hasNullIf) }
        details.map = column.map.map { (Array($0.key.utf8), memory.value($0.value)) }
        details.mapElse = column.mapElse.map { memory.value($0) }
        if !column.map.isEmpty || column.mapElse != nil { steps.insert(.maps) }
        details.parse = parse(of: column)
        if case .none = details.parse {} else { steps.insert(.hasParse) }
        details.zone = column.zone.flatMap { try? TimeZoneRules($0) }
        if details.zone != nil { steps.insert(.hasParse) }
        calculation(of: column, &details, &steps)
        if column.defaultValue != nil { steps.insert(.hasDefault) }
        if column.isNotNull { steps.insert(.isNotNull) }
        // Of several sources one from the payload is enough, and then any of them counts as a value, `received` too.
        let readsPayload = column.from.contains { source in
            switch source {
            case .document, .rawPayload: true
            default: false
            }
        }
        if readsPayload, !column.isNotNull { steps.insert(.countsAsValue) }
        var compiled = CompiledColumn(
            slot: Int32(slot), encoding: CompiledColumn.Encoding(wire.type), policy: column.onError ?? syntax.onError, steps: [],
            declaredBits: Self.declaredBits(of: plain.declared), characterLimit: Self.characterLimit(of: plain.declared))
        if let value = column.defaultValue {
            details.standIn = StandIn(value: standIn(value, column.type), column: compiled, details: [plain])
        }
        compiled.steps = steps
        return (compiled, details)
    }

    /// A column that other blocks of the table write: NULL in each row.
    mutating func absent(_ column: MappingPlan.Column) -> (CompiledColumn, ColumnDetails) {
        (
            CompiledColumn(
                slot: Int32(missingSlot()), encoding: CompiledColumn.Encoding(column.type), policy: syntax.onError, steps: [],
                declaredBits: Self.declaredBits(of: column.type), characterLimit: 0),
            ColumnDetails(name: column.name, declared: column.type, wire: column.type)
        )
    }

    private func standIn(_ value: DefaultValue, _ type: ColumnType) -> Value {
        guard case .literal(let text) = value else { return Value(kind: .timestamp) }
        if type == .jsonb || type == .json { return memory.json(text) }
        // A date stands for its midnight, as the reader has checked it.
        let time = type.isTime ? time(text) : nil
        return memory.value(time.map { CivilTime.text(unixMicroseconds: $0) } ?? text)
    }

    private mutating func calculation(of column: ColumnSyntax, _ details: inout ColumnDetails, _ steps: inout ColumnSteps) {
        if column.scale != nil || column.offset != nil || column.convert != nil {
            let scale = column.scale.flatMap { DecimalNumber($0) } ?? DecimalNumber(1 as Int64)
            let offset = column.offset.flatMap { DecimalNumber($0) } ?? DecimalNumber(0 as Int64)
            let factor = DecimalNumber(column.convert?.multiplier ?? 1)
            let addend = DecimalNumber(column.convert?.addend ?? 0)
            // ((v × scale + offset) × multiplier + addend) ÷ divisor
            details.affine = (
                scale.multiplied(by: factor) ?? scale, offset.multiplied(by: factor)?.adding(addend) ?? addend,
                UInt64(column.convert?.divisor ?? 1)
            )
            steps.insert(.calculates)
        }
        if let sign = column.sign {
            details.sign = (resolve(sign.from), sign.negative.map { Array($0.utf8) })
            steps.insert(.calculates)
        }
        if let plus = column.plus {
            details.plus = (resolve(plus.from), plus.by.map { resolve($0) }, plus.timesNanoseconds)
            steps.insert(.shiftsTime)
        }
        details.minimum = column.minimum.map { (Self.compile($0), $0.text) }
        details.maximum = column.maximum.map { (Self.compile($0), $0.text) }
        if column.minimum != nil || column.maximum != nil { steps.insert(column.type.isTime ? .shiftsTime : .calculates) }
    }

    static func compile(_ bound: Bound) -> CompiledBound {
        switch bound {
        case .number(let text): .number(DecimalNumber(text) ?? DecimalNumber(0 as Int64))
        case .time(let microseconds): .time(microseconds)
        case .fromReceived(let microseconds): .fromReceived(microseconds)
        }
    }

    private func parse(of column: ColumnSyntax) -> CompiledParse {
        switch column.parse {
        case .unix(let unit): return .unix(unit)
        case .pattern(let text): return (try? TimePattern(text)).map { .pattern($0) } ?? .none
        case .decimalComma: return .decimalComma
        case .hex: return .hex
        case .ddmm: return .ddmm
        case .base64: return .base64
        case .json: return .json
        case .rfc3339: return .none
        case nil:
            guard column.type.isNumeric, case .document(let root, _) = column.from.first,
                case .csv(_, hasDecimalComma: true) = decode(of: root)
            else { return .none }
            return .decimalComma
        }
    }

    /// `rest`: the row's object without what columns and `ignore` name.
    private mutating func rest(of block: BlockSyntax) -> Gather {
        let root: DocumentRoot = block.each.last.map { .loop($0.variable) } ?? .payload
        var taken: [[String]] = []
        // One element of an array is no member: $.list.-1 leaves the list in the rest, as $.list.0 does.
        func take(_ path: [PathSegment]) {
            let (prefix, sought) = Self.split(path)
            if sought.isEmpty { taken.append(prefix) }
        }
        for column in block.columns {
            let named = column.from + [column.plus?.from, column.plus?.by, column.sign?.from].compactMap { $0 }
            for case .document(root, let path) in named { take(path) }
        }
        for case .document(root, let path) in syntax.ignore { take(path) }
        guard case .slot(let container) = resolve(.document(root, [])) else { return .first([]) }
        var mayHoldNaN = false
        if case .json(let allowsNaN, _) = decode(of: root) { mayHoldNaN = allowsNaN }
        return .rest(container: container, taken: PathTrie(paths: taken.filter { !$0.isEmpty }), mayHoldNaN: mayHoldNaN)
    }

    private static func declaredBits(of type: ColumnType) -> UInt8 {
        switch type {
        case .smallint: 16
        case .integer, .real: 32
        default: 64
        }
    }

    private static func characterLimit(of type: ColumnType) -> Int32 {
        switch type {
        case .varchar(let limit?), .bpchar(let limit?): Int32(truncatingIfNeeded: limit)
        case .array(let element): characterLimit(of: element)
        default: 0
        }
    }
}

extension ColumnType {
    /// Whether it has a place on the time line.
    var isTime: Bool {
        switch self {
        case .timestamptz, .timestamp, .date: true
        default: false
        }
    }

    var isNumeric: Bool {
        switch self {
        case .smallint, .integer, .bigint, .real, .doublePrecision, .numeric: true
        case .array(let element): element.isNumeric
        default: false
        }
    }
}

extension Bound {
    /// As a mapping writes it.
    var text: String {
        switch self {
        case .number(let text): text
        case .time(let microseconds): CivilTime.text(unixMicroseconds: microseconds)
        case .fromReceived(let microseconds): (microseconds < 0 ? "-" : "+") + Self.duration(microseconds.magnitude)
        }
    }

    /// In the largest unit that leaves a whole number.
    private static func duration(_ microseconds: UInt64) -> String {
        let units: [(microseconds: UInt64, name: String)] = [
            (86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1000, "ms"),
        ]
        let unit = units.first { microseconds.isMultiple(of: $0.microseconds) && microseconds > 0 } ?? (1, "us")
        return "\(microseconds / unit.microseconds) \(unit.name)"
    }
}
