import Testing

@testable import Mapping

@Suite("A pattern says at which level it parts from a topic")
struct TopicMismatchTests {
    @Test(
        "the level and the words",
        arguments: [
            ("site/{site}/dev/{device}", "site/hq/gw/d1", 3, "'gw' is not 'dev'"),
            ("site/{site}/dev/{device}", "site/hq/dev", 4, "the topic ends before '{device}'"),
            ("site/{site}", "site/hq/dev", 3, "the topic goes on with 'dev', the pattern ends"),
            ("site/{site}", "site/", 2, "'{site}' takes no empty level"),
            ("a/{x...}", "a", 2, "the topic ends before {x...}"), ("a/{x...}", "a/", 2, "{x...} takes no empty rest"),
            ("a/+", "a", 2, "the topic ends before +"), ("a/b", "a", 2, "the topic ends before 'b'"),
            ("{app}@{tenant}/up", "app/up", 1, "'app' does not fit '{app}@{tenant}'"),
            ("+/x", "$SYS/x", 1, "a topic that starts with $ is taken only by a pattern that names its first level"),
            ("a", "\u{9B}2J", 1, "'\\u{9b}2J' is not 'a'"),
        ])
    func parts(pattern: String, topic: String, level: Int, words: String) throws {
        #expect(try TopicPattern(pattern).mismatch(with: topic) == TopicMismatch(level: level, words: words))
    }

    @Test(
        "a topic that it takes is no mismatch",
        arguments: [
            ("a/#", "a"), ("a/#", "a/b/c"), ("{x...}", "a/b"), ("$SYS/+", "$SYS/x"), ("a/{x}", "a/$b"), ("a//b", "a//b"), ("s{n}", "s1"),
        ])
    func takes(pattern: String, topic: String) throws { #expect(try TopicPattern(pattern).mismatch(with: topic) == nil) }

    @Test("it agrees with the router about all patterns and topics of a small alphabet")
    func agreement() throws {
        let levels = ["a", "b", "+", "{x}", "p{x}", "{x}b"]
        let lasts = ["a", "#", "{y...}", "{y}", "+"]
        var patterns = ["#", "+", "{x}", "{x...}", "a", "$a", "p{x}"]
        for level in levels { for last in lasts { patterns.append("\(level)/\(last)") } }
        for level in levels { for last in lasts { patterns.append("a/\(level)/\(last)") } }
        var topics = [String]()
        let words = ["a", "b", "pb", "", "$a"]
        for first in words {
            if !first.isEmpty { topics.append(first) }
            for second in words {
                topics.append("\(first)/\(second)")
                for third in words { topics.append("\(first)/\(second)/\(third)") }
            }
        }
        var taken = 0
        for pattern in patterns {
            let mapping = try mapping("topic: \"\(pattern)\"\ntable: x\ncolumns: {t: text not null from topic}")
            let plan = MappingPlan([mapping])
            for topic in topics {
                let isTaken = Trial(plan, topic: topic, payload: Array("{}".utf8), receivedMicroseconds: 0).outcome.matchedCount > 0
                let mismatch = mapping.topics[0].value.mismatch(with: topic)
                #expect((mismatch == nil) == isTaken, "\(pattern) and \(topic): \(String(describing: mismatch))")
                if isTaken { taken += 1 }
            }
        }
        #expect(taken > 500 && taken < patterns.count * topics.count / 2)
    }
}
