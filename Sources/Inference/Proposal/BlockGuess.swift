/// Makes blocks of documents: what to loop over, which columns.
struct BlockGuess {
    var name: String
    var captures: [String]
    var family: PayloadForm.Family

    /// - Parameter documents: one unit a message, its value the document.
    func blocks(_ documents: [RowUnit]) -> [BlockDraft] {
        var isCSVWithoutHeader = false
        var units = documents
        var loops: [(variable: String, path: String)] = []
        var root = "$"
        var isBare = false
        switch family {
        case .csv(let csv):
            isCSVWithoutHeader = !csv.hasHeader
            root = "line"
            units = items(of: documents)
        case .list, .lines:
            root = "item"
            loops = [("item", "$.*")]
            units = items(of: documents)
            isBare = units.contains { !$0.value.isObject && $0.value.items.isEmpty }
            units = units.map { unit in
                var unit = unit
                unit.value = isBare ? .object([.init(name: "value", value: unit.value)]) : Loops.record(unit.value)
                return unit
            }
        default: break
        }
        let isText = isCSVWithoutHeader || root == "line"
        return Variants.split(units, isCSVWithoutHeader: isCSVWithoutHeader).flatMap { variant -> [BlockDraft] in
            var level = Level(root: root, loops: loops, isText: isText, isBare: isBare, suffix: variant.suffix)
            if let when = variant.when, let source = YAMLText.path(root, [when.member]) {
                level.when = [(source, when.test)]
                if let remark = variant.remark { level.remarks.append(remark) }
            }
            return blocks(variant.units, level)
        }
    }

    private func items(of documents: [RowUnit]) -> [RowUnit] {
        documents.flatMap { unit in
            unit.value.items.filter { $0 != .null }.map { item in
                var row = unit
                row.value = item
                return row
            }
        }
    }

    /// Where blocks are being made.
    private struct Level {
        var root: String
        var loops: [(variable: String, path: String)]
        var isText: Bool
        var isBare: Bool
        var suffix: String
        var when: [(source: String, test: String)] = []
        var remarks: [String] = []
    }

    private func blocks(_ units: [RowUnit], _ level: Level) -> [BlockDraft] {
        let field = Field(units)
        let found = level.isText || level.isBare ? [] : Loops.find(in: field, units).filter { !$0.units.isEmpty }
        let inLoops = Set(found.flatMap { paths(in: $0, field) })
        let outside = ColumnGuess(root: level.root, isText: level.isText, without: inLoops, isBare: level.isBare).columns(
            of: field, rowCount: units.count)
        guard let first = found.first else { return [plain(field, outside, units, level)] }
        let inner = ColumnGuess(root: first.variable).columns(of: Field(first.units), rowCount: first.units.count)
        let outsideValues = outside.filter { $0.time == nil }.count
        let innerValues = inner.filter { $0.time == nil }.count
        let isEnvelope =
            outsideValues <= innerValues + 2 && first.path.count <= 1 && outsideValues <= 8 && messages(first.units) == messages(units)
        if found.count == 1, isEnvelope || first.path.isEmpty { return [looped(first, outside, level)] }
        var blocks: [BlockDraft] = []
        if outsideValues > 0 { blocks.append(plain(field, outside, units, level)) }
        for loop in found.prefix(4) {
            var inside = level
            inside.suffix = [level.suffix, FieldWords.snakeCase(loop.path.last ?? loop.variable)].filter { !$0.isEmpty }.joined(
                separator: "_")
            // A table of its own has of the things around it the time alone.
            blocks.append(looped(loop, outside.filter { $0.time != nil }, inside, keepsOuterValues: false))
        }
        return blocks
    }

    private func messages(_ units: [RowUnit]) -> Int { Set(units.map(\.message)).count }

    private func paths(in loop: LoopGuess, _ field: Field) -> [[String]] {
        switch loop.kind {
        case .array: [loop.path]
        case .map(isMixed: false): [loop.path] + (field.at(loop.path[...])?.members.map(\.path) ?? [])
        case .map(isMixed: true): field.at(loop.path[...])?.members.filter(\.isObject).map(\.path) ?? []
        case .parallel(let paths): paths
        }
    }

    // MARK: Without a loop

    private func plain(_ field: Field, _ columns: [ColumnDraft], _ units: [RowUnit], _ level: Level) -> BlockDraft {
        let choice = TimeColumn.choose(inner: columns, outer: [])
        let joined = choice.isOwn ? nil : TimeColumn.joined(field, root: level.root, rowCount: units.count)
        let time = joined ?? choice
        let rest = columns.filter { !time.used.contains($0.path) }
        return finish(time, first: [], rest, level, keyColumns: [])
    }

    // MARK: With a loop

    private func looped(_ loop: LoopGuess, _ outside: [ColumnDraft], _ level: Level, keepsOuterValues: Bool = true) -> BlockDraft {
        var level = level
        let field = Field(loop.units)
        var guess = ColumnGuess(root: loop.variable)
        var first: [ColumnDraft] = []
        var keyColumns: [String] = []
        var over = YAMLText.path(level.root, loop.path) ?? level.root
        switch loop.kind {
        case .parallel(let paths): return parallel(loop, paths, outside, level)
        case .map(let isMixed):
            let isBare = loop.units.allSatisfy { $0.value.members.map(\.name) == ["value"] }
            guess.isBare = isBare
            if isMixed { level.when.append((loop.variable, "{is: object}")) }
            first.append(key(of: loop))
            level.remarks.append("the names of the members of \(over) are data: a row for each")
        case .array: break
        }
        over += ".*"
        var inner = guess.columns(of: field, rowCount: loop.units.count)
        let times = first.filter { $0.time != nil } + inner
        var choice = TimeColumn.choose(inner: times, outer: outside)
        if choice.isOwn, !inner.contains(where: { choice.used.contains($0.path) }), !first.contains(where: { $0.time != nil }),
            let step = TimeColumn.offset(in: field, loop.units, outer: choice.column),
            let source = YAMLText.path(loop.variable, step.path)
        {
            choice.column.plus = (source, step.times)
            choice.column.remark = [choice.column.remark, step.remark].compactMap { $0 }.joined(separator: "; ")
            inner.removeAll { $0.path == step.path }
        }
        let isTimeInside = times.contains { choice.used.contains($0.path) }
        first.removeAll { $0.time != nil && choice.used.contains($0.path) }
        for column in first { keyColumns.append(column.name) }
        let outer = keepsOuterValues ? outside.filter { isTimeInside || !choice.used.contains($0.path) } : []
        let rest = outer + (isTimeInside ? inner.filter { !choice.used.contains($0.path) } : inner)
        level.loops.append((loop.variable, over))
        return finish(choice, first: first, rest, level, keyColumns: keyColumns)
    }

    /// The column of the members' names.
    private func key(of loop: LoopGuess) -> ColumnDraft {
        let keys = loop.units.map { TimedValue(value: .text($0.key ?? ""), receivedMicroseconds: $0.receivedMicroseconds) }
        let guess = TypeGuess.scalar(keys, topics: loop.units.map(\.topic), name: "time", isText: true)
        var column = ColumnDraft(
            name: loop.variable, type: guess.time == nil ? "text" : "timestamptz", isNotNull: true, from: [loop.variable + "@key"])
        if let time = guess.time {
            column.time = time
            column.parse = guess.parse
            column.zone = guess.zone
            column.remark = guess.remark
        }
        // No path of a document is empty.
        column.path = [loop.variable, "@key"]
        return column
    }

    private func parallel(_ loop: LoopGuess, _ paths: [[String]], _ outside: [ColumnDraft], _ level: Level) -> BlockDraft {
        var level = level
        let field = Field(loop.units)
        var columns: [ColumnDraft] = []
        for path in paths {
            guard let member = field[path.last ?? ""],
                var column = ColumnGuess(root: "").columns(of: wrapped(member, loop), rowCount: loop.units.count).first,
                let source = path == loop.path ? loop.variable : YAMLText.path(level.root, path)
            else { continue }
            column.from = [path == loop.path ? source : source + ".{\(loop.variable)@index}"]
            column.path = path
            // A list may be shorter than the one that the loop runs over.
            if path != loop.path { column.isNotNull = false }
            columns.append(column)
        }
        let choice = TimeColumn.choose(inner: columns, outer: outside)
        let rest = outside.filter { !choice.used.contains($0.path) } + columns.filter { !choice.used.contains($0.path) }
        level.loops.append((loop.variable, (YAMLText.path(level.root, loop.path) ?? level.root) + ".*"))
        level.remarks.append("lists of the same length side by side: a row for each place")
        return finish(choice, first: [], rest, level, keyColumns: [])
    }

    /// A field of one member alone.
    private func wrapped(_ member: Field, _ loop: LoopGuess) -> Field {
        Field(
            loop.units.map { unit in
                var unit = unit
                unit.value = .object(unit.value.members.filter { $0.name == member.name })
                return unit
            })
    }

    // MARK: The block

    private func finish(_ time: TimeColumn.Choice, first: [ColumnDraft], _ rest: [ColumnDraft], _ level: Level, keyColumns: [String])
        -> BlockDraft
    {
        let table = level.suffix.isEmpty || level.suffix == name ? name : "\(name)_\(level.suffix)"
        var block = BlockDraft(table: String(table.prefix(63)), loops: level.loops, when: level.when, columns: [])
        block.remarks = level.remarks
        block.columns = [time.column]
        for capture in captures {
            block.columns.append(
                ColumnDraft(name: capture == "time" ? "topic_time" : capture, type: "text", isNotNull: true, from: ["topic." + capture]))
        }
        block.columns += first
        var columns = rest
        if columns.count > ColumnGuess.columnsMax {
            block.remarks.append("\(columns.count) fields: those behind the first \(ColumnGuess.columnsMax) are in the column 'rest'")
            columns = Array(columns.prefix(ColumnGuess.columnsMax))
            var leftOver = ColumnDraft(name: "", type: "jsonb", from: ["rest"])
            leftOver.path = ["rest"]
            columns.append(leftOver)
        }
        ColumnGuess.name(&columns, taken: Set(block.columns.map(\.name)))
        block.columns += columns
        block.keyColumns = captures.map { $0 == "time" ? "topic_time" : $0 } + keyColumns
        block.hasOwnTime = time.isOwn
        return block
    }
}
