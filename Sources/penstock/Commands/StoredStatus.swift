import Foundation
import MQTT
import PostgreSQL
import Store

/// What the database knows of a service that does not answer.
struct StoredStatus {
    private let writers: [WriterTable.Entry]
    private let sessions: [SessionTable.Entry]
    private let letters: [LetterSummary.Count]

    /// A writer that is seen less often than this is not running.
    private static let silenceSeconds = 30.0

    /// - Throws: `Failure`.
    init(_ connection: borrowing Connection) throws {
        do throws(PostgreSQLError) {
            writers = try WriterTable.list(connection)
            sessions = try SessionTable.list(connection)
            letters = try LetterSummary.ofLastHour(connection)
        } catch {
            guard case .server(let server) = error, ["42P01", "3F000"].contains(server.sqlState) else {
                throw Failure(.failed, "the database: \(error)")
            }
            throw Failure(
                .failed, "no service answers, and the database has no schema 'penstock': run `penstock migrate`, then `penstock run`")
        }
    }

    private var running: [WriterTable.Entry] { writers.filter { $0.seenSecondsAgo < Self.silenceSeconds } }

    /// Somebody writes, every session is in somebody's hands, and no dead letter came within the hour.
    var isWell: Bool { !running.isEmpty && !sessions.isEmpty && sessions.allSatisfy { $0.holder != nil } && letters.isEmpty }

    var text: String {
        var lines: [String] = []
        if running.isEmpty {
            lines.append(Style.red("no service is running with this database"))
            if let last = writers.first {
                lines.append("  the last one was process \(last.process) on \(last.host), \(Int(last.seenSecondsAgo)) s ago")
            }
        } else {
            lines.append("running: " + Set(running.map { "process \($0.process) on \($0.host)" }).sorted().joined(separator: ", "))
        }
        if sessions.isEmpty {
            lines.append("no session is known")
        } else {
            var table = TextTable(header: ["session", "used by", "filters", "changed"])
            for session in sessions {
                table.rows.append([
                    session.clientIdentifier, session.holder ?? "nobody", grouped(session.subscriptions.count), session.updated,
                ])
            }
            lines += ["", table.text]
        }
        lines.append("")
        if letters.isEmpty {
            lines.append("no dead letters in the last hour")
        } else {
            var table = TextTable(header: ["dead letters of the last hour", "stage", "count", "the last one says"])
            for count in letters {
                table.rows.append([count.mapping ?? "no mapping", count.stage, grouped(count.letters), Self.short(count.lastError)])
            }
            lines.append(table.text)
        }
        return lines.joined(separator: "\n")
    }

    private static func short(_ text: String) -> String {
        ForeignText(text.utf8, maximumCharacters: 100).description + (text.unicodeScalars.count > 100 ? "…" : "")
    }

    var json: String {
        let object: [String: Any] = [
            "service": false,
            "writers": writers.map { writer in
                ["process": writer.process, "host": writer.host, "batch": Int(writer.batch), "seen_seconds_ago": writer.seenSecondsAgo]
                    as [String: Any]
            },
            "sessions": sessions.map { session in
                [
                    "client_id": session.clientIdentifier, "holder": session.holder ?? NSNull(), "updated": session.updated,
                    "filters": session.subscriptions.map(\.filter),
                ] as [String: Any]
            },
            "dead_letters_last_hour": letters.map { count in
                ["mapping": count.mapping ?? NSNull(), "stage": count.stage, "count": count.letters, "last_error": count.lastError]
                    as [String: Any]
            },
        ]
        let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted])
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
