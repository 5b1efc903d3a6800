import CopyFormat
import PostgreSQL
import Testing

/// Values that come in a message, and the literals of SQL that they are.
struct EncodingCase: Sendable, CustomTestStringConvertible {
    /// The column's inside in the mapping.
    var column: String
    /// Of the table's column.
    var type: String
    /// Values in JSON, and literals.
    var values: [(json: String, sql: String)]

    init(_ type: String, column: String? = nil, _ values: (String, String)...) {
        self.type = type
        self.column = column ?? "type: \"\(type)\""
        self.values = values.map { ($0.0, $0.1) }
    }

    var testDescription: String { "\(column) in \(type)" }
}

@Suite("A value is stored as the literal that it is", .serialized, .withDatabase)
struct EncodingTests {
    static let numbers: [EncodingCase] = [
        .init("boolean", ("true", "true"), ("false", "false"), ("\"yes\"", "true"), ("0", "false"), ("null", "NULL")),
        .init("smallint", ("-32768", "-32768"), ("32767", "32767"), ("\"23.0\"", "23")),
        .init("integer", ("-2147483648", "-2147483648"), ("2147483647", "2147483647"), ("1e3", "1000")),
        .init("bigint", ("-9223372036854775808", "-9223372036854775808"), ("9223372036854775807", "9223372036854775807")),
        .init("bigint", column: "type: integer", ("-7", "-7")),
        .init("numeric(12,2)", column: "type: integer", ("-2147483648", "-2147483648"), ("5", "5")),
        .init(
            "real", ("0.1", "0.1"), ("3.4028235e38", "3.4028235e38"), ("1e-45", "'1e-45'"), ("-0.0", "'-0.0'"), ("16777217", "16777217"),
            ("21.6", "21.6"), ("1e-46", "0"), ("1.17549435e-38", "1.17549435e-38")),
        .init("double precision", column: "type: real", ("0.1", "0.1::real"), ("1e30", "1e30::real")),
        .init(
            "double precision", ("0.1", "0.1"), ("1.7976931348623157e308", "1.7976931348623157e308"), ("5e-324", "'5e-324'"),
            ("-0.0", "'-0.0'"),
            ("9007199254740993", "9007199254740993"), ("1e23", "1e23"), ("123456.789e-5", "1.23456789")),
        .init(
            "numeric", ("0", "0"), ("-0", "0"), ("1e-20", "0.00000000000000000001"),
            ("12345678901234567890.123", "12345678901234567890.123"),
            ("1e131071", "1e131071"), ("1e-16383", "1e-16383"), ("0.00012345", "0.00012345"), ("1.50", "1.50"), ("-99999999", "-99999999"),
            ("100000000", "100000000"), ("\"+.5e1\"", "5"), ("0.00", "0.00"), ("10000.0001", "10000.0001")),
        .init(
            "numeric(4,2)", ("2.345", "2.345"), ("-2.345", "-2.345"), ("99.994", "99.994"), ("0.005", "0.005"), ("-0.004", "-0.004"),
            ("1", "1"), ("-99.99", "-99.99"), ("9.995", "9.995"), ("123e-2", "1.23"), ("1e-400", "0"), ("0.0049999999999999999999999", "0")),
        .init("numeric(6,3)", column: "type: \"numeric(4,2)\"", ("2.345", "2.345::numeric(4,2)")),
        .init("numeric", column: "type: \"numeric(4,2)\"", ("2.345", "2.345::numeric(4,2)"), ("7", "7.00")),
        .init("numeric(2,4)", ("0.00985", "0.00985"), ("-0.0099", "-0.0099"), ("0", "0"), ("0.00004", "0.00004"), ("0.00005", "0.00005")),
        .init("numeric(3,-2)", ("12345", "12345"), ("12350", "12350"), ("49", "49"), ("50", "50"), ("-99949", "-99949"), ("1e4", "1e4")),
        .init(
            "numeric(1000,998)", ("1.5", "1.5"), ("99.\(String(repeating: "9", count: 998))", "99.\(String(repeating: "9", count: 998))")),
        .init("numeric(5)", ("12345.4", "12345.4"), ("0.5", "0.5"), ("-0.5", "-0.5")),
    ]

    static let texts: [EncodingCase] = [
        .init(
            "text", ("\"\"", "''"), (#""a\tb\nc\rd\be\ff\u000bg\u0001""#, #"E'a\tb\nc\rd\be\ff\u000bg\u0001'"#),
            (#""it's \"quoted\"; DROP TABLE t; --""#, #"'it''s "quoted"; DROP TABLE t; --'"#), (#""\\N""#, #"'\N'"#), (#""\\.""#, #"'\.'"#),
            (#""\\""#, #"'\'"#), ("\"NULL\"", "'NULL'"), (#""é 😀 \u202E abc \uD83D\uDE00""#, "'é 😀 \u{202E} abc 😀'"), ("12.50", "'12.50'"),
            ("true", "'true'"), (#""{\"a\": [1]}""#, #"'{"a": [1]}'"#)),
        .init("varchar(5)", ("\"äöü😀x\"", "'äöü😀x'"), ("\"\"", "''")),
        .init("varchar", column: "type: text", ("\"long enough\"", "'long enough'")),
        .init("char(4)", ("\"ab\"", "'ab'"), ("\"äöü😀\"", "'äöü😀'")),
        .init("bpchar", ("\"ab  \"", "'ab  '")),
        .init("char(6)", column: "type: varchar(4)", ("\"ab\"", "'ab'")),
        .init("bytea", column: "type: bytea, parse: hex", ("\"00ff5c0a22\"", #"'\x00ff5c0a22'"#), ("\"\"", "''")),
        .init("bytea", ("\"é\"", "'\\xc3a9'")),
        .init("uuid", ("\"F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6\"", "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'")),
        .init("json", (#"{"a": "b\nc\\", "a": [1.50, null]}"#, #"'{"a": "b\nc\\", "a": [1.50, null]}'"#)),
        .init(
            "jsonb", (#"{"a": "b\nc\\\"\t", "b": [1.50, null, 1e3]}"#, #"'{"a": "b\nc\\\"\t", "b": [1.50, null, 1e3]}'"#),
            ("\"x\"", #"'"x"'"#)),
        .init("jsonb", column: "type: json", (#"{"a":1}"#, #"'{"a":1}'"#)),
        .init(
            "inet", ("\"192.168.1.5\"", "'192.168.1.5'"), ("\"10.1.2.3/8\"", "'10.1.2.3/8'"), ("\"0.0.0.0/0\"", "'0.0.0.0/0'"),
            ("\"192.168.001.010\"", "'192.168.001.010'"), ("\"::\"", "'::'"), ("\"::1\"", "'::1'"), ("\"fe80::1/64\"", "'fe80::1/64'"),
            ("\"::ffff:1.2.3.4\"", "'::ffff:1.2.3.4'"), ("\"::1.2.3.4\"", "'::1.2.3.4'"),
            ("\"2001:DB8:0:0:8:800:200C:417A\"", "'2001:db8::8:800:200c:417a'"),
            ("\"1::\"", "'1::'"), ("\"1:2:3:4:5:6:7::\"", "'1:2:3:4:5:6:7::'"), ("\"::2:3:4:5:6:7:8\"", "'::2:3:4:5:6:7:8'"),
            ("\"1:0:0:4:0:0:0:8\"", "'1:0:0:4::8'"), ("\"::2\"", "'::2'"), ("\"0:0:0:0:0:0:1:2\"", "'::0.1.0.2'"),
            ("\"64:ff9b::1.2.3.4\"", "'64:ff9b::1.2.3.4'"), ("\" 10.0.0.1 \"", "'10.0.0.1'")),
        .init(
            "cidr", ("\"10.0.0.0/8\"", "'10.0.0.0/8'"), ("\"10.1.2.3\"", "'10.1.2.3'"), ("\"2001:db8::/32\"", "'2001:db8::/32'"),
            ("\"::/0\"", "'::/0'")),
        .init("inet", column: "type: text", ("\"10.0.0.1\"", "'10.0.0.1'")),
        .init(
            "mood", ("\"ok\"", "'ok'"), ("\"so so\"", "'so so'"), (#""it's \"it\", \\ {}""#, #"'it''s "it", \ {}'"#),
            ("\"größer\"", "'größer'")),
        .init("mood", column: "type: text", ("\"ok\"", "'ok'")), .init("mood", column: "type: public.mood", ("\"ok\"", "'ok'")),
        .init("feeling", ("\"ok\"", "'ok'")), .init("percent", ("99", "99")),
        .init("percent", column: "type: \"numeric(5,2)\"", ("1.005", "1.005")),
    ]

    static let times: [EncodingCase] = [
        .init(
            "timestamptz", ("\"0001-01-01T00:00:00Z\"", "'0001-01-01 00:00:00+00'"),
            ("\"9999-12-31T23:59:59.999999Z\"", "'9999-12-31 23:59:59.999999+00'"),
            ("\"1969-12-31T23:59:59.5Z\"", "'1969-12-31 23:59:59.5+00'"),
            ("\"2024-02-29T12:30:45.123456+05:30\"", "'2024-02-29 12:30:45.123456+05:30'"),
            ("\"2016-12-31T23:59:60Z\"", "'2016-12-31T23:59:60Z'"),
            ("\"2016-12-31T23:59:60.5+01:00\"", "'2016-12-31T23:00:00.5Z'"),
            ("\"0001-01-01T00:00:00+10:00\"", "'0001-01-01 00:00:00+10'")),
        .init(
            "timestamptz", column: "type: timestamptz, parse: unix_us", ("-210866803200000000", "'4714-11-24 00:00:00+00 BC'"),
            ("9223372036854775807", "'294247-01-10 04:00:54.775807+00'"), ("0", "'1970-01-01 00:00:00+00'"),
            ("-1", "'1969-12-31 23:59:59.999999+00'"),
            ("-62167219200000001", "'0002-12-31 23:59:59.999999+00 BC'")),
        .init(
            "timestamptz(3)", ("\"2024-01-01T12:00:00.1235Z\"", "'2024-01-01 12:00:00.1235+00'"),
            ("\"1999-12-31T23:59:59.9995Z\"", "'1999-12-31 23:59:59.9995+00'"),
            ("\"1999-12-31T23:59:59.9994Z\"", "'1999-12-31 23:59:59.9994+00'"),
            ("\"1980-01-01T00:00:00.0005Z\"", "'1980-01-01 00:00:00.0005+00'"),
            ("\"2024-01-01T12:00:00.123499Z\"", "'2024-01-01 12:00:00.123499+00'")),
        .init("timestamptz(0)", column: "type: timestamptz", ("\"2024-01-01T12:00:00.5Z\"", "'2024-01-01 12:00:00.5+00'")),
        .init("timestamptz(0)", column: "type: timestamptz, parse: unix_us", ("9223372036854775807", "'294247-01-10 04:00:54+00'")),
        .init("timestamp", column: "type: timestamptz", ("\"2024-01-01T12:00:00+02:00\"", "'2024-01-01 10:00:00'")),
        .init("timestamp(3)", column: "type: timestamptz", ("\"2024-01-01T12:00:00.0015Z\"", "'2024-01-01 12:00:00.0015'")),
        .init(
            "date", ("\"2024-02-29\"", "'2024-02-29'"), ("\"0001-01-01\"", "'0001-01-01'"), ("\"9999-12-31\"", "'9999-12-31'"),
            ("\"2024-01-01T23:30:00-05:00\"", "'2024-01-01'")),
        .init(
            "date", column: "type: date, parse: unix_us", ("-210866803200000000", "'4714-11-24 BC'"),
            ("9223372036854775807", "'294247-01-10'"),
            ("-1", "'1969-12-31'")),
        .init(
            "date", column: "type: date, parse: unix, zone: Europe/Berlin", ("1704063600", "'2024-01-01'"), ("1704063599", "'2023-12-31'"),
            ("1720000000", "'2024-07-03'")),
        .init(
            "time", ("\"00:00\"", "'00:00'"), ("\"24:00:00\"", "'24:00:00'"), ("\"23:59:60\"", "'23:59:60'"),
            ("\"12:34:56.789012\"", "'12:34:56.789012'"),
            ("\"2024-01-01T05:06:07.5+02:00\"", "'05:06:07.5'"), ("\"2024-01-01 05:06:07\"", "'05:06:07'")),
        .init("time(1)", ("\"12:34:56.75\"", "'12:34:56.75'"), ("\"23:59:59.96\"", "'23:59:59.96'")),
    ]

    static let arrays: [EncodingCase] = [
        .init("integer[]", ("[]", "'{}'"), ("[1,null,-3]", "'{1,NULL,-3}'"), ("[null]", "'{NULL}'"), ("null", "NULL")),
        .init(
            "text[]", (#"["a,b","{}","\"","\\","NULL",""," ","it's","\n\t"]"#, #"ARRAY['a,b','{}','"','\','NULL','',' ','it''s',E'\n\t']"#),
            ("[null,\"null\"]", "ARRAY[NULL,'null']")),
        .init("numeric(4,2)[]", ("[1.005,-2,99.994]", "'{1.005,-2,99.994}'")), .init("boolean[]", ("[true,false,null]", "'{t,f,NULL}'")),
        .init("real[]", ("[0.1,-1e30]", "'{0.1,-1e30}'")), .init("double precision[]", ("[0.1,5e-324]", "'{0.1,5e-324}'")),
        .init("bigint[]", ("[-9223372036854775808]", "'{-9223372036854775808}'")), .init("smallint[]", ("[1]", "'{1}'")),
        .init("timestamptz[]", ("[\"2024-01-01T00:00:00Z\"]", "'{2024-01-01 00:00:00+00}'")),
        .init("timestamptz(1)[]", ("[\"2024-01-01T00:00:00.06Z\"]", "'{2024-01-01 00:00:00.06+00}'")),
        .init("date[]", ("[\"2024-01-01\"]", "'{2024-01-01}'")), .init("time[]", ("[\"12:00\"]", "'{12:00}'")),
        .init("uuid[]", ("[\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"]", "'{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}'")),
        .init("inet[]", ("[\"10.0.0.1\",\"::1\"]", "'{10.0.0.1,::1}'")), .init("cidr[]", ("[\"10.0.0.0/8\"]", "'{10.0.0.0/8}'")),
        .init("bytea[]", column: "type: \"bytea[]\", parse: hex", ("[\"00ff\",\"\"]", #"ARRAY['\x00ff','']::bytea[]"#)),
        .init("varchar(3)[]", ("[\"abc\"]", "'{abc}'")), .init("char(3)[]", ("[\"ab\"]", "'{ab}'")),
        .init("jsonb[]", (#"[{"a":"\"x\\"},[1]]"#, #"ARRAY['{"a":"\"x\\"}','[1]']::jsonb[]"#)),
        .init(
            "mood[]", (#"["ok",null,"so so","it's \"it\", \\ {}"]"#, #"ARRAY['ok',NULL,'so so','it''s "it", \ {}']::mood[]"#),
            ("[]", "'{}'")),
        .init("mood[]", column: "type: \"text[]\"", ("[\"ok\"]", "'{ok}'")), .init("percent[]", ("[1,2.5]", "'{1,2.5}'")),
        .init("levels", ("[1,2]", "'{1,2}'")),
    ]

    /// Types that only the database can read.
    static let others: [EncodingCase] = [
        .init("citext", ("\"AbC\\n\\t\\\\\"", "E'AbC\\n\\t\\\\'")), .init("citext", column: "type: text", ("\"x\"", "'x'")),
        .init("hstore", (#""a=>1, \"b c\"=>\"x\\\"y\"""#, #"'a=>1, "b c"=>"x\"y"'"#)), .init("ltree", ("\"a.b.c\"", "'a.b.c'")),
        .init("interval", ("\"1 day 02:03:04.5\"", "'1 day 02:03:04.5'")), .init("interval(0)", ("\"1.6 s\"", "'1.6 s'")),
        .init("money", ("12.34", "'12.34'")), .init("int4range", ("\"[1,5)\"", "'[1,5)'")), .init("point", ("\"(1,2)\"", "'(1,2)'")),
        .init("xml", ("\"<a b=\\\"c\\\"/>\"", "'<a b=\"c\"/>'")), .init("bit(3)", ("\"101\"", "B'101'")),
        .init("bit varying(5)", ("\"10\"", "B'10'")),
        .init("macaddr", ("\"08:00:2b:01:02:03\"", "'08:00:2b:01:02:03'")), .init("timetz", ("\"12:00:00+02\"", "'12:00:00+02'")),
        .init("tsvector", ("\"a fat cat\"", "'a fat cat'")), .init("public.pair", (#""(1,\"a b\")""#, #"'(1,"a b")'"#)),
        .init("citext[]", (#"["a,b",null,"\"\\"]"#, #"ARRAY['a,b',NULL,'"\']::citext[]"#)),
        .init("interval[]", ("[\"1 day\"]", "'{1 day}'")),
        .init("box[]", ("[\"(1,2),(3,4)\",\"(5,6),(7,8)\"]", "'{(1,2),(3,4);(5,6),(7,8)}'")), .init("name", ("\"n\"", "'n'")),
        .init("tstzrange", ("\"[2024-01-01T00:00:00Z,)\"", "'[2024-01-01 00:00:00+00,)'")), .init("email", ("\"a@b\"", "'a@b'")),
    ]

    static let preparation = """
        CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS ltree;
        DROP TABLE IF EXISTS t; DROP DOMAIN IF EXISTS feeling, percent, levels, email; DROP TYPE IF EXISTS mood, pair;
        CREATE TYPE mood AS ENUM ('bad', 'ok', 'so so', 'it''s "it", \\ {}', 'größer'); CREATE DOMAIN feeling AS mood CHECK (VALUE <> 'bad');
        CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE <= 100); CREATE DOMAIN levels AS integer[];
        CREATE DOMAIN email AS citext CHECK (VALUE ~ '@'); CREATE TYPE pair AS (a integer, b text)
        """

    @Test("in binary form, and as text", arguments: numbers + texts + times + arrays)
    func both(_ tested: EncodingCase) throws {
        for format in [CopyStatement.Format.binary, .text] { try check(tested, format) }
    }

    @Test("as text where only the database can read it", arguments: others)
    func other(_ tested: EncodingCase) throws {
        let column = try check(tested, .text)
        #expect(column.plan.targets[0].isText)
    }

    @discardableResult
    private func check(_ tested: EncodingCase, _ format: CopyStatement.Format) throws -> OneColumn {
        let database = try TestDatabase.connect()
        try database.connection.execute(Self.preparation)
        let column = try OneColumn(database, column: tested.column, type: tested.type)
        try column.store(tested.values.map { "{\"v\":\($0.json)}" }, format: format)
        let expected = try tested.values.map { try database.value("SELECT (\($0.sql))::\(tested.type)::text") }
        #expect(try column.stored() == expected, "\(format)")
        try database.connection.execute(column.plan.targets[0].confirmation)
        return column
    }
}
