import Testing

@testable import Mapping

@Suite("Which mapping takes a topic")
struct RoutingTests {
    private func matches(_ pattern: String, _ topic: String) throws -> Bool {
        let mapping = try mapping("topic: \"\(pattern)\"\ndecode: bytes\ntable: x\ncolumns: {p: bytea from $}")
        return trial([mapping], topic, [1]).outcome.matchedCount == 1
    }

    @Test(
        "patterns take topics",
        arguments: [
            ("a/b", "a/b"), ("a/+", "a/"), ("a/+", "a/b"), ("a/#", "a"), ("a/#", "a/b/c"), ("#", "a"), ("+/+", "/x"), ("/+", "/x"),
            ("{x}/b", "a/b"),
            ("a/{r...}", "a/b/c"), ("v{n}/x", "v12/x"), ("{a}@{t}/x", "app@tenant/x"), ("$SYS/#", "$SYS/a"), ("a//b", "a//b"),
            ("+/b/#", "a/b"),
        ])
    func takes(pattern: String, topic: String) throws { #expect(try matches(pattern, topic)) }

    @Test(
        "patterns leave topics",
        arguments: [
            ("a/b", "a/c"), ("a/+", "a"), ("a/+", "a/b/c"), ("#", "$SYS/a"), ("+/a", "$SYS/a"), ("{x}/a", "$SYS/a"), ("{x}/b", "/b"),
            ("a/{r...}", "a"),
            ("a/{r...}", "a/"), ("v{n}/x", "v/x"), ("{a}@{t}/x", "app/x"), ("{a}@{t}/x", "@tenant/x"), ("a/b", "a/b/"), ("A", "a"),
        ])
    func leaves(pattern: String, topic: String) throws { #expect(try !matches(pattern, topic)) }

    @Test("captures: parts of a level take as little as they can, the rest keeps its separators")
    func captures() throws {
        let text =
            "topic: \"{a}-{b}/{r...}\"\ndecode: text\ntable: x\ncolumns: {a: text from topic.a, b: text from topic.b, r: text from topic.r, t: text from topic}"
        #expect(try rows(text, "x-y-z/1/2", "p") == [["x", "y-z", "1/2", "x-y-z/1/2"]])
    }

    @Test("a level ends at its separator and a wildcard is one, whatever accent stands behind them")
    func accents() throws {
        #expect(throws: TopicPattern.Fault.self) { try TopicPattern("a/#\u{301}/b") }
        #expect(throws: TopicPattern.Fault.self) { try TopicPattern("+\u{301}") }
        #expect(try TopicPattern("+/\u{301}a").levels == [.any, .literal("\u{301}a")])
        #expect(try matches("+/\u{301}a", "x/\u{301}a"))
        let shared = mistakes("topic: \"$share/\u{301}g/a\"\ndecode: text\ntable: x\ncolumns: {v: text from $}")
        #expect(shared.count == 1 && shared[0].contains("shared subscriptions"), "\(shared)")
    }

    @Test("a topic of nothing but separators of captures costs no more than its length", .timeLimit(.minutes(1)))
    func hostileLevel() throws {
        let dashes = String(repeating: "-", count: 60_000)
        #expect(try !matches("{a}-{b}-{c}-{d}!", dashes))
        #expect(try matches("{a}-{b}-{c}-{d}!", dashes + "!"))
        #expect(try !matches("{a}-{b}-", "x--"))
        #expect(try matches("{a}-{b}-", "x-y--"))
    }

    @Test("names of levels of every length are told apart by each of their bytes", arguments: [1, 2])
    func levelNames(siblings: Int) throws {
        for length in 1...40 {
            let name = (0..<length).map { UInt8(ascii: "a") + UInt8($0 % 26) }
            var mappings: [MappingSyntax] = []
            // With a sibling the table is asked, without one the only child is compared.
            for sibling in 0..<siblings {
                let level = String(decoding: name, as: UTF8.self) + (sibling == 0 ? "" : "-")
                mappings.append(try mapping("topic: \(level)/x\ndecode: bytes\ntable: x\ncolumns: {p: bytea from $}"))
            }
            #expect(trial(mappings, String(decoding: name, as: UTF8.self) + "/x", [1]).outcome.matchedCount == 1)
            for place in 0..<length {
                var other = name
                other[place] = UInt8(ascii: "0")
                let outcome = trial(mappings, String(decoding: other, as: UTF8.self) + "/x", [1]).outcome
                #expect(outcome.matchedCount == 0, "\(length), byte \(place)")
            }
            #expect(trial(mappings, String(decoding: name.dropLast(), as: UTF8.self) + "/x", [1]).outcome.matchedCount == 0)
        }
    }

    @Test("of many mappings those that match are found, in their order, and excludes hold")
    func many() throws {
        var mappings: [MappingSyntax] = []
        for number in 0..<200 {
            mappings.append(
                try mapping("topic: site/\(number)/+\ndecode: text\ntable: x\(number)\ncolumns: {v: text from $}", name: "m\(number)"))
        }
        mappings.append(
            try mapping("topic: \"site/#\"\nexclude: [site/7/secret]\ndecode: text\ntable: all\ncolumns: {v: text from $}", name: "all"))
        #expect(trial(mappings, "site/7/x", [97]).rows.map(\.table) == ["x7", "all"])
        #expect(trial(mappings, "site/7/secret", [97]).rows.map(\.table) == ["x7"])
        #expect(trial(mappings, "elsewhere", [97]).outcome.matchedCount == 0)
    }

    @Test("a filter that another one covers is not subscribed, and gives it its QoS")
    func cover() throws {
        let plan = MappingPlan([
            try mapping("topic: \"a/#\"\nqos: 0\ndecode: text\ntable: x\ncolumns: {v: text from $}", name: "a"),
            try mapping("topic: a/{d}/t\nqos: 1\ndecode: text\ntable: y\ncolumns: {v: text from $}", name: "b"),
        ])
        #expect(plan.subscriptions.map(\.filter.description) == ["a/#"])
        #expect(plan.subscriptions[0].qos == .atLeastOnce)
        #expect(plan.overlaps.map { [$0.0, $0.1] } == [["a", "b"]])
    }
}
