/// Documents of one shape among several that come on the same topics.
struct Variant {
    /// Source (a member's name) and test in the mapping's words; nil: all documents.
    var when: (member: String, test: String)?
    /// For the table's name; empty where there is only one.
    var suffix: String
    var units: [RowUnit]
    var remark: String?
}

/// Tells several shapes on one topic apart: by a member whose value says which it is, or by members that only one of them has.
enum Variants {
    static func split(_ units: [RowUnit], isCSVWithoutHeader: Bool = false) -> [Variant] {
        let whole = [Variant(when: nil, suffix: "", units: units)]
        guard units.count >= 4, units.allSatisfy({ $0.value.isObject }) else { return whole }
        if isCSVWithoutHeader {
            guard Set(units.map(\.value.members.count)).count > 1 else { return whole }
            return byMember("0", units, groups: distinct("0", units).map { [$0] })
        }
        return discriminated(units) ?? disjoint(units) ?? whole
    }

    // MARK: A member says which

    private static let names: Set<String> = [
        "type", "kind", "event", "msgtype", "msg_type", "message_type", "messagetype", "cmd", "command", "action", "class", "topic", "op",
        "subject", "msg",
        "record", "packet", "t",
    ]

    private static func discriminated(_ units: [RowUnit]) -> [Variant]? {
        let common = units.dropFirst().reduce(Set(units[0].value.members.map(\.name))) { $0.intersection($1.value.members.map(\.name)) }
        var best: (name: String, groups: [[String]], score: Double)?
        for name in units[0].value.members.map(\.name) where common.contains(name) {
            let isNamed = names.contains(FieldWords.snakeCase(name))
            let values = distinct(name, units)
            guard (2...12).contains(values.count), values.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 40 }) else { continue }
            guard isNamed || areWords(values, name, units) else { continue }
            guard let groups = grouped(name, values, units) else { continue }
            let score = (isNamed ? 10 : 0) + Double(groups.count)
            if best.map({ score > $0.score }) ?? true { best = (name, groups, score) }
        }
        return best.map { byMember($0.name, units, groups: $0.groups) }
    }

    /// Words that each came several times; no times, of which a short sample holds few.
    private static func areWords(_ values: [String], _ name: String, _ units: [RowUnit]) -> Bool {
        var counts: [String: Int] = [:]
        for unit in units { if let text = unit.value.member(name)?.scalarText { counts[text, default: 0] += 1 } }
        return values.allSatisfy { value in value.first?.isLetter == true && counts[value, default: 0] >= 3 }
    }

    private static func distinct(_ name: String, _ units: [RowUnit]) -> [String] {
        var seen: [String] = []
        for unit in units {
            let value: String
            switch unit.value.member(name) {
            case .text(let text)?: value = text
            case .number(let text)?: value = text
            default: return []
            }
            if !seen.contains(value) { seen.append(value) }
            if seen.count > 12 { return seen }
        }
        return seen
    }

    /// Values with much the same members are one group; nil where the values make no difference to the members.
    private static func grouped(_ name: String, _ values: [String], _ units: [RowUnit]) -> [[String]]? {
        var groups: [(values: [String], members: Set<String>)] = []
        for value in values {
            let own = units.filter { $0.value.member(name)?.scalarText == value }
            let sets = own.map { memberNames(of: $0, without: name) }
            let all = sets.reduce(Set()) { $0.union($1) }
            // Within a value the members are mostly the same.
            let mean = Double(sets.reduce(0) { $0 + $1.count }) / Double(max(sets.count, 1))
            guard all.isEmpty || mean >= 0.5 * Double(all.count) else { return nil }
            let place = groups.firstIndex { group in
                let common = group.members.intersection(all).count
                return 2 * common > group.members.union(all).count || (group.members.isEmpty && all.isEmpty)
            }
            if let place {
                groups[place].values.append(value)
                groups[place].members.formUnion(all)
            } else {
                groups.append(([value], all))
            }
        }
        return groups.count > 1 ? groups.map(\.values) : nil
    }

    private static func memberNames(of unit: RowUnit, without name: String) -> Set<String> {
        Set(
            unit.value.members.filter { member in
                let value = TimedValue(value: member.value, receivedMicroseconds: unit.receivedMicroseconds)
                return member.name != name && (member.value.isContainer || TimeGuess.form(of: [value], name: member.name) == nil)
            }.map(\.name))
    }

    private static func byMember(_ name: String, _ units: [RowUnit], groups: [[String]]) -> [Variant] {
        let all = groups.flatMap { $0 }
        return groups.map { values in
            let test = values.count == 1 ? YAMLText.scalar(values[0]) : "[" + values.map(YAMLText.scalar).joined(separator: ", ") + "]"
            return Variant(
                when: (name, test), suffix: FieldWords.snakeCase(values[0]),
                units: units.filter { $0.value.member(name)?.scalarText.map(values.contains) ?? false },
                remark: "of '\(name)' these values were seen: \(all.joined(separator: ", ")); other values make no rows")
        }
    }

    // MARK: Members that only one shape has

    private static func disjoint(_ units: [RowUnit]) -> [Variant]? {
        var groups: [(members: Set<String>, always: Set<String>, units: [RowUnit])] = []
        for unit in units {
            let names = memberNames(of: unit, without: "")
            // Names that are data tell no shapes apart.
            guard !names.isEmpty, !names.contains(where: { LevelWord($0).isStrongID || TextGuess.isDigits($0) }) else { return nil }
            let met = groups.indices.filter { !groups[$0].members.isDisjoint(with: names) }
            guard let first = met.first else {
                groups.append((names, names, [unit]))
                continue
            }
            groups[first].members.formUnion(names)
            groups[first].always.formIntersection(names)
            groups[first].units.append(unit)
            for other in met.dropFirst().reversed() {
                groups[first].members.formUnion(groups[other].members)
                groups[first].always.formIntersection(groups[other].always)
                groups[first].units += groups[other].units
                groups.remove(at: other)
            }
        }
        guard (2...6).contains(groups.count) else { return nil }
        var variants: [Variant] = []
        for group in groups {
            let names = group.units[0].value.members.map(\.name)
            guard group.units.count >= 2, let guardName = names.first(where: group.always.contains), YAMLText.segment(guardName) != nil
            else { return nil }
            variants.append(
                Variant(
                    when: (guardName, "{present: true}"), suffix: FieldWords.snakeCase(guardName), units: group.units,
                    remark: "several shapes share these topics; this one is known by its member '\(guardName)'"))
        }
        return variants
    }
}
