import CopyFormat
import Foundation
import Mapping
import PostgreSQL
import Store
import Testing

@Suite("What the schema offers to those who read", .serialized, .withDatabase)
struct AnalystSchemaTests {
    @Test("every table, column, view and function of the schema has a comment")
    func comments() throws {
        let database = try TestDatabase.connect()
        let bare = try database.rows(
            """
            SELECT c.oid::regclass::text FROM pg_class AS c
            WHERE c.relnamespace = 'penstock'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                AND obj_description(c.oid, 'pg_class') IS NULL
            UNION ALL
            SELECT c.oid::regclass || '.' || a.attname
            FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = 'penstock'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND col_description(c.oid, a.attnum) IS NULL
            UNION ALL
            SELECT p.oid::regprocedure::text FROM pg_proc AS p
            WHERE p.pronamespace = 'penstock'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
            """)
        #expect(bare.isEmpty, "\(bare)")
        #expect(
            try database.value("SELECT count(*) >= 9 FROM pg_class WHERE relnamespace = 'penstock'::regnamespace AND relkind = 'r'") == "t")
    }

    private static func mappings(_ texts: [String: String]) throws -> [MappingSyntax] {
        try texts.sorted { $0.key < $1.key }.map { name, text in
            let reading = MappingReader.read(text: text, file: "\(name).yaml")
            try #require(reading.diagnostics.isEmpty, "\(reading.diagnostics)")
            return try #require(reading.mappings.first)
        }
    }

    private static let press = """
        description: Presses
        topic: plant/{press}/state
        decode: json
        table: {name: press, key: [press, time], comment: One row a stroke}
        columns:
          press: text not null from topic.press
          time: {type: timestamptz not null, from: [$.t, received]}
          force: {type: real, from: $.f, convert: W to kW, comment: of the ram}
        """

    @Test("the dictionary says of each column what it means and where it comes from, and of each pool what that pool loaded last")
    func dictionary() throws {
        let database = try TestDatabase.connect()
        let other = "topic: x/{a}\ndecode: json\ntable: other\ncolumns:\n  a: text from topic.a\n"
        let load = { (pool: String, texts: [String: String]) in
            try DataDictionary(try Self.mappings(texts)).store(forPool: pool, database.connection)
        }
        try load("one", ["press": Self.press, "other": other])
        try load("two", ["other": other])
        #expect(
            try database.rows(
                """
                SELECT column_name, type, not_null, unit, comment, source, mappings FROM penstock.dictionary WHERE table_name = 'press'
                """) == [
                    ["press", "text", "t", nil, nil, "topic.press", "{press}"],
                    ["time", "timestamptz", "t", nil, nil, "$.t or received", "{press}"],
                    ["force", "real", "f", "kW", "of the ram", "$.f", "{press}"],
                ])
        #expect(
            try database.rows("SELECT patterns, qos, decoder, tables, description FROM penstock.mapping WHERE name = 'press'")
                == [["{\"plant/{press}/state\"}", "1", "json", "{press}", "Presses"]])
        #expect(
            try database.rows(
                "SELECT key, time_column, on_conflict, comment, mappings FROM penstock.mapped_table WHERE table_name = 'press'")
                == [["{press,time}", "time", "append", "One row a stroke", "{press}"]])

        // What is the same is not written again; what has changed, and what is gone, is.
        let versions = "SELECT pool, name, xmin FROM penstock.mapping ORDER BY 1, 2"
        let before = try database.rows(versions)
        try load("one", ["press": Self.press, "other": other])
        #expect(try database.rows(versions) == before)
        try load("one", ["press": Self.press.replacing("of the ram", with: "of the punch")])
        #expect(try database.value("SELECT comment FROM penstock.dictionary WHERE column_name = 'force'") == "of the punch")
        #expect(try database.rows("SELECT pool, name FROM penstock.mapping ORDER BY 1, 2") == [["one", "press"], ["two", "other"]])
        #expect(
            try database.rows("SELECT pool, table_name FROM penstock.mapped_table ORDER BY 1, 2") == [["one", "press"], ["two", "other"]])
    }

    @Test("writers count rows each for themselves, and freshness adds them up")
    func activity() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute("TRUNCATE penstock.table_activity; DELETE FROM penstock.writer")
        let writers = [WriterRow(), WriterRow()]
        for writer in writers {
            _ = try database.rows(
                "INSERT INTO penstock.writer (id, process, host, pool, birth) VALUES ('\(writer.identifier.uuidString)', 1, 'h', 'p', 'b')")
        }
        _ = try database.rows(
            writers[0].advance(to: 1, storing: [.init(table: "it's \"a\"", count: 10, newestMicroseconds: 86_400_000_000)]))
        // Two lists of columns of one table, one without a time; then an older row.
        _ = try database.rows(
            writers[1].advance(
                to: 1,
                storing: [
                    .init(table: "it's \"a\"", count: 5, newestMicroseconds: nil),
                    .init(table: "it's \"a\"", count: 7, newestMicroseconds: 86_400_000_001),
                    .init(table: "timeless", count: 1, newestMicroseconds: nil),
                ]))
        _ = try database.rows(writers[1].advance(to: 2, storing: [.init(table: "it's \"a\"", count: 1, newestMicroseconds: 5)]))
        let freshness = """
            SELECT table_name, last_time, rows_today FROM penstock.freshness WHERE table_name IN ('it''s "a"', 'timeless') ORDER BY 1
            """
        let expected = [["it's \"a\"", "2000-01-02 00:00:00.000001+00", "23"], ["timeless", nil, "1"]]
        #expect(try database.rows(freshness) == expected)

        // A batch that is not the next one counts nothing.
        #expect(throws: PostgreSQLError.self) {
            try database.rows(writers[1].advance(to: 9, storing: [.init(table: "timeless", count: 1, newestMicroseconds: nil)]))
        }
        #expect(try database.rows(freshness) == expected)
        // Nor is anything lost when a writer ends.
        _ = try database.rows("DELETE FROM penstock.writer WHERE id = '\(writers[0].identifier.uuidString)'")
        _ = try database.rows("SELECT penstock.tidy_activity()")
        #expect(try database.rows(freshness) == expected)
    }

    @Test("ended writers' days are added up, and old days go but for the last of a table")
    func tidying() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute(
            """
            TRUNCATE penstock.table_activity;
            INSERT INTO penstock.table_activity (table_name, day, writer, rows, last_time, last_commit)
            SELECT 'a', current_date - n, gen_random_uuid(), 10, now() - n * interval '1 day', now() - n * interval '1 day'
            FROM generate_series(0, 200) AS n, generate_series(1, 3);
            INSERT INTO penstock.table_activity VALUES ('asleep', current_date - 500, gen_random_uuid(), 7, NULL, now() - interval '500 days');
            SELECT penstock.tidy_activity();
            SELECT penstock.tidy_activity();
            """)
        #expect(
            try database.rows("SELECT count(*), count(DISTINCT day), sum(rows) FROM penstock.table_activity WHERE table_name = 'a'")
                == [["93", "91", "2730"]])
        #expect(
            try database.rows(
                "SELECT rows, last_commit < now() - interval '499 days' FROM penstock.table_activity WHERE table_name = 'asleep'")
                == [["7", "t"]])
    }

    @Test("letters of today are counted through their index, and no further than they have to")
    func letters() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute(
            """
            TRUNCATE penstock.dead_letter;
            INSERT INTO penstock.dead_letter (received, topic, payload, qos, retain, mapping, stage, error, client_id)
            SELECT now() + (CASE WHEN m = 'old' THEN interval '-2 days' ELSE interval '0' END), 't', '', 1, false, m, 'decode', 'e', 'c'
            FROM generate_series(1, 20000) AS n, unnest(ARRAY['flood', 'old']) AS m;
            INSERT INTO penstock.mapped_table (pool, table_name, mappings, key, on_conflict)
            VALUES ('letters', 'flooded', '{flood,old}', '{}', 'append'), ('letters', 'calm', '{old}', '{}', 'append');
            ANALYZE penstock.dead_letter;
            """)
        #expect(
            try database.rows(
                "SELECT table_name, letters_today, last_commit FROM penstock.freshness WHERE table_name IN ('calm', 'flooded') ORDER BY 1")
                == [["calm", "0", nil], ["flooded", "10000", nil]])
        let plan = try database.rows("EXPLAIN SELECT * FROM penstock.freshness").compactMap { $0[0] }.joined(separator: "\n")
        #expect(plan.contains("dead_letter_mapping_received_idx"), "\(plan)")
        try database.connection.execute("TRUNCATE penstock.dead_letter; DELETE FROM penstock.mapped_table WHERE pool = 'letters'")
    }

    @Test("latest steps through the index, and gives the table's own columns")
    func latest() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute(
            """
            DROP TABLE IF EXISTS press;
            CREATE TABLE press (gone integer, press text, "the time" timestamptz, line smallint, force real);
            ALTER TABLE press DROP COLUMN gone;
            INSERT INTO press SELECT 'p' || n % 20, '2026-01-01 00:00:00Z'::timestamptz + n * interval '1 minute', n % 3, n
            FROM generate_series(1, 60000) AS n;
            INSERT INTO press VALUES (NULL, '2030-01-01 00:00:00Z', 1, 1), ('p1', NULL, 1, -1);
            CREATE INDEX press_idx ON press (press, line, "the time");
            ALTER TABLE press ADD COLUMN note text;
            ANALYZE press;
            INSERT INTO penstock.mapped_table (pool, table_name, mappings, key, time_column, on_conflict)
            VALUES ('latest', 'press', '{m}', '{press,line,"the time"}', 'the time', 'append') ON CONFLICT DO NOTHING
            """)
        let wanted = try database.rows(
            """
            SELECT DISTINCT ON (press, line) * FROM press WHERE press IS NOT NULL AND "the time" IS NOT NULL
            ORDER BY press, line, "the time" DESC
            """)
        #expect(wanted.count == 60)
        #expect(try database.rows("SELECT * FROM penstock.latest(NULL::press) ORDER BY press, line") == wanted)
        #expect(try database.rows("SELECT * FROM penstock.latest(NULL::press, 'press', 'line') ORDER BY press, line") == wanted)
        #expect(try database.value("SELECT count(*) FROM penstock.latest('press', 'press')") == "20")
        #expect(try database.value("SELECT max((r ->> 'force')::real) FROM penstock.latest('public.press') AS r") == "60000")
        let query = try #require(try database.value("SELECT penstock.latest_query('press')"))
        let plan = try database.rows("EXPLAIN (COSTS off) " + query).compactMap { $0[0] }.joined(separator: "\n")
        #expect(plan.contains("press_idx") && !plan.contains("Seq Scan") && !plan.contains("Sort"), "\(plan)")
        // A name is a name, whatever it holds.
        for call in ["'press', 'x\"; DROP TABLE press; --'", "'press; DROP TABLE press'", "NULL::integer", "'penstock.writer'"] {
            #expect(throws: PostgreSQLError.self) { try database.rows("SELECT penstock.latest(\(call))") }
        }
        #expect(try database.value("SELECT count(*) > 0 FROM press") == "t")
        try database.connection.execute("DROP TABLE press; DELETE FROM penstock.mapped_table WHERE pool = 'latest'")
    }

    @Test("penstock_analyst reads, and writes nothing; what is revoked stays revoked")
    func rights() throws {
        let database = try TestDatabase.connect()
        let tables = MappingPlan(try Self.mappings(["press": Self.press])).tables
        _ = try MappedTables.prepare(tables, policy: .create, database.connection)
        #expect(try AnalystRights.grant(on: tables, database.connection) == ["public.press"])
        try database.connection.execute("SET ROLE penstock_analyst")
        for readable in ["penstock.freshness", "penstock.dictionary", "penstock.dead_letter", "penstock.table_activity", "press"] {
            _ = try database.rows("SELECT count(*) FROM \(readable)")
        }
        for forbidden in [
            "DELETE FROM press", "INSERT INTO press (press) VALUES ('x')", "DELETE FROM penstock.dead_letter",
            "SELECT penstock.tidy_activity()",
            "SELECT penstock.load_dictionary('p', '[]', '[]')",
            "CREATE TABLE penstock.mine (n integer)",
        ] {
            #expect(throws: PostgreSQLError.self, "\(forbidden)") { try database.rows(forbidden) }
        }
        try database.connection.execute("RESET ROLE; REVOKE SELECT ON press FROM penstock_analyst")
        #expect(try AnalystRights.grant(on: tables, database.connection) == [])
        #expect(try database.value("SELECT has_table_privilege('penstock_analyst', 'press', 'SELECT')") == "f")
        try database.connection.execute("DROP TABLE press")
    }

    @Test("what was revoked before the schema was brought up to date stays revoked")
    func revokedBefore() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute("CREATE DATABASE older")
        let port = try #require(try database.value("SELECT inet_server_port()"))
        let older = OpenConnection(try Connection(url: "postgresql://postgres@127.0.0.1:\(port)/older"))
        try Migrator.apply(older.connection, of: Array(Migration.all.prefix(5)))
        try older.connection.execute("REVOKE SELECT ON penstock.dead_letter FROM penstock_analyst")
        try Migrator.apply(older.connection)
        func mayRead(_ name: String) throws -> String? {
            try older.value("SELECT has_table_privilege('penstock_analyst', 'penstock.\(name)', 'SELECT')")
        }
        #expect(try mayRead("dead_letter") == "f")
        for name in ["session", "writer", "sparkplug_birth", "freshness"] { #expect(try mayRead(name) == "t") }
    }

    @Test("where the role cannot be made, the migrations pass and say so")
    func noRole() throws {
        let database = try TestDatabase.connect()
        try database.connection.execute("ALTER ROLE penstock_analyst RENAME TO elsewhere; CREATE ROLE tenant LOGIN")
        try database.connection.execute("CREATE DATABASE tenant OWNER tenant")
        defer { try? database.connection.execute("ALTER ROLE elsewhere RENAME TO penstock_analyst") }
        let host = try #require(try database.value("SELECT inet_server_port()"))
        let tenant = OpenConnection(try Connection(url: "postgresql://tenant@127.0.0.1:\(host)/tenant"))
        #expect(try Migrator.apply(tenant.connection).count == Migration.all.count)
        #expect(tenant.connection.takeNotices().contains { $0.message.contains("penstock_analyst was not set up") })
        #expect(try AnalystRights.grant(on: [], tenant.connection) == nil)
        // An administrator makes it later.
        try database.connection.execute("ALTER ROLE elsewhere RENAME TO penstock_analyst")
        #expect(try AnalystRights.grant(on: [], tenant.connection) == [])
        #expect(try tenant.value("SELECT has_table_privilege('penstock_analyst', 'penstock.freshness', 'SELECT')") == "t")
        try database.connection.execute("ALTER ROLE penstock_analyst RENAME TO elsewhere")
    }
}
