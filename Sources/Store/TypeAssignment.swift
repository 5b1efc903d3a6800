import CopyFormat

extension ColumnType {
    /// Whether a mapping that declares this type can write a column of that one: every value of it is a value there. Text can go wherever a value is written
    /// as text and looked at on its way, by us (enums, addresses) or by the database (types it alone knows).
    func isAssignable(to stored: StoredType) -> Bool {
        if case .other(let name) = element {
            // By its name: of an enum, of a domain, or of what only the database knows.
            return isArray == stored.sql.hasSuffix("[]") && ColumnType.bareName(name) == ColumnType.bareName(stored.sql)
        }
        return Self.isAssignable(self, to: stored.type)
    }

    private static func isAssignable(_ from: ColumnType, to: ColumnType) -> Bool {
        switch (from, to) {
        case _ where from == to: true
        case (.smallint, .integer), (.smallint, .bigint), (.integer, .bigint): true
        // What a real or a double holds without a loss.
        case (.smallint, .real), (.smallint, .doublePrecision), (.integer, .doublePrecision), (.real, .doublePrecision): true
        case (.smallint, .numeric), (.integer, .numeric), (.bigint, .numeric), (.numeric, .numeric): fits(from, in: to)
        case (.varchar, .text), (.bpchar, .text), (.varchar, .varchar(nil)), (.bpchar, .varchar(nil)), (.text, .varchar(nil)): true
        case (.varchar(let short?), .varchar(let long?)), (.bpchar(let short?), .varchar(let long?)): short <= long
        case (.varchar(let short?), .bpchar(let long?)), (.bpchar(let short?), .bpchar(let long?)): short <= long
        case (.text, .enumeration), (.text, .inet), (.text, .cidr), (.text, .other): true
        case (.varchar, .enumeration), (.varchar, .other), (.bpchar, .enumeration), (.bpchar, .other): true
        case (.cidr, .inet): true
        case (.json, .jsonb), (.jsonb, .json): true
        // The database keeps fewer digits of a second; a column without time zone takes them in UTC.
        case (.timestamptz, .timestamptz), (.timestamptz, .timestamp), (.time, .time): true
        case (.array(let from), .array(let to)): isAssignable(from, to: to)
        default: false
        }
    }

    /// Whether a numeric has room for all digits of whole numbers or of another numeric.
    private static func fits(_ from: ColumnType, in to: ColumnType) -> Bool {
        guard case .numeric(let precision, let scale) = to else { return false }
        guard let precision else { return true }
        switch from {
        case .smallint: return scale >= 0 && precision - scale >= 5
        case .integer: return scale >= 0 && precision - scale >= 10
        case .bigint: return scale >= 0 && precision - scale >= 19
        case .numeric(let narrow?, let narrowScale): return scale >= narrowScale && precision - scale >= narrow - narrowScale
        default: return false
        }
    }
}
