/// Reads the table of a block: its name, or its name and options.
struct TableReader {
    let diagnostics: DiagnosticList

    func read(_ node: StrictNode?, _ mark: SourceMark) -> TableSyntax? {
        guard let node else {
            diagnostics.add(at: mark, "a block of rows needs a 'table'")
            return nil
        }
        if let name = node.text {
            guard isTable(name, node.mark) else { return nil }
            return TableSyntax(name: name, mark: node.mark)
        }
        guard let object = ObjectReader(node, "a table", keys: Keys.table, diagnostics) else { return nil }
        guard let name = object.text("name") else {
            if object["name"] == nil { diagnostics.add(at: node.mark, "a table needs a 'name'") }
            return nil
        }
        guard isTable(name, object.mark(of: "name")) else { return nil }
        var table = TableSyntax(name: name, mark: node.mark)
        table.key = object.texts("key")
        table.onConflict = object.choice("on_conflict", ConflictPolicy.self)
        table.newer = object.text("newer")
        table.comment = object.text("comment")
        table.ddl = object.choice("ddl", DDLPolicy.self)
        check(table, object)
        TableStorageReader(object: object, diagnostics: diagnostics).read(into: &table)
        return table
    }

    private func check(_ table: TableSyntax, _ object: ObjectReader) {
        let policy = table.onConflict ?? .append
        if policy != .append, table.key.isEmpty {
            diagnostics.add(
                at: object.mark(of: "on_conflict"), "on_conflict: \(policy.rawValue) needs a 'key'",
                hint: "the columns by which a row is known, such as [device, time]")
        }
        if table.newer != nil, policy != .update, policy != .merge {
            diagnostics.add(
                at: object.mark(of: "newer"), "'newer' belongs to on_conflict: update or merge",
                hint: policy == .ignore ? "with ignore the first row stays, whatever its time" : "rows are only appended")
        }
        for (place, name) in table.key.enumerated() where table.key[..<place].contains(name) {
            diagnostics.add(at: object.mark(of: "key"), "'\(name)' stands twice in the key of table '\(table.name)'")
        }
    }

    private func isTable(_ name: String, _ mark: SourceMark) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 63 }), !name.utf8.contains(0) else {
            diagnostics.add(at: mark, "'\(name)' is no table name", hint: "table or schema.table, 63 bytes each at most")
            return false
        }
        return true
    }
}

/// What only all mappings of a table together can show.
struct TableChecks {
    let diagnostics: DiagnosticList

    func check(_ mappings: [MappingSyntax]) {
        var tables: [String: [BlockSyntax]] = [:]
        for block in mappings.flatMap(\.blocks) { tables[block.table.name, default: []].append(block) }
        for name in tables.keys.sorted() {
            guard let blocks = tables[name] else { continue }
            checkColumnTypes(blocks)
            guard let options = checkOptions(blocks) else { continue }
            for block in blocks { check(block, options) }
            checkStorage(blocks, options)
        }
    }

    /// The one place that has options.
    private func checkOptions(_ blocks: [BlockSyntax]) -> TableSyntax? {
        // Blocks of `rows` that take the table of the file take it from the same place.
        var places: [TableSyntax] = []
        for block in blocks where block.table.hasOptions && !places.contains(where: { $0.mark == block.table.mark }) {
            places.append(block.table)
        }
        for other in places.dropFirst() {
            diagnostics.add(
                at: other.mark, "options of table '\(other.name)' stand here and at \(places[0].mark)", hint: "keep them in one place")
        }
        return places.first
    }

    private func checkColumnTypes(_ blocks: [BlockSyntax]) {
        var known: [String: ColumnSyntax] = [:]
        for block in blocks {
            for column in block.columns {
                if let first = known[column.name], first.type != column.type {
                    let name = block.table.name + "." + column.name
                    diagnostics.add(
                        at: column.mark, "column '\(name)' is \(column.type.sql) here and \(first.type.sql) at \(first.mark)",
                        hint: "a column has one type")
                }
                known[column.name] = known[column.name] ?? column
            }
        }
    }

    /// Every block that writes the table has to give its key, or the rows could not be told apart.
    private func check(_ block: BlockSyntax, _ options: TableSyntax) {
        for name in options.key { needs(name, "key column", in: block, options) }
        guard let newer = options.newer else { return }
        needs(newer, "the 'newer' column", in: block, options)
        if let column = block.columns.first(where: { $0.name == newer }), !column.type.isTime, !column.type.isNumeric || column.type.isArray
        {
            diagnostics.add(
                at: column.mark,
                "the 'newer' column '\(newer)' of table '\(options.name)' is \(column.type.sql), which does not tell older from newer",
                hint: "a time or a number does")
        }
    }

    /// A column that every block has to write, and never NULL.
    func needs(_ name: String, _ role: String, in block: BlockSyntax, _ options: TableSyntax) {
        guard let column = block.columns.first(where: { $0.name == name }) else {
            // The options' own block names what is missing; another one is told why it matters.
            let elsewhere = block.table.mark == options.mark ? "" : ", which \(options.mark) names,"
            diagnostics.add(
                at: block.table.mark, "\(role) '\(name)' of table '\(options.name)'\(elsewhere) is no column here",
                hint: suggestion(for: name, among: block.columns.map(\.name)))
            return
        }
        guard !column.isNotNull else { return }
        diagnostics.add(at: column.mark, "\(role) '\(name)' of table '\(options.name)' may be NULL", hint: "declare it not null")
    }
}
