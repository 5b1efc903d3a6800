import Foundation
import Testing

extension EndToEndTests {
    @Suite("What the commands say when something is wrong, and how they exit")
    struct CommandLineWords {
        @Test("the demo stores every message that its broker has acknowledged, and cleans up after itself")
        func demo() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            let end = try await workplace.run(["demo", "--seconds", "2", "--mappings", repository.appending(path: "mappings").path])
            #expect(end.end == .exit(0), "\(end.errors)")
            #expect(end.output.split(separator: "\n").contains { $0.hasPrefix("lost ") && $0.hasSuffix(" 0") }, "\(end.output)")
            try await workplace.close()
        }

        @Test("a typo in a mapping: its place, the word that was meant, and exit 78", arguments: ["run", "check", "migrate"])
        func typo(in command: String) async throws {
            let typo = Mappings.telemetry.replacing("unit: text", with: "unit: {tpye: text}")
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["telemetry": typo, "pump": Mappings.pump], isMigrated: false)
            let end = try await workplace.penstock(command)
            #expect(end.end == .exit(78), "\(end.errors)")
            #expect(end.errors.contains("telemetry.yaml:8:10: "), "\(end.errors)")
            #expect(end.errors.contains("'tpye'"))
            #expect(end.errors.contains("did you mean 'type'?"))
            try await workplace.close()
        }

        @Test("errors of all mappings are told at once, not the first alone")
        func allErrors() async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1,
                mappings: [
                    "one": Mappings.telemetry.replacing("table:", with: "tabel:"),
                    "two": Mappings.weather.replacing("topic.station", with: "topic.statoin"),
                    "three": Mappings.pump.replacing("u32 at 0", with: "u33 at 0"),
                ], isMigrated: false)
            let end = try await workplace.penstock("check", "--offline")
            #expect(end.end == .exit(78))
            for word in ["one.yaml:", "'tabel'", "two.yaml:", "statoin", "station", "three.yaml:", "u33"] {
                #expect(end.errors.contains(word), "\(word) is missing in: \(end.errors)")
            }
            try await workplace.close()
        }

        @Test("an unknown key in the configuration: its place, the word that was meant, and exit 78")
        func unknownConfigurationKey() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, broker: "keep_alvie: 30s", isMigrated: false)
            let end = try await workplace.penstock("run")
            #expect(end.end == .exit(78), "\(end.errors)")
            #expect(end.errors.contains("penstock.yaml:4:"), "\(end.errors)")
            #expect(end.errors.contains("'keep_alvie'"))
            #expect(end.errors.contains("did you mean 'keep_alive'?"))
            try await workplace.close()
        }

        @Test("a configuration file that is not there: exit 78, and its path")
        func noConfigurationFile() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            let end = try await workplace.run(["run", "--config", "/nowhere/penstock.yaml"])
            #expect(end.end == .exit(78), "\(end.errors)")
            #expect(end.errors.contains("/nowhere/penstock.yaml"))
            try await workplace.close()
        }

        @Test("bad usage is exit 64, help and version are exit 0")
        func usage() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            for arguments in [["runn"], ["run", "--confg", "x"], ["run", "--config"], ["try"]] {
                let end = try await workplace.run(arguments)
                #expect(end.end == .exit(64), "\(arguments): \(end.errors)")
                #expect(end.output == "", "errors belong on standard error")
                #expect(end.errors != "")
            }
            for arguments in [["--help"], ["--version"], ["run", "--help"]] {
                let end = try await workplace.run(arguments)
                #expect(end.end == .exit(0), "\(arguments)")
                #expect(end.output != "" && end.errors == "")
            }
            try await workplace.close()
        }

        @Test("a column that the table lacks: the exact ALTER TABLE that makes it, and it does")
        func missingColumn() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, ddl: "off")
            let probe = try workplace.probe()
            try probe.rows("ALTER TABLE readings DROP COLUMN unit")
            let end = try await workplace.penstock("check")
            #expect(end.end == .exit(1), "\(end.errors)")
            let everything = end.errors + end.output
            let line = try #require(everything.split(separator: "\n").first { $0.contains("ALTER TABLE") }, "\(everything)")
            #expect(line.contains("readings") && line.contains("unit") && line.contains("text"))
            let statement = try #require(line.range(of: "ALTER TABLE").map { String(line[$0.lowerBound...]) })
            try probe.rows(statement)
            #expect(try await workplace.penstock("check").end == .exit(0))
            try await workplace.close()
        }

        @Test("a column of another type: both types and the place in the mapping")
        func wrongType() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, ddl: "off")
            try workplace.probe().rows("ALTER TABLE readings ALTER COLUMN seq TYPE text")
            let end = try await workplace.penstock("check")
            #expect(end.end == .exit(1), "\(end.errors)")
            for word in ["telemetry", "seq", "bigint", "text"] { #expect((end.errors + end.output).contains(word)) }
            try await workplace.close()
        }

        @Test("a database that cannot hold every text is refused, before a letter could hold everything up", arguments: ["check", "run"])
        func wrongEncoding(command: String) async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, ddl: "off")
            let probe = try workplace.probe()
            try probe.rows("CREATE DATABASE narrow TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
            var url = try #require(URLComponents(string: workplace.databaseURL))
            url.path = "/narrow"
            try workplace.configure(databaseURL: url.string ?? "")
            #expect(try await workplace.penstock("migrate").end == .exit(0))
            let end = try await workplace.penstock(command)
            #expect(end.end == .exit(1))
            #expect((end.errors + end.output).contains("encoded in LATIN1"), "\(end.errors)")
            try probe.rows("DROP DATABASE narrow")
            try await workplace.close()
        }

        @Test("a unique index over mapped columns is a warning: repeats at QoS 1 become dead letters")
        func uniqueIndex() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            try workplace.probe().rows("CREATE UNIQUE INDEX once ON readings (device, seq)")
            let end = try await workplace.penstock("check")
            #expect(end.end == .exit(0), "\(end.errors)")
            #expect(end.errors.contains("unique index once"), "\(end.errors)")
            try await workplace.close()
        }

        @Test("a table that is not there: the words say how to make it")
        func missingTable() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, ddl: "off")
            try workplace.probe().rows("DROP TABLE readings")
            let end = try await workplace.penstock("check")
            #expect(end.end == .exit(1), "\(end.errors)")
            let everything = end.errors + end.output
            #expect(everything.contains("readings"))
            #expect(everything.contains("penstock migrate") || everything.contains("CREATE TABLE"))
            try await workplace.close()
        }

        @Test("no database: exit 1, where it was looked for and what to do", arguments: ["check", "migrate"])
        func noDatabase(for command: String) async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1, databaseURL: "postgresql://nobody@127.0.0.1:1/telemetry", isMigrated: false)
            let end = try await workplace.penstock(command)
            #expect(end.end == .exit(1), "\(end.errors)")
            #expect(end.errors.contains("127.0.0.1"), "\(end.errors)")
            #expect(end.errors.contains("database.url"), "\(end.errors)")
            try await workplace.close()
        }

        @Test(
            "a wrong database password: exit 1, what PostgreSQL said, what to do, and never the password", arguments: ["check", "migrate"])
        func wrongPassword(for command: String) async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            let url = try await workplace.urlWithWrongPassword(role: "locked_out", password: "right", given: "s3cretbutwrong")
            try workplace.configure(databaseURL: url)
            let end = try await workplace.penstock(command)
            #expect(end.end == .exit(1), "\(end.errors)")
            #expect(end.errors.contains("password authentication failed"), "\(end.errors)")
            #expect(!(end.errors + end.output).contains("s3cretbutwrong"), "a password must never be shown")
            try await workplace.close()
        }

        @Test("no broker: check says so with exit 1; run waits for it")
        func noBroker() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, withoutBroker: 1)
            let end = try await workplace.penstock("check")
            #expect(end.end == .exit(1), "\(end.errors)")
            #expect((end.errors + end.output).contains("127.0.0.1:1"), "\(end.errors)")
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("is the broker running")
            #expect(workplace.ingester.isAlive)
            try await workplace.close()
        }
    }
}
