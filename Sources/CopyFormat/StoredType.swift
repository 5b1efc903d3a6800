/// The type of a table's column as the database has it: how its values are encoded, and which type it is.
public struct StoredType: Hashable, Sendable {
    /// How values are written. Of a domain it is the type beneath.
    public var type: ColumnType
    /// As `format_type` writes it: the name for a table of the same type.
    public var sql: String
    /// Object identifier in `pg_type`; 0 where only the database could tell.
    public var oid: UInt32
    /// That of an array's elements, which stands in the head of each array; 0 for other types.
    public var elementOID: UInt32

    public init(type: ColumnType, sql: String, oid: UInt32, elementOID: UInt32) {
        self.type = type
        self.sql = sql
        self.oid = oid
        self.elementOID = elementOID
    }

    /// What is known of a type without a database.
    public init(_ type: ColumnType) {
        self.init(
            type: type, sql: type.sql, oid: type.isArray ? type.element.builtInOIDs.array : type.builtInOIDs.plain,
            elementOID: type.isArray ? type.element.builtInOIDs.plain : 0)
    }
}

extension ColumnType {
    /// The object identifiers of a built-in type and of its arrays, the same in every database; 0 for types that are made in one.
    fileprivate var builtInOIDs: (plain: UInt32, array: UInt32) {
        switch self {
        case .boolean: (16, 1000)
        case .bytea: (17, 1001)
        case .bigint: (20, 1016)
        case .smallint: (21, 1005)
        case .integer: (23, 1007)
        case .text: (25, 1009)
        case .json: (114, 199)
        case .cidr: (650, 651)
        case .real: (700, 1021)
        case .doublePrecision: (701, 1022)
        case .inet: (869, 1041)
        case .bpchar: (1042, 1014)
        case .varchar: (1043, 1015)
        case .date: (1082, 1182)
        case .time: (1083, 1183)
        case .timestamp: (1114, 1115)
        case .timestamptz: (1184, 1185)
        case .numeric: (1700, 1231)
        case .uuid: (2950, 2951)
        case .jsonb: (3802, 3807)
        case .enumeration, .other, .array: (0, 0)
        }
    }
}
