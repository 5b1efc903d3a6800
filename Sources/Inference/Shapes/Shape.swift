/// What payloads of a topic hold, in a form that two topics can be compared by.
struct Shape: Sendable {
    var form: PayloadForm
    /// Paths with the kind of what stands there: `battery:n`, `*.Temperature:n`; times, which all devices send, are left out.
    var features: Set<String> = []
    /// Cells of a line of CSV.
    var cellCounts: Set<Int> = []

    init(form: PayloadForm) { self.form = form }

    mutating func add(_ document: SampleValue, receivedMicroseconds: Int64) {
        switch (form.family, document) {
        case (.object, _): add(members: document, prefix: "", receivedMicroseconds)
        case (.list, .array(let items)), (.lines, .array(let items)):
            for item in items.prefix(50) {
                if item.isObject { add(members: item, prefix: "", receivedMicroseconds) } else { features.insert("[]:" + Self.kind(item)) }
            }
        case (.csv, .array(let lines)):
            for line in lines.prefix(50) {
                cellCounts.insert(line.members.count)
                if case .csv(let csv) = form.family, csv.hasHeader { features.formUnion(line.members.map(\.name)) }
            }
        default: break
        }
    }

    private mutating func add(members document: SampleValue, prefix: String, _ received: Int64) {
        for member in document.members.prefix(200) where member.value != .null {
            let value = TimedValue(value: member.value, receivedMicroseconds: received)
            if !member.value.isContainer, TimeGuess.form(of: [value], name: member.name) != nil { continue }
            let name = LevelWord(member.name).isStrongID || TextGuess.isDigits(member.name) ? "#" : member.name
            features.insert(prefix + name + ":" + Self.kind(member.value))
            guard member.value.isObject, prefix.isEmpty else { continue }
            add(members: member.value, prefix: name + ".", received)
            add(members: member.value, prefix: "*.", received)
        }
    }

    private static func kind(_ value: SampleValue) -> String {
        switch value {
        case .null: "?"
        case .boolean: "b"
        case .number: "n"
        case .text(let text): TextGuess.booleanPair(text) != nil ? "b" : TextGuess.isNumber(text) ? "n" : "t"
        case .array: "[]"
        case .object: "{}"
        }
    }

    mutating func merge(_ other: Shape) {
        form.allowsNaN = form.allowsNaN || other.form.allowsNaN
        features.formUnion(other.features)
        cellCounts.formUnion(other.cellCounts)
    }

    private var names: Set<Substring> { Set(features.map { $0.prefix { $0 != ":" } }) }

    /// Whether both could be rows of one table.
    /// - Parameter isStrict: most of what they hold must be the same, not just something.
    func resembles(_ other: Shape, isStrict: Bool) -> Bool {
        guard form.fits(other.form) else { return false }
        switch form.family {
        case .csv(let csv) where !csv.hasHeader: return !cellCounts.isDisjoint(with: other.cellCounts)
        case .object, .list, .lines, .csv:
            if features == other.features { return true }
            // The same envelope around a number here and a word there.
            if form.family == .object, names.count == 1, names == other.names { return true }
            let common = features.intersection(other.features).count
            return isStrict ? 2 * common >= features.union(other.features).count : common > 0
        case .scalar, .binary, .mixed: return true
        }
    }
}
