import CopyFormat
import Foundation
import Mapping
import PostgreSQL
import Store
import Testing

@Suite("Rows meet those of their key", .serialized, .withDatabase)
struct StagedRowsTests {
    /// Rows of a device, made by a mapping, on their way into table `s`.
    private struct Rows {
        let plan: MappingPlan
        let staged: StagedRows
        let buffer: [UInt8]

        init(_ database: OpenConnection, _ options: String, _ payloads: [String]) throws {
            let text = """
                topic: s
                table: {name: s, key: [device], \(options)}
                keep_empty: true
                columns:
                  device: text not null
                  n: bigint not null
                  level: integer
                  label: text
                """
            let reading = MappingReader.read(text: text, file: "s.yaml")
            try #require(reading.diagnostics.isEmpty)
            let tables = try MappedTables(checking: MappingPlan(reading.mappings).tables, database.connection)
            let problems = tables.checks.values.flatMap(\.problems)
            try #require(problems.isEmpty)
            plan = MappingPlan(reading.mappings, tableTypes: tables.types)
            let conflict = try #require(plan.targets[0].conflict)
            staged = StagedRows(plan.targets[0], conflict)
            var evaluator = Evaluator(plan: plan)
            let copy = UnsafeMutablePointer<CopyBuffer>.allocate(capacity: 1)
            copy.initialize(to: CopyBuffer(capacity: 64))
            defer {
                copy.deinitialize(count: 1)
                copy.deallocate()
            }
            for payload in payloads {
                _ = Array("s".utf8).withUnsafeBytes { topic in
                    Array(payload.utf8).withUnsafeBytes { payload in
                        evaluator.process(
                            MessageInput(topic: topic, payload: payload, receivedMicroseconds: 0, qos: 1, isRetained: false), into: copy)
                    }
                }
                let failures = evaluator.failures
                try #require(failures.isEmpty)
            }
            buffer = Array(copy.pointee.bytes(0..<copy.pointee.count))
        }

        /// In one transaction, as a batch does.
        func store(_ database: OpenConnection) -> ScriptOutcome {
            buffer.withUnsafeBytes { bytes in
                database.connection.run(
                    [.sql("BEGIN"), .sql(staged.creation), .copy(staged.copy, rows: [bytes])] + staged.merges.map { .sql($0) }
                        + [.sql("COMMIT")])
            }
        }
    }

    @Test("who may only insert is told what on_conflict needs besides", arguments: ["ignore", "update"])
    func rights(_ policy: String) throws {
        let owner = try TestDatabase.connect()
        try owner.connection.execute(
            Self.table + "; DROP ROLE IF EXISTS inserter; CREATE ROLE inserter; GRANT INSERT ON s TO inserter; SET ROLE inserter")
        let text =
            "topic: s\ntable: {name: s, key: [device], on_conflict: \(policy)}\ncolumns: {device: text not null, n: bigint not null}"
        let plan = MappingPlan(MappingReader.read(text: text, file: "s.yaml").mappings)
        let problems = try MappedTables(checking: plan.tables, owner.connection).checks.values.flatMap(\.problems)
        let rights = policy == "ignore" ? "SELECT" : "SELECT, UPDATE"
        #expect(problems.map(\.remedy) == ["GRANT \(rights) ON \"s\" TO \"inserter\""])
        try owner.connection.execute("RESET ROLE; GRANT \(rights) ON s TO inserter; SET ROLE inserter")
        #expect(try MappedTables(checking: plan.tables, owner.connection).checks.values.allSatisfy { $0.problems.isEmpty })
        try owner.connection.execute("RESET ROLE; DROP OWNED BY inserter; DROP ROLE inserter")
    }

    private static let table =
        "DROP TABLE IF EXISTS s; CREATE TABLE s (device text PRIMARY KEY, n bigint NOT NULL, level integer, label text)"

    @Test(
        "a row that another writer has made newer keeps its values against those that are older now",
        arguments: ["INSERT INTO s VALUES ('d', 2, NULL, NULL)", "SELECT 1"])
    func twoWriters(before: String) async throws {
        let probe = try TestDatabase.connect()
        try probe.connection.execute(Self.table + "; " + before)
        let rows = try Rows(
            probe, "on_conflict: merge, newer: n", [#"{"device":"d","n":3,"level":1}"#, #"{"device":"d","n":7,"label":"x"}"#])
        let other = try TestDatabase.connect()
        try other.connection.execute(
            "BEGIN; INSERT INTO s VALUES ('d', 5, 9, NULL) ON CONFLICT (device) DO UPDATE SET n = 5, level = 9")
        let writer = try TestDatabase.connect()
        nonisolated(unsafe) let mine = writer
        let stored = Task.detached { () -> String in
            if case .done = rows.store(mine) { "done" } else { "refused" }
        }
        let deadline = ContinuousClock.now + .seconds(20)
        while try probe.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0" {
            try #require(ContinuousClock.now < deadline, "the writer waits for the other one")
            await Task.yield()
        }
        try other.connection.execute("COMMIT")
        #expect(await stored.value == "done")
        #expect(try probe.rows("SELECT n, level, label FROM s") == [["7", "9", "x"]])
    }
}
