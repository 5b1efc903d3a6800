import ArgumentParser
import Foundation
import Ingest
import PostgreSQL
import Store

struct Sessions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The pool's sessions at the broker, and what is stored of them.", subcommands: [List.self, Drop.self],
        defaultSubcommand: List.self)

    private static func inDatabase<Result>(_ work: () throws(PostgreSQLError) -> Result) throws -> Result {
        do throws(PostgreSQLError) { return try work() } catch { throw Failure(.failed, "the database: \(error)") }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists sessions with their holder, subscriptions and stored packet identifiers.")

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "One JSON object a line.")
        var json = false

        func run() async throws {
            let settings = try Setup.configuration(options).database
            let json = json
            let sessions = try await blocking {
                let database = try settings.connectMigrated()
                return try Sessions.inDatabase { () throws(PostgreSQLError) in try SessionTable.list(database.connection) }
            }
            for session in sessions { print(json ? session.json : session.text) }
            if sessions.isEmpty, !json { print("no session is known: the service has not run with this database") }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the broker and the database forget a session that no process uses.",
            discussion: """
                What waits for the session in the broker is gone with it. A session that belongs to the pool comes back, empty, when the service runs; drop what \
                is left behind by a smaller pool.sessions or another pool.client_id.
                """)

        @OptionGroup var options: ConfigurationOptions

        @Argument(help: "The MQTT client identifier.")
        var clientIdentifier: String

        func run() async throws {
            let configuration = try Setup.configuration(options)
            let name = clientIdentifier
            let database = try await blocking { try configuration.database.connectMigrated() }
            // The row stays locked until the broker has forgotten the session, so that no process takes it meanwhile.
            let holder = try await blocking {
                try Sessions.inDatabase { () throws(PostgreSQLError) in try SessionTable.lock(name, database.connection) }
            }
            switch holder {
            case .unknown: throw Failure(.failed, "no session '\(name)' is known; `penstock sessions` lists those that are")
            case .held(let by): throw Failure(.failed, "session '\(name)' is in use by \(by): stop that first")
            case .free: break
            }
            do {
                try await BrokerProbe.forget(configuration.broker, clientIdentifier: name)
            } catch {
                throw Failure(.failed, "the session stays as it is, since the broker cannot be asked to forget it: \(error)")
            }
            try await blocking {
                try Sessions.inDatabase { () throws(PostgreSQLError) in try SessionTable.drop(name, database.connection) }
            }
            print("session '\(name)' is forgotten")
        }
    }
}

extension SessionTable.Entry {
    /// A few lines for people.
    fileprivate var text: String {
        var lines = [
            "\(clientIdentifier)  \(holder.map { "used by \($0)" } ?? "used by nobody")\(isConnecting ? "; its last CONNECT was not answered" : "")"
        ]
        if storedIdentifierCount > 0 {
            lines.append("  \(counted(storedIdentifierCount, "message")) at QoS 2: stored, and not released by the broker")
        }
        for subscription in subscriptions {
            var words = "  \(subscription.filter)  QoS \(subscription.grantedQoS ?? subscription.qos), \(subscription.state.rawValue)"
            if let reason = subscription.reason { words += ": \(reason)" }
            lines.append(words)
        }
        return lines.joined(separator: "\n")
    }

    fileprivate var json: String {
        var object: [String: Any] = [
            "client_id": clientIdentifier, "stored_ids": storedIdentifierCount, "connecting": isConnecting, "updated": updated,
            "subscriptions": subscriptions.map { subscription in
                var entry: [String: Any] = [
                    "filter": subscription.filter, "qos": Int(subscription.qos), "state": subscription.state.rawValue,
                ]
                if let granted = subscription.grantedQoS { entry["granted"] = Int(granted) }
                if let reason = subscription.reason { entry["reason"] = reason }
                return entry
            },
        ]
        if let holder { object["holder"] = holder }
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes]) else {
            return "{}"
        }
        return String(decoding: data, as: UTF8.self)
    }
}
