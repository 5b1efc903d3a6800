/// Names of files and tables, made of the levels that stay.
enum MappingNames {
    /// Roots that say nothing to those who do not know them.
    private static let wellKnown = ["N": "victron", "v3": "lorawan", "tele": "tasmota"]

    static func make(_ groups: [TopicGroup]) -> [String] {
        let words = groups.map { group in
            group.levels.compactMap { level -> String? in
                if case .literal(let text) = level, text.contains(where: \.isLetter) {
                    wellKnown[text] ?? FieldWords.snakeCase(text)
                } else {
                    nil
                }
            }
        }
        // What all have in front says nothing.
        var common = 0
        while groups.count > 1, let word = words.first?.dropFirst(common).first,
            words.allSatisfy({ $0.count > common + 1 && $0[common] == word })
        {
            common += 1
        }
        if common == 0, groups.count > 1, let root = words.first?.first, words.allSatisfy({ $0.first == root }),
            words.filter({ $0.count == 1 }).count <= 1
        {
            common = 1
        }
        var used: Set<String> = []
        return zip(words, groups).map { words, group in
            var own = Array(words.dropFirst(words.count > common ? common : 0))
            if own.count > 3 { own = [own[0]] + own.suffix(2) }
            let plain = own.isEmpty ? "messages" : String(own.joined(separator: "_").prefix(48))
            var name = plain
            var number = 2
            while !used.insert(name).inserted {
                name = "\(plain)_\(number)"
                number += 1
            }
            return name
        }
    }
}
