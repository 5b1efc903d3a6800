import CopyFormat

/// Finds out whether captures and time tell rows apart, from the rows themselves.
enum KeyGuess {
    /// Fewer rows prove nothing.
    static let rowsMin = 10

    /// The key, or why there is none.
    static func key(
        of block: BlockDraft, _ outcomes: [ProposalTrial.Outcome], payloads: (Int) -> [UInt8]
    ) -> (key: [String], remark: String?) {
        guard block.hasOwnTime else { return ([], nil) }
        let plain = key(of: block, [], outcomes, payloads: payloads)
        guard plain.isRepeated, !block.loops.isEmpty else { return (plain.key, plain.remark) }
        // Items that say who they are.
        for column in block.columns where column.isNotNull && column.type == "text" && FieldWords.isIdentity(column.path.last ?? "") {
            let longer = key(of: block, [column.name], outcomes, payloads: payloads)
            if !longer.key.isEmpty { return (longer.key, longer.remark) }
        }
        return (plain.key, plain.remark)
    }

    private static func key(
        of block: BlockDraft, _ more: [String], _ outcomes: [ProposalTrial.Outcome], payloads: (Int) -> [UInt8]
    ) -> (key: [String], remark: String, isRepeated: Bool) {
        let columns = (block.keyColumns + more).filter { name in block.columns.contains { $0.name == name && $0.isNotNull } }
        let stepMicroseconds = block.columns.first { $0.name == "time" }?.time?.stepMicroseconds ?? 1
        var times: [[String]: [Int64]] = [:]
        var seen: Set<[UInt8]> = []
        var rowCount = 0
        for outcome in outcomes {
            // A message that came twice proves nothing either.
            guard seen.insert(payloads(outcome.message)).inserted || outcome.rowCount == 0 else { continue }
            for part in outcome.rows where part.table == block.table {
                let names = part.columns.map(\.name)
                guard let timePlace = names.firstIndex(of: "time") else { continue }
                let places = columns.compactMap { names.firstIndex(of: $0) }
                for row in part.rows {
                    guard case .time(let time)? = row[timePlace] else { continue }
                    times[places.map { row[$0]?.text ?? "" }, default: []].append(time)
                    rowCount += 1
                }
            }
        }
        guard rowCount >= rowsMin, times.values.contains(where: { $0.count >= 3 }) else {
            return ([], "no key: too few rows were seen to know what tells them apart", false)
        }
        var gaps: [Int64] = []
        for list in times.values {
            let sorted = list.sorted()
            gaps += zip(sorted, sorted.dropFirst()).map { $1 - $0 }
        }
        let smallest = gaps.min() ?? 0
        guard smallest > 0 else {
            return ([], "no key: rows with the same \((columns + ["time"]).joined(separator: ", ")) were seen", true)
        }
        // A device that sends nearly as often as its clock ticks will send twice in one tick one day.
        guard smallest > stepMicroseconds || gaps.allSatisfy({ $0 == smallest }) else {
            return (
                [], "no key: readings follow each other nearly as fast as the clock ticks, so one day two will have the same time", false
            )
        }
        return (columns + ["time"], "key: of \(rowCount) rows no two had the same", false)
    }
}
