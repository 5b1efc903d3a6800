import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("penstock try shows what a message becomes, and why")
    struct Try {
        private static let topic = "site/hq/dev/d1/telemetry"
        private static let two = ["telemetry": Mappings.telemetry, "weather": Mappings.weather]

        private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

        @Test("rows, the fields with what takes them, and why other mappings do not take the topic")
        func rows() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: Self.two, isMigrated: false)
            let end = try await workplace.penstock(
                "try", "--topic", Self.topic, "--payload", #"{"seq":7,"temp":21.5,"fw":"1.2"}"#, "--received", "2026-01-01T00:00:00Z")
            #expect(end.end == .exit(0), "\(end.errors)")
            let lines = lines(end.output).map { $0.trimmingCharacters(in: .whitespaces) }
            let mappings = workplace.folder.appending(path: "mappings").path
            #expect(lines[0] == "telemetry: takes 'site/{site}/dev/{device}/telemetry' (\(mappings)/telemetry.yaml:1:8), 1 row")
            #expect(lines.contains { $0.hasPrefix("seq: 7") && $0.hasSuffix("-> readings.seq") }, "\(end.output)")
            #expect(lines.contains { $0.hasPrefix("fw: \"1.2\"") && $0.hasSuffix("unmapped") }, "\(end.output)")
            #expect(lines.contains("table readings, 1 row"))
            #expect(lines.contains { $0.hasPrefix("d1 ") && $0.contains("21.5") && $0.contains("2026-01-01T00:00:00Z") }, "\(end.output)")
            #expect(lines.contains("weather: does not take the topic"))
            #expect(lines.contains("'weather/{station}' (\(mappings)/weather.yaml:1:8): level 1: 'site' is not 'weather'"), "\(end.output)")
            #expect(!end.output.contains("\u{1B}"), "no colours where there is no terminal")
            try await workplace.close()
        }

        @Test("a dead letter: exit 1, the reason, the column's place and what it read")
        func deadLetter() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            let end = try await workplace.penstock("try", "--topic", Self.topic, "--payload", #"{"seq":"seven","temp":1}"#)
            #expect(end.end == .exit(1), "\(end.errors)")
            let mapping = workplace.folder.appending(path: "mappings/telemetry.yaml").path
            #expect(end.output.contains("column 'seq': 'seven' is not a number (\(mapping):6:3)"), "\(end.output)")
            #expect(end.output.contains(#"$.seq is "seven""#), "\(end.output)")
            try await workplace.close()
        }

        @Test("--json holds all of it")
        func json() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: Self.two, isMigrated: false)
            let end = try await workplace.penstock("try", "--json", "--topic", Self.topic, "--payload", #"{"seq":7,"temp":1,"fw":"1.2"}"#)
            let answers = try #require(try JSONSerialization.jsonObject(with: Data(end.output.utf8)) as? [[String: Any]])
            #expect(answers.map { $0["mapping"] as? String } == ["telemetry", "weather"])
            #expect(answers.map { $0["outcome"] as? String } == ["rows", "not_matched"])
            let payload = try #require((answers[0]["payload"] as? [String: Any])?["children"] as? [[String: Any]])
            #expect(payload.map { $0["fate"] as? String } == ["mapped", "mapped", "unmapped"])
            #expect(payload[0]["columns"] as? [String] == ["readings.seq"])
            let patterns = try #require(answers[1]["patterns"] as? [[String: Any]])
            #expect(patterns[0]["level"] as? Int == 1 && patterns[0]["reason"] as? String == "'site' is not 'weather'")
            try await workplace.close()
        }

        @Test(
            "payloads that look like options are payloads",
            arguments: [["--payload", "-3.5"], ["--payload=-3.5"], ["--payload", "--x"], ["--payload-hex", "2d332e35"]])
        func dashes(arguments: [String]) async throws {
            let text = "topic: v\ndecode: text\ntable: readings\ncolumns: {v: text from $}"
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["value": text], isMigrated: false)
            let configuration = workplace.folder.appending(path: "penstock.yaml").path
            let end = try await workplace.run(["try", "--config", configuration, "--topic", "v"] + arguments)
            #expect(end.end == .exit(0), "\(end.errors)")
            #expect(
                lines(end.output).last?.trimmingCharacters(in: .whitespaces) == (arguments.last == "--x" ? "--x" : "-3.5"), "\(end.output)")
            try await workplace.close()
        }

        @Test("what comes with a message: QoS, retained, properties of MQTT 5, the time of receipt")
        func properties() async throws {
            let text = """
                topic: t
                retained: use
                table: readings
                columns: {q: smallint not null from mqtt.qos, r: boolean not null from mqtt.retain, c: text from mqtt.content_type, p: text from mqtt.response_topic, k: text from mqtt.correlation, u: text from mqtt.user.site, at: timestamptz not null from received}
                """
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["all": text], isMigrated: false)
            let end = try await workplace.penstock(
                "try", "--json", "--topic", "t", "--payload", "{}", "--qos", "2", "--retain", "--content-type", "a/b", "--response-topic",
                "re/x",
                "--correlation", "c1", "--user", "site=hq", "--user", "x=y=z", "--received", "2026-02-03T04:05:06Z")
            #expect(end.end == .exit(0), "\(end.errors)")
            let answers = try #require(try JSONSerialization.jsonObject(with: Data(end.output.utf8)) as? [[String: Any]])
            let tables = try #require(answers[0]["tables"] as? [[String: Any]])
            let row = try #require((tables[0]["rows"] as? [[String: Any]])?.first)
            let expected = ["q": "2", "r": "t", "c": "a/b", "p": "re/x", "k": "c1", "u": "hq", "at": "2026-02-03T04:05:06Z"]
            #expect(row as? [String: String] == expected, "\(row)")
            try await workplace.close()
        }

        @Test("--mapping leaves the others out; a name that is none is bad usage with the name that was meant")
        func oneMapping() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: Self.two, isMigrated: false)
            let one = try await workplace.penstock("try", "--topic", Self.topic, "--payload", "{}", "--mapping", "weather")
            #expect(one.end == .exit(0) && !one.output.contains("telemetry:"), "\(one.output)")
            #expect(one.output.contains("no mapping takes this topic"))
            let none = try await workplace.penstock("try", "--topic", Self.topic, "--payload", "{}", "--mapping", "wheather")
            #expect(none.end == .exit(64) && none.errors.contains("did you mean 'weather'?"), "\(none.errors)")
            try await workplace.close()
        }

        @Test(
            "bad usage is told before anything is read",
            arguments: [
                ["--payload", "x"], ["--topic", "a"], ["--topic", "a/#", "--payload", "x"],
                ["--topic", "a", "--payload", "x", "--payload-hex", "00"],
                ["--topic", "a", "--payload", "x", "--received", "noon"], ["--topic", "a", "--payload", "x", "--user", "x"],
                ["--topic", "a", "--payload", "x", "--qos", "3"], ["--live", "0"], ["--live", "1", "--payload", "x"],
                ["--topic", "a", "--payload", "x", "--seconds", "3"], ["--live", "1", "--topic", "$share/g/a"],
            ])
        func usage(arguments: [String]) async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            let end = try await workplace.run(["try"] + arguments)
            #expect(end.end == .exit(64) && end.output == "", "\(end.errors)")
            try await workplace.close()
        }

        // MARK: Live

        private static func reading(_ sequence: Int) -> LoadPublisher.Message {
            LoadPublisher.Message(topic, #"{"seq":\#(sequence),"temp":1,"fw":"1.2"}"#)
        }

        /// Starts `try --live`, and waits until it listens.
        private func start(_ workplace: Workplace, _ arguments: [String]) async throws -> ChildProcess {
            let configuration = workplace.folder.appending(path: "penstock.yaml").path
            let process = try ChildProcess(
                Ingester.binary, ["try", "--config", configuration] + arguments, outputs: "live", in: workplace.folder)
            try await waitUntil("it has subscribed") {
                workplace.tap.count(.subscribeAcknowledgement, .toIngester) > 0 || process.pollEnd() != nil
            }
            return process
        }

        @Test("the next messages of the broker: nothing is stored, and its session is gone after", arguments: ["3.1.1", "5"])
        func live(version: String) async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, broker: "version: \(version)")
            let process = try await start(workplace, ["--live", "2"])
            try await workplace.publish((0..<5).map(Self.reading))
            let end = try await process.waitForEnd(within: .seconds(20))
            #expect(end == .exit(0), "\(process.errors)")
            let headings = lines(process.output).filter { $0.hasPrefix("1. ") || $0.hasPrefix("2. ") || $0.hasPrefix("3. ") }
            #expect(headings == ["1. \(Self.topic), 29 bytes", "2. \(Self.topic), 29 bytes"], "\(process.output)")
            #expect(process.output.contains("-> readings.seq"), "\(process.output)")
            #expect(try workplace.probe().number("SELECT count(*) FROM readings") == 0)
            #expect(workplace.tap.count(.publishAcknowledgement, .toBroker) == 0, "it listens at QoS 0")
            try await workplace.close()
        }

        @Test("beside a running pool every message is still stored once")
        func besideThePool() async throws {
            let workplace = try await Workplace(sessions: 2, shards: 1)
            try await workplace.startIngester()
            let before = workplace.grantCount
            let configuration = workplace.folder.appending(path: "penstock.yaml").path
            let process = try ChildProcess(
                Ingester.binary, ["try", "--config", configuration, "--live", "40", "--json"], outputs: "live", in: workplace.folder)
            try await workplace.eventually("it has subscribed") { workplace.grantCount > before }
            try await workplace.publish((0..<40).map(Self.reading))
            #expect(try await process.waitForEnd(within: .seconds(20)) == .exit(0), "\(process.errors)")
            #expect(lines(process.output).count == 40)
            try await workplace.waitUntilRows(["readings": 40])
            #expect(try workplace.probe().number("SELECT count(DISTINCT seq) FROM readings") == 40)
            try await workplace.terminateIngester()
            try await workplace.close()
        }

        @Test("a dead letter among them is exit 1, and is not written")
        func liveDeadLetter() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1)
            let process = try await start(workplace, ["--live", "1", "--topic", "site/#"])
            try await workplace.publish([LoadPublisher.Message(Self.topic, "{")])
            #expect(try await process.waitForEnd(within: .seconds(20)) == .exit(1), "\(process.errors)")
            #expect(process.output.contains("decode json: unexpected end"), "\(process.output)")
            #expect(try workplace.probe().number("SELECT count(*) FROM penstock.dead_letter") == 0)
            try await workplace.close()
        }

        @Test("no message within the time, and no broker: exit 1 and a clear word")
        func nothingComes() async throws {
            let quiet = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            let silence = try await quiet.penstock("try", "--live", "1", "--seconds", "1")
            #expect(silence.end == .exit(1) && silence.errors.contains("no message came within 1 s"), "\(silence.errors)")
            try await quiet.close()
            let gone = try await Workplace(sessions: 1, shards: 1, withoutBroker: 1, isMigrated: false)
            let end = try await gone.penstock("try", "--live", "1")
            #expect(end.end == .exit(1) && end.errors.contains("cannot reach the broker at"), "\(end.errors)")
            #expect(end.errors.contains("127.0.0.1:1"), "\(end.errors)")
            try await gone.close()
        }
    }
}
