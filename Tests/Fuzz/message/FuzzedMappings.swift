/// Mappings in which one value goes into every type, and through every rule that reads text.
enum FuzzedMappings {
    static let all: [(name: String, text: String)] = [
        ("types", types(decode: "json", source: "$.v", hasArrays: true)), ("whole", types(decode: "text", source: "$", hasArrays: false)),
        ("cells", types(decode: "{csv: {header: first_line, decimal: \",\"}}", source: "line.v", hasArrays: false)), ("strict", strict),
        ("steps", steps), ("loops", loops), ("records", records), ("unpacked", unpacked),
    ]

    private static func types(decode: String, source: String, hasArrays: Bool) -> String {
        var lines = [
            "boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "numeric(6,2)", "text", "varchar(3)",
            "bytea",
            "timestamptz", "date", "uuid", "json", "jsonb", "inet", "cidr", "time", "time(1)", "timestamptz(3)", "char(3)", "numeric(2,4)",
            "numeric(3,-2)", "citext",
        ].map { "{type: \"\($0)\", from: \(source)}" }
        if hasArrays {
            lines += ["text[]", "integer[]", "numeric(4,1)[]", "timestamptz[]", "jsonb[]", "inet[]", "time[]", "citext[]"].map {
                "{type: \"\($0)\", from: \(source)}"
            }
        }
        for parse in [
            "unix", "unix_ms", "unix_us", "unix_ns", "unix_auto", "rfc3339", "dd.MM.yyyy HH:mm:ss", "yyMMdd_HHmmss",
            "yyyy-MM-dd HH:mm:ss.SSS",
        ] {
            lines.append("{type: timestamptz, from: \(source), parse: \"\(parse)\", zone: Europe/Berlin}")
            lines.append("{type: date, from: \(source), parse: \"\(parse)\"}")
            lines.append("{type: date, from: \(source), parse: \"\(parse)\", zone: America/New_York}")
        }
        for (type, parse) in [
            ("double precision", "decimal_comma"), ("numeric", "decimal_comma"), ("bigint", "hex"), ("numeric", "hex"), ("bytea", "hex"),
            ("bytea", "base64"), ("real", "ddmm"), ("numeric(9,6)", "ddmm"), ("jsonb", "json"),
        ] { lines.append("{type: \"\(type)\", from: \(source), parse: \(parse)}") }
        for type in ["real", "bigint", "numeric", "numeric(10,3)", "double precision"] {
            lines.append("{type: \"\(type)\", from: \(source), scale: 0.1, offset: -3.25}")
            lines.append("{type: \"\(type)\", from: \(source), min: -100, max: 1e6, null_if: [-999, 0]}")
        }
        lines.append("{type: timestamptz, from: \(source), plus: {from: \(source), times: 1 ms}}")
        lines.append("{type: text, from: \(source), trim: true, map: {a: b, \"1\": one}, map_else: null}")
        return "topic: t\non_error: set_null\ndecode: \(decode)\ntable: x\nkeep_empty: true\ncolumns:\n"
            + lines.enumerated().map { "  c\($0): \($1)\n" }.joined()
    }

    private static let strict = """
        topic: t
        decode: {json: {allow_nan: true}}
        when: {$.a: {not: skip}}
        table: x
        columns: {a: text from $.a, b: "numeric(8,3) not null from $.b", c: {type: timestamptz, from: [$.c, $.d], parse: unix_auto}, e: jsonb from rest}
        """
    private static let steps = """
        topic: t
        decode: {json: {lines: true}}
        on_error: skip_row
        table: x
        columns:
          a: {type: real, from: $.a, sign: {from: $.s, negative: [S, W]}}
          b: {type: text, join: [$.a, $.b.c, $.d.0], with: "-"}
          c: {type: integer, from: $.c, default: 7, when: {$.k: {present: true}}}
          d: "bigint[] from $.d"
          e: jsonb from $.b
        """
    private static let loops = """
        topic: t
        decode: json
        columns: {k: text from $.k}
        rows:
          - table: x
            each: {i: "$.i.*", j: "i.j.*"}
            columns: {n: integer from i@index, m: text from j@key, v: real from j.v, w: jsonb from j, u: "text from $.u.{i@index}"}
          - table: y
            each: {i: "$.o.*"}
            when: {i.v: {min: 0}}
            columns: {n: text from i@key, v: numeric from i.v}
        """
    private static let records = """
        topic: t
        decode:
          binary:
            fields: {n: u8 at 0, t: u32 at 1, s: {type: text, at: 5, size: 3}, b: {type: bcd, at: 8, size: 2}, w: {type: u16, at: 0, bits: 3..9}}
            groups: {g: {at: 10, every: 5, count: $.n, fields: {v: f32 at 0, q: i8 at 4}}, h: {at: 4, every: 3, count: to_end, fields: {z: u24 at 0}}}
        each: {r: "$.g.*"}
        table: x
        columns: {t: {type: timestamptz, from: $.t, parse: unix}, s: text from $.s, b: integer from $.b, w: smallint from $.w, v: real from r.v, q: "numeric(5,2) from r.q"}
        """
    private static let unpacked = """
        topic: t
        unpack: [base64, hex]
        decode: text
        table: x
        columns: {v: text from $, n: {type: numeric, from: $, on_error: set_null}, raw: bytea from payload}
        """
}
