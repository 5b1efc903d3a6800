extension ColumnType {
    /// Reads a type that has an encoder, as a mapping or PostgreSQL's `format_type` writes it (`double precision`, `numeric(4,2)`, `text[]`,
    /// `timestamp(3) with time zone`, and the short names); nil when it is none of these.
    public init?(parsing text: String) {
        let words = Self.words(of: text)
        if words.hasSuffix("[]") {
            guard let element = ColumnType(parsing: String(words.dropLast(2))), !element.isArray else { return nil }
            self = .array(element)
            return
        }
        if let plain = Self.plainNames[words] {
            self = plain
            return
        }
        guard let open = words.firstIndex(of: "("), let close = words.firstIndex(of: ")"), open < close else { return nil }
        let name = [words[..<open].trimmingSpaces, words[words.index(after: close)...].trimmingSpaces].filter { !$0.isEmpty }
            .joined(separator: " ")
        let numbers = words[words.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false)
            .map { Int($0.trimmingSpaces) }
        guard let first = numbers[0] else { return nil }
        switch (name, numbers.count) {
        case ("numeric", 1), ("decimal", 1), ("numeric", 2), ("decimal", 2):
            guard (1...1000).contains(first) else { return nil }
            guard let scale = numbers.count == 2 ? numbers[1] : 0, (-1000...1000).contains(scale) else { return nil }
            self = .numeric(precision: first, scale: scale)
        case ("varchar", 1), ("character varying", 1):
            guard Self.lengths.contains(first) else { return nil }
            self = .varchar(first)
        case ("char", 1), ("character", 1), ("bpchar", 1):
            guard Self.lengths.contains(first) else { return nil }
            self = .bpchar(first)
        case ("timestamptz", 1), ("timestamp with time zone", 1):
            guard (0...6).contains(first) else { return nil }
            self = .timestamptz(precision: first)
        case ("timestamp", 1), ("timestamp without time zone", 1):
            guard (0...6).contains(first) else { return nil }
            self = .timestamp(precision: first)
        case ("time", 1), ("time without time zone", 1):
            guard (0...6).contains(first) else { return nil }
            self = .time(precision: first)
        default: return nil
        }
    }

    /// Takes a name for a type that PostgreSQL alone knows: words of letters, digits and `_`, with a schema before it, limits in brackets and `[]` behind
    /// it where there are some: `citext`, `geometry(Point,4326)`, `bit varying(5)`, `public.mood[]`. nil for anything else, so that a name can stand in SQL.
    public init?(unknown text: String) {
        let words = Self.words(of: text)
        let isArray = words.hasSuffix("[]")
        let name = isArray ? String(words.dropLast(2)).trimmingSpaces : words
        guard Self.isName(name) else { return nil }
        self = isArray ? .array(.other(name)) : .other(name)
    }

    /// Names that people know from other places or from PostgreSQL, none of which is a slip of the pen.
    public static let knownToPostgreSQL: Set<String> = [
        "citext", "hstore", "ltree", "lquery", "interval", "money", "bit", "varbit", "bit varying", "xml", "point", "line", "lseg", "box",
        "path",
        "polygon", "circle", "macaddr", "macaddr8", "timetz", "time with time zone", "tsvector", "tsquery", "int4range", "int8range",
        "numrange", "tsrange", "tstzrange", "daterange", "int4multirange", "int8multirange", "nummultirange", "tsmultirange",
        "tstzmultirange", "datemultirange", "oid", "name", "pg_lsn", "jsonpath", "geometry", "geography", "raster", "cube", "vector",
        "halfvec",
    ]

    /// The names of the types with encoders, for hints.
    public static var names: [String] { plainNames.keys.sorted() }

    /// The name without limits, brackets and schema: what tells whether two names can mean one type.
    public static func bareName(_ text: String) -> String {
        var name = words(of: text)
        while name.hasSuffix("[]") { name = String(name.dropLast(2)) }
        if let open = name.firstIndex(of: "("), let close = name.lastIndex(of: ")"), open < close {
            name = name[..<open].trimmingSpaces + name[name.index(after: close)...]
        }
        name = name.split(separator: ".").last.map(String.init) ?? name
        name.removeAll { $0 == "\"" }
        return ["timetz": "time with time zone", "varbit": "bit varying"][name] ?? name
    }

    private static let lengths = 1...10_485_760

    private static func words(of text: String) -> String {
        text.lowercased().split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }

    private static func isName(_ name: String) -> Bool {
        func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_") }
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        guard let first = name.utf8.first, isLetter(first), name.utf8.count <= 200 else { return false }
        var isInside = false
        var brackets = 0
        var points = 0
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "("):
                isInside = true
                brackets += 1
            case UInt8(ascii: ")"):
                guard isInside else { return false }
                isInside = false
            case UInt8(ascii: ","), UInt8(ascii: "-"): guard isInside else { return false }
            case UInt8(ascii: "."):
                guard !isInside else { return false }
                points += 1
            default: guard isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: " ") else { return false }
            }
        }
        // Two of these would make a comment.
        return !isInside && brackets <= 1 && points <= 1 && !name.contains("--")
    }

    private static let plainNames: [String: ColumnType] = [
        "boolean": .boolean, "bool": .boolean, "smallint": .smallint, "int2": .smallint, "integer": .integer, "int": .integer,
        "int4": .integer, "bigint": .bigint, "int8": .bigint, "real": .real, "float4": .real, "double precision": .doublePrecision,
        "float8": .doublePrecision, "numeric": .numeric(precision: nil, scale: 0), "decimal": .numeric(precision: nil, scale: 0),
        "text": .text, "varchar": .varchar(nil), "character varying": .varchar(nil), "char": .bpchar(1), "character": .bpchar(1),
        "bpchar": .bpchar(nil), "bytea": .bytea, "timestamptz": .timestamptz(precision: nil),
        "timestamp with time zone": .timestamptz(precision: nil), "timestamp": .timestamp(precision: nil),
        "timestamp without time zone": .timestamp(precision: nil), "date": .date, "time": .time(precision: nil),
        "time without time zone": .time(precision: nil), "uuid": .uuid, "json": .json, "jsonb": .jsonb, "inet": .inet, "cidr": .cidr,
    ]
}

extension StringProtocol {
    fileprivate var trimmingSpaces: String { String(drop(while: { $0 == " " }).reversed().drop(while: { $0 == " " }).reversed()) }
}
