/// Finds the patterns behind topics: levels that stay, levels that vary, and what varies together.
///
/// From the first level to the last, values of a level that lead to the same things are taken together as something that varies. Values that lead
/// to different things stay as they are, each with a pattern of its own.
struct TopicGrouping {
    private let profiles: [TopicProfile]
    /// Level and value, with the parents below which it was seen: what comes back below many is part of the structure.
    private var parents: [String: Set<String>] = [:]
    private(set) var groups: [TopicGroup] = []

    fileprivate struct Entry {
        var topic: Int
        var tail: ArraySlice<Substring>
    }

    init(_ profiles: [TopicProfile]) {
        self.profiles = profiles
        for profile in profiles {
            var parent = ""
            for (index, level) in profile.levels.enumerated() {
                parents["\(index)/\(level)", default: []].insert(parent)
                parent += "/" + level
            }
        }
        divide(profiles.indices.map { Entry(topic: $0, tail: profiles[$0].levels[...]) }, prefix: [])
    }

    private mutating func divide(_ entries: [Entry], prefix: [PatternLevel]) {
        var byForm: [[Int]] = []
        for entry in entries where entry.tail.isEmpty {
            if let place = byForm.firstIndex(where: { profiles[$0[0]].shape.form.fits(profiles[entry.topic].shape.form) }) {
                byForm[place].append(entry.topic)
            } else {
                byForm.append([entry.topic])
            }
        }
        for topics in byForm { groups.append(TopicGroup(levels: prefix, topics: topics)) }
        let deeper = takeTails(entries.filter { !$0.tail.isEmpty }, prefix)
        for cluster in clusters(of: deeper) {
            let level: PatternLevel
            if cluster.values.count > 1 || cluster.values.allSatisfy({ LevelWord($0).isStrongID || $0.contains("@") }) {
                level = .variable(cluster.values)
            } else {
                level = .literal(cluster.values.first ?? "")
            }
            divide(cluster.entries.map { Entry(topic: $0.topic, tail: $0.tail.dropFirst()) }, prefix: prefix + [level])
        }
    }

    // MARK: Names with slashes

    /// Finds what lies at different depths and is the same thing all the same (`attic`, `kitchen/lamp`), and gives the rest.
    private mutating func takeTails(_ entries: [Entry], _ prefix: [PatternLevel]) -> [Entry] {
        var rest: [Entry] = []
        var alike: [(shape: Shape, entries: [Entry])] = []
        for entry in entries {
            let shape = profiles[entry.topic].shape
            guard shape.form.family == .object || shape.form.family == .scalar else {
                rest.append(entry)
                continue
            }
            let met = alike.indices.filter { alike[$0].shape.resembles(shape, isStrict: false) }
            guard let first = met.first else {
                alike.append((shape, [entry]))
                continue
            }
            alike[first].shape.merge(shape)
            alike[first].entries.append(entry)
            // A shape that resembles several brings them together.
            for other in met.dropFirst().reversed() {
                alike[first].shape.merge(alike[other].shape)
                alike[first].entries += alike[other].entries
                alike.remove(at: other)
            }
        }
        for (shape, entries) in alike {
            let short = entries.filter { $0.tail.count == 1 }
            var long = entries.filter { $0.tail.count > 1 }
            if shape.form.family == .scalar {
                // Topics of one length that end in the same word have a pattern of their own.
                for (_, same) in Dictionary(grouping: long, by: \.tail.count)
                where Set(same.map(\.tail)).count > 1 && Set(same.map(\.tail.last)).count == 1 {
                    let own = Set(same.map(\.topic))
                    long.removeAll { own.contains($0.topic) }
                }
            }
            let heads = Set(short.map(\.tail.first))
            guard !short.isEmpty, long.contains(where: { !heads.contains($0.tail.first) }), !prefix.isEmpty else {
                rest += entries
                continue
            }
            let taken = short + long
            groups.append(
                TopicGroup(levels: prefix + [.tail(Set(taken.map { $0.tail.joined(separator: "/") }))], topics: taken.map(\.topic)))
            let topics = Set(taken.map(\.topic))
            rest += entries.filter { !topics.contains($0.topic) }
        }
        return rest
    }

    // MARK: Values of one level

    fileprivate struct Cluster {
        var values: Set<String>
        var entries: [Entry]
        /// What lies below: tails with their shapes, as they are and with their numbers taken out.
        var tails: [String: Shape]
        var forms: [String: Shape]
        var isID: Bool
        var wordForms: Set<String>
        var isRecurring: Bool

        mutating func merge(_ other: Cluster) {
            values.formUnion(other.values)
            entries += other.entries
            tails.merge(other.tails) { left, right in left.merged(right) }
            forms.merge(other.forms) { left, right in left.merged(right) }
            isID = isID && other.isID
            wordForms.formUnion(other.wordForms)
            isRecurring = isRecurring || other.isRecurring
        }
    }

    private func clusters(of entries: [Entry]) -> [Cluster] {
        var order: [Substring] = []
        var byValue: [Substring: [Entry]] = [:]
        for entry in entries {
            let value = entry.tail.first ?? ""
            if byValue[value] == nil { order.append(value) }
            byValue[value, default: []].append(entry)
        }
        var clusters: [Cluster] = []
        for value in order {
            let single = cluster(value, byValue[value] ?? [])
            let met = clusters.indices.filter { areParallel(clusters[$0], single) }
            guard let first = met.first else {
                clusters.append(single)
                continue
            }
            clusters[first].merge(single)
            for other in met.dropFirst().reversed() {
                clusters[first].merge(clusters[other])
                clusters.remove(at: other)
            }
        }
        return clusters
    }

    private func cluster(_ value: Substring, _ entries: [Entry]) -> Cluster {
        var tails: [String: Shape] = [:]
        var forms: [String: Shape] = [:]
        for entry in entries {
            let below = entry.tail.dropFirst()
            let shape = profiles[entry.topic].shape
            tails[below.joined(separator: "/"), default: shape].merge(shape)
            forms[below.map { LevelWord($0).form }.joined(separator: "/"), default: shape].merge(shape)
        }
        let depth = entries.first.map { profiles[$0.topic].levels.count - $0.tail.count } ?? 0
        let word = LevelWord(value)
        return Cluster(
            values: [String(value)], entries: entries, tails: tails, forms: forms, isID: word.isID, wordForms: [word.form],
            isRecurring: (parents["\(depth)/\(value)"]?.count ?? 0) > 1)
    }

    /// Whether two values of a level lead to the same things.
    private func areParallel(_ left: Cluster, _ right: Cluster) -> Bool {
        let areNumbered = !left.wordForms.isDisjoint(with: right.wordForms)
        if let one = left.tails[""], let other = right.tails[""] {
            // Words that come back below several parents are part of the structure: only what is nearly the same varies there.
            let isStructure = (left.isRecurring || right.isRecurring) && !areNumbered
            return one.resembles(other, isStrict: isStructure)
        }
        if sharesHalf(left.tails, right.tails) || sharesHalf(left.forms, right.forms) { return true }
        let families = { (cluster: Cluster) in Set(cluster.tails.values.map(\.form.family)) }
        if areNumbered, left.isID, right.isID { return !families(left).isDisjoint(with: families(right)) }
        // Names below names (`jane/phone`, `bob/tablet`): the payloads decide.
        guard let one = left.mergedShape, let other = right.mergedShape, one.form.family != .scalar, one.form.family != .binary else {
            return false
        }
        let lengths = { (cluster: Cluster) in Set(cluster.entries.map(\.tail.count)) }
        // What is the same for whatever it says (`{"value": x}`) may lie at any depth.
        let isEnvelope = one.features.union(other.features).count <= 3
        return (isEnvelope || lengths(left) == lengths(right)) && one.resembles(other, isStrict: true)
    }

    private func sharesHalf(_ left: [String: Shape], _ right: [String: Shape]) -> Bool {
        let (few, many) = left.count <= right.count ? (left, right) : (right, left)
        let common = few.filter { tail, shape in many[tail].map { $0.resembles(shape, isStrict: false) } ?? false }
        return !common.isEmpty && 2 * common.count >= few.count
    }
}

extension Shape {
    fileprivate func merged(_ other: Shape) -> Shape {
        var merged = self
        merged.merge(other)
        return merged
    }
}

extension TopicGrouping.Cluster {
    /// nil where the forms differ.
    fileprivate var mergedShape: Shape? {
        guard let first = tails.values.first, tails.values.allSatisfy({ $0.form.fits(first.form) }) else { return nil }
        return tails.values.dropFirst().reduce(first) { $0.merged($1) }
    }
}
