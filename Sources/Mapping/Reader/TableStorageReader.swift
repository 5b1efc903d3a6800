import CopyFormat

/// Reads what a table's options say of its partitions, indexes and views.
struct TableStorageReader {
    let object: ObjectReader
    let diagnostics: DiagnosticList

    func read(into table: inout TableSyntax) {
        table.partition = partition()
        table.retention = retention()
        table.indexes = indexes()
        table.latest = object.texts("latest")
        for (place, name) in table.latest.enumerated() where table.latest[..<place].contains(name) {
            diagnostics.add(at: object.mark(of: "latest"), "'\(name)' stands twice in 'latest' of table '\(table.name)'")
        }
        let bare = table.name.split(separator: ".").last ?? ""
        if !table.latest.isEmpty, bare.utf8.count > 63 - "_latest".utf8.count {
            diagnostics.add(
                at: object.mark(of: "latest"),
                "the view '\(bare)_latest' would have a name of more than 63 bytes, where PostgreSQL ends it",
                hint: "with 'latest' a table's name has 56 bytes at most")
        }
        check(table)
    }

    private func partition() -> PartitionSyntax? {
        guard let node = object["partition"] else { return nil }
        guard let partition = ObjectReader(node, "a partition", keys: Keys.partition, diagnostics) else { return nil }
        let by = partition.text("by")
        let every = partition.choice("every", TimeUnit.self)
        for key in ["by", "every"] where partition[key] == nil {
            diagnostics.add(at: node.mark, "a partition needs '\(key)'", hint: "partition: {by: time, every: day}")
        }
        guard let by, let every else { return nil }
        return PartitionSyntax(
            by: by, every: every, with: partition.choice("with", PartitionSyntax.Maker.self) ?? .native, mark: node.mark)
    }

    private func retention() -> RetentionSyntax? {
        guard let text = object.text("retention") else { return nil }
        guard let retention = RetentionSyntax(text) else {
            diagnostics.add(
                at: object["retention"]?.mark ?? object.mark, "'\(text)' is no time to keep rows for",
                hint: "a whole number of hours, days, weeks, months or years, such as 90 days")
            return nil
        }
        return retention
    }

    /// A list of indexes, each a list of columns; one that has a single column may stand without its own brackets.
    private func indexes() -> [IndexSyntax] {
        guard let node = object["indexes"] else { return [] }
        guard let items = node.items else {
            diagnostics.add(at: node.mark, "'indexes' is a list of indexes, each a list of columns", hint: "[[site, time desc]]")
            return []
        }
        return items.compactMap { item in
            let columns = item.oneOrMore.compactMap { column($0) }
            guard !columns.isEmpty, columns.count == item.oneOrMore.count else {
                if item.oneOrMore.isEmpty { diagnostics.add(at: item.mark, "an index needs a column") }
                return nil
            }
            return IndexSyntax(columns: columns, mark: item.mark)
        }
    }

    private func column(_ node: StrictNode) -> IndexSyntax.Column? {
        let words = node.text?.split(separator: " ") ?? []
        let order = words.count == 2 ? words[1].lowercased() : "asc"
        guard (1...2).contains(words.count), order == "asc" || order == "desc" else {
            diagnostics.add(at: node.mark, "a column of an index is a name, perhaps with 'desc' behind it", hint: "time desc")
            return nil
        }
        return IndexSyntax.Column(name: String(words[0]), isDescending: order == "desc")
    }

    private func check(_ table: TableSyntax) {
        guard let retention = table.retention else { return }
        guard let partition = table.partition else {
            // A partition that could not be read was told of already.
            if object["partition"] == nil {
                diagnostics.add(
                    at: object.mark(of: "retention"), "'retention' needs a 'partition': what is too old goes by whole partitions",
                    hint: "partition: {by: time, every: day}")
            }
            return
        }
        let hours = retention.count * retention.unit.shortestHours
        if hours < partition.every.shortestHours {
            diagnostics.add(
                at: object.mark(of: "retention"),
                "a retention of \(retention) is shorter than one partition (a \(partition.every.rawValue))",
                hint: "partition by something shorter, or keep more")
        }
    }
}

extension TableChecks {
    /// What the options name has to be there, in every block or at least in one.
    func checkStorage(_ blocks: [BlockSyntax], _ options: TableSyntax) {
        let columns = blocks.flatMap(\.columns)
        func column(_ name: String) -> ColumnSyntax? { columns.first { $0.name == name } }
        func missing(_ name: String, _ role: String, _ mark: SourceMark) {
            diagnostics.add(
                at: mark, "\(role) '\(name)' of table '\(options.name)' is no column of it",
                hint: suggestion(for: name, among: columns.map(\.name)))
        }
        if let partition = options.partition {
            for block in blocks {
                needs(partition.by, "the 'partition' column", in: block, options)
            }
            if let column = column(partition.by), !column.type.isTimestamp {
                diagnostics.add(
                    at: column.mark, "the 'partition' column '\(partition.by)' of table '\(options.name)' is \(column.type.sql)",
                    hint: "partitions are of a timestamptz")
            }
            // A unique index of a divided table has to hold what divides it.
            if !options.key.isEmpty, !options.key.contains(partition.by), options.onConflict ?? .append != .append {
                diagnostics.add(
                    at: partition.mark, "the key of table '\(options.name)' lacks '\(partition.by)', by which it is divided",
                    hint: "PostgreSQL tells rows of one key apart within a partition only: "
                        + "key: [\((options.key + [partition.by]).joined(separator: ", "))]")
            }
        }
        for index in options.indexes {
            for name in index.columns.map(\.name) where column(name) == nil { missing(name, "index column", index.mark) }
        }
        for name in options.latest where column(name) == nil { missing(name, "the 'latest' column", options.mark) }
        if !options.latest.isEmpty, options.timeColumn(among: columns) == nil {
            diagnostics.add(
                at: options.mark, "'latest' of table '\(options.name)' does not know what is later than what",
                hint: "with a partition, a 'newer' column, or one timestamptz in the key it does")
        }
    }
}

extension TableSyntax {
    /// The column by which rows come one after the other.
    func timeColumn(among columns: [ColumnSyntax]) -> String? {
        if let name = partition?.by ?? newer { return name }
        let times = key.filter { name in columns.contains { $0.name == name && $0.type.isTimestamp } }
        return times.count == 1 ? times[0] : nil
    }
}

extension ColumnType {
    /// A time with its zone, of whatever precision.
    fileprivate var isTimestamp: Bool { if case .timestamptz = self { true } else { false } }
}
