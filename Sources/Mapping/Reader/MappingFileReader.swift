import Payload

/// Reads one mapping file.
struct MappingFileReader {
    let diagnostics: DiagnosticList
    /// Where `payload_file` starts from.
    let folder: String

    func read(_ root: StrictNode, name: String) -> MappingSyntax? {
        guard let object = ObjectReader(root, "the mapping", keys: Keys.file, diagnostics) else { return nil }
        if let node = object["version"], node.text != "1" { diagnostics.add(at: node.mark, "'version' is 1") }
        let topics = patterns("topic", object)
        if object["topic"] == nil { diagnostics.add(at: root.mark, "the mapping needs a 'topic'") }
        let exclude = patterns("exclude", object)
        let decode = DecodeReader(diagnostics: diagnostics).read(object["decode"])
        let policy = object.choice("on_error", ErrorPolicy.self) ?? .deadLetter
        // Of several patterns each may have captures of its own; those of the others are then missing.
        var captures: [String] = []
        for topic in topics { captures += topic.value.captures.filter { !captures.contains($0) } }
        var sources = SourceReader(captures: captures, knowsDecoder: decode != nil, diagnostics: diagnostics)
        sources.shapes["$"] = decode.map { DocumentShape($0) }
        sources.loopsElsewhere = loopVariables(object)
        let embeds = EmbedReader(diagnostics: diagnostics).read(object["embed"], &sources)
        let scope = Scope(sources: sources, decode: decode ?? .json(allowsNaN: false, lines: false), policy: policy)

        var blocks: [BlockSyntax] = []
        var filter: [ConditionSyntax] = []
        if let rows = object["rows"] {
            if object["keep_empty"] != nil {
                diagnostics.add(at: object.mark(of: "keep_empty"), "'keep_empty' stands inside the blocks of 'rows'")
            }
            filter = ConditionReader(sources: sources, diagnostics: diagnostics).read(object["when"])
            guard let items = rows.items, !items.isEmpty else {
                diagnostics.add(at: rows.mark, "'rows' is a list of blocks")
                return nil
            }
            blocks = items.compactMap { node in
                ObjectReader(node, "a block of rows", keys: Keys.block, diagnostics).flatMap {
                    block($0, file: object, scope)
                }
            }
        } else if object["columns"] == nil || object["table"] == nil {
            diagnostics.add(at: root.mark, "the mapping needs 'table' and 'columns', or 'rows'")
        } else if let only = block(object, file: nil, scope) {
            blocks = [only]
        }
        var tables: [String: Set<String>] = [:]
        for block in blocks { tables[block.table.name, default: []].formUnion(block.columns.map(\.name)) }
        let tests = TestReader(diagnostics: diagnostics, tables: tables, folder: folder).read(object["tests"])
        let qos = object.integer("qos", in: 0...2) ?? 1
        let retained = object.choice("retained", RetainedPolicy.self) ?? .skip
        let empty = object.choice("empty_payload", EmptyPayloadPolicy.self) ?? .skip
        // What is ignored may be a member of any block's items.
        var ignored = sources
        ignored.loops += Set(blocks.flatMap(\.each).map(\.variable)).sorted()
        let ignore = object.list("ignore").compactMap { ignored.read($0) }
        guard let decode, !topics.isEmpty, !blocks.isEmpty else { return nil }
        return MappingSyntax(
            name: name, mark: root.mark, description: object.text("description"), topics: topics, exclude: exclude, qos: UInt8(qos),
            retained: retained, emptyPayload: empty, unpack: UnpackReader(diagnostics: diagnostics).read(object), decode: decode,
            embeds: embeds,
            when: filter, blocks: blocks, ignore: ignore,
            onError: policy, errorReportTopic: errorReportTopic(object, topics), tests: tests)
    }

    /// What blocks inherit from the file.
    private struct Scope {
        var sources: SourceReader
        var decode: DecodeSyntax
        var policy: ErrorPolicy
    }

    // MARK: Topics

    private func patterns(_ key: String, _ object: ObjectReader) -> [Located<TopicPattern>] {
        guard let node = object[key] else { return [] }
        return node.oneOrMore.compactMap { item in
            guard let text = item.text else {
                let hint = node.items == nil ? "quote a topic that starts with {" : "write the list with - lines, one topic each"
                diagnostics.add(at: item.mark, "'\(key)' is a topic pattern, not \(item.kindInWords)", hint: hint)
                return nil
            }
            if text.utf8.starts(with: "$share/".utf8) {
                diagnostics.add(
                    at: item.mark, "shared subscriptions are a matter of the pool, not of a mapping", hint: "leave $share/group/ out")
                return nil
            }
            do throws(TopicPattern.Fault) {
                return Located(try TopicPattern(text), at: item.mark)
            } catch {
                diagnostics.add(at: item.mark, error.description)
                return nil
            }
        }
    }

    /// A topic name in which captures of the mapping's topic stand for what they caught.
    private func errorReportTopic(_ object: ObjectReader, _ topics: [Located<TopicPattern>]) -> TopicPattern? {
        guard let text = object.text("report_errors_to") else { return nil }
        let mark = object.mark(of: "report_errors_to")
        let pattern: TopicPattern
        do throws(TopicPattern.Fault) { pattern = try TopicPattern(text) } catch {
            diagnostics.add(at: mark, "'report_errors_to': \(error.description)")
            return nil
        }
        guard !pattern.filter.split(separator: "/").contains("#"), pattern.levels.allSatisfy({ $0 != .any }) else {
            diagnostics.add(at: mark, "'report_errors_to' is one topic, without + and #", hint: "such as \"{id}/errors\"")
            return nil
        }
        for name in pattern.captures {
            for topic in topics where !topic.value.captures.contains(name) {
                diagnostics.add(
                    at: mark, "'report_errors_to': the topic '\(topic.value)' has no capture {\(name)}",
                    hint: suggestion(for: name, among: topic.value.captures))
            }
        }
        return pattern
    }

    // MARK: Blocks

    /// - Parameter file: gives a block of `rows` its shared columns, and the table and the loops that it does not name itself.
    private func block(_ object: ObjectReader, file: ObjectReader?, _ scope: Scope) -> BlockSyntax? {
        var sources = scope.sources
        let each = LoopReader(diagnostics: diagnostics).read(object["each"] ?? file?["each"], object.mark, scope.decode, &sources)
        let conditions = ConditionReader(sources: sources, diagnostics: diagnostics)
        let when = conditions.read(object["when"])
        guard let table = TableReader(diagnostics: diagnostics).read(object["table"] ?? file?["table"], object.mark)
        else { return nil }
        let reader = ColumnReader(
            sources: sources, conditions: conditions, diagnostics: diagnostics,
            innermost: each.last.map { .loop($0.variable) } ?? .payload, mappingPolicy: scope.policy)
        var columns: [ColumnSyntax] = []
        var names: Set<String> = []
        for node in [file?["columns"], object["columns"]].compactMap({ $0 }) {
            guard let members = node.members, !members.isEmpty else {
                diagnostics.add(at: node.mark, "'columns' needs names with a type each, such as {temperature: real}")
                continue
            }
            for (name, value) in members {
                names.insert(name.text ?? "")
                guard let column = reader.read(name, value) else { continue }
                // A block's own column takes the place of a shared one.
                if let place = columns.firstIndex(where: { $0.name == column.name }) {
                    columns[place] = column
                } else {
                    columns.append(column)
                }
            }
        }
        if names.isEmpty { diagnostics.add(at: object.mark, "the block for table '\(table.name)' needs columns") }
        return BlockSyntax(
            mark: object.mark, table: table, each: each, when: when, columns: columns, keepEmpty: object.flag("keep_empty") ?? false)
    }

    /// All names that some `each` of the file gives.
    private func loopVariables(_ object: ObjectReader) -> Set<String> {
        var places = [object["each"]].compactMap { $0 }
        for block in object["rows"]?.items ?? [] {
            places += (block.members ?? []).filter { $0.key.text == "each" }.map(\.value)
        }
        return Set(places.flatMap { each in each.members?.compactMap(\.key.text) ?? ["item"] })
    }
}
