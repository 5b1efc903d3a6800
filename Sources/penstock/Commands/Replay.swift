import ArgumentParser
import Ingest
import Mapping
import Payload
import PostgreSQL
import Store

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Puts dead letters through today's mappings again.",
        discussion: """
            What becomes rows is deleted in the same transaction; what still fails stays, with its new reason. It may be interrupted at any time, and run \
            beside the service. Exits with 1 when letters still fail.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Only letters of this mapping.")
    var mapping: String?

    @Option(help: "Only letters of this stage: \(DeadLetterStage.allCases.map(\.rawValue).joined(separator: ", ")).")
    var stage: String?

    @Option(help: "Only letters received since then: a time (2026-01-31T12:00:00Z) or an age (2h).")
    var since: String?

    @Flag(help: "Do everything, say what would happen, and roll it back.")
    var dryRun = false

    mutating func validate() throws {
        if let stage, DeadLetterStage(rawValue: stage) == nil {
            throw ValidationError("--stage is one of \(DeadLetterStage.allCases.map(\.rawValue).joined(separator: ", ")), not '\(stage)'")
        }
        if let since, age(since) == nil, !isTime(since) {
            throw ValidationError("--since is a time such as 2026-01-31T12:00:00Z or an age such as 2h, not '\(since)'")
        }
    }

    func run() async throws {
        let setup = try Setup(options)
        let names = setup.mappings.map(\.name)
        if let mapping, !names.contains(mapping) {
            throw Failure(.usage, "there is no mapping '\(mapping)'; there are \(names.sorted().joined(separator: ", "))")
        }
        let filter = DeadLetterFilter(
            mappings: mapping.map { [$0] }, stage: stage.flatMap { DeadLetterStage(rawValue: $0) },
            since: since.map { text in age(text).map { ("\($0) seconds", true) } ?? (text, false) })
        let stop = StopSignal()
        let isRehearsal = dryRun
        let summary = try await blocking {
            let database = try setup.configuration.database.connectMigrated()
            let plan: MappingPlan
            do {
                let mappings = try TablePlaces.placed(setup.mappings, database.connection)
                let tables = try MappedTables(checking: MappingPlan(mappings).tables, database.connection)
                plan = MappingPlan(mappings, tableTypes: tables.types)
            } catch {
                throw Failure(.failed, "the database: \(error)")
            }
            let replay = DeadLetterReplay(
                plan: plan, settings: setup.configuration.database, limits: setup.configuration.decode, filter: filter,
                isRehearsal: isRehearsal)
            do {
                try replay.run { summary in
                    Terminal.live(Self.line(summary))
                    return !stop.isReceived
                }
            } catch {
                Terminal.endLive()
                throw Failure(.failed, "the database: \(error); stored before: \(counted(replay.summary.stored, "letter"))")
            }
            return replay.summary
        }
        Terminal.endLive()
        try report(summary)
    }

    private static func line(_ summary: DeadLetterReplay.Summary) -> String {
        let filled = summary.total > 0 ? min(30, summary.done * 30 / summary.total) : 30
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
            + "] \(grouped(summary.done)) of \(grouped(summary.total)), \(grouped(summary.stored)) stored"
    }

    private func report(_ summary: DeadLetterReplay.Summary) throws {
        let verb = dryRun ? "would be stored" : "stored"
        print("\(counted(summary.done, "dead letter")): \(grouped(summary.stored)) \(verb) as \(counted(summary.rows, "row"))")
        if summary.parked > 0 {
            let (stay, whose) = summary.parked == 1 ? ("stays", "its") : ("stay", "their")
            print("\(grouped(summary.parked)) \(stay): \(whose) table cannot be written (`penstock check` says why)")
        }
        let failing = summary.failing.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        for (reason, count) in failing.prefix(10) { print("\(grouped(count)) still \(count == 1 ? "fails" : "fail"): \(reason)") }
        if failing.count > 10 { print("… and \(counted(failing.count - 10, "other reason"))") }
        if !failing.isEmpty || summary.parked > 0 { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    /// Seconds of `90s`, `2h`, `7d`.
    private func age(_ text: String) -> Int64? { DurationText.nanoseconds(text).map { Int64($0 / 1_000_000_000) } }

    private func isTime(_ text: String) -> Bool {
        text.count >= 10 && text.allSatisfy { $0.isNumber || "-:TZ+. ".contains($0) } && text.prefix(4).allSatisfy(\.isNumber)
    }
}
