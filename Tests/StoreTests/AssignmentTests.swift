import CopyFormat
import Testing

@testable import Store

@Suite("What a mapping may write into a table's column")
struct AssignmentTests {
    private func type(_ name: String) -> ColumnType {
        ColumnType(parsing: name) ?? (name.hasSuffix("[]") ? .array(.other(String(name.dropLast(2)))) : .other(name))
    }

    @Test(
        "takes every value of the declared type",
        arguments: [
            ("smallint", "integer"), ("integer", "bigint"), ("smallint", "real"), ("integer", "double precision"),
            ("real", "double precision"),
            ("bigint", "numeric"), ("integer", "numeric(10)"), ("bigint", "numeric(21,2)"), ("numeric(4,2)", "numeric(6,3)"),
            ("numeric(4,2)", "numeric"), ("varchar(3)", "varchar(4)"), ("char(3)", "text"), ("varchar(3)", "char(3)"), ("text", "varchar"),
            ("text", "inet"), ("text", "citext"), ("text[]", "citext[]"), ("cidr", "inet"), ("json", "jsonb"), ("jsonb", "json"),
            ("timestamptz", "timestamptz(3)"), ("timestamptz", "timestamp"), ("time", "time(0)"), ("integer[]", "bigint[]"),
            ("citext", "public.citext"), ("timetz", "time with time zone"), ("geometry", "geometry(Point,4326)"),
            ("interval", "interval(3)"),
        ])
    func taken(from: String, to: String) {
        #expect(type(from).isAssignable(to: StoredType(type(to))))
    }

    @Test(
        "takes no type that holds less",
        arguments: [
            ("integer", "smallint"), ("integer", "real"), ("bigint", "double precision"), ("integer", "numeric(9)"),
            ("integer", "numeric(11,2)"),
            ("numeric(4,2)", "numeric(4,1)"), ("numeric(4,2)", "numeric(5,4)"), ("numeric", "numeric(10,2)"), ("real", "numeric"),
            ("varchar(4)", "varchar(3)"), ("text", "varchar(10)"), ("text", "uuid"), ("text", "integer"), ("date", "timestamptz"),
            ("timestamptz", "date"), ("timestamptz", "time"), ("boolean", "integer"), ("integer[]", "smallint[]"), ("integer", "integer[]"),
            ("jsonb", "text"), ("real", "citext"), ("citext", "hstore"), ("citext", "citext[]"), ("inet", "cidr"),
        ])
    func refused(from: String, to: String) {
        #expect(!type(from).isAssignable(to: StoredType(type(to))))
    }

    @Test("an enum takes text and its own name, and no other enum's")
    func enums() {
        let mood = StoredType(type: .enumeration(name: "mood", labels: ["ok"]), sql: "public.\"Mood\"", oid: 1, elementOID: 0)
        #expect(ColumnType.text.isAssignable(to: mood))
        #expect(ColumnType.varchar(3).isAssignable(to: mood))
        #expect(ColumnType.other("mood").isAssignable(to: mood))
        #expect(!ColumnType.other("state").isAssignable(to: mood))
        #expect(!ColumnType.integer.isAssignable(to: mood))
    }
}
