import CopyFormat

/// Whether what a column writes of its own accord fits its type: constants, values of `map` and defaults, tried once by the code that stores them, so
/// that they do not fail with every message.
struct ConstantChecks {
    let diagnostics: DiagnosticList

    private struct Constant {
        var words: String
        var mark: SourceMark
        var column: ColumnSyntax
    }

    func check(_ column: ColumnSyntax, _ object: ObjectReader) {
        var constants: [Constant] = []
        func add(_ words: String, _ node: StrictNode?, _ column: ColumnSyntax) {
            guard let node, !node.isNull, let text = node.text else { return }
            var column = column
            column.name = "c\(constants.count)"
            column.from = [.constant(.text(text))]
            constants.append(Constant(words: "\(words) '\(text)'", mark: node.mark, column: column))
        }
        let later = stepsBehindMap(of: column)
        if column.map.isEmpty {
            var first = later
            first.trim = column.trim
            first.nullIf = column.nullIf
            add("const", object["const"], first)
        }
        for (_, value) in object["map"]?.members ?? [] { add("the value of map", value, later) }
        add("map_else", object["map_else"], later)
        // A date stands for its midnight there, and was looked at as such.
        if case .literal = column.defaultValue, !column.type.isTime { add("default", object["default"], asDefault(column)) }
        while !constants.isEmpty, let (place, reason) = firstFailure(constants.map(\.column)) {
            let constant = constants.remove(at: place)
            diagnostics.add(
                at: constant.mark, "\(constant.words) does not fit column '\(column.name)' of type \(column.type.sql): \(reason)",
                hint: constant.words.hasPrefix("default") && column.type == .jsonb
                    ? "a default of jsonb is JSON: quote text twice, '\"like this\"'" : nil)
        }
    }

    /// What follows after `map`, as far as it asks nothing of a message.
    private func stepsBehindMap(of column: ColumnSyntax) -> ColumnSyntax {
        var later = bare(column)
        later.parse = column.parse
        later.zone = column.zone
        later.scale = column.scale
        later.offset = column.offset
        later.convert = column.convert
        if case .number = column.minimum { later.minimum = column.minimum }
        if case .number = column.maximum { later.maximum = column.maximum }
        return later
    }

    private func asDefault(_ column: ColumnSyntax) -> ColumnSyntax {
        var plain = bare(column)
        if column.type == .jsonb || column.type == .json { plain.parse = .json }
        return plain
    }

    private func bare(_ column: ColumnSyntax) -> ColumnSyntax {
        ColumnSyntax(
            name: column.name, mark: column.mark, type: column.type, isNotNull: false, from: [], trim: false, nullIf: [], when: [], map: [],
            onError: .deadLetter)
    }

    /// The first column that cannot be written, and why.
    private func firstFailure(_ columns: [ColumnSyntax]) -> (place: Int, reason: String)? {
        guard let mark = columns.first?.mark, let topic = try? TopicPattern("c") else { return nil }
        let block = BlockSyntax(
            mark: mark, table: TableSyntax(name: "c", mark: mark), each: [], when: [], columns: columns, keepEmpty: true)
        let mapping = MappingSyntax(
            name: "c", mark: mark, topics: [Located(topic, at: mark)], exclude: [], qos: 0, retained: .skip, emptyPayload: .row, unpack: [],
            decode: .bytes, embeds: [], when: [], blocks: [block], ignore: [], onError: .deadLetter, tests: [])
        let trial = Trial(MappingPlan([mapping]), topic: "c", payload: [], receivedMicroseconds: 0)
        guard let failure = trial.failures.first, let place = columns.firstIndex(where: { $0.name == failure.column }) else { return nil }
        return (place, String(failure.reason.dropFirst("column '\(columns[place].name)': ".count)))
    }
}
