import Foundation
import Ingest
import Logging
import Mapping
import PostgreSQL
import Store

/// Brings the database up to what mappings need, as far as that is allowed, and tells which mappings it cannot serve.
enum TablePreparation {
    /// Applies migrations and makes tables where `policy` lets it; nothing is changed with `off`.
    ///
    /// - Returns: the tables, and the mappings with the schemas where these lie.
    static func prepare(
        _ settings: DatabaseSettings, _ mappings: [MappingSyntax], _ policy: DDLPolicy, _ logger: Logger
    ) throws -> (tables: MappedTables, mappings: [MappingSyntax]) {
        let connection = try Connection(url: settings.url.value, defaults: settings.connectionDefaults)
        do throws(Migrator.Failure) {
            if policy == .off {
                try Migrator.requireAll(connection)
            } else {
                for step in try Migrator.apply(connection) {
                    logger.info("migration applied", metadata: ["number": "\(step.number)", "name": "\(step.name)"])
                }
            }
        } catch {
            if case .database(let inner) = error { throw inner }
            throw Failure(.failed, "\(error)")
        }
        if let problem = try Catalog.encodingProblem(connection) { throw Failure(.failed, problem) }
        for warning in try Catalog.durabilityWarnings(connection) {
            logger.warning("the database does not promise durability", metadata: ["reason": "\(warning)"])
        }
        let mappings = try TablePlaces.placed(mappings, connection)
        let definitions = MappingPlan(mappings).tables
        let (tables, executed) = try MappedTables.prepare(definitions, policy: policy, connection)
        if policy != .off { grantToAnalysts(definitions, connection, logger) }
        if !executed.isEmpty { logger.info("tables made", metadata: ["statements": "\(executed.count)"]) }
        return (tables, mappings)
    }

    /// Those who read can wait for an administrator; messages cannot.
    private static func grantToAnalysts(_ definitions: [TableDefinition], _ connection: borrowing Connection, _ logger: Logger) {
        do throws(PostgreSQLError) {
            for name in try AnalystRights.grant(on: definitions, connection) ?? [] {
                logger.info("penstock_analyst may read a table", metadata: ["table": "\(name)"])
            }
        } catch {
            logger.warning("penstock_analyst was not given the right to read", metadata: ["reason": "\(error)"])
        }
    }

    /// Tells those who query the data what these mappings say. A database that does not take it is no reason not to run.
    static func describe(_ mappings: [MappingSyntax], _ configuration: Configuration, _ logger: Logger) {
        do {
            let open = try configuration.database.connect()
            try DataDictionary(mappings).store(forPool: configuration.pool.clientIdentifier, open.connection)
        } catch {
            logger.warning("the data dictionary was not brought up to date", metadata: ["reason": "\(error)"])
        }
    }

    /// Leaves out mappings whose tables cannot take their rows; the others run.
    static func accepted(_ mappings: [MappingSyntax], _ tables: MappedTables, _ logger: Logger) throws -> [MappingSyntax] {
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
