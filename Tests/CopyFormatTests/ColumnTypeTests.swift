import Testing

@testable import CopyFormat

@Suite("Types are read by every name they have")
struct ColumnTypeTests {
    @Test(
        "in a mapping and in the catalog, and nothing else is a type with an encoder",
        arguments: [
            ("boolean", "boolean"), ("BOOL", "boolean"), ("int2", "smallint"), ("int", "integer"),
            ("double  precision", "double precision"),
            ("float8", "double precision"), ("numeric", "numeric"), ("decimal( 4 , 2 )", "numeric(4,2)"), ("numeric(5)", "numeric(5,0)"),
            ("numeric(2,3)", "numeric(2,3)"), ("numeric(4,-1)", "numeric(4,-1)"), ("varchar(10)", "varchar(10)"),
            ("character varying", "varchar"),
            ("character varying(7)", "varchar(7)"), ("character(3)", "char(3)"), ("char", "char(1)"), ("bpchar", "bpchar"),
            ("text[]", "text[]"),
            ("timestamp with time zone", "timestamptz"), ("timestamp(3) with time zone", "timestamptz(3)"),
            ("timestamptz(0)", "timestamptz(0)"),
            ("timestamp(6) without time zone", "timestamp(6)"), ("time without time zone", "time"),
            ("time(3) without time zone", "time(3)"),
            ("time(1)", "time(1)"), ("numeric(4,2)[]", "numeric(4,2)[]"), ("timestamp(3) with time zone[]", "timestamptz(3)[]"),
            ("inet", "inet"),
            ("cidr[]", "cidr[]"), ("numeric(0)", nil), ("numeric(1001)", nil), ("numeric(4,2,1)", nil), ("numeric(4,1001)", nil),
            ("varchar(0)", nil),
            ("varchar(10485761)", nil), ("text[][]", nil), ("money", nil), ("", nil), ("[]", nil), ("numeric(", nil), ("numeric()", nil),
            (")numeric(", nil), ("timestamptz(7)", nil), ("time with time zone", nil), ("time(3) with time zone", nil), ("\"char\"", nil),
            ("interval(3)", nil), ("real(3)", nil),
        ] as [(String, String?)])
    func types(text: String, sql: String?) { #expect(ColumnType(parsing: text)?.sql == sql) }

    @Test(
        "any other name is one that can stand in SQL, or none",
        arguments: [
            ("citext", true), ("public.Mood", true), ("geometry(Point,4326)", true), ("bit varying(5)", true), ("mood[]", true),
            ("interval day to second(3)", true), ("numeric(4,-2)x", true), ("a; DROP TABLE t", false), ("a'b", false), ("\"a\"", false),
            ("a.b.c", false), ("(a)", false), ("a(b", false), ("a)b", false), ("a(b)(c)", false), ("a--b", false), ("a(--)", false),
            ("a,b", false),
            ("1a", false),
            ("é", false), ("", false), ("a(b.c)", false), (String(repeating: "a", count: 201), false),
        ])
    func unknown(text: String, isName: Bool) { #expect((ColumnType(unknown: text) != nil) == isName) }

    @Test("only what the database alone can read has no binary form")
    func binaryForm() {
        #expect(ColumnType.array(.enumeration(name: "m", labels: [])).hasBinaryForm)
        #expect(!ColumnType.other("citext").hasBinaryForm)
        #expect(!ColumnType.array(.other("citext")).hasBinaryForm)
    }
}
