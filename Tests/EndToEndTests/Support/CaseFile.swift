import CopyFormat
import Foundation
import Mapping
import Sparkplug
import Testing

/// A mapping file of the sources, with the messages and rows that it shows itself.
struct CaseFile: Sendable {
    /// The mapping's: the file's name without `.yaml`.
    let name: String
    let text: String
    let mapping: MappingSyntax

    var tables: [String] { Set(mapping.blocks.map(\.table.name)).sorted() }

    struct Unreadable: Error, CustomStringConvertible { let description: String }

    private static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The cases of devices, and the examples.
    static func all() throws -> [CaseFile] {
        try ["Tests/MappingTests/Cases", "mappings/examples"].flatMap { folder in
            let folder = sources.appending(path: folder)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }.sorted()
            return try files.map { file in
                let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
                let reading = MappingReader.read(text: text, file: file)
                guard reading.diagnostics.isEmpty, let mapping = reading.mappings.first else {
                    throw Unreadable(description: reading.diagnostics.map(\.description).joined(separator: "\n"))
                }
                return CaseFile(name: String(file.dropLast(".yaml".count)), text: text, mapping: mapping)
            }
        }
    }
}

/// Files that one process can have for its mappings at once, as they are, so that each row is one file's alone: no two of them write one table, and
/// none takes the topic of a message of another.
struct CaseGroup: Sendable, CustomTestStringConvertible {
    private(set) var files: [CaseFile] = []

    var testDescription: String { "\(files.count) files from \(files.first?.name ?? "none")" }

    /// As few groups as it takes when each file goes into the first that has room for it.
    static func all() throws -> [CaseGroup] {
        var groups: [CaseGroup] = []
        for file in try CaseFile.all() {
            if let index = groups.firstIndex(where: { $0.hasRoom(for: file) }) {
                groups[index].files.append(file)
            } else {
                groups.append(CaseGroup(files: [file]))
            }
        }
        return groups
    }

    private func hasRoom(for file: CaseFile) -> Bool {
        files.allSatisfy { other in
            Set(other.tables).isDisjoint(with: file.tables) && !other.takesMessages(of: file) && !file.takesMessages(of: other)
        }
    }
}

extension CaseFile {
    fileprivate func takesMessages(of other: CaseFile) -> Bool {
        let plan = MappingPlan([mapping])
        return other.mapping.tests.contains { test in
            Trial(plan, topic: test.topic, payload: [], receivedMicroseconds: 0).outcome.matchedCount > 0
        }
    }
}

/// Columns whose values follow from the time at which a message came, by table and row: told by what becomes of the message at another time.
struct ReceivedColumns {
    /// By table: for each row of it, in order.
    let columns: [String: [Set<String>]]
    /// Why they cannot be told.
    let obstacle: String?

    /// For each test of a mapping; they are one conversation.
    static func all(of mapping: MappingSyntax) -> [ReceivedColumns] {
        let plan = MappingPlan([mapping])
        let (births, laterBirths) = (BirthRegistry(), BirthRegistry())
        return mapping.tests.map { test in
            ReceivedColumns(
                rows: Self.rows(of: test, plan, births, shiftMicroseconds: 0),
                later: Self.rows(of: test, plan, laterBirths, shiftMicroseconds: Self.shiftMicroseconds))
        }
    }

    private typealias Rows = [String: [[String: DecodedValue?]]]

    /// Nothing that a message holds is likely to change by just this.
    private static let shiftMicroseconds: Int64 = 100_003 * 1_000_033

    private static func rows(of test: TestSyntax, _ plan: MappingPlan, _ births: BirthRegistry, shiftMicroseconds: Int64) -> Rows {
        let trial = Trial(
            plan, topic: test.topic, payload: test.payload, receivedMicroseconds: test.receivedMicroseconds + shiftMicroseconds,
            qos: test.qos, isRetained: test.isRetained, births: .seen(births))
        var rows: Rows = [:]
        for part in trial.rows {
            let names = part.columns.map(\.name)
            rows[part.table, default: []] += part.rows.map { Dictionary(zip(names, $0)) { _, last in last } }
        }
        return rows
    }

    private init(rows: Rows, later: Rows) {
        var columns: [String: [Set<String>]] = [:]
        var obstacle = rows.mapValues(\.count) == later.mapValues(\.count) ? nil : "how many rows there are depends on the time"
        for (table, rows) in rows {
            columns[table] = zip(rows, later[table] ?? []).map { row, later in
                Set(
                    row.keys.filter { column in
                        switch (row[column] ?? nil, later[column] ?? nil) {
                        case (.time(let time)?, .time(let later)?) where later - time == Self.shiftMicroseconds: return true
                        case (let value, let later):
                            if value != later { obstacle = "column '\(column)' of '\(table)' depends on the time, and is no instant" }
                            return false
                        }
                    })
            }
        }
        self.columns = columns
        self.obstacle = obstacle
    }
}
