import Dispatch
import Foundation
import Ingest
import Logging
import MQTT
import Mapping
import PostgreSQL
import Store

/// SIGHUP: reads the mappings again and hands them to the running service, all or nothing. Whatever is wrong with them is logged, and the old ones stay.
final class Reload: Sendable {
    private let configuration: Configuration
    private let logger: Logger
    private let service: IngestService
    /// One reload after the other.
    private let queue = DispatchQueue(label: "penstock.reload")

    init(configuration: Configuration, logger: Logger, service: IngestService) {
        self.configuration = configuration
        self.logger = logger
        self.service = service
    }

    /// Listens for SIGHUP until the source is cancelled.
    func watch() -> any DispatchSourceSignal {
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
        source.setEventHandler { [self] in reload() }
        source.resume()
        return source
    }

    private func reload() {
        do {
            let reading = MappingReader.read(folder: configuration.mappings)
            guard reading.diagnostics.isEmpty else { return refuse(reading.diagnostics.map(\.description)) }
            let (tables, mappings) = try TablePreparation.prepare(configuration.database, reading.mappings, configuration.ddl, logger)
            let wrong = mappings.flatMap { mapping in
                Set(mapping.blocks.map(\.table.name)).sorted().flatMap { tables.checks[$0]?.problems ?? [] }.map {
                    "mapping '\(mapping.name)': \($0)"
                }
            }
            guard wrong.isEmpty else { return refuse(wrong) }
            try service.reload(MappingPlan(mappings, tableTypes: tables.types))
            TablePreparation.describe(mappings, configuration, logger)
            logger.info("mappings reloaded", metadata: ["mappings": "\(mappings.count)"])
        } catch let failure as Failure {
            refuse(failure.messages)
        } catch let ending as IngestService.IsEnding {
            logger.notice("the mappings are not reloaded", metadata: ["reason": "\(ending)"])
        } catch {
            refuse(["\(error)"])
        }
    }

    private func refuse(_ reasons: [String]) {
        logger.error("the changed mappings are refused; the old ones stay", metadata: ["problems": "\(reasons.count)"])
        for reason in reasons { logger.error("mapping problem", metadata: ["reason": "\(reason)"]) }
    }
}
