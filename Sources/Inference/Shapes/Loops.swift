/// A part of documents that holds several rows.
struct LoopGuess {
    enum Kind: Equatable {
        /// Objects, or records without names, in an array.
        case array
        /// The members of an object are alike, and their names are data. `isMixed`: other members stand beside them.
        case map(isMixed: Bool)
        /// Arrays of the same length side by side: the loop runs over the first.
        case parallel([[String]])
    }

    var kind: Kind
    /// Below the row's object; empty: the object itself.
    var path: [String]
    var variable: String
    /// What it runs over, item by item.
    var units: [RowUnit]
}

/// Finds what there is to loop over.
enum Loops {
    /// - Parameter units: what the fields were made of.
    static func find(in root: Field, _ units: [RowUnit]) -> [LoopGuess] {
        var found: [LoopGuess] = []
        search(root, units, &found)
        return found
    }

    private static func search(_ field: Field, _ units: [RowUnit], _ found: inout [LoopGuess]) {
        guard field.objectCount > 0, field.path.count <= 3 else { return }
        if let map = map(field, units) {
            found.append(map)
            if map.kind == .map(isMixed: false) { return }
        } else {
            for member in field.members where member.isObject { search(member, units, &found) }
        }
        for member in field.members where member.isArray {
            if let array = array(member, units) { found.append(array) }
        }
        if let parallel = parallel(field, units) { found.append(parallel) }
    }

    // MARK: Arrays

    private static func array(_ field: Field, _ units: [RowUnit]) -> LoopGuess? {
        let items = field.arrays.flatMap(\.items)
        guard !items.isEmpty else { return nil }
        let areObjects = items.allSatisfy { $0.isObject || $0 == .null }
        let counts = Set(items.map(\.items.count))
        let areRecords = counts.count == 1 && (counts.first ?? 0) >= 2 && items.allSatisfy { $0.items.allSatisfy { !$0.isContainer } }
        guard areObjects || areRecords else { return nil }
        var rows: [RowUnit] = []
        for array in field.arrays {
            for item in array.items where item != .null {
                let value = areObjects ? item : record(item)
                rows.append(row(of: units[array.unit], value))
            }
        }
        return LoopGuess(kind: .array, path: field.path, variable: variable(field.name), units: rows)
    }

    /// A list of values as an object with its places for names.
    static func record(_ list: SampleValue) -> SampleValue {
        guard case .array(let items) = list else { return list }
        return .object(items.enumerated().map { .init(name: String($0), value: $1) })
    }

    private static func row(of unit: RowUnit, _ value: SampleValue, key: String? = nil) -> RowUnit {
        var row = unit
        row.outer = unit.value
        row.value = value
        row.key = key
        return row
    }

    private static func parallel(_ field: Field, _ units: [RowUnit]) -> LoopGuess? {
        let candidates = field.members.filter { member in
            member.isArray && member.valueCount * 10 >= field.objectCount * 9 && member.arrays.contains { $0.items.count > 1 }
                && member.arrays.allSatisfy { $0.items.allSatisfy { !$0.isContainer } }
        }
        guard let first = candidates.first else { return nil }
        func lengths(_ field: Field) -> [Int: Int] { Dictionary(field.arrays.map { ($0.unit, $0.items.count) }) { $1 } }
        let wanted = lengths(first)
        let alike = candidates.filter { candidate in
            let own = lengths(candidate)
            return own.allSatisfy { unit, count in wanted[unit] == nil || wanted[unit] == count }
        }
        guard alike.count >= 2 else { return nil }
        // Loop over the times if there are some: they are never shorter than the rest.
        let isTime = { (field: Field) in
            TimeGuess.form(
                of: field.arrays.prefix(20).flatMap { array in
                    array.items.map { TimedValue(value: $0, receivedMicroseconds: units[array.unit].receivedMicroseconds) }
                }, name: singular(field.name)) != nil
        }
        let leader = alike.first(where: isTime) ?? first
        let order = [leader] + alike.filter { $0 !== leader }
        var rows: [RowUnit] = []
        for array in leader.arrays {
            for index in array.items.indices {
                let members = order.compactMap { field -> SampleValue.Member? in
                    guard let items = units[array.unit].value.member(at: field.path)?.items, items.indices.contains(index) else {
                        return nil
                    }
                    return .init(name: field.name, value: items[index])
                }
                rows.append(row(of: units[array.unit], .object(members)))
            }
        }
        return LoopGuess(kind: .parallel(order.map(\.path)), path: leader.path, variable: variable(leader.name, isPlain: true), units: rows)
    }

    private static func singular(_ name: String) -> String { CaptureNames.singular(FieldWords.snakeCase(name)) }

    // MARK: Maps

    private static func map(_ field: Field, _ units: [RowUnit]) -> LoopGuess? {
        let names = field.members.map(\.name)
        // Places of a record are no names.
        guard names.count >= 2, names != names.indices.map(String.init) else { return nil }
        let areKeys = names.allSatisfy { LevelWord($0).isStrongID || TextGuess.isDigits($0) || isWrittenTime($0) }
        let objects = field.members.filter(\.isObject)
        let isWhole: Bool
        if areKeys {
            let areAlike = objects.count == names.count ? areAlikeObjects(objects) : field.members.allSatisfy(\.isScalar)
            guard areAlike else { return nil }
            isWhole = true
        } else {
            // Sensors under their own names: objects with the same inside, not all of them in every document.
            guard objects.count >= 2, areAlikeObjects(objects) else { return nil }
            let numbered = objects.contains { $0.name.utf8.contains { (0x30...0x39).contains($0) } }
            let comeAndGo = objects.contains { $0.valueCount < field.objectCount }
            let areTheSame = objects.count == names.count && Set(objects.map { Set($0.members.map(\.name)) }).count == 1
            guard numbered || comeAndGo || areTheSame else { return nil }
            isWhole = objects.count == names.count
        }
        var rows: [RowUnit] = []
        for unit in units {
            guard let object = unit.value.member(at: field.path) else { continue }
            for member in object.members where member.value != .null && (isWhole || member.value.isObject) {
                let value = member.value.isContainer ? member.value : .object([.init(name: "value", value: member.value)])
                rows.append(row(of: unit, value, key: member.name))
            }
        }
        let name = field.path.isEmpty ? (isWhole ? "item" : "sensor") : field.name
        return LoopGuess(kind: .map(isMixed: !isWhole), path: field.path, variable: variable(name), units: rows)
    }

    private static func isWrittenTime(_ name: String) -> Bool {
        TimeGuess.form(of: [TimedValue(value: .text(name), receivedMicroseconds: 0)], name: "time")?.parse == nil && name.utf8.count >= 19
            && name.utf8.first.map { (0x30...0x39).contains($0) } == true
    }

    /// Each shares a good part of its members with another.
    private static func areAlikeObjects(_ fields: [Field]) -> Bool {
        let sets = fields.map { Set($0.members.map(\.name)) }
        let alike = sets.indices.filter { index in
            sets.indices.contains { other in
                let common = sets[index].intersection(sets[other]).count
                return other != index && common > 0 && 2 * common >= min(sets[index].count, sets[other].count)
            }
        }
        return alike.count >= 2 && 3 * alike.count >= 2 * sets.count
    }

    // MARK: Names

    private static let reserved: Set<String> = [
        "topic", "received", "mqtt", "payload", "rest", "value", "data", "item", "list", "array", "time",
    ]

    private static func variable(_ name: String, isPlain: Bool = false) -> String {
        let snake = FieldWords.snakeCase(name)
        let one = isPlain ? snake : CaptureNames.singular(snake)
        return reserved.contains(one) || one.utf8.count > 30 ? (isPlain ? "entry" : "item") : one
    }
}
