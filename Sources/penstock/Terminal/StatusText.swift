import Foundation
import MQTT
import Operations

/// A report for people: what is wrong first, then the numbers.
struct StatusText {
    private let report: StatusReport
    private(set) var text = ""

    init(_ report: StatusReport) {
        self.report = report
        var lines = [headline]
        lines += report.problems.flatMap(Self.lines)
        lines += ["", numbers.joined(separator: "\n")]
        if !report.sessions.isEmpty { lines += ["", sessions] }
        if !report.mappings.isEmpty { lines += ["", mappings] }
        if !report.deadLetters.isEmpty { lines += ["", letters] }
        text = lines.joined(separator: "\n")
    }

    private var headline: String {
        let word =
            if !report.ready { Style.red("not ready") } else if report.problems.isEmpty { Style.green("ready") } else {
                Style.yellow("ready")
            }
        return "\(Style.bold("penstock \(report.version)")) \(word), up \(Self.span(report.process.uptimeSeconds))"
    }

    private static func lines(_ problem: StatusReport.Problem) -> [String] {
        [
            "  \(Style.red("!")) \(shown(problem.what))\(problem.since.map { " (since \($0))" } ?? "")",
            "    \(Style.dim(shown(problem.do)))",
        ]
    }

    private var numbers: [String] {
        let latency = [report.latency.p50Ms.map { "half below \($0) ms" }, report.latency.p99Ms.map { "99 % below \($0) ms" }]
            .compactMap { $0 }.joined(separator: ", ")
        var lines = [
            "messages   \(grouped(report.totals.received)) received, \(grouped(report.totals.settled)) settled, \(grouped(report.totals.inFlight)) under way, \(report.rates.messagesPerSecond) a second",
            "rows       \(grouped(report.totals.rows)) committed, \(report.rates.rowsPerSecond) a second",
            "letters    \(grouped(report.totals.deadLetters)) dead letters, \(report.rates.deadLettersPerMinute) a minute",
            "latency    \(latency.isEmpty ? "nothing came lately" : latency), the oldest waits for \(Self.rounded(report.latency.oldestUnacknowledgedSeconds)) s",
        ]
        if report.totals.dropped + report.totals.unrouted + report.totals.redelivered > 0 {
            lines.append(
                "others     \(grouped(report.totals.redelivered)) sent again, \(grouped(report.totals.unrouted)) taken by no mapping, \(grouped(report.totals.dropped)) dropped"
            )
        }
        if let bound = report.boundBy { lines.append("bound by   \(bound): \(report.boundHint)") }
        let connected = report.database.connected ? Style.green("connected") : Style.red("away")
        lines.append("database   \(connected) \(report.database.url), \(grouped(report.database.commits)) commits")
        let dropped = report.broker.dropped ?? 0
        lines.append("broker     \(report.broker.url)" + (dropped > 0 ? ", says it has dropped \(grouped(dropped)) messages" : ""))
        return lines
    }

    private var sessions: String {
        var table = TextTable(header: ["session", "state", "waiting", "reconnects", "lost"])
        for session in report.sessions {
            let state =
                if !session.connected { session.problem.map { Self.shown($0) } ?? "not connected" } else {
                    session.subscribed ? "subscribed" : "connected"
                }
            table.rows.append([
                session.clientId, state, grouped(session.unacknowledged), grouped(session.reconnects), grouped(session.lost),
            ])
        }
        return table.text
    }

    private var mappings: String {
        var table = TextTable(header: ["mapping", "tables", "received", "rows", "filtered", "letters", "dropped", "last message"])
        for mapping in report.mappings {
            table.rows.append([
                mapping.name + (mapping.parked ? " (parked)" : ""), mapping.tables.joined(separator: " "), grouped(mapping.received),
                grouped(mapping.rows), grouped(mapping.filtered), grouped(mapping.deadLetters), grouped(mapping.dropped),
                mapping.lastMessageAt ?? "never",
            ])
        }
        return table.text
    }

    private var letters: String {
        "the last dead letters\n"
            + kindsOfLetters.prefix(5).map { letter, others in
                """
                  \(letter.at)  \(letter.mapping ?? "no mapping")  \(Self.shown(letter.topic, 200))
                    \(Self.shown(letter.error))\(others > 0 ? Style.dim(" (\(others) more of the last \(report.deadLetters.count))") : "")
                    \(Style.dim(Self.payload(of: letter)))
                """
            }.joined(separator: "\n")
    }

    /// One fault makes many letters: the newest with each error, and how many more have it.
    private var kindsOfLetters: [(letter: StatusReport.DeadLetter, others: Int)] {
        var kinds: [(letter: StatusReport.DeadLetter, others: Int)] = []
        for letter in report.deadLetters {
            let known = kinds.firstIndex {
                $0.letter.mapping == letter.mapping && $0.letter.stage == letter.stage && $0.letter.error == letter.error
            }
            if let known { kinds[known].others += 1 } else { kinds.append((letter, 0)) }
        }
        return kinds
    }

    /// As many bytes as fit a line; digits where it is no text.
    private static func payload(of letter: StatusReport.DeadLetter) -> String {
        let start = Self.shown(letter.payloadPreview, 95)
        let kind = letter.payloadKind == .bytes ? "hexadecimal" : "text"
        guard letter.payloadBytes > 0 else { return "no payload" }
        return "\(counted(letter.payloadBytes, "byte")), \(kind): \(start)\(letter.payloadPreview.count > 95 ? "…" : "")"
    }

    /// What others wrote, on one line, with everything escaped that a terminal would obey.
    private static func shown(_ text: String, _ maximumCharacters: Int = 1000) -> String {
        ForeignText(text.utf8, maximumCharacters: maximumCharacters).description
    }

    private static func rounded(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }

    private static func span(_ seconds: Double) -> String {
        let whole = Int(seconds)
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min"
        case ..<86_400: return "\(whole / 3600) h \(whole % 3600 / 60) min"
        default: return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
        }
    }
}
