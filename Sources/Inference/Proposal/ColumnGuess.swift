/// Makes columns of fields.
struct ColumnGuess {
    /// What the sources start from: `$` or a loop variable.
    var root: String
    /// All values are written as text.
    var isText = false
    /// Paths that something else takes care of.
    var without: Set<[String]> = []
    /// Items are values, not objects: their one field is the root itself.
    var isBare = false

    /// A sample with fewer rows says nothing about what is never missing.
    static let rowsForNotNull = 30
    /// Beyond this, fields are left to one column `rest`.
    static let columnsMax = 80

    /// A column for each field below `field` that holds values.
    /// - Parameter rowCount: rows that could have it.
    func columns(of field: Field, rowCount: Int) -> [ColumnDraft] {
        var columns: [ColumnDraft] = []
        collect(field, rowCount, &columns)
        return columns
    }

    private func collect(_ field: Field, _ rowCount: Int, _ columns: inout [ColumnDraft]) {
        for member in field.members where !without.contains(member.path) && (member.valueCount > 0 || member.nullCount > 0) {
            if member.isObject, !member.members.isEmpty, member.members.count <= 60, member.path.count <= 5 {
                collect(member, rowCount, &columns)
                continue
            }
            // What an object holds beside its parts, it holds as a whole.
            guard let source = isBare ? root : YAMLText.path(root, member.path) else { continue }
            if !isText, let both = numbersAndWords(member, source) {
                columns += both
                continue
            }
            let guess = TypeGuess.of(member, isText: isText)
            var column = ColumnDraft(name: "", type: guess.type, from: [source], parse: guess.parse, zone: guess.zone)
            column.nullIf = guess.nullIf
            column.time = guess.time
            column.path = member.path
            let missing = rowCount - member.valueCount
            column.isSometimesMissing = missing > 0
            column.isNotNull = missing == 0 && rowCount >= Self.rowsForNotNull && guess.nullIf.isEmpty && guess.type != "jsonb"
            if isText, !column.isNotNull, column.type != "text", column.nullIf.isEmpty { column.nullIf = [""] }
            column.remark = [guess.remark, missing > 0 ? "missing or null in \(percent(missing, of: rowCount))" : nil].compactMap { $0 }
                .joined(separator: "; ")
            if column.remark?.isEmpty == true { column.remark = nil }
            columns.append(column)
        }
    }

    /// Numbers in some messages, words in others (`{"value": 12.5}`, `{"value": "on"}`): a column for each, of which a row fills one.
    private func numbersAndWords(_ field: Field, _ source: String) -> [ColumnDraft]? {
        guard field.isScalar else { return nil }
        var kinds: Set<String> = []
        var areNumeric = true
        for scalar in field.scalars {
            switch scalar.value.value {
            case .number: kinds.insert("number")
            case .boolean: kinds.insert("boolean")
            case .text(let text):
                kinds.insert("string")
                areNumeric = areNumeric && (TextGuess.isNumber(text) || TextGuess.isNaN(text))
            default: break
            }
        }
        guard kinds.contains("number"), kinds.contains("string"), !areNumeric else { return nil }
        var number = ColumnDraft(name: "", type: "double precision", from: [source])
        number.isKind = "number"
        number.path = field.path
        number.remark = "where it is a number"
        var words = ColumnDraft(name: "", type: "text", from: [source])
        words.isKind = kinds.contains("boolean") ? "[string, boolean]" : "string"
        words.path = field.path.dropLast() + [field.name + "_text"]
        words.remark = "where it is a word"
        return [number, words]
    }

    private func percent(_ part: Int, of whole: Int) -> String {
        let percent = Double(part) * 100 / Double(max(whole, 1))
        return percent < 1 ? "less than 1 %" : "\(Int(percent.rounded())) %"
    }

    /// Gives columns names of their own: the last member's, and where that is taken, those before it too.
    static func name(_ columns: inout [ColumnDraft], taken: Set<String>) {
        var counts: [String: Int] = [:]
        for column in columns where column.name.isEmpty { counts[FieldWords.snakeCase(column.path.last ?? ""), default: 0] += 1 }
        var used = taken.union(columns.map(\.name))
        for index in columns.indices where columns[index].name.isEmpty {
            let path = columns[index].path
            var length = 1
            var name = FieldWords.snakeCase(path.last ?? "value")
            // Two that would be called the same are called by where they stand, both of them.
            if counts[name, default: 0] > 1 || used.contains(name) {
                length = min(2, path.count)
                name = FieldWords.snakeCase(path.suffix(length).joined(separator: "_"))
            }
            while used.contains(name), length < path.count {
                length += 1
                name = FieldWords.snakeCase(path.suffix(length).joined(separator: "_"))
            }
            let plain = name
            var number = 2
            while used.contains(name) {
                name = "\(plain.prefix(56))_\(number)"
                number += 1
            }
            used.insert(name)
            columns[index].name = name
        }
    }
}
