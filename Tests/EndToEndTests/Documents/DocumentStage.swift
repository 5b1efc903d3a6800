import Foundation
import Sandbox
import Testing

/// What the documents presume: a broker where devices talk, a database, the mappings that are shown, and a service that runs.
final class DocumentStage {
    let reader: PageReader
    private let devices: LoadPublisher
    private var probe: DatabaseProbe?
    private var fileCount = 0

    init() async throws {
        reader = try await PageReader(listens: true)
        devices = reader.publish(count: 1_000_000, perSecond: 60) { number in
            let device = number / 2 % 5
            guard number.isMultiple(of: 2) else {
                return .init("sensors/d\(device)/state", #"{"temperature": \#(20 + Double(number % 40) / 10), "humidity": 40}"#)
            }
            let now = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            let payload = #"{"time":"\#(now)","seq":\#(number),"temperature":18.5,"vent":"OPEN"}"#
            return .init("site/north/greenhouse/g\(device)/climate", payload)
        }
        #expect(try await reader.run("createdb telemetry").end == .exit(0))
        try reader.write("mappings/readings.yaml", try Page("README.md").text(from: "topic: sensors/"))
        try reader.write("mappings/heatpump.yaml", try Page("docs/mappings.md").text(from: "# mappings/heatpump.yaml"))
        for name in ["greenhouse", "weather_station", "pump_gateway"] {
            let text = try String(contentsOf: Page.repository.appending(path: "mappings/\(name).yaml"), encoding: .utf8)
            try reader.write("mappings/\(name).yaml", text)
        }
        for name in ["docker", "scripts"] {
            try FileManager.default.createSymbolicLink(
                at: reader.folder.appending(path: name), withDestinationURL: Page.repository.appending(path: name))
        }
    }

    func close() async throws {
        devices.stop()
        probe = nil
        try await reader.close()
        let administration = try reader.servers.administration()
        try administration.rows("DROP ROLE IF EXISTS alice")
    }

    /// Does what comes before, types it, and looks at what comes of it.
    func run(_ typed: Typed, _ trial: Treatment.Trial) async throws {
        for step in trial.before { try await take(step, for: typed) }
        var printed = ""
        for text in trial.typed ?? [typed.text] {
            let result = try await type(text, isStatement: typed.kind == .statement)
            printed += result.text + "\n"
            guard case .exit(let code) = result.end, trial.ends.contains(code) else {
                Issue.record("\(typed.place): '\(text)' ends with \(result.end) and prints\n\(result.text)")
                continue
            }
        }
        for words in trial.prints where !printed.contains(words) {
            Issue.record("\(typed.place): '\(typed.text)' does not print '\(words)':\n\(printed)")
        }
        for condition in trial.holds { try await wait(until: condition, for: typed) }
        for step in trial.after { try await take(step, for: typed) }
    }

    func type(_ text: String, isStatement: Bool = false) async throws -> PageReader.Printed {
        guard isStatement else { return try await reader.run(text) }
        fileCount += 1
        try reader.write("\(fileCount).sql", text + (text.hasSuffix(";") || text.hasPrefix("\\") ? "\n" : ";\n"))
        return try await reader.run("psql -X -v ON_ERROR_STOP=1 -f \(fileCount).sql telemetry")
    }

    private func take(_ step: Treatment.Step, for typed: Typed) async throws {
        switch step {
        case .shell(let command):
            let result = try await reader.run(command)
            #expect(result.end == .exit(0), "\(typed.place): '\(command)': \(result.text)")
        case .sql(let statement): try database().rows(statement)
        case .until(let condition): try await wait(until: condition, for: typed)
        case .stopService:
            let end = try await reader.stopService()
            #expect(end == .exit(0), "\(typed.place): the service ends")
        case .startService:
            _ = try await reader.run("penstock run")
            let status = StatusProbe(port: try #require(reader.httpPort))
            try await waitUntil("the service is ready") { (try? status.get("/readyz").status) == 200 }
        }
    }

    private func wait(until condition: String, for typed: Typed) async throws {
        try await waitUntil("\(condition), for \(typed.place)", every: .milliseconds(50)) {
            try database().rows("SELECT \(condition)") == [["t"]]
        }
    }

    private func database() throws -> DatabaseProbe {
        if let probe { return probe }
        let made = try DatabaseProbe(reader.servers.database.url(database: "telemetry"))
        probe = made
        return made
    }

    // MARK: Files

    /// `check` reads a configuration, with files that are there and servers that are those of this test.
    func check(configuration typed: Typed) async throws {
        let secrets = try secretsFolder()
        if typed.text.contains("ca.pem") { try await writeCertificates(secrets) }
        try reader.write("shown.yaml", typed.text.replacing("/run/secrets/", with: secrets.path + "/") + "\n")
        // Of the environment only what names the database: the rest is the page's matter.
        for more in ["--offline"] + (typed.text.contains("\ndatabase:") ? [""] : []) {
            let unset = more.isEmpty ? "" : "env -u PENSTOCK_BROKER_URL -u PENSTOCK_HTTP_LISTEN "
            let result = try await reader.run("\(unset)penstock check --config shown.yaml \(more)")
            #expect(result.end == .exit(0), "\(typed.place): \(result.text)")
        }
    }

    /// A mapping that stands whole on its page, alone in a folder.
    func check(mapping typed: Typed) async throws {
        fileCount += 1
        let folder = "shown-\(fileCount)"
        try FileManager.default.createDirectory(at: reader.folder.appending(path: folder), withIntermediateDirectories: true)
        try reader.write("\(folder)/shown.yaml", typed.text + "\n")
        let result = try await reader.run("penstock check --offline --mappings \(folder)")
        #expect(result.end == .exit(0), "\(typed.place): \(result.text)")
    }

    /// What the pages put under /run/secrets and /secrets.
    func secretsFolder() throws -> URL {
        let folder = reader.folder.appending(path: "secrets")
        guard !FileManager.default.fileExists(atPath: folder.path) else { return folder }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["broker", "penstock-http", "http-token", "device-password", "grafana-password"] {
            let file = folder.appending(path: name)
            try "0123456789abcdef0123456789abcdef\n".write(to: file, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        }
        return folder
    }

    /// In the folder of the configuration, under the names that the pages give them.
    private func writeCertificates(_ secrets: URL) async throws {
        let folder = reader.folder
        guard !FileManager.default.fileExists(atPath: folder.appending(path: "ca.pem").path) else { return }
        let made = try await TestCertificates()
        let files = [
            (made.authority, folder.appending(path: "ca.pem")), (made.client.certificate, folder.appending(path: "penstock.pem")),
            (made.clientKeyEncrypted, folder.appending(path: "penstock.key")), (made.clientKeyPassword, secrets.appending(path: "key")),
        ]
        for (file, place) in files { try FileManager.default.copyItem(at: file, to: place) }
    }

    /// A mosquitto with the lines of a page takes messages.
    func start(mosquitto typed: Typed) async throws {
        var options = PrivateMosquitto.Options()
        options.extraLines = typed.text.split(separator: "\n").map(String.init)
        let broker = try await reader.servers.makeBroker(options)
        let result = try await reader.run("mosquitto_pub -p \(broker.port) -q 1 -t sensors/d1/state -m '{}'")
        #expect(result.end == .exit(0), "\(typed.place): \(result.text)")
        await broker.stop()
    }
}
