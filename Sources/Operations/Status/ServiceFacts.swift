import Foundation
import Ingest

/// What is told of a service and does not change while it runs.
public struct ServiceFacts: Sendable {
    public var version: String
    /// Addresses of the brokers, in words.
    public var broker: String
    public var database: DatabaseSettings
    public var startedAt: Date

    public init(version: String, configuration: Configuration, startedAt: Date = Date()) {
        self.version = version
        broker = configuration.broker.endpoints.map(\.description).joined(separator: ", ")
        database = configuration.database
        self.startedAt = startedAt
    }

    /// Where the database is, without a password and without options.
    var databaseURL: String { Self.shown(database.url.value) }

    /// User, host, port and name; nothing else, since anything else may hold a secret.
    static func shown(_ url: String) -> String {
        guard !url.isEmpty else { return "as PG* variables of the environment say" }
        guard let scheme = url.range(of: "://") else {
            let shown = url.split(separator: " ").filter { pair in
                ["host=", "hostaddr=", "port=", "dbname=", "user=", "service="].contains { pair.hasPrefix($0) }
            }
            return shown.joined(separator: " ")
        }
        var rest = url[scheme.upperBound...].prefix { $0 != "?" && $0 != "#" }
        var user = ""
        if let at = rest.lastIndex(of: "@") {
            user = String(rest[..<at].prefix { $0 != ":" }) + "@"
            rest = rest[rest.index(after: at)...]
        }
        return url[..<scheme.upperBound] + user + rest
    }
}

/// RFC 3339, UTC, with milliseconds.
func timeText(_ date: Date) -> String { date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }

/// - Parameter microseconds: since 1970, UTC.
func timeText(microseconds: Int64) -> String { timeText(Date(timeIntervalSince1970: Double(microseconds) / 1e6)) }
