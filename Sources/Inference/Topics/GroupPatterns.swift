/// Makes the patterns of groups exclusive: each topic that was heard goes to its own group's mapping and to no other.
enum GroupPatterns {
    struct Result {
        var groups: [TopicGroup]
        /// Filters to exclude, by group.
        var exclude: [[String]]
        /// Groups whose topics have to be listed one by one.
        var isListed: [Bool]
    }

    static func make(_ groups: [TopicGroup], _ profiles: [TopicProfile]) -> Result {
        var result = Result(groups: groups, exclude: groups.map { _ in [] }, isListed: groups.map { _ in false })
        for left in groups.indices {
            for right in groups.indices where right != left {
                let strays = groups[right].topics.filter { groups[left].matches(profiles[$0].levels) }
                guard !strays.isEmpty else { continue }
                if !groups[left].topics.contains(where: { groups[right].matches(profiles[$0].levels) }) {
                    result.exclude[left].append(groups[right].filter)
                } else {
                    // Neither pattern tells them apart: the smaller group is listed, and the other leaves its topics out.
                    let isLeftSmaller = (groups[left].topics.count, left) < (groups[right].topics.count, right)
                    if isLeftSmaller {
                        result.isListed[left] = true
                    } else {
                        result.exclude[left] += groups[right].topics.map { profiles[$0].topic }
                    }
                }
            }
            var seen: Set<String> = []
            result.exclude[left] = result.exclude[left].filter { seen.insert($0).inserted }
        }
        for index in groups.indices where result.isListed[index] { result.exclude[index] = [] }
        return result
    }
}
