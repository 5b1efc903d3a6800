import CopyFormat
import PostgreSQL
import Testing

@Suite("A value that a type does not hold is refused before the database sees it", .serialized, .withDatabase)
struct RefusalTests {
    /// The column, the table's type, a value in JSON, and words of the reason.
    static let refused: [(column: String, type: String, json: String, reason: String)] = [
        ("type: smallint", "smallint", "32768", "out of range for smallint"),
        ("type: smallint", "bigint", "32768", "out of range for smallint"),
        ("type: integer", "integer", "23.5", "not a whole number"), ("type: bigint", "bigint", "9223372036854775808", "out of range"),
        ("type: real", "real", "3.5e38", "out of range"), ("type: real", "real", "\"nan\"", "not a number"),
        ("type: real", "real", "\"Infinity\"", "not a number"), ("type: double precision", "double precision", "1e309", "out of range"),
        ("type: double precision", "double precision", "\"NaN\"", "not a number"), ("type: numeric", "numeric", "\"NaN\"", "not a number"),
        ("type: numeric", "numeric", "\"infinity\"", "not a number"), ("type: numeric", "numeric", "1e131072", "out of range"),
        ("type: \"numeric(4,2)\"", "numeric(4,2)", "99.995", "out of range for numeric(4,2)"),
        ("type: \"numeric(4,2)\"", "numeric(4,2)", "-100", "out of range"),
        ("type: \"numeric(2,4)\"", "numeric(2,4)", "0.00995", "out of range"),
        ("type: \"numeric(3,-2)\"", "numeric(3,-2)", "99950", "out of range"),
        ("type: \"numeric(1,1)\"", "numeric(1,1)", "0.95", "out of range"),
        ("type: text", "text", #""a\u0000b""#, "NUL"), ("type: varchar(3)", "varchar(3)", "\"äöüß\"", "takes 3"),
        ("type: char(3)", "char(3)", "\"abcd\"", "takes 3"), ("type: text", "citext", #""a\u0000b""#, "NUL"),
        ("type: timestamptz", "timestamptz", "\"infinity\"", "not an RFC 3339 time"),
        ("type: timestamptz", "timestamptz", "\"-infinity\"", "not an RFC"),
        ("type: timestamptz", "timestamptz", "\"2024-01-01T24:00:00Z\"", "no such date or hour"),
        ("type: timestamptz", "timestamptz", "\"2024-01-01T00:00:61Z\"", "no such date or hour"),
        ("type: timestamptz, parse: unix_us", "timestamptz", "9223372036854775808", "out of range"),
        ("type: timestamptz, parse: unix_us", "timestamptz", "-210866803200000001", "out of range"),
        ("type: date, parse: unix_us, zone: Europe/Berlin", "date", "9223372036854775807", "out of range"),
        ("type: date, parse: unix_us, zone: Europe/Berlin", "date", "-9223372036854775808", "out of range"),
        ("type: date", "date", "\"infinity\"", "not a date"), ("type: date", "date", "\"2023-02-29\"", "not a date"),
        ("type: time", "time", "\"24:00:01\"", "not a time of day"), ("type: time", "time", "\"12\"", "not a time of day"),
        ("type: time", "time", "\"12:60\"", "not a time of day"), ("type: time", "time", "\"12:00:00.\"", "not a time of day"),
        ("type: time", "time", "\"2024-13-01T12:00:00Z\"", "not a time of day"), ("type: time", "time", "\"1é:00\"", "not a time of day"),
        ("type: uuid", "uuid", "\"f81d4fae\"", "not a UUID"),
        ("type: inet", "inet", "\"300.1.1.1\"", "'300.1.1.1' is not an internet address"),
        ("type: inet", "inet", "\"10.1\"", "not an internet address"), ("type: inet", "inet", "\"1.2.3.4.5\"", "not an internet address"),
        ("type: inet", "inet", "\"10.0.0.1/33\"", "prefix is longer"), ("type: inet", "inet", "\"::1/129\"", "prefix is longer"),
        ("type: inet", "inet", "\"10.0.0.1/\"", "not an internet address"),
        ("type: inet", "inet", "\"1::2::3\"", "not an internet address"),
        ("type: inet", "inet", "\"1:2:3:4:5:6:7\"", "not an internet address"), ("type: inet", "inet", "\"1:2:3:4:5:6:7:8:9\"", "not an"),
        ("type: inet", "inet", "\"1:2:3:4:5:6:7:8::\"", "not an internet address"), ("type: inet", "inet", "\":::\"", "not an internet"),
        ("type: inet", "inet", "\":\"", "not an internet address"), ("type: inet", "inet", "\"1:\"", "not an internet address"),
        ("type: inet", "inet", "\"12345::\"", "not an internet address"), ("type: inet", "inet", "\"fe80::1%eth0\"", "names a zone"),
        ("type: inet", "inet", "3232235777", "not an internet address"), ("type: inet", "inet", "\"\"", "not an internet address"),
        ("type: cidr", "cidr", "\"10.0.0.1/8\"", "no network: bits are set behind its prefix"),
        ("type: text", "inet", "\"x\"", "not an internet address"),
        ("type: mood", "mood", "\"OK\"", "'OK' is no label of mood, which has 'bad', 'ok', 'so so'"),
        ("type: text", "mood", "\"ok \"", "no label"),
        ("type: \"mood[]\"", "mood[]", "[\"ok\",\"none\"]", "'none' is no label of mood"),
        ("type: \"integer[]\"", "integer[]", "[[1]]", "single value"),
        ("type: \"inet[]\"", "inet[]", "[\"::1\",\"x\"]", "'x' is not an internet address"),
        ("type: percent", "percent", "1000", "out of range"),
    ]

    @Test("with a reason in words", arguments: refused)
    func reason(_ tested: (column: String, type: String, json: String, reason: String)) throws {
        let database = try TestDatabase.connect()
        try database.connection.execute(EncodingTests.preparation)
        let column = try OneColumn(database, column: tested.column, type: tested.type)
        let error = #expect(throws: OneColumn.Refused.self) { try column.store(["{\"v\":\(tested.json)}"], format: .binary) }
        #expect(error?.description.contains(tested.reason) ?? false, "\(error?.description ?? "")")
        #expect(error?.description.hasPrefix("column 'v':") ?? false)
    }

    @Test("what only the database can read, it refuses with the number of the row, whatever the value says of itself")
    func refusedText() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute(EncodingTests.preparation)
        for (type, good, bad) in [
            ("ltree", "a.b", #"a b\nCOPY t, line 1, column v: \"x"#), ("hstore", "a=>1", #"a\nCOPY t, line 1, column v: \"x"#),
            ("interval", "1 day", #"1 parsec\nCOPY t, line 1"#), ("email", "a@b", "nobody"),
        ] {
            let column = try OneColumn(database, column: "type: \(type)", type: type)
            let rows = Array(([good, good, bad, good].joined(separator: "\n") + "\n").utf8)
            let copy = CopyStatement(table: "t", columns: ["v"], format: .text)
            rows.withUnsafeBytes { bytes in
                guard case .refused(let error, _) = database.connection.run([.copy(copy, rows: [bytes])]) else {
                    Issue.record("\(type) took '\(bad)'")
                    return
                }
                #expect(copy.row(namedBy: error) == 3, "\(type): \(error.context ?? "")")
                #expect(error.classification == .badRow || copy.blamesValue(error), "\(type): \(error)")
            }
            #expect(try column.stored().isEmpty)
        }
    }
}
