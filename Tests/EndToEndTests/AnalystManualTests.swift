import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    /// The demo is run, then given a week of history, and every statement of docs/analysts.md runs on it in `psql`.
    ///
    /// `PENSTOCK_RECORD_MANUAL=1` writes what was printed into the page.
    @Suite("The page for analysts shows statements that run, by the indexes that it names", .serialized)
    struct AnalystManual {
        static let name = "docs/analysts.md"
        private static let tables = ["climate", "pump", "weather"]

        @Test("the demo counts what it stores, and every statement of docs/analysts.md runs")
        func statements() async throws {
            let folder = try TestServers.ofThisSuite().makeFolder()
            let demo = try ChildProcess(
                Ingester.binary,
                [
                    "demo", "--devices", "30", "--rate", "300", "--seconds", "2", "--keep", folder.path, "--mappings",
                    Page.repository.appending(path: "mappings").path,
                ], outputs: "demo", in: folder)
            let end = try await demo.waitForEnd(within: .seconds(60))
            try #require(end == .exit(0), "\(demo.errors)")
            let database = try await PrivatePostgreSQL(folder: folder)
            try await database.start()
            let probe = try DatabaseProbe(database.url())

            try freshness(probe)
            try rights(probe, database)
            for statement in DemoHistory.statements { try probe.rows(statement) }
            #expect(try probe.number("SELECT count(*) FROM climate") > 100_000)
            try await everyStatement(of: try Page(Self.name), in: folder, database, probe)
            await database.stop()
        }

        /// Right after the last message, and without a look at the tables.
        private func freshness(_ probe: DatabaseProbe) throws {
            for table in Self.tables {
                let counted = try probe.rows("SELECT sum(rows), max(last_time) FROM penstock.table_activity WHERE table_name = '\(table)'")
                let there = try probe.rows("SELECT count(*), max(time) FROM \(table)")
                #expect(counted == there, "\(table)")
                #expect(Int(there[0][0] ?? "") ?? 0 > 0)
                #expect(
                    try probe.rows(
                        """
                        SELECT last_time = (SELECT max(time) FROM \(table)), now() - last_commit < interval '1 minute', rows_today > 0
                        FROM penstock.freshness WHERE table_name = '\(table)'
                        """
                    ) == [["t", "t", "t"]])
            }
            #expect(
                try probe.rows(
                    "SELECT source, unit FROM penstock.dictionary WHERE table_name = 'weather' AND column_name IN ('time', 'wind')")
                    == [["line.date + line.clock", nil], ["line.wind", "m/s"]])
        }

        /// Someone who has the role reads all tables, and writes none.
        private func rights(_ probe: DatabaseProbe, _ database: PrivatePostgreSQL) throws {
            try probe.run("CREATE ROLE reader LOGIN", "GRANT penstock_analyst TO reader")
            let reader = try DatabaseProbe(database.url().replacing("postgres@", with: "reader@"))
            try reader.rows("SET search_path = penstock, public")
            for table in Self.tables {
                #expect(try reader.number("SELECT count(*) FROM \(table)") > 0)
                #expect(throws: (any Error).self) { try reader.rows("DELETE FROM \(table)") }
            }
        }

        /// What of the page is typed here.
        static func typed() throws -> Set<String> {
            Set(PageStatement.all(of: try Page(name)).map(\.sql)).union(["penstock demo --keep demo"])
        }

        private func everyStatement(of page: Page, in folder: URL, _ database: PrivatePostgreSQL, _ probe: DatabaseProbe) async throws {
            var text = page.lines.joined(separator: "\n")
            let statements = PageStatement.all(of: page)
            #expect(statements.count >= 15, "the page has statements")
            for (number, statement) in statements.enumerated() {
                let file = folder.appending(path: "\(number).sql")
                try statement.sql.write(to: file, atomically: false, encoding: .utf8)
                let psql = try ChildProcess(
                    "/bin/sh", ["-c", "cd '\(folder.path)' && exec psql -X -v ON_ERROR_STOP=1 -f '\(file.path)' '\(database.url())'"],
                    outputs: "psql-\(number)", in: folder)
                let end = try await psql.waitForEnd(within: .seconds(60))
                #expect(end == .exit(0), "\(statement.title): \(psql.errors)")
                let printed = psql.output.trimmingCharacters(in: .newlines)
                if let shown = statement.shown {
                    let columns = { (table: String) in
                        table.split(separator: "\n").first.map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
                            ?? []
                    }
                    #expect(columns(printed) == columns(shown), "\(statement.title)")
                    #expect(!printed.hasSuffix("(0 rows)"), "\(statement.title): finds something to show")
                    text = text.replacing("```text\n\(shown)\n```", with: "```text\n\(printed)\n```")
                }
                let plan = try statement.plan(probe)
                for index in statement.indexes { #expect(plan.contains(" \(index) "), "\(statement.title):\n\(plan)") }
                if !statement.indexes.isEmpty {
                    for table in Self.tables { #expect(!plan.contains("Seq Scan on \(table) "), "\(statement.title):\n\(plan)") }
                }
            }
            let csv = try String(contentsOf: folder.appending(path: "climate.csv"), encoding: .utf8)
            #expect(csv.hasPrefix("time,site,device,seq,temperature,") && csv.split(separator: "\n").count > 1000)
            if ProcessInfo.processInfo.environment["PENSTOCK_RECORD_MANUAL"] == "1" {
                try text.write(to: page.url, atomically: true, encoding: .utf8)
            }
        }
    }
}

/// One statement of the page, with what stands around it.
private struct PageStatement {
    var title = ""
    var sql = ""
    /// What the page says that it prints.
    var shown: String?
    /// Indexes that the page claims to be used.
    var indexes: [String] = []

    /// Each heading of the third level has one.
    static func all(of page: Page) -> [PageStatement] {
        let headings = page.lines.indices.filter { page.lines[$0].hasPrefix("### ") }
        return zip(headings, headings.dropFirst() + [page.lines.endIndex]).compactMap { heading, next in
            var statement = PageStatement()
            statement.title = String(page.lines[heading].dropFirst("### ".count))
            let blocks = page.blocks.filter { (heading..<next).contains($0.line) }
            guard let sql = blocks.first(where: { $0.language == "sql" }) else {
                Issue.record("\(statement.title): no statement")
                return nil
            }
            statement.sql = sql.text
            statement.shown = blocks.first { $0.language == "text" }?.text
            let claim = page.lines[heading..<next].drop { !$0.hasPrefix("Fast: ") }.joined(separator: " ")
            statement.indexes = claim.split(separator: "`").map(String.init).filter { $0.hasSuffix("_idx") }
            return statement
        }
    }

    /// How PostgreSQL goes about it, and about the SQL that penstock.latest runs.
    func plan(_ probe: DatabaseProbe) throws -> String {
        guard !sql.hasPrefix("\\") else { return "" }
        var lines = try probe.rows("EXPLAIN (VERBOSE off) " + sql.trimmingCharacters(in: ["\n", ";"])).compactMap { $0[0] }
        if sql.contains("penstock.latest(NULL::climate)") {
            let query = try probe.rows("SELECT penstock.latest_query('climate')").first?.first.flatMap { $0 } ?? ""
            lines += try probe.rows("EXPLAIN " + query).compactMap { $0[0] }
        }
        return lines.joined(separator: "\n")
    }
}
