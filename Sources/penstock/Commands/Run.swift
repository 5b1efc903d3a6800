import ArgumentParser
import Foundation
import Ingest
import Logging
import MQTT
import Mapping
import NIOCore
import PostgreSQL
import Store

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "The service: runs until SIGTERM or SIGINT, which commits and acknowledges what is open, and then ends with 0. SIGHUP takes changed mappings."
    )

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let setup = try Setup(options)
        let logger = setup.configuration.log.makeLogger()
        let stop = StopSignal()
        // Nothing to reload yet, and no reason to end.
        signal(SIGHUP, SIG_IGN)
        guard let tables = try await prepareTables(setup, logger, stop) else { return }
        let mappings = try TablePreparation.accepted(setup.mappings, tables, logger)
        let service: IngestService
        do {
            service = try IngestService(
                configuration: setup.configuration, plan: MappingPlan(mappings, tableTypes: tables.types), logger: logger)
        } catch let error as SubscriptionPlanError {
            throw Failure(.configuration, "\(error)")
        } catch let error as MQTTError {
            throw Failure(.configuration, "\(error)")
        }
        logger.info(
            "starting",
            metadata: [
                "version": "\(Penstock.version)", "mappings": "\(mappings.count)", "sessions": "\(setup.configuration.pool.sessions)",
                "shards": "\(setup.configuration.pool.shards)",
                "broker": "\(setup.configuration.broker.endpoints.map(\.description).joined(separator: ", "))",
            ])
        let configuration = setup.configuration
        try await blocking { TablePreparation.describe(mappings, configuration, logger) }
        service.start()
        let reload = Reload(configuration: setup.configuration, logger: logger, service: service)
        let hangUp = reload.watch()
        defer { hangUp.cancel() }
        let signal = await stop.wait()
        hangUp.cancel()
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

    /// Waits for the database if it is not there yet, makes what may be made, and holds the tables against the mappings; nil when told to stop meanwhile.
    private func prepareTables(_ setup: Setup, _ logger: Logger, _ stop: StopSignal) async throws -> MappedTables? {
        let settings = setup.configuration.database
        let policy = setup.configuration.ddl
        let definitions = MappingPlan(setup.mappings).tables
        var delay = 0.1
        var lastProblem = ""
        while !stop.isReceived {
            do {
                return try await blocking { try TablePreparation.prepare(settings, definitions, policy, logger) }
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
}
