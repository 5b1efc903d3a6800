import Foundation
import Glibc
import MQTT
import PostgreSQL
import Sandbox

/// The parties of the run: database, broker, ingesters with a proxy on each of their links, and publishers.
final class Stage {
    let folder: URL
    let database: PrivatePostgreSQL
    let broker: PrivateMosquitto
    let deliveries = DeliveryCounter()
    private(set) var ingesters: [Ingester] = []
    private(set) var publishers: [Publisher] = []
    let proxies: [Proxy]

    final class Ingester {
        let number: Int
        let configuration: String
        var process: ChildProcess?
        var starts = 0

        init(number: Int, configuration: String) {
            self.number = number
            self.configuration = configuration
        }
    }

    private let binary: String

    init(_ options: Options) async throws {
        folder = options.folder
        binary = options.binary
        try FileManager.default.createDirectory(at: folder.appending(path: "mappings"), withIntermediateDirectories: true)
        chmod(folder.path, 0o777)
        database = try await PrivatePostgreSQL(folder: folder, settings: ["max_connections=60"])
        try await database.start()
        var brokerOptions = PrivateMosquitto.Options()
        brokerOptions.maximumInflight = 100
        broker = try PrivateMosquitto(folder: folder, options: brokerOptions)
        try await broker.start()

        var proxies: [Proxy] = []
        // One filter for each session of the pool.
        for qos in 0...2 {
            for group in 0..<2 {
                try """
                topic: t/q\(qos)/\(group)/{device}
                qos: \(qos)
                table: numbers
                columns:
                  device: text not null from topic.device
                  n: bigint not null

                """.write(to: folder.appending(path: "mappings/q\(qos)g\(group).yaml"), atomically: false, encoding: .utf8)
            }
        }
        for number in 1...options.ingesters {
            let toBroker = try Proxy("ingester \(number) to broker", to: broker.port, counting: deliveries)
            let toDatabase = try Proxy("ingester \(number) to database", to: database.port)
            proxies += [toBroker, toDatabase]
            let configuration = folder.appending(path: "ingester-\(number).yaml")
            try """
            broker: {url: "mqtt://127.0.0.1:\(toBroker.port)", keep_alive: 5s}
            database: {url: "\(database.url().replacing(":\(database.port)/", with: ":\(toDatabase.port)/"))"}
            pool: {client_id: torture, sessions: 6, shards: 2, distribution: \(options.distribution)}
            http: off
            mappings: \(folder.path)/mappings
            ddl: create

            """.write(to: configuration, atomically: false, encoding: .utf8)
            ingesters.append(Ingester(number: number, configuration: configuration.path))
        }
        let toBroker = try Proxy("publishers to broker", to: broker.port)
        proxies.append(toBroker)
        self.proxies = proxies
        let migration = try ChildProcess(
            [binary, "migrate", "--config", ingesters[0].configuration], outputs: "migrate", in: folder)
        guard await migration.waitForEnd(within: .seconds(30)) == .exit(0) else { throw TortureError("migrate: \(migration.errors)") }
        for ingester in ingesters { try start(ingester) }
        try await waitForSessions(6)
        for qos in [QoS.atMostOnce, .atLeastOnce, .exactlyOnce] {
            for number in 0..<2 { publishers.append(Publisher(qos: qos, number: number, port: toBroker.port, rate: options.rate / 6)) }
        }
        for publisher in publishers { try publisher.start() }
    }

    func start(_ ingester: Ingester) throws {
        ingester.starts += 1
        ingester.process = try ChildProcess(
            [binary, "run", "--config", ingester.configuration], outputs: "ingester-\(ingester.number)-\(ingester.starts)", in: folder)
    }

    /// Waits until this many sessions have subscribed, so that the broker keeps what is published from now on.
    private func waitForSessions(_ count: Int) async throws {
        let deadline = Date().addingTimeInterval(30)
        while Date() < deadline {
            let logs = ingesters.compactMap { $0.process?.errors }.joined()
            if logs.components(separatedBy: "session established").count > count {
                try await Task.sleep(for: .seconds(1))
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw TortureError("the sessions do not connect: \(ingesters.compactMap { $0.process?.errors }.joined())")
    }

    /// Everything stored: copies of each message, rows and letters.
    func stored() throws -> [MessageKey: Int] {
        let connection = try Connection(url: database.url())
        var copies: [MessageKey: Int] = [:]
        for row in try connection.query("SELECT device, n, count(*) FROM numbers GROUP BY 1, 2") {
            copies[MessageKey(device: row[0] ?? "", number: Int(row[1] ?? "") ?? -1), default: 0] += Int(row[2] ?? "") ?? 0
        }
        for row in try connection.query("SELECT convert_from(payload, 'UTF8') FROM penstock.dead_letter") {
            if let key = MessageKey(letter: row[0] ?? "") { copies[key, default: 0] += 1 }
        }
        return copies
    }

    func execute(_ sql: String) { if let connection = try? Connection(url: database.url()) { try? connection.execute(sql) } }
    func backends() -> [pid_t] {
        guard let connection = try? Connection(url: database.url()) else { return [] }
        let rows = try? connection.query(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
        return (rows ?? []).compactMap { $0[0].flatMap { pid_t($0) } }
    }
}
