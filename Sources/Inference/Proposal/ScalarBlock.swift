/// A table of payloads that are one value each: what the value is stands in the topic.
enum ScalarBlock {
    /// - Parameters:
    ///   - values: by message.
    ///   - lastWord: the last level, where it is always the same.
    static func make(
        _ values: [(value: TimedValue, topic: Int)], table: String, captures: [String], lastWord: String?
    ) -> BlockDraft {
        var block = BlockDraft(table: table, columns: [TimeColumn.received])
        block.columns += captures.map {
            ColumnDraft(name: $0 == "time" ? "topic_time" : $0, type: "text", isNotNull: true, from: ["topic." + $0])
        }
        let texts = values.map { $0.value.value.scalarText ?? "" }
        let isNarrow = captures.contains("metric")
        let name = isNarrow ? "value" : unique(FieldWords.snakeCase(lastWord ?? "value"), captures)
        // Of one kind: one column, called as the topic calls it.
        var guess = TypeGuess.scalar(
            values.map(\.value), topics: values.map(\.topic), name: isNarrow ? "value" : lastWord ?? "value", isText: true)
        let hasNumbers = texts.contains { TextGuess.isNumber($0) }
        let hasOthers = texts.contains { !TextGuess.isNumber($0) && !TextGuess.isNaN($0) }
        if !(hasNumbers && hasOthers) || ["double precision", "timestamptz"].contains(guess.type) {
            if isNarrow, ["integer", "bigint"].contains(guess.type) {
                guess.type = "double precision"
                guess.remark = "only whole numbers were seen, but other metrics may come"
            }
            var column = ColumnDraft(name: name, type: guess.type, from: ["$"], parse: guess.parse, zone: guess.zone, nullIf: guess.nullIf)
            column.remark = guess.remark
            if guess.type == "boolean" || guess.type == "text" || isNarrow || values.count >= ColumnGuess.rowsForNotNull {
                column.isNotNull = guess.nullIf.isEmpty && guess.type != "jsonb"
            }
            block.columns.append(column)
            return block
        }
        // Of several kinds: a column for each, of which a row fills one.
        block.remarks.append("numbers, on and off, and words share these topics: a row fills the column that its value fits")
        var number = ColumnDraft(name: "value", type: "double precision", from: ["$"], remark: "where it reads as a number")
        number.isKind = "numeric"
        block.columns.append(number)
        let words = TextGuess.booleanWords.flatMap { [$0.yes, $0.no] }
        let seen = Set(texts.filter { TextGuess.booleanPair($0) != nil }.map { $0 })
        var exceptions = ["{is: numeric}"]
        if !seen.isEmpty {
            let spellings = words.flatMap { [$0, $0.uppercased(), $0.prefix(1).uppercased() + $0.dropFirst()] }
            let pairs = Set(seen.compactMap { TextGuess.booleanPair($0) })
            let wanted =
                spellings.filter { TextGuess.booleanPair($0).map(pairs.contains) ?? false }
                + seen.filter { !spellings.contains($0) }.sorted()
            let list = wanted.map(YAMLText.scalar).joined(separator: ", ")
            var state = ColumnDraft(name: "state", type: "boolean", from: ["$"], remark: "where it is on or off")
            state.when = "{$: [\(list)]}"
            block.columns.append(state)
            exceptions.append(list)
        }
        var text = ColumnDraft(name: "text", type: "text", from: ["$"], remark: "where it is neither")
        text.when = "{$: {not: [\(exceptions.joined(separator: ", "))]}}"
        block.columns.append(text)
        return block
    }

    private static func unique(_ name: String, _ taken: [String]) -> String {
        taken.contains(name) || name == "time" ? "value" : name
    }
}
