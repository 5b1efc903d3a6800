import Foundation
import Sandbox
import Testing

/// All that one test needs: a database and a broker of its own, a configuration with its mappings, and the wire tap between ingester and broker.
final class Workplace {
    let servers: TestServers
    let folder: URL
    let tap: WireTap
    let ingester: Ingester
    /// The superuser's address of the database.
    let databaseURL: String
    /// Nil where something else takes its place.
    let broker: PrivateMosquitto?
    /// Where publishers find the broker: not through the tap.
    let brokerPort: Int
    private let approach: Approach
    private let credentials: LoadPublisher.Credentials?
    private var ingesters: [Ingester]
    private let sessionCount: Int
    private let configurationText: (_ databaseURL: String) -> String
    private var commandCount = 0

    private var configurationPath: String { folder.appending(path: "penstock.yaml").path }

    /// - Parameters:
    ///   - mappings: file name without `.yaml` → text.
    ///   - approach: how the ingester reaches the broker.
    ///   - broker: further lines under `broker:`.
    ///   - database: a further line under `database:`.
    ///   - lease: `pool.lease`.
    ///   - distribution: `pool.distribution`.
    ///   - batch: the value of `batch:`.
    ///   - http: the value of `http:`; off, since many of these run beside one another.
    ///   - more: further lines at the top. The log tells all, each time, unless they set it.
    ///   - databaseURL: where the ingester is told to look for its database; nil for the one that is there.
    ///   - role: a role of its own that owns the database, in place of the superuser.
    ///   - brokerOptions: how the broker is set.
    ///   - withoutBroker: a port where something else, or nothing, takes the broker's place; no tap stands before it.
    ///   - otherBroker: the port of another broker, to which the tap leads.
    ///   - publishingTo: the port at which publishers reach the broker that stands at `withoutBroker`.
    ///   - refusal: the versions of MQTT that the tap refuses in the broker's name.
    ///   - watches: `broker.watch`: a connection of its own would be in the way of tests that count packets.
    ///   - credentials: of the publishers, where the broker asks for them.
    ///   - preparation: statements that the superuser runs in the database before anything else.
    ///   - isMigrated: whether `penstock migrate` has run.
    ///   - whenSeen: what the tap calls for each packet.
    init(
        sessions: Int, shards: Int, mappings: [String: String] = ["telemetry": Mappings.telemetry], approach: Approach = .plain,
        broker brokerLines: String? = nil, database databaseLine: String? = nil, lease: String? = nil, distribution: String? = nil,
        batch: String? = nil, http: String = "off", more: String? = nil, ddl: String = "create", databaseURL: String? = nil,
        role: String? = nil,
        brokerOptions: PrivateMosquitto.Options = .init(), withoutBroker: Int? = nil, otherBroker: Int? = nil,
        publishingTo: Int? = nil,
        refusal: WireTap.Refusal? = nil, watches: Bool = false, credentials: LoadPublisher.Credentials? = nil,
        preparation: [String] = [], isMigrated: Bool = true,
        whenSeen: @escaping @Sendable (WireTap.Passage) -> Void = { _ in }
    ) async throws {
        servers = try TestServers.ofThisSuite()
        try await servers.startDatabase()
        folder = try servers.makeFolder()
        try FileManager.default.createDirectory(at: folder.appending(path: "mappings"), withIntermediateDirectories: true)
        for (name, text) in mappings {
            try (text + "\n").write(to: folder.appending(path: "mappings/\(name).yaml"), atomically: false, encoding: .utf8)
        }
        let ownDatabaseURL = try servers.makeDatabase(owner: role)
        self.databaseURL = ownDatabaseURL
        let ingesterURL = databaseURL ?? role.map { [servers] in servers.url(of: ownDatabaseURL, role: $0) } ?? ownDatabaseURL
        self.approach = approach
        self.credentials = credentials
        var options = brokerOptions
        // Where the tap is blind, the broker tells what it sees.
        if !approach.isReadable { options.logsEverything = true }
        broker = withoutBroker == nil && otherBroker == nil ? try await servers.makeBroker(options) : nil
        brokerPort = broker?.port ?? otherBroker ?? publishingTo ?? 0
        tap = try WireTap(
            brokerPort: try broker.map { try #require(approach.port($0)) } ?? brokerPort, reads: approach.isReadable, refusal: refusal,
            whenSeen: whenSeen)
        let url = approach.url(withoutBroker ?? tap.port)
        let ownLines = (brokerLines ?? "").split(separator: "\n").map { "  \($0)\n" }.joined()
        let pool = [lease.map { "lease: \($0)" }, distribution.map { "distribution: \($0)" }].compactMap { $0 }.map { ", " + $0 }.joined()
        let mappingsPath = folder.appending(path: "mappings").path
        configurationText = { databaseURL in
            """
            broker:
              url: \(url)
              watch: \(watches)
            \(ownLines)database:
              url: \(databaseURL)
            \(databaseLine.map { "  \($0)\n" } ?? "")pool: {client_id: end-to-end, sessions: \(sessions), shards: \(shards)\(pool)}
            \(batch.map { "batch: \($0)\n" } ?? "")http: \(http)
            \(more?.contains("log:") == true ? "" : "log: {level: debug}\n")\(more.map { $0 + "\n" } ?? "")mappings: \(mappingsPath)
            ddl: \(ddl)

            """
        }
        sessionCount = sessions
        ingester = Ingester(configurationPath: folder.appending(path: "penstock.yaml").path, folder: folder, name: "ingester")
        ingesters = [ingester]
        try configure(databaseURL: ingesterURL)
        for statement in preparation { try probe().rows(statement) }
        if isMigrated {
            let migration = try await penstock("migrate")
            guard migration.end == .exit(0) else {
                throw UnhappyIngester(why: "migrate ended with \(migration.end)", log: migration.errors)
            }
        }
    }

    deinit { tap.stop() }

    /// Ends what is running, before the next test starts something. A test that fails earlier leaves that to the processes' owners.
    func close() async throws {
        for ingester in ingesters where ingester.isAlive { try await ingester.kill() }
        tap.stop()
        await broker?.stop()
        try await servers.startDatabase()
        try servers.dropDatabase(databaseURL)
    }

    func configure(databaseURL: String) throws {
        try configurationText(databaseURL).write(toFile: configurationPath, atomically: false, encoding: .utf8)
    }

    // MARK: The broker

    func stopBroker() async throws { await broker?.stop() }
    func startBroker() async throws { try await broker?.start() }

    /// How often the broker ended a connection because another one came with its client identifier.
    func takeoverCount() throws -> Int {
        (broker?.log ?? "").components(separatedBy: "already connected, closing old connection").count - 1
    }

    /// Publishes these messages and returns when the broker has acknowledged all of them.
    func publish(_ messages: [LoadPublisher.Message], qos: UInt8 = 1) async throws {
        let publisher = LoadPublisher(
            port: brokerPort, count: messages.count, perSecond: 100_000, qos: qos, credentials: credentials
        ) { messages[$0] }
        try await waitUntil("the broker acknowledges \(messages.count) messages") { publisher.isFinished }
    }

    // MARK: The ingester

    /// One more process with the same configuration; it is not started.
    func addIngester() -> Ingester {
        let added = Ingester(configurationPath: configurationPath, folder: folder, name: "ingester-\(ingesters.count + 1)")
        ingesters.append(added)
        return added
    }

    /// What all processes have logged.
    private var wholeLog: String { ingesters.map { "--- \($0.name)\n\($0.wholeLog)" }.joined() }

    /// Starts the ingester and waits until the broker has granted the subscriptions of all its sessions.
    func startIngester() async throws {
        try ingester.start()
        try await waitUntilSubscribed()
    }

    /// Asks the ingester to end, and wants it to end well.
    func terminateIngester() async throws {
        ingester.terminate()
        let end = try await ingester.waitForEnd()
        guard end == .exit(0) else { throw UnhappyIngester(why: "it ended with \(end.map { "\($0)" } ?? "nothing")", log: ingester.log) }
    }

    func waitUntilSubscribed() async throws {
        try await eventually("the broker grants \(sessionCount) subscriptions", within: .seconds(30)) {
            grantCount >= sessionCount
        }
    }

    /// How many SUBACKs the ingester has got.
    var grantCount: Int {
        guard !approach.isReadable, let broker else { return tap.count(.subscribeAcknowledgement, .toIngester) }
        return broker.log.components(separatedBy: "Sending SUBACK to end-to-end").count - 1
    }

    /// Waits until a condition holds, and gives up with all that the ingester logged; at once when an ingester ends that nobody asked to.
    func eventually(
        _ what: String, within limit: Duration = .seconds(20), every pause: Duration = .milliseconds(10), _ holds: () throws -> Bool
    ) async throws {
        do {
            try await waitUntil(what, within: limit, every: pause) {
                if let ended = ingesters.first(where: \.hasEndedUnasked) { throw UnhappyIngester(why: "it ended", log: ended.log) }
                return try holds()
            }
        } catch let error as DidNotHappen {
            throw UnhappyIngester(why: "\(error)", log: wholeLog)
        }
    }

    // MARK: Commands

    struct CommandResult {
        var end: ChildProcess.End
        var output: String
        var errors: String
    }

    /// Runs a command, or a command and one of its own, with the configuration of this workplace to its end.
    func penstock(_ command: String, _ arguments: String...) async throws -> CommandResult {
        try await run(command.split(separator: " ").map(String.init) + ["--config", configurationPath] + arguments)
    }

    /// Starts a command with the configuration of this workplace.
    func start(_ command: String) throws -> ChildProcess {
        commandCount += 1
        return try ChildProcess(Ingester.binary, [command, "--config", configurationPath], outputs: "command-\(commandCount)", in: folder)
    }

    /// Writes a mapping, in place of one that is there.
    func write(mapping name: String, _ text: String) throws {
        try text.write(to: folder.appending(path: "mappings/\(name).yaml"), atomically: false, encoding: .utf8)
    }

    /// Runs the binary with these arguments to its end.
    func run(_ arguments: [String]) async throws -> CommandResult {
        commandCount += 1
        let process = try ChildProcess(Ingester.binary, arguments, outputs: "command-\(commandCount)", in: folder)
        let end = try await process.waitForEnd(within: .seconds(60))
        return CommandResult(end: end, output: process.output, errors: process.errors)
    }

    // MARK: The database

    /// The address of the database as it is reached through another port of this machine.
    func databaseURL(throughPort port: Int) -> String {
        databaseURL.replacing(":\(servers.database.port)/", with: ":\(port)/")
    }

    /// A new connection to the database of this workplace.
    func probe() throws -> DatabaseProbe { try DatabaseProbe(databaseURL) }

    /// Makes a role that has to show its password, and gives the address by which it would come in with another one.
    func urlWithWrongPassword(role: String, password: String, given: String) async throws -> String {
        try servers.requirePassword(of: role, password: password)
        let url = servers.url(of: databaseURL, role: role, password: given)
        try await waitUntil("PostgreSQL has read its rules again") { (try? DatabaseProbe(url)) == nil }
        return url
    }

    /// Waits until these tables hold so many rows; gives up with what they hold and why messages became dead letters.
    func waitUntilRows(_ counts: KeyValuePairs<String, Int>, within limit: Duration = .seconds(20)) async throws {
        let probe = try probe()
        let expected = counts.map(\.value)
        var found: [Int] = []
        do {
            try await eventually("there are \(counts) rows", within: limit) {
                found = try counts.map { try probe.number("SELECT count(*) FROM \($0.key)") }
                return found == expected
            }
        } catch let error as UnhappyIngester {
            let letters = try probe.rows("SELECT DISTINCT mapping, column_name, error FROM penstock.dead_letter LIMIT 5")
            throw UnhappyIngester(why: error.why + "; there are \(found) rows; dead letters say \(letters)", log: error.log)
        }
    }

    /// Waits until all of a publisher's readings are published and stored and the broker has been told so, and then wants each to stand in the table once.
    func waitUntilStoredOnce(_ publisher: LoadPublisher, within limit: Duration = .seconds(60)) async throws {
        try await eventually("all is published", within: limit) { publisher.isFinished }
        try await waitUntilStored(publisher.acknowledged, within: limit)
        let probe = try probe()
        try await eventually("the broker has released every message at QoS 2") {
            try probe.number("SELECT count(*) FROM penstock.session WHERE stored_ids <> '{}'") == 0
        }
        let stored = try StoredReadings(probe)
        #expect(stored.repeatCount == 0, "rows beyond the first of a message: \(stored.repeatCount > 0 ? wholeLog : "")")
        #expect(stored.missing(of: publisher.acknowledged) == [])
        #expect(stored.foreign == [])
        #expect(try probe.number("SELECT count(*) FROM penstock.dead_letter") == 0)
    }

    /// Waits until all these readings stand in the table, or nothing new has come for a while.
    func waitUntilStored(_ sequences: Set<Int>, within limit: Duration = .seconds(30)) async throws {
        let probe = try probe()
        let deadline = ContinuousClock.now + limit
        var missing = sequences.count
        while missing > 0, ContinuousClock.now < deadline {
            if try probe.number("SELECT count(DISTINCT seq) FROM readings") >= sequences.count {
                missing = try StoredReadings(probe).missing(of: sequences).count
            }
            if missing > 0 { try await Task.sleep(for: .milliseconds(100)) }
        }
        guard missing > 0 else { return }
        let absent = try StoredReadings(probe).missing(of: sequences)
        guard !absent.isEmpty else { return }
        throw UnhappyIngester(
            why: "\(absent.count) of \(sequences.count) readings are not stored after \(limit), such as \(absent.prefix(5))",
            log: wholeLog)
    }
}
