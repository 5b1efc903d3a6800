/// A column's PostgreSQL type, as far as Penstock encodes it itself.
public indirect enum ColumnType: Hashable, Sendable {
    case boolean
    case smallint
    case integer
    case bigint
    case real
    case doublePrecision
    /// `numeric` without limits, or `numeric(precision, scale)`.
    case numeric(precision: Int?, scale: Int)
    case text
    /// `varchar` or `varchar(n)`; n counts characters.
    case varchar(Int?)
    case bytea
    case timestamptz
    /// Without time zone: written by no mapping, met in tables that others made.
    case timestamp
    case date
    case uuid
    case json
    case jsonb
    case inet
    /// One-dimensional array of `ColumnType`.
    case array(ColumnType)

    /// Reads a type as a mapping writes it (`double precision`, `numeric(4,2)`, `text[]`, and PostgreSQL's short names); nil when it is not known.
    public init?(parsing text: String) {
        let words = text.lowercased().split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
        if words.hasSuffix("[]") {
            guard let element = ColumnType(parsing: String(words.dropLast(2))), !element.isArray else { return nil }
            self = .array(element)
            return
        }
        if let plain = Self.plainNames[words] {
            self = plain
            return
        }
        guard let open = words.firstIndex(of: "("), words.hasSuffix(")") else { return nil }
        let name = words[..<open].trimmingSpaces
        let numbers = words[words.index(after: open)...].dropLast().split(separator: ",", omittingEmptySubsequences: false)
            .map { Int($0.trimmingSpaces) }
        switch (name, numbers.count) {
        case ("numeric", 1), ("decimal", 1), ("numeric", 2), ("decimal", 2):
            guard let precision = numbers[0], (1...1000).contains(precision) else { return nil }
            guard let scale = numbers.count == 2 ? numbers[1] : 0, (0...precision).contains(scale) else { return nil }
            self = .numeric(precision: precision, scale: scale)
        case ("varchar", 1), ("character varying", 1):
            guard let length = numbers[0], (1...10_485_760).contains(length) else { return nil }
            self = .varchar(length)
        default: return nil
        }
    }

    private static let plainNames: [String: ColumnType] = [
        "boolean": .boolean, "bool": .boolean, "smallint": .smallint, "int2": .smallint, "integer": .integer, "int": .integer,
        "int4": .integer, "bigint": .bigint, "int8": .bigint, "real": .real, "float4": .real, "double precision": .doublePrecision,
        "float8": .doublePrecision, "numeric": .numeric(precision: nil, scale: 0), "decimal": .numeric(precision: nil, scale: 0),
        "text": .text, "varchar": .varchar(nil), "character varying": .varchar(nil), "bytea": .bytea, "timestamptz": .timestamptz,
        "timestamp with time zone": .timestamptz, "timestamp": .timestamp, "timestamp without time zone": .timestamp, "date": .date,
        "uuid": .uuid, "json": .json, "jsonb": .jsonb, "inet": .inet,
    ]

    /// Whether it is an array type.
    public var isArray: Bool {
        if case .array = self { true } else { false }
    }

    /// The name as SQL writes it in `CREATE TABLE`.
    public var sql: String {
        switch self {
        case .boolean: "boolean"
        case .smallint: "smallint"
        case .integer: "integer"
        case .bigint: "bigint"
        case .real: "real"
        case .doublePrecision: "double precision"
        case .numeric(let precision?, let scale): "numeric(\(precision),\(scale))"
        case .numeric(nil, _): "numeric"
        case .text: "text"
        case .varchar(let length?): "varchar(\(length))"
        case .varchar(nil): "varchar"
        case .bytea: "bytea"
        case .timestamptz: "timestamptz"
        case .timestamp: "timestamp"
        case .date: "date"
        case .uuid: "uuid"
        case .json: "json"
        case .jsonb: "jsonb"
        case .inet: "inet"
        case .array(let element): element.sql + "[]"
        }
    }

    /// The object identifier of the type in `pg_type`; the same in every database, since these types are built in.
    public var oid: UInt32 {
        switch self {
        case .boolean: 16
        case .bytea: 17
        case .bigint: 20
        case .smallint: 21
        case .integer: 23
        case .text: 25
        case .json: 114
        case .real: 700
        case .doublePrecision: 701
        case .inet: 869
        case .varchar: 1043
        case .date: 1082
        case .timestamp: 1114
        case .timestamptz: 1184
        case .numeric: 1700
        case .uuid: 2950
        case .jsonb: 3802
        case .array(let element): element.arrayOID
        }
    }

    private var arrayOID: UInt32 {
        switch self {
        case .boolean: 1000
        case .bytea: 1001
        case .bigint: 1016
        case .smallint: 1005
        case .integer: 1007
        case .text: 1009
        case .json: 199
        case .real: 1021
        case .doublePrecision: 1022
        case .inet: 1041
        case .varchar: 1015
        case .date: 1182
        case .timestamp: 1115
        case .timestamptz: 1185
        case .numeric: 1231
        case .uuid: 2951
        case .jsonb: 3807
        case .array: preconditionFailure("arrays of arrays are refused when a type is read")
        }
    }
}

extension StringProtocol {
    fileprivate var trimmingSpaces: String { String(drop(while: { $0 == " " }).reversed().drop(while: { $0 == " " }).reversed()) }
}
