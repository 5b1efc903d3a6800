import ArgumentParser
import Fleet
import Foundation
import Ingest
import Logging
import Mapping
import NIOCore
import Operations
import PostgreSQL
import Sandbox
import Store

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Shows everything on this machine and throws it away after: a private PostgreSQL, a private mosquitto, simulated devices, the ingester."
    )

    @Option(help: "How many devices.")
    var devices = 50

    @Option(help: "Messages a second.")
    var rate = 500

    @Option(help: "For how many seconds; until Ctrl-C if not given.")
    var seconds: Int?

    @Option(help: "The folder of mappings.")
    var mappings = "mappings"

    @Option(help: "A folder that keeps the data.")
    var keep: String?

    func validate() throws {
        guard (1...1_000_000).contains(devices) else { throw ValidationError("--devices is from 1 to 1000000") }
        guard (1...1_000_000).contains(rate) else { throw ValidationError("--rate is from 1 to 1000000") }
        guard seconds ?? 1 > 0 else { throw ValidationError("--seconds is positive") }
    }

    func run() async throws {
        let reading = MappingReader.read(folder: mappings)
        guard reading.diagnostics.isEmpty else {
            throw Failure(
                .configuration,
                all: reading.diagnostics.map(\.description) + [
                    "the demo needs the mappings of the repository: run it there, or name the folder with --mappings"
                ])
        }
        let stop = StopSignal()
        let folder = try makeFolder()
        let stage = DemoStage(folder: folder)
        do {
            try await play(reading.mappings, stage, stop)
        } catch {
            Terminal.endLive()
            await stage.end()
            if keep == nil { try? FileManager.default.removeItem(at: folder) }
            throw error is Failure ? error : Failure(.failed, "\(error)")
        }
        await stage.end()
        if keep == nil {
            try? FileManager.default.removeItem(at: folder)
        } else {
            print("the data is kept in \(folder.path)")
        }
    }

    private func makeFolder() throws -> URL {
        let folder = keep.map { URL(filePath: $0) } ?? FileManager.default.temporaryDirectory.appending(path: "penstock-demo-\(getpid())")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw Failure(.failed, "cannot make the folder \(folder.path): \(error.localizedDescription)")
        }
        return folder
    }

    private func play(_ mappings: [MappingSyntax], _ stage: DemoStage, _ stop: StopSignal) async throws {
        Terminal.note("starting a private PostgreSQL and a private mosquitto in \(stage.folder.path)")
        let (database, broker) = try await stage.begin()
        var configuration = Configuration()
        configuration.broker.endpoints = [BrokerEndpoint(host: "127.0.0.1", port: broker.port)]
        configuration.database.url = Secret(database.url())
        configuration.pool.clientIdentifier = "demo"
        configuration.ddl = .create
        let settings = configuration.database
        let pool = configuration.pool.clientIdentifier
        let (tables, mappings) = try await blocking {
            let open = try settings.connect()
            try Migrator.apply(open.connection)
            let mappings = try TablePlaces.placed(mappings, open.connection)
            let definitions = MappingPlan(mappings).tables
            let tables = try MappedTables.prepare(definitions, policy: .create, open.connection).tables
            _ = try AnalystRights.grant(on: definitions, open.connection)
            try DataDictionary(mappings).store(forPool: pool, open.connection)
            return (tables, mappings)
        }
        var logger = Logger(label: "demo") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let recorder = PrometheusFactory()
        let service = try IngestService(
            configuration: configuration, plan: MappingPlan(mappings, tableTypes: tables.types),
            metrics: IngestMetrics(factory: recorder), logger: logger)
        service.start()
        let (monitor, address) = try await listen(configuration, recorder, logger)
        monitor.attach(service)
        defer { Task { await monitor.stop(within: .seconds(1)) } }
        try await waitUntilConnected(service, sessions: configuration.pool.sessions)

        Terminal.note("look at it while it runs: \(address) or psql \(database.url())")
        var load = FleetConfiguration(fleet: DeviceFleet(devices: devices), host: "127.0.0.1", port: broker.port)
        load.rate = rate
        load.duration = seconds.map { .seconds(Int64($0)) }
        let publisher = try FleetPublisher(load)
        let watching = Task {
            while !Task.isCancelled {
                let published = try await publisher.progress()
                let stored = try await service.snapshot()
                Terminal.live(
                    "\(grouped(published.acknowledgedTotal)) acknowledged by the broker, \(grouped(stored.rowsByTable.values.reduce(0, +))) rows stored, \(grouped(stored.inFlight)) under way"
                )
                if stop.isReceived { publisher.stop() }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        do {
            try await publisher.run()
        } catch {
            watching.cancel()
            throw error
        }
        let published = try await publisher.progress()
        try await waitUntilStored(service, messages: published.acknowledgedTotal)
        watching.cancel()
        Terminal.endLive()
        let last = try await service.shutdown(within: .seconds(10))
        let acknowledged = try await publisher.acknowledgedMessages()
        let fleet = load.fleet
        let lost = try await blocking {
            let open = try settings.connect()
            return try DemoAccount(open.connection).lost(of: acknowledged, fleet)
        }
        report(published, last, lost)
        if lost > 0 { throw Failure(.failed, "\(lost) messages that the broker acknowledged are not in the tables") }
    }

    /// At the usual port, or any other one where that is taken.
    private func listen(
        _ configuration: Configuration, _ recorder: PrometheusFactory, _ logger: Logger
    ) async throws -> (monitor: Monitor, address: String) {
        var settings = HTTPSettings()
        for port in [settings.port, 0] {
            settings.port = port
            let monitor = Monitor(
                settings, facts: ServiceFacts(version: Penstock.version, configuration: configuration), recorder: recorder, logger: logger)
            if let address = try? await monitor.start() { return (monitor, address) }
        }
        throw Failure(.failed, "the demo finds no port for its status page")
    }

    /// Until all sessions have subscribed: what is published before, nobody gets.
    private func waitUntilConnected(_ service: IngestService, sessions: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(15)
        while ContinuousClock.now < deadline {
            if try await service.snapshot().sessions.filter(\.isSubscribed).count == sessions { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure(.failed, "the ingester did not get its sessions at the broker")
    }

    private func waitUntilStored(_ service: IngestService, messages: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await service.snapshot().settled < UInt64(messages), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func report(_ published: FleetProgress, _ stored: ServiceSnapshot, _ lost: Int) {
        var table = TextTable(header: ["what", "count"])
        for format in PayloadFormat.allCases {
            table.rows.append(["\(format.rawValue) messages acknowledged by the broker", grouped(published.acknowledged[format] ?? 0)])
        }
        table.rows.append(["messages published", grouped(published.publishedTotal)])
        table.rows.append(["messages acknowledged by the broker", grouped(published.acknowledgedTotal)])
        table.rows.append(["messages acknowledged by penstock", grouped(stored.acknowledged)])
        for (name, rows) in stored.rowsByTable.sorted(by: { $0.key < $1.key }) {
            table.rows.append(["rows in table \(name)", grouped(rows)])
        }
        table.rows.append(["dead letters", grouped(stored.deadLetters)])
        table.rows.append(["lost", grouped(lost)])
        print(table.text)
    }
}

/// The servers of a demo.
private final class DemoStage {
    let folder: URL
    private var database: PrivatePostgreSQL?
    private var broker: PrivateMosquitto?

    init(folder: URL) { self.folder = folder }

    func begin() async throws -> (PrivatePostgreSQL, PrivateMosquitto) {
        let database = try await PrivatePostgreSQL(folder: folder)
        self.database = database
        try await database.start()
        let broker = try PrivateMosquitto(folder: folder)
        self.broker = broker
        try await broker.start()
        return (database, broker)
    }

    func end() async {
        await broker?.stop()
        await database?.stop()
    }
}

/// Holds what the broker acknowledged against what stands in the tables, message by message.
private struct DemoAccount {
    private var sequences: [String: Set<Int>] = [:]
    private var pumps: [String: [Int: Int]] = [:]

    init(_ connection: borrowing Connection) throws {
        for row in try connection.query("SELECT device, seq FROM climate UNION SELECT device, seq FROM weather") {
            sequences[row[0] ?? "", default: []].insert(Int(row[1] ?? "") ?? -1)
        }
        for row in try connection.query("SELECT device, seq, count(DISTINCT pump) FROM pump GROUP BY 1, 2") {
            pumps[row[0] ?? "", default: [:]][Int(row[1] ?? "") ?? -1] = Int(row[2] ?? "")
        }
    }

    /// How many of the messages are not there, or not whole.
    func lost(of messages: [Int], _ fleet: DeviceFleet) -> Int {
        messages.count { message in
            let device = fleet.device(of: message)
            let sequence = fleet.sequence(of: message)
            switch fleet.format(of: message) {
            case .json: return sequences[device]?.contains(sequence) != true
            case .csv:
                let lines = sequence * DeviceFleet.linesPerMessage..<(sequence + 1) * DeviceFleet.linesPerMessage
                return !lines.allSatisfy { sequences[device]?.contains($0) == true }
            case .binary: return pumps[device]?[sequence] != DeviceFleet.pumpsPerGateway
            }
        }
    }
}
