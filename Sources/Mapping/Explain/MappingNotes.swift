import CopyFormat
import MQTT

/// Something in a mapping that is right and worth a second look.
public struct MappingNote: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// It costs more than it looks.
        case cost
        /// It may not do what was meant.
        case warning
        case note
    }

    public var kind: Kind
    public var mark: SourceMark
    public var message: String

    /// `mappings/press.yaml:14:7: …`
    public var description: String { "\(mark): \(message)" }
}

extension MappingNote {
    // MARK: Cost

    /// Choices of a mapping that cost much for each message.
    public static func costs(of mapping: MappingSyntax) -> [MappingNote] {
        var notes: [MappingNote] = []
        func add(_ mark: SourceMark, _ message: String) {
            let note = MappingNote(kind: .cost, mark: mark, message: message)
            if !notes.contains(note) { notes.append(note) }
        }
        let packed = mapping.unpack.map(\.rawValue).filter { ["gzip", "zlib", "deflate", "zstd"].contains($0) }
        for step in packed { add(mapping.mark, "cost: unpack: \(step) inflates every payload before it is read") }
        for block in mapping.blocks {
            for column in block.columns {
                let name = "column '\(column.name)'"
                if column.from.contains(.rest) {
                    add(column.mark, "cost: \(name) takes the rest: every member that no other column takes is copied")
                } else if column.type == .jsonb || column.type == .json, column.from.contains(.document(.payload, [])) {
                    add(
                        column.mark,
                        block.each.isEmpty
                            ? "cost: \(name) stores the whole payload"
                            : "cost: \(name) stores the whole payload with each row of a loop")
                }
            }
            for loop in block.each where isOverMap(loop, block) && !isGuarded(loop, block) {
                add(
                    loop.mark,
                    "cost: '\(loop.variable)' runs over all members of an object: a 'when' on \(loop.variable) or \(loop.variable)@key would pass over those that are not wanted"
                )
            }
        }
        return notes
    }

    /// A loop whose names are used runs over an object.
    private static func isOverMap(_ loop: LoopSyntax, _ block: BlockSyntax) -> Bool {
        sources(of: block).contains { source in
            switch source {
            case .loopKey(loop.variable): true
            case .document(_, let path): path.contains(.keyOf(loop.variable))
            default: false
            }
        }
    }

    private static func sources(of block: BlockSyntax) -> [Source] {
        block.each.map(\.over) + block.when.map(\.source)
            + block.columns.flatMap { column in
                column.from + column.when.map(\.source) + [column.plus?.from, column.plus?.by, column.sign?.from].compactMap { $0 }
            }
    }

    private static func isGuarded(_ loop: LoopSyntax, _ block: BlockSyntax) -> Bool {
        block.when.contains { test in
            switch test.source {
            case .loopKey(loop.variable), .loopIndex(loop.variable), .document(.loop(loop.variable), _): true
            case .document(_, let path): path.contains(.keyOf(loop.variable)) || path.contains(.indexOf(loop.variable))
            default: false
            }
        }
    }

    // MARK: Meaning

    /// What does something else than it looks like.
    public static func meanings(of mapping: MappingSyntax) -> [MappingNote] {
        var notes: [MappingNote] = []
        let tests = mapping.when + mapping.blocks.flatMap { $0.when + $0.columns.flatMap(\.when) }
        for test in tests {
            for text in test.test.equalTexts where text.contains(where: { "*?[".contains($0) }) {
                let note = MappingNote(
                    kind: .note, mark: test.mark,
                    message:
                        "'\(test.source)' is compared with '\(text)' letter by letter; if that is a pattern, write {match: \(Literal.text(text))}"
                )
                if !notes.contains(note) { notes.append(note) }
            }
        }
        for block in mapping.blocks where block.each.isEmpty && !block.keepEmpty {
            guard !(mapping.when.map(\.source) + sources(of: block)).contains(where: \.isOfPayload) else { continue }
            notes.append(
                MappingNote(
                    kind: .note, mark: block.table.mark,
                    message:
                        "no column of table '\(block.table.name)' takes anything of the payload: each message makes a row, whatever it holds (keep_empty: true says that this is meant)"
                ))
        }
        return notes
    }

    // MARK: Tables

    /// Mappings that make rows of one message in one table: the same reading may be stored twice.
    public static func sharedTables(_ mappings: [MappingSyntax]) -> [MappingNote] {
        var notes: [MappingNote] = []
        for (index, left) in mappings.enumerated() {
            for right in mappings[(index + 1)...] {
                let tables = Set(left.blocks.map(\.table.name)).intersection(right.blocks.map(\.table.name))
                guard !tables.isEmpty, let (one, other) = meeting(left, right) else { continue }
                for table in tables.sorted() {
                    notes.append(
                        MappingNote(
                            kind: .warning, mark: other.mark,
                            message:
                                "mappings '\(left.name)' ('\(one.value)' at \(one.mark)) and '\(right.name)' ('\(other.value)') both write table '\(table)' from one topic: a message that both take is stored twice"
                        ))
                }
            }
        }
        return notes
    }

    /// Patterns of two mappings that some topic matches.
    private static func meeting(_ left: MappingSyntax, _ right: MappingSyntax) -> (Located<TopicPattern>, Located<TopicPattern>)? {
        for one in left.topics {
            for other in right.topics {
                guard let first = try? TopicFilter(one.value.filter), let second = try? TopicFilter(other.value.filter) else { continue }
                if first.intersects(second) { return (one, other) }
            }
        }
        return nil
    }

    /// The first block of a table that has other columns than one before it.
    private static func otherColumns(of table: String, _ mappings: [MappingSyntax]) -> SourceMark? {
        let blocks = mappings.flatMap(\.blocks).filter { $0.table.name == table }
        let names = Set(blocks.first?.columns.map(\.name) ?? [])
        return blocks.first { Set($0.columns.map(\.name)) != names }?.mark
    }

    /// Tables whose rows cannot be told from repeats, and tables whose rows may be overtaken.
    /// - Parameter isShared: several sessions share a subscription, so messages of one device may be stored in another order than they came in.
    public static func tables(_ mappings: [MappingSyntax], isShared: Bool) -> [MappingNote] {
        var places: [(name: String, table: TableSyntax)] = []
        for table in mappings.flatMap(\.blocks).map(\.table) {
            if let known = places.firstIndex(where: { $0.name == table.name }) {
                if table.hasOptions { places[known].table = table }
            } else {
                places.append((table.name, table))
            }
        }
        return places.flatMap { name, table -> [MappingNote] in
            if table.key.isEmpty {
                return [
                    MappingNote(
                        kind: .note, mark: table.mark,
                        message: "table '\(name)' has no key: a message that is delivered twice at QoS 1 cannot be told from two messages")
                ]
            }
            if table.onConflict == .update, let other = otherColumns(of: name, mappings) {
                return [
                    MappingNote(
                        kind: .warning, mark: other,
                        message:
                            "table '\(name)' has on_conflict: update, and this block has other columns than the first one: rows of a batch are stored block by block, not in the order in which they came; with on_conflict: merge they are"
                    )
                ]
            }
            guard isShared, let policy = table.onConflict, policy == .update || policy == .merge, table.newer == nil else { return [] }
            return [
                MappingNote(
                    kind: .note, mark: table.mark,
                    message:
                        "table '\(name)' has on_conflict: \(policy.rawValue) without 'newer', and several sessions share its messages: an older one may come last and win"
                )
            ]
        }
    }
}

extension TestExpression {
    /// Texts that a value has to be, or must not be.
    fileprivate var equalTexts: [String] {
        switch self {
        case .equals(.text(let text)): [text]
        case .anyOf(let tests), .allOf(let tests): tests.flatMap(\.equalTexts)
        case .not(let test): test.equalTexts
        default: []
        }
    }
}

extension Source {
    fileprivate var isOfPayload: Bool {
        switch self {
        case .document, .rawPayload, .rest, .loopKey, .loopIndex: true
        default: false
        }
    }
}
