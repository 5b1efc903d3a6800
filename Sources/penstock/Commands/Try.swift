import ArgumentParser
import Foundation
import Mapping
import Payload

struct Try: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what a message becomes: which mappings take it and why others do not, its rows, or the dead letter and why.")

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The topic of the message.")
    var topic: String

    @Option(help: "The payload as text.")
    var payload: String?

    @Option(help: "A file that holds the payload.")
    var payloadFile: String?

    @Option(help: "The payload in hexadecimal.")
    var payloadHex: String?

    @Argument(help: "'-' reads the payload from standard input.")
    var input: String?

    @Flag(help: "As JSON.")
    var json = false

    func validate() throws {
        let given = [payload != nil, payloadFile != nil, payloadHex != nil, input != nil].filter { $0 }.count
        guard given == 1, input == nil || input == "-" else {
            throw ValidationError("give one of --payload, --payload-file, --payload-hex and -")
        }
    }

    func run() async throws {
        let setup = try Setup(options)
        let bytes = try readPayload()
        let trials = setup.mappings.map { MappingTrial($0, topic: topic, payload: bytes, limits: setup.configuration.decode) }
        if json {
            print(try MappingTrial.json(trials))
        } else {
            for trial in trials { print(trial.text) }
        }
        if !trials.contains(where: \.isMatched) {
            Terminal.note("no mapping takes this topic: the message would be acknowledged and counted as unrouted")
        }
        if trials.contains(where: { $0.deadLetter != nil }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func readPayload() throws -> [UInt8] {
        if let payload { return Array(payload.utf8) }
        if let payloadFile {
            guard let data = FileManager.default.contents(atPath: payloadFile) else {
                throw Failure(.usage, "cannot read the file '\(payloadFile)'")
            }
            return Array(data)
        }
        guard var payloadHex else { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
        var bytes = [UInt8](repeating: 0, count: payloadHex.utf8.count)
        do {
            let count = try bytes.withUnsafeMutableBytes { target in
                try payloadHex.withUTF8 { source in
                    try target.baseAddress.map { try Unpack.hex(UnsafeRawBufferPointer(source), into: $0) } ?? 0
                }
            }
            return Array(bytes[..<count])
        } catch {
            throw Failure(.usage, "--payload-hex: \(error)")
        }
    }
}

/// What one mapping makes of a message.
struct MappingTrial {
    var name: String
    var isMatched: Bool
    /// Why it makes no rows, where it makes none.
    var reason: String?
    var deadLetter: String?
    var rows: [DecodedRows]

    init(_ mapping: MappingSyntax, topic: String, payload: [UInt8], limits: EvaluationLimits) {
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        let trial = Trial(MappingPlan([mapping]), topic: topic, payload: payload, receivedMicroseconds: now, qos: 1, limits: limits)
        name = mapping.name
        isMatched = trial.outcome.matchedCount > 0
        deadLetter = trial.failures.first.map { $0.reason }
        rows = trial.rows
        let counters = trial.counters[0]
        if !isMatched {
            let patterns = mapping.topics.map { "'\($0.value)'" }.joined(separator: ", ")
            reason = "the topic does not match \(patterns), or is excluded"
        } else if deadLetter == nil, rows.isEmpty {
            reason =
                counters.emptySkipped > 0
                ? "the payload is empty (empty_payload: skip)"
                : counters.filtered > 0
                    ? "no 'when' takes it"
                    : counters.noValues > 0
                        ? "none of the nullable columns has a value (keep_empty: true would keep the row)"
                        : counters.skippedRows > 0 ? "all rows were skipped (on_error: skip_row)" : "its loops have no items"
        }
    }

    var text: String {
        if let deadLetter { return "\(name): dead letter: \(deadLetter)" }
        if let reason { return "\(name): \(isMatched ? "no rows, " : "not matched, ")\(reason)" }
        return rows.map { part in
            let table = TextTable(header: part.columns.map(\.name), rows: part.rows.map { $0.map { $0?.shown ?? "NULL" } })
            return "\(name): table \(part.table)\n\(table.text)"
        }.joined(separator: "\n")
    }

    static func json(_ trials: [MappingTrial]) throws -> String {
        let objects = trials.map { trial -> [String: Any] in
            var object: [String: Any] = ["mapping": trial.name, "matched": trial.isMatched]
            object["reason"] = trial.reason
            object["dead_letter"] = trial.deadLetter
            object["tables"] = trial.rows.map { part -> [String: Any] in
                let rows = part.rows.map { row in
                    Dictionary(uniqueKeysWithValues: zip(part.columns, row).map { ($0.name, $1.map { $0.shown as Any } ?? NSNull()) })
                }
                return ["table": part.table, "rows": rows]
            }
            return object
        }
        let data = try JSONSerialization.data(withJSONObject: objects, options: [.prettyPrinted, .sortedKeys])
        return String(decoding: data, as: UTF8.self)
    }
}
