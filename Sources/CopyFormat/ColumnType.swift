/// A column's PostgreSQL type.
public indirect enum ColumnType: Hashable, Sendable {
    case boolean
    case smallint
    case integer
    case bigint
    case real
    case doublePrecision
    /// `numeric` without limits, or `numeric(precision, scale)`; the scale may be negative, or larger than the precision (PostgreSQL 15).
    case numeric(precision: Int?, scale: Int)
    case text
    /// `varchar` or `varchar(n)`; n counts characters.
    case varchar(Int?)
    /// `char(n)`, which PostgreSQL fills up with blanks, or `bpchar` without a limit.
    case bpchar(Int?)
    case bytea
    /// With so many digits of the second's fraction; nil: all six.
    case timestamptz(precision: Int?)
    /// Without time zone: written by no mapping, met in tables that others made. Times stand there in UTC.
    case timestamp(precision: Int?)
    case date
    /// The time of a day, without time zone.
    case time(precision: Int?)
    case uuid
    case json
    case jsonb
    case inet
    case cidr
    /// A type of the database's own with the labels that it has there.
    case enumeration(name: String, labels: [String])
    /// Any other type, by the name that PostgreSQL or the mapping gives it: its values are written as text, and the database reads them.
    case other(String)
    /// One-dimensional array of `ColumnType`.
    case array(ColumnType)

    /// Whether it is an array type.
    public var isArray: Bool {
        if case .array = self { true } else { false }
    }

    /// The type of an array's elements; of any other type itself.
    public var element: ColumnType {
        if case .array(let element) = self { element } else { self }
    }

    /// Whether COPY can take it in binary form; a table with a column of any other goes through text.
    public var hasBinaryForm: Bool {
        switch self {
        case .other: false
        case .array(let element): element.hasBinaryForm
        default: true
        }
    }

    /// Digits of a time's fraction that are kept, where not all six are.
    public var timePrecision: Int? {
        switch self {
        case .timestamptz(let precision), .timestamp(let precision), .time(let precision): precision.flatMap { $0 < 6 ? $0 : nil }
        default: nil
        }
    }

    /// The name as SQL writes it in `CREATE TABLE`.
    public var sql: String {
        func limited(_ name: String, _ limit: Int?) -> String { limit.map { "\(name)(\($0))" } ?? name }
        switch self {
        case .boolean: return "boolean"
        case .smallint: return "smallint"
        case .integer: return "integer"
        case .bigint: return "bigint"
        case .real: return "real"
        case .doublePrecision: return "double precision"
        case .numeric(let precision?, let scale): return "numeric(\(precision),\(scale))"
        case .numeric(nil, _): return "numeric"
        case .text: return "text"
        case .varchar(let length): return limited("varchar", length)
        case .bpchar(let length): return length.map { "char(\($0))" } ?? "bpchar"
        case .bytea: return "bytea"
        case .timestamptz(let precision): return limited("timestamptz", precision)
        case .timestamp(let precision): return limited("timestamp", precision)
        case .date: return "date"
        case .time(let precision): return limited("time", precision)
        case .uuid: return "uuid"
        case .json: return "json"
        case .jsonb: return "jsonb"
        case .inet: return "inet"
        case .cidr: return "cidr"
        case .enumeration(let name, _), .other(let name): return name
        case .array(let element): return element.sql + "[]"
        }
    }
}
