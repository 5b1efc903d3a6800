import Foundation

/// The figures as a table: medians over the rounds, and what they are to be compared with.
struct Report {
    private let options: Options
    var backlog: [(limit: Measurement, penstock: Measurement)] = []
    var live: [(limit: Measurement, penstock: Measurement)] = []
    /// A backlog over a pool of sessions at QoS 2, beside that of the same round at QoS 1.
    var exactlyOnce: [(limit: Measurement, penstock: Measurement)] = []
    var instructions: Double?
    var allocations: Double?

    init(_ options: Options) { self.options = options }

    var text: String {
        var rows: [(what: String, limit: String, penstock: String, figure: String, target: String)] = [
            ("figure", "consumer in C", "penstock", "ratio", "target"),
            (
                "stored backlog of \(options.messages), msg/s", rate(backlog.map(\.limit)), rate(backlog.map(\.penstock)), ratio(backlog),
                "at least 0.90"
            ),
            ("the fastest round of each", fastest(backlog.map(\.limit)), fastest(backlog.map(\.penstock)), fastestRatio(backlog), ""),
            (
                "live QoS 1, \(options.liveMessages) messages, msg/s", rate(live.map(\.limit)), rate(live.map(\.penstock)), ratio(live),
                "at least 0.95"
            ),
            ("the fastest round of each", fastest(live.map(\.limit)), fastest(live.map(\.penstock)), fastestRatio(live), ""),
            (
                "own CPU a message, backlog, µs", cpu(backlog.map(\.limit)), cpu(backlog.map(\.penstock)), "", "at most 1.30"
            ),
            ("own CPU a message, live, µs", cpu(live.map(\.limit)), cpu(live.map(\.penstock)), "", ""),
            (
                "CPU of the broker a message, backlog, µs", cost(backlog.map(\.limit), \.brokerSeconds),
                cost(backlog.map(\.penstock), \.brokerSeconds), "", ""
            ),
            (
                "backlog of \(options.pooledMessages) over 8 sessions at QoS 2, msg/s; ratio to QoS 1", "",
                rate(exactlyOnce.map(\.penstock)), ratio(exactlyOnce), "at least 0.50"
            ),
            ("own CPU a message, backlog at QoS 2, µs", "", cpu(exactlyOnce.map(\.penstock)), "", ""),
            ("CPU of PostgreSQL a message, backlog, µs", "", cost(backlog.map(\.penstock), \.databaseSeconds), "", ""),
            ("commits, backlog", "", commits(backlog), "", ""),
            ("commits, live", "", commits(live), "", ""),
            ("peak resident memory, MiB", "", decimal(residentMebibytes, 1), "", "less than 96"),
        ]
        if let instructions { rows.append(("instructions a message", "", decimal(instructions, 0), "", "")) }
        if let allocations { rows.append(("calls of malloc a message", "", decimal(allocations, 3), "", "")) }
        return aligned(rows.map { [$0.what, $0.limit, $0.penstock, $0.figure, $0.target] })
            + "\nMedians of \(options.rounds) rounds. The ratio is the median of the rounds' ratios: the two runs of a round follow each other.\n"
    }

    private func rate(_ runs: [Measurement]) -> String { decimal(median(runs.map(\.messagesASecond)), 0) }
    private func fastest(_ runs: [Measurement]) -> String { decimal(fastestRate(runs), 0) }
    private func fastestRate(_ runs: [Measurement]) -> Double { runs.map(\.messagesASecond).max() ?? .nan }
    private func fastestRatio(_ rounds: [(limit: Measurement, penstock: Measurement)]) -> String {
        decimal(fastestRate(rounds.map(\.penstock)) / fastestRate(rounds.map(\.limit)), 2)
    }
    private func cpu(_ runs: [Measurement]) -> String { decimal(median(runs.map { $0.microsecondsAMessage($0.cpuSeconds) }), 2) }
    private func cost(_ runs: [Measurement], _ server: KeyPath<ServerCosts, Double>) -> String {
        decimal(median(runs.map { $0.microsecondsAMessage($0.servers[keyPath: server]) }), 2)
    }
    private func commits(_ rounds: [(limit: Measurement, penstock: Measurement)]) -> String {
        decimal(median(rounds.map { Double($0.penstock.commits) }), 0)
    }
    private func ratio(_ rounds: [(limit: Measurement, penstock: Measurement)]) -> String {
        decimal(median(rounds.map { $0.penstock.messagesASecond / $0.limit.messagesASecond }), 2)
    }
    private var residentMebibytes: Double {
        Double((backlog + live).map(\.penstock.residentBytesPeak).max() ?? 0) / 1_048_576
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    private func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    /// A Markdown table, so that it can go into docs/performance.md as it is.
    private func aligned(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            "| " + zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ") + " |"
        }
        lines.insert("|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|", at: 1)
        return lines.joined(separator: "\n") + "\n"
    }
}
