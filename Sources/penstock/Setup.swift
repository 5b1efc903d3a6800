import ArgumentParser
import Foundation
import Ingest
import Logging
import Mapping
import Operations
import PostgreSQL
import Store

/// Options that every command has which reads the configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The configuration file; penstock.yaml in this folder if it is there.")
    var config: String?

    @Option(help: "The folder of mappings; the configuration's if not given.")
    var mappings: String?
}

/// What commands start from: configuration and mappings, checked.
struct Setup {
    var configuration: Configuration
    var mappings: [MappingSyntax]

    /// Reads both; everything that is wrong with either is told at once.
    init(_ options: ConfigurationOptions) throws {
        configuration = try Self.configuration(options)
        let reading = MappingReader.read(folder: configuration.mappings)
        guard reading.diagnostics.isEmpty else { throw Failure(.configuration, all: reading.diagnostics.map(SourceExcerpt.text)) }
        mappings = reading.mappings
    }

    static func configuration(_ options: ConfigurationOptions) throws -> Configuration {
        let reading = ConfigurationReader.read(path: options.config)
        for warning in reading.warnings { Terminal.warning(warning) }
        guard reading.errors.isEmpty else { throw Failure(.configuration, all: reading.errors.map(\.description)) }
        var configuration = reading.configuration
        if let folder = options.mappings { configuration.mappings = folder }
        return configuration
    }
}

extension DatabaseSettings {
    /// Connects, or says what to do.
    func connect() throws -> OpenDatabase {
        do {
            return OpenDatabase(try Connection(url: url.value, defaults: connectionDefaults))
        } catch {
            throw Failure(.failed, "the database: \(error) [database.url]")
        }
    }

    /// Connects to a database whose schema 'penstock' is of this version, or says what to do.
    func connectMigrated() throws -> OpenDatabase {
        let database = try connect()
        do throws(Migrator.Failure) {
            try Migrator.requireAll(database.connection)
        } catch {
            throw Failure(.failed, "\(error)")
        }
        return database
    }
}

/// A connection for a command's own use.
final class OpenDatabase: @unchecked Sendable {
    // @unchecked: a command uses it in one call of `blocking` after the other, and awaiting them orders the accesses.
    let connection: Connection
    init(_ connection: consuming Connection) { self.connection = connection }
}

/// Runs what blocks on a thread of its own, off the cooperative pool.
func blocking<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try work() }) }
    }
}

extension LogSettings {
    /// A logger as the configuration asks, to standard error.
    ///
    /// - Parameter memory: of what was told, where warnings that come again are only counted; nil: each is told.
    func makeLogger(_ memory: RepeatedLines.Memory? = nil) -> Logger {
        let format = format
        var logger = Logger(label: "penstock") { label in
            let handler: any LogHandler =
                switch format {
                case .json: JSONLogHandler()
                case .text: StreamLogHandler.standardError(label: label)
                }
            return memory.map { RepeatedLines(handler, memory: $0) } ?? handler
        }
        logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        return logger
    }
}
