import ArgumentParser
import Foundation
import Ingest
import Logging
import MQTT
import Mapping
import NIOCore
import Operations
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
        // What somebody asks for is answered each time; what the service does by itself, again and again, is told once and counted, unless all is asked for.
        let logger = setup.configuration.log.makeLogger()
        let told = RepeatedLines.Memory()
        let patient = logger.logLevel <= .debug ? logger : setup.configuration.log.makeLogger(told)
        let stop = StopSignal()
        // Nothing to reload yet, and no reason to end.
        signal(SIGHUP, SIG_IGN)
        let recorder = PrometheusFactory()
        let monitor = try await Monitor.listen(setup.configuration, recorder, patient)
        do {
            try await ingest(setup, monitor, recorder, logger, patient, stop)
        } catch {
            told.writeUntold()
            await monitor?.stop(within: .milliseconds(500))
            throw error
        }
        await monitor?.stop(within: .seconds(1))
        told.writeUntold()
    }

    private func ingest(
        _ setup: Setup, _ monitor: Monitor?, _ recorder: PrometheusFactory, _ logger: Logger, _ patient: Logger, _ stop: StopSignal
    ) async throws {
        guard let prepared = try await prepareTables(setup, monitor, logger, stop) else { return }
        let tables = prepared.tables
        let mappings = try TablePreparation.accepted(prepared.mappings, tables, logger)
        let service: IngestService
        do {
            service = try IngestService(
                configuration: setup.configuration, plan: MappingPlan(mappings, tableTypes: tables.types),
                metrics: IngestMetrics(factory: recorder), logger: patient)
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
        monitor?.attach(service)
        let reload = Reload(configuration: setup.configuration, logger: logger, service: service)
        let hangUp = reload.watch()
        defer { hangUp.cancel() }
        let summary = Task { await PeriodicSummary.write(of: service, logger) }
        defer { summary.cancel() }
        let signal = await stop.wait()
        hangUp.cancel()
        monitor?.isEnding()
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
    private func prepareTables(
        _ setup: Setup, _ monitor: Monitor?, _ logger: Logger, _ stop: StopSignal
    ) async throws -> (tables: MappedTables, mappings: [MappingSyntax])? {
        let settings = setup.configuration.database
        let policy = setup.configuration.ddl
        let mappings = setup.mappings
        var delay = 0.1
        var lastProblem = ""
        monitor?.isStarting("the database is looked at")
        while !stop.isReceived {
            do {
                return try await blocking { try TablePreparation.prepare(settings, mappings, policy, logger) }
            } catch let error as PostgreSQLError {
                guard case .connection = error, !error.isMisconfiguration else { throw Failure(.failed, "the database: \(error)") }
                monitor?.isStarting("it waits for the database: \(error)")
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

extension Monitor {
    /// Listens where the configuration says; nil where that is nowhere. An address that is taken ends the start: a service that nobody can look at, though
    /// somebody wanted to, should not look as if it were well.
    static func listen(_ configuration: Configuration, _ recorder: PrometheusFactory, _ logger: Logger) async throws -> Monitor? {
        guard let settings = configuration.http else { return nil }
        let monitor = Monitor(
            settings, facts: ServiceFacts(version: Penstock.version, configuration: configuration), recorder: recorder, logger: logger)
        do {
            let address = try await monitor.start()
            logger.info("status page, metrics and health", metadata: ["address": "\(address)"])
            return monitor
        } catch {
            throw Failure(.failed, "\(error)")
        }
    }
}
