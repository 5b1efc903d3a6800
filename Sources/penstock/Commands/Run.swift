import ArgumentParser
import Foundation
import Ingest
import Logging
import Mapping
import NIOCore
import PostgreSQL
import Store

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The service: runs until SIGTERM or SIGINT, which commits and acknowledges what is open, and then ends with 0.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let setup = try Setup(options)
        let logger = setup.configuration.log.makeLogger()
        let stop = StopSignal()
        let hangUp = Self.watchHangUp(logger)
        defer { hangUp.cancel() }
        guard let tables = try await prepareTables(setup, logger, stop) else { return }
        let mappings = try Self.accepted(setup.mappings, tables, logger)
        let service: IngestService
        do {
            service = try IngestService(
                configuration: setup.configuration, plan: MappingPlan(mappings, tableTypes: tables.types), logger: logger)
        } catch let error as SubscriptionPlanError {
            throw Failure(.configuration, "\(error)")
        }
        logger.info(
            "starting",
            metadata: [
                "version": "\(Penstock.version)", "mappings": "\(mappings.count)", "sessions": "\(setup.configuration.pool.sessions)",
                "shards": "\(setup.configuration.pool.shards)",
                "broker": "\(setup.configuration.broker.endpoints.map(\.description).joined(separator: ", "))",
            ])
        service.start()
        let signal = await stop.wait()
        logger.info("stopping", metadata: ["signal": "\(signal == SIGINT ? "SIGINT" : "SIGTERM")"])
        let last = try await service.shutdown(within: setup.configuration.shutdownTimeout)
        logger.info(
            "stopped",
            metadata: [
                "received": "\(last.received)", "acknowledged": "\(last.acknowledged)", "rows": "\(last.rowsByTable.values.reduce(0, +))",
                "dead_letters": "\(last.deadLetters)", "dropped": "\(last.dropped)", "unrouted": "\(last.unrouted)",
                "not_committed": "\(last.inFlight)",
            ])
    }

    /// SIGHUP must not end a service: mappings are read at the start only, so far.
    private static func watchHangUp(_ logger: Logger) -> any DispatchSourceSignal {
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        source.setEventHandler { logger.warning("SIGHUP: mappings are read at the start only; restart to take up changes") }
        source.resume()
        return source
    }

    /// Waits for the database if it is not there yet, makes what may be made, and holds the tables against the mappings; nil when told to stop meanwhile.
    private func prepareTables(_ setup: Setup, _ logger: Logger, _ stop: StopSignal) async throws -> MappedTables? {
        let settings = setup.configuration.database
        let policy = setup.configuration.ddl
        let definitions = MappingPlan(setup.mappings).tables
        var delay = 0.1
        var lastProblem = ""
        while !stop.isReceived {
            do {
                return try await blocking { try Self.prepare(settings, definitions, policy, logger) }
            } catch let error as PostgreSQLError {
                guard case .connection = error, !error.isMisconfiguration else { throw Failure(.failed, "the database: \(error)") }
                if lastProblem != error.description {
                    logger.warning("waiting for the database", metadata: ["reason": "\(error)"])
                    lastProblem = error.description
                }
            }
            try await stop.sleep(seconds: delay)
            delay = min(delay * 2, 5)
        }
        return nil
    }

    private static func prepare(
        _ settings: DatabaseSettings, _ definitions: [TableDefinition], _ policy: DDLPolicy, _ logger: Logger
    ) throws -> MappedTables {
        let connection = try Connection(url: settings.url.value, defaults: settings.connectionDefaults)
        do {
            if policy == .off {
                if let first = try Migrator.pending(connection).first {
                    throw Failure(
                        .failed,
                        "the schema 'penstock' of the database lacks migration \(first.number) (\(first.name)): run `penstock migrate`")
                }
            } else {
                for step in try Migrator.apply(connection) {
                    logger.info("migration applied", metadata: ["number": "\(step.number)", "name": "\(step.name)"])
                }
            }
        } catch let error as Migrator.Failure {
            if case .database(let inner) = error { throw inner }
            throw Failure(.failed, "\(error)")
        }
        if let problem = try Catalog.encodingProblem(connection) { throw Failure(.failed, problem) }
        for warning in try Catalog.durabilityWarnings(connection) {
            logger.warning("the database does not promise durability", metadata: ["reason": "\(warning)"])
        }
        let (tables, executed) = try MappedTables.prepare(definitions, policy: policy, connection)
        if !executed.isEmpty { logger.info("tables made", metadata: ["statements": "\(executed.count)"]) }
        return tables
    }

    /// Leaves out mappings whose tables cannot take their rows; the others run.
    private static func accepted(_ mappings: [MappingSyntax], _ tables: MappedTables, _ logger: Logger) throws -> [MappingSyntax] {
        var problems: [String] = []
        let accepted = mappings.filter { mapping in
            let wrong = Set(mapping.blocks.map(\.table.name)).sorted().flatMap { tables.checks[$0]?.problems ?? [] }
            for problem in wrong {
                problems.append(problem.description)
                logger.error("mapping refused", metadata: ["mapping": "\(mapping.name)", "reason": "\(problem)"])
            }
            return wrong.isEmpty
        }
        for warning in tables.checks.values.flatMap(\.warnings) {
            logger.warning("a table asks for attention", metadata: ["reason": "\(warning)"])
        }
        guard !accepted.isEmpty else { throw Failure(.failed, all: problems + ["no mapping is left that could run"]) }
        return accepted
    }
}
