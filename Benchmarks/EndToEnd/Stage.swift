import Foundation
import PostgreSQL

/// A private broker and a private database, and the runs on them.
///
/// The broker sends without a window and queues without a bound, so that it is the speed of the two ends that is measured and not its settings.
final class Stage {
    let options: Options
    let folder: URL
    let servers: Servers
    private let database: String
    private var runs = 0

    static let filter = "site/+/dev/+/telemetry"

    init(_ options: Options) throws {
        self.options = options
        folder = FileManager.default.temporaryDirectory.appending(path: "penstock-bench-\(getpid())")
        try FileManager.default.createDirectory(at: folder.appending(path: "mappings"), withIntermediateDirectories: true)
        servers = try Servers(folder: folder)
        database = servers.databaseURL
        try write(
            """
            topic: site/{site}/dev/{device}/telemetry
            qos: 2
            table: readings
            columns:
              time: timestamptz not null from $.ts
              device: text not null from topic.device
              temp: double precision
              hum: double precision
              seq: bigint not null
              ok: boolean
              received: timestamptz not null from received

            """, to: "mappings/telemetry.yaml")
        try write(
            """
            broker: {url: "mqtt://127.0.0.1:\(servers.brokerPort)"}
            database: {url: "\(database)"}
            pool: {client_id: penstock, sessions: 1, shards: 1}
            http: off
            mappings: \(folder.path)/mappings
            ddl: create

            """, to: "penstock.yaml")
        try run("penstock", ["migrate", "--config", configurationPath])
    }

    func close() {
        servers.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    private var configurationPath: String { folder.appending(path: "penstock.yaml").path }

    private func write(_ text: String, to name: String) throws {
        try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
    }

    // MARK: A stored backlog

    func drainWithConsumer() throws -> Measurement {
        try storeBacklog(of: options.messages, for: "consumer")
        let before = try servers.costs()
        let line = try run("brokerload", ["receive", "--client", "consumer", "--persistent", "--count", "\(options.messages)"] + port)
        return try measurement(of: line, before)
    }

    func drainWithPenstock(_ startUp: StartUp) throws -> Measurement {
        try storeBacklog(of: options.messages, for: "penstock-0")
        let ingester = try startPenstock()
        return try finish(ingester, messages: options.messages, startUp, try servers.costs())
    }

    /// A backlog that is spread over a pool of sessions, at QoS 1 or at QoS 2: exactly once in the database.
    ///
    /// mosquitto 2.0.11 searches a list of all messages under way for each packet of QoS 2: what one session may have waiting is therefore bounded.
    func drainPoolWithPenstock(_ startUp: StartUp, qos: Int) throws -> Measurement {
        let sessions = 8
        try write(
            """
            broker: {url: "mqtt://127.0.0.1:\(servers.brokerPort)"}
            database: {url: "\(database)"}
            pool: {client_id: pool, sessions: \(sessions), shards: 2}
            http: off
            mappings: \(folder.path)/mappings
            ddl: create

            """, to: "pool.yaml")
        for session in 0..<sessions {
            try run(
                "brokerload",
                ["register", "--client", "pool-\(session)", "--qos", "2", "--filter", "$share/penstock/" + Self.filter] + port)
        }
        // mosquitto 2.0.11 cuts off a publisher that has more than 20 messages at QoS 2 under way.
        try run("brokerload", ["publish", "--qos", "\(qos)", "--window", "20", "--count", "\(options.pooledMessages)"] + port)
        let ingester = try startPenstock(configuration: folder.appending(path: "pool.yaml").path)
        return try finish(ingester, messages: options.pooledMessages, startUp, try servers.costs())
    }

    /// Leaves a persistent session at the broker that has this many readings waiting.
    func storeBacklog(of messages: Int, for client: String) throws {
        try run("brokerload", ["register", "--client", client, "--filter", Self.filter] + port)
        try run("brokerload", ["publish", "--count", "\(messages)"] + port)
    }

    // MARK: Live

    func followWithConsumer() throws -> Measurement {
        let consumer = try start(
            "brokerload", ["receive", "--client", "live", "--filter", Self.filter, "--count", "\(options.liveMessages)"] + port)
        try consumer.waitForError("ready")
        let before = try servers.costs()
        try run("brokerload", ["publish", "--window", "2000", "--count", "\(options.liveMessages)"] + port)
        return try measurement(of: try consumer.waitForSuccess(), before)
    }

    func followWithPenstock(_ startUp: StartUp) throws -> Measurement {
        try run("brokerload", ["register", "--client", "penstock-0", "--filter", Self.filter] + port)
        let ingester = try startPenstock()
        try ingester.waitForError("session established")
        let before = try servers.costs()
        try run("brokerload", ["publish", "--window", "2000", "--count", "\(options.liveMessages)"] + port)
        return try finish(ingester, messages: options.liveMessages, startUp, before)
    }

    // MARK: The ingester

    /// What an ingester spends before its first message.
    struct StartUp { var cpuSeconds: Double }

    func startUpCost() throws -> StartUp {
        try run("brokerload", ["register", "--client", "penstock-0", "--filter", Self.filter] + port)
        let ingester = try startPenstock()
        try ingester.waitForError("session established")
        // The SUBACK and the first heartbeat belong to it.
        Thread.sleep(forTimeInterval: 0.5)
        let cost = StartUp(cpuSeconds: try ingester.cpuSeconds())
        ingester.terminate()
        _ = try ingester.waitForSuccess()
        return cost
    }

    /// Starts the ingester on an empty table, possibly under another program.
    func startPenstock(under wrapper: [String] = [], configuration: String? = nil) throws -> Child {
        let connection = try Connection(url: database)
        try connection.execute("TRUNCATE readings")
        try connection.execute("CHECKPOINT")
        guard !wrapper.isEmpty else { return try start("penstock", ["run", "--config", configuration ?? configurationPath]) }
        // valgrind 3.19 gives up on the debug information that Swift writes; the instructions are the same without it.
        let stripped = folder.appending(path: "penstock").path
        _ = try child(["strip", "--strip-debug", "-o", stripped, options.binaries.appending(path: "penstock").path]).waitForSuccess()
        return try child(wrapper + [stripped, "run", "--config", configurationPath])
    }

    /// Waits until all is committed; then reads the clocks and ends the ingester.
    private func finish(_ ingester: Child, messages: Int, _ startUp: StartUp, _ before: ServerCosts) throws -> Measurement {
        try waitUntilStored(messages, by: ingester)
        let costs = try servers.costs() - before
        let cpuSeconds = try ingester.cpuSeconds() - startUp.cpuSeconds
        let residentBytesPeak = try ingester.residentBytesPeak()
        ingester.terminate()
        _ = try ingester.waitForSuccess()
        let connection = try Connection(url: database)
        // From the first message that was read to the last commit, by the one clock of this machine.
        let row = try connection.query(
            """
            SELECT extract(epoch FROM (SELECT max(pg_xact_commit_timestamp(t.x)) FROM (SELECT DISTINCT xmin AS x FROM readings) t) - min(received)),
                   count(DISTINCT xmin::text), count(*)
            FROM readings
            """)
        guard let seconds = row[0][0].flatMap(Double.init), let commits = row[0][1].flatMap({ Int($0) }), row[0][2] == "\(messages)" else {
            throw BenchmarkError("expected \(messages) rows, found \(row)")
        }
        return Measurement(
            messages: messages, seconds: seconds, cpuSeconds: cpuSeconds, servers: costs, residentBytesPeak: residentBytesPeak,
            commits: commits)
    }

    /// Waits without weighing on the database: the size of the table is cheap to ask for, and the rows are counted only once it stands still.
    func waitUntilStored(_ messages: Int, by ingester: Child, limitSeconds: Double = 600) throws {
        let connection = try Connection(url: database)
        let deadline = Date().addingTimeInterval(limitSeconds)
        var size: String?
        while Date() < deadline {
            try ingester.checkAlive()
            let now = try connection.query("SELECT pg_relation_size('readings')")[0][0]
            if now == size, now != "0", try connection.query("SELECT count(*) FROM readings")[0][0] == "\(messages)" { return }
            size = now
            Thread.sleep(forTimeInterval: 0.05)
        }
        throw BenchmarkError("not all \(messages) messages were stored within \(limitSeconds) s; the ingester said:\n\(ingester.errors)")
    }

    // MARK: Processes

    private var port: [String] { ["--port", "\(servers.brokerPort)"] }

    private func start(_ name: String, _ arguments: [String]) throws -> Child {
        try child([options.binaries.appending(path: name).path] + arguments)
    }

    private func child(_ command: [String]) throws -> Child {
        runs += 1
        return try Child(command, outputs: folder.appending(path: "run-\(runs)"))
    }

    @discardableResult
    private func run(_ name: String, _ arguments: [String]) throws -> String { try start(name, arguments).waitForSuccess() }

    /// Reads the line of `name=value` pairs that brokerload prints.
    private func measurement(of line: String, _ before: ServerCosts) throws -> Measurement {
        var values: [Substring: Double] = [:]
        for pair in line.split(whereSeparator: \.isWhitespace) {
            let parts = pair.split(separator: "=")
            if parts.count == 2 { values[parts[0]] = Double(parts[1]) }
        }
        guard let messages = values["received"], let seconds = values["seconds"], let cpuSeconds = values["cpu_seconds"] else {
            throw BenchmarkError("brokerload printed: \(line)")
        }
        return Measurement(messages: Int(messages), seconds: seconds, cpuSeconds: cpuSeconds, servers: try servers.costs() - before)
    }
}
