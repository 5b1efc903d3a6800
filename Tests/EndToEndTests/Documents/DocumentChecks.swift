import Foundation
import Testing

/// What is looked at where something cannot be run: `Treatment.Check`.
final class DocumentChecks {
    private let stage: DocumentStage
    private var knownOptions: Set<String> = []

    init(_ stage: DocumentStage) { self.stage = stage }

    func look(at one: Typed, _ check: Treatment.Check) async throws {
        switch check {
        case .help:
            let result = try await stage.type(one.text + " --help")
            #expect(result.end == .exit(0), "\(one.place): \(result.text)")
        case .script: try script(one)
        case .compose: try await compose(one)
        case .kubernetes: try await KubernetesChecks(stage).look(at: one)
        case .unit: try await UnitChecks(stage).look(at: one)
        case .option:
            if knownOptions.isEmpty { knownOptions = try await everyOption() }
            let name = one.text.prefix { $0 != " " && $0 != "=" }
            #expect(knownOptions.contains(String(name)), "\(one.place): no program of ours knows '\(name)'")
        case .nothing: break
        }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: Page.repository.appending(path: path), encoding: .utf8)
    }

    static func options(of text: String) -> Set<String> { Set(text.matches(of: /--[a-z][a-z-]*/).map { String($0.0) }) }

    // MARK: Scripts

    /// What a script hands its options to.
    private static let programs: [String: [String]] = [
        "scripts/bench": ["Benchmarks/EndToEnd/Benchmark.swift"],
        "scripts/compare-csv": ["Tests/Differential/csv/compare.py"],
        "scripts/compare-mappings": ["Tests/Differential/mappings/compare.py"],
        "scripts/demo": ["Sources/penstock/Commands/Demo.swift"],
        "scripts/torture": ["Tests/Torture/Torture.swift"],
    ]

    private func script(_ one: Typed) throws {
        let words = one.text.split(whereSeparator: { " []".contains($0) }).map(String.init)
        let name = try #require(words.first)
        let path = Page.repository.appending(path: name).path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            Issue.record("\(one.place): \(name) cannot be executed")
            return
        }
        var options = Self.options(of: try Self.text(name))
        for program in Self.programs[name] ?? [] {
            let text = try Self.text(program)
            options.formUnion(Self.options(of: text))
            // As the argument parser spells them.
            options.formUnion(text.matches(of: /var ([a-zA-Z]+)/).map { "--" + Self.spelled(String($0.1)) })
        }
        for option in Self.options(of: one.text) where !options.contains(option) {
            // What stands behind scripts/test goes to `swift test`.
            if name == "scripts/test", option == "--filter" { continue }
            Issue.record("\(one.place): \(name) does not know \(option)")
        }
        if name == "scripts/test", let filter = words.last, words.count > 1 {
            #expect(FileManager.default.fileExists(atPath: Page.repository.appending(path: "Tests/\(filter)").path), "\(one.place)")
        }
    }

    /// `dryRun` → `dry-run`.
    private static func spelled(_ name: String) -> String {
        name.map { $0.isUppercase ? "-" + $0.lowercased() : String($0) }.joined()
    }

    private func everyOption() async throws -> Set<String> {
        // Of all commands at once, as JSON.
        let dump = try await stage.type("penstock --experimental-dump-help").text
        var options = Set(dump.matches(of: /"name" ?: ?"([a-z][a-z-]*)"/).map { "--" + $0.1 })
        let scripts = try FileManager.default.contentsOfDirectory(atPath: Page.repository.appending(path: "scripts").path)
        for file in scripts.map({ "scripts/" + $0 }) + Self.programs.values.joined() + ["Tests/Page/check_page.py"] {
            options.formUnion(Self.options(of: try Self.text(file)))
        }
        return options
    }

    // MARK: Compose

    /// Options of `docker compose` itself that take no value.
    private static let flags: Set = ["--build", "--detach", "--rm"]

    private func compose(_ one: Typed) async throws {
        let file = try Self.text("docker/compose.yaml")
        let words = one.text.split(whereSeparator: { " \n\\".contains($0) }).map(String.init)
        guard words.starts(with: ["docker", "compose", "-f", "docker/compose.yaml"]) else {
            Issue.record("\(one.place): '\(one.text)' names another file than docker/compose.yaml, or none, and finds none")
            return
        }
        var rest = words.dropFirst(4)
        var command: String?
        var service: String?
        while service == nil, let word = rest.popFirst() {
            switch word {
            case "--profile":
                let profile = rest.popFirst() ?? ""
                #expect(file.contains("profiles: [\(profile)]"), "\(one.place): there is no profile \(profile)")
            case "--entrypoint", "--signal": _ = rest.popFirst()
            case _ where Self.flags.contains(word): break
            case _ where word.hasPrefix("-"): Issue.record("\(one.place): nothing is known of '\(word)'")
            case _ where command == nil: command = word
            default: service = word
            }
        }
        #expect(["build", "exec", "kill", "logs", "ps", "pull", "run", "up"].contains(command ?? ""), "\(one.place)")
        if let service { #expect(file.contains("\n  \(service):\n"), "\(one.place): there is no service \(service)") }
        let secrets = try Self.text("docker/compose/secrets.sh")
        for secret in one.text.matches(of: /\/secrets\/([a-z-]+)/) {
            #expect(secrets.contains("\nput \(secret.1) "), "\(one.place): no secret \(secret.1) is made")
        }
        guard command == "exec", let service, let inner = one.text.firstRange(of: " \(service) ") else { return }
        try await runInside(String(one.text[inner.upperBound...]), one)
    }

    /// What runs in a container runs here as well, with the servers and secrets of the test.
    private func runInside(_ text: String, _ one: Typed) async throws {
        let secrets = try stage.secretsFolder().path
        let text = text.replacing(/\\\n +/, with: "")
        let command = text.replacing("/secrets/", with: secrets + "/")
        let result = try await stage.type(command)
        let isStatus = text == "penstock status" && result.end == .exit(1)
        #expect(result.end == .exit(0) || isStatus, "\(one.place): '\(command)': \(result.text)")
        if text.contains("psql -U postgres telemetry") {
            let file = try Self.text("docker/compose.yaml")
            #expect(file.contains("POSTGRES_USER: postgres\n") && file.contains("POSTGRES_DB: telemetry\n"), "\(one.place)")
        }
        // The compose file brings the mappings of this repository alone.
        guard let topic = text.firstMatch(of: #/mosquitto_pub.* -t ([^ ]+) /#)?.1 else { return }
        let taken = try await stage.type(
            "penstock try --mappings '\(Page.repository.path)/mappings' --topic '\(topic)' --payload \(Self.payload(of: text))")
        #expect(taken.text.contains(", 1 row"), "\(one.place): what is published becomes no row: \(taken.text)")
    }

    /// What stands behind `-m` in a command that is quoted once more.
    private static func payload(of text: String) -> String {
        guard let match = text.firstMatch(of: #/ -m ("(?:[^"\\]|\\.)*")/#) else { return "''" }
        return String(match.1)
    }
}
