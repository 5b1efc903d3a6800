/// Makes the draft of a mapping for a group of topics.
struct DraftMaking {
    let sample: Sample
    let patterns: GroupPatterns.Result

    func draft(_ index: Int, name: String) -> MappingDraft {
        var draft = made(index, name: name)
        draft.exclude = patterns.exclude[index]
        guard patterns.isListed[index] else { return draft }
        draft.topics = patterns.groups[index].topics.map { sample.profiles[$0].topic }
        draft.remarks.append("Topics are listed one by one: their pattern would take others too, whose payloads are of another kind.")
        for block in draft.blocks.indices {
            let isTaken = draft.blocks[block].columns.contains { $0.name == "topic" }
            draft.blocks[block].columns.insert(
                ColumnDraft(name: isTaken ? "mqtt_topic" : "topic", type: "text", isNotNull: true, from: ["topic"]), at: 1)
            draft.blocks[block].keyColumns.append(isTaken ? "mqtt_topic" : "topic")
        }
        return draft
    }

    private func made(_ index: Int, name: String) -> MappingDraft {
        let group = patterns.groups[index]
        let profiles = group.topics.map { sample.profiles[$0] }
        var form = profiles.first?.shape.form ?? PayloadForm(family: .binary)
        form.allowsNaN = profiles.contains { $0.shape.form.allowsNaN }
        let levels = patterns.isListed[index] ? [] : group.levels
        let names = CaptureNames(levels, isScalar: form.family == .scalar)
        let messages = profiles.flatMap(\.messages).sorted()
        var draft = MappingDraft(name: name, topics: [names.pattern], decode: [], blocks: [], captures: names.captures, messages: messages)
        draft.unpack = form.unpack
        draft.remarks = ["From \(counted(messages.count, "message")) on \(counted(profiles.count, "topic"))."]
        switch form.family {
        case .object, .list, .lines, .csv:
            draft.decode = decode(form)
            draft.blocks = BlockGuess(name: name, captures: names.captures, family: form.family).blocks(units(messages, topics(of: group)))
        case .scalar:
            draft.decode = [form.decoder]
            let topics = topics(of: group)
            let values = messages.map { index in
                (
                    value: TimedValue(
                        value: sample.documents[index] ?? .null, receivedMicroseconds: sample.messages[index].receivedMicroseconds),
                    topic: topics[index] ?? 0
                )
            }
            draft.blocks = [
                ScalarBlock.make(values, table: name, captures: names.captures, lastWord: lastWord(group.levels))
            ]
        case .binary:
            let opener = PayloadOpener()
            let topics = topics(of: group)
            let payloads = messages.map { index in
                let message = sample.messages[index]
                let bytes = form.unpack.isEmpty ? message.payload : opener.bytes(message.payload, unpack: form.unpack) ?? message.payload
                return (bytes: bytes, receivedMicroseconds: message.receivedMicroseconds, topic: topics[index] ?? 0)
            }
            let made = BinaryBlock.make(payloads, table: name, captures: names.captures)
            draft.decode = made.decode
            draft.blocks = [made.block]
            draft.remarks += made.remarks
        case .mixed(let isText):
            draft.decode = [isText ? "text" : "bytes"]
            draft.remarks.append("Payloads of several kinds share these topics: they are stored as they came.")
            draft.blocks = [Self.archive(name, names.captures, isText: isText)]
        }
        return draft
    }

    /// Everything as it came: what always fits.
    static func archive(_ table: String, _ captures: [String], isText: Bool) -> BlockDraft {
        var block = BlockDraft(table: table, columns: [TimeColumn.received])
        block.columns += captures.map {
            ColumnDraft(name: $0 == "time" ? "topic_time" : $0, type: "text", isNotNull: true, from: ["topic." + $0])
        }
        block.columns.append(ColumnDraft(name: "payload", type: isText ? "text" : "bytea", isNotNull: true, from: ["$"]))
        return block
    }

    private func topics(of group: TopicGroup) -> [Int: Int] {
        var topics: [Int: Int] = [:]
        for topic in group.topics { for message in sample.profiles[topic].messages { topics[message] = topic } }
        return topics
    }

    private func units(_ messages: [Int], _ topics: [Int: Int]) -> [RowUnit] {
        messages.compactMap { index in
            sample.documents[index].map { document in
                RowUnit(
                    message: index, topic: topics[index] ?? 0, receivedMicroseconds: sample.messages[index].receivedMicroseconds,
                    value: document,
                    outer: document, key: nil)
            }
        }
    }

    private func lastWord(_ levels: [PatternLevel]) -> String? {
        for level in levels.reversed() {
            if case .literal(let text) = level, !["state", "value"].contains(text), text.contains(where: \.isLetter) { return text }
        }
        return nil
    }

    private func decode(_ form: PayloadForm) -> [String] {
        switch form.family {
        case .lines: return ["{json: {lines: true}}"]
        case .csv(let csv):
            var options: [String] = []
            if csv.delimiter != UInt8(ascii: ",") {
                let text = csv.delimiter == 0x09 ? "tab" : "\"\(Character(Unicode.Scalar(csv.delimiter)))\""
                options.append("delimiter: \(text)")
            }
            if csv.hasHeader { options.append("header: first_line") }
            return [options.isEmpty ? "csv" : "{csv: {\(options.joined(separator: ", "))}}"]
        default: return [form.decoder == "json" && form.allowsNaN ? "{json: {allow_nan: true}}" : form.decoder]
        }
    }
}

func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
