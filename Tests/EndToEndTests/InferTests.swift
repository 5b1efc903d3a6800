import Fleet
import Foundation
import Mapping
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("Mappings are inferred from what devices send")
    struct Infer {
        private func arguments(_ workplace: Workplace, _ words: String...) -> [String] {
            ["infer", "--config", workplace.folder.appending(path: "penstock.yaml").path] + words
        }

        @Test("twelve kinds of device: check passes the proposals, and a service that runs with them stores every message")
        func twelveKinds() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            let proposed = workplace.folder.appending(path: "mappings").path
            try FileManager.default.removeItem(atPath: proposed + "/telemetry.yaml")
            let devices = 3 * DeviceKind.allCases.count
            let configuration = workplace.folder.appending(path: "penstock.yaml").path
            let devicesRunning = try ChildProcess(
                Ingester.binary,
                ["simulate", "--config", configuration, "--kinds", "all", "--devices", "\(devices)", "--rate", "150", "--seconds", "50"],
                outputs: "simulate", in: workplace.folder)
            let inference = try await workplace.run(
                arguments(workplace, "--topic", "site/#", "--messages", "1200", "--seconds", "30", "--out", proposed))
            #expect(inference.end == .exit(0), "\(inference.errors)")
            #expect(inference.errors.contains("all 1,200 messages become rows"), "\(inference.errors)")
            devicesRunning.signal(SIGTERM)
            _ = try await devicesRunning.waitForEnd(within: .seconds(20))

            let check = try await workplace.penstock("check", "--offline")
            #expect(check.end == .exit(0), "\(check.errors)")

            // What the mappings make of the messages that are about to come.
            let reading = MappingReader.read(folder: proposed)
            #expect(reading.diagnostics.isEmpty)
            let plan = MappingPlan(reading.mappings)
            let fleet = DeviceFleet(devices: devices, kinds: DeviceKind.allCases)
            let count = 5000
            var rows: [String: Int] = [:]
            for number in 0..<count {
                let now = Int64(Date().timeIntervalSince1970 * 1000)
                let message = fleet.message(number, at: now)
                let trial = Trial(plan, topic: message.topic, payload: message.payload, receivedMicroseconds: now * 1000, qos: 1)
                #expect(
                    trial.failures.isEmpty && trial.outcome.rowCount > 0 && trial.outcome.matchedCount == 1,
                    "\(message.topic): \(trial.failures)")
                for part in trial.rows { rows[part.table, default: 0] += part.rows.count }
            }

            let migration = try await workplace.penstock("migrate")
            #expect(migration.end == .exit(0), "\(migration.errors)")
            try workplace.ingester.start()
            let packets = (plan.subscriptions.count + 7) / 8
            try await workplace.eventually("the broker grants \(plan.subscriptions.count) filters") { workplace.grantCount >= packets }
            let load = try await workplace.run([
                "simulate", "--config", configuration, "--kinds", "all", "--devices", "\(devices)", "--rate", "500", "--count", "\(count)",
            ])
            #expect(load.end == .exit(0), "\(load.errors)")
            let probe = try workplace.probe()
            try await workplace.eventually("all rows are stored", within: .seconds(40)) {
                let letters = try probe.number("SELECT count(*) FROM penstock.dead_letter")
                guard letters == 0 else {
                    let why = try probe.rows("SELECT DISTINCT mapping, column_name, error FROM penstock.dead_letter LIMIT 5")
                    throw UnhappyIngester(why: "dead letters: \(why)", log: "")
                }
                return try rows.allSatisfy { try probe.number("SELECT count(*) FROM \"\($0.key)\"") == $0.value }
            }
            try await workplace.close()
        }

        @Test("a file that is there already is left alone, and told of")
        func existingFile() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            let samples = workplace.folder.appending(path: "heard.txt").path
            try "a/dev1/t {\"x\":1}\na/dev2/t {\"x\":2}\n".write(toFile: samples, atomically: false, encoding: .utf8)
            let out = workplace.folder.appending(path: "out").path
            for isFirst in [true, false] {
                let end = try await workplace.run(["infer", "--samples", samples, "--out", out])
                #expect(end.end == .exit(isFirst ? 0 : 1), "\(end.errors)")
                #expect(end.errors.contains("is there already") == !isFirst)
                if isFirst { try "mine".write(toFile: out + "/a_t.yaml", atomically: false, encoding: .utf8) }
            }
            #expect(try String(contentsOfFile: out + "/a_t.yaml", encoding: .utf8) == "mine")
            let printed = try await workplace.run(["infer", "--samples", samples])
            #expect(printed.end == .exit(0))
            #expect(printed.output.contains("# ---- a_t.yaml\n# yaml-language-server: $schema=penstock.schema.json\n"), "\(printed.output)")
            #expect(printed.output.contains("topic: a/{device}/t\n"), "\(printed.output)")
            try await workplace.close()
        }

        @Test("nothing heard, a broker that is not there, a wrong password: what it was, and exit 1")
        func errors() async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, isMigrated: false)
            let silent = try await workplace.run(arguments(workplace, "--topic", "nobody/#", "--seconds", "1"))
            #expect(silent.end == .exit(1))
            #expect(silent.errors.contains("nothing was heard on 'nobody/#'"), "\(silent.errors)")
            #expect(silent.output == "")
            await workplace.broker?.stop()
            let absent = try await workplace.run(arguments(workplace, "--seconds", "1"))
            #expect(absent.end == .exit(1))
            #expect(absent.errors.contains("the broker at"), "\(absent.errors)")
            for words in [["--topic", "a/#/b"], ["--seconds", "0"], ["--messages", "0"]] {
                #expect(try await workplace.run(["infer"] + words).end == .exit(64))
            }
            try await workplace.close()
        }

        @Test("a broker that wants a password and gets none")
        func wrongPassword() async throws {
            var options = PrivateMosquitto.Options()
            options.passwords = ["someone": "secret"]
            let workplace = try await Workplace(sessions: 1, shards: 1, brokerOptions: options, isMigrated: false)
            let end = try await workplace.run(arguments(workplace, "--seconds", "1"))
            #expect(end.end == .exit(1))
            #expect(end.errors.contains("not authorized") || end.errors.contains("bad user name or password"), "\(end.errors)")
            try await workplace.close()
        }

        @Test("a broker that refuses the subscription")
        func refusedSubscription() async throws {
            var options = PrivateMosquitto.Options()
            options.allowedSubscriptions = ["open/#"]
            let workplace = try await Workplace(sessions: 1, shards: 1, brokerOptions: options, isMigrated: false)
            let end = try await workplace.run(arguments(workplace, "--topic", "closed/#", "--seconds", "1"))
            #expect(end.end == .exit(1))
            #expect(end.errors.contains("refuses the subscription to 'closed/#'"), "\(end.errors)")
            try await workplace.close()
        }
    }
}
