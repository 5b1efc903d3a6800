import Testing

@testable import MQTT

@Suite("Topic names are checked where they lie")
struct TopicNameTests {
    private func fault(_ name: [UInt8]) -> TopicFault? { name.withUnsafeBytes(TextValidation.fault(inTopicName:)) }

    @Test("Names of every length are taken, and a bad byte is found at every place of them")
    func everyPlace() {
        for count in 1...40 {
            let name = [UInt8](repeating: 0x7E, count: count)
            #expect(fault(name) == nil)
            for place in 0..<count {
                for (byte, expected) in [
                    (UInt8(0), TopicFault.nullCharacter), (0x2B, .wildcardInName), (0x23, .wildcardInName), (0x80, .malformedUTF8),
                    (0xFF, .malformedUTF8),
                ] {
                    var broken = name
                    broken[place] = byte
                    #expect(fault(broken) == expected, "byte \(byte) at \(place) of \(count)")
                }
            }
        }
    }

    @Test("Every ASCII character but NUL, + and # may stand in a name, next to any other")
    func everyCharacter() {
        for byte in UInt8(1)...0x7F {
            let expected: TopicFault? = byte == 0x2B || byte == 0x23 ? .wildcardInName : nil
            #expect(fault([byte]) == expected)
            #expect(fault([0x2A, 0x2C, 0x22, 0x24, 0x01, byte, 0x7F, 0x2A, 0x2C]) == expected)
        }
    }

    @Test(
        "Well-formed UTF-8, also at the limits of each length",
        arguments: ["C280", "DFBF", "E0A080", "ED9FBF", "EE8080", "EFBFBF", "EFBBBF", "F0908080", "F48FBFBF", "6162 C3A4 2F F09F9880"])
    func wellFormed(hex: String) {
        #expect(fault(bytes(hex)) == nil)
        #expect(fault(bytes("6162636465666768") + bytes(hex)) == nil)
    }

    @Test(
        "Malformed UTF-8: overlong forms, surrogates, beyond U+10FFFF, cut short, stray bytes [MQTT-1.5.3-1]",
        arguments: [
            "C080", "C1BF", "E08080", "E09FBF", "F0808080", "F08FBFBF", "EDA080", "EDBFBF", "F4908080", "F5808080", "FF", "FE", "80", "BF",
            "C3", "E282", "F09F98", "C328", "E28228", "61 80 62",
        ])
    func malformed(hex: String) {
        #expect(fault(bytes(hex)) == .malformedUTF8)
        #expect(fault(bytes("6162636465666768") + bytes(hex) + bytes("6162636465666768")) == .malformedUTF8)
    }

    @Test("What the standard library calls valid is what we call well-formed", arguments: 0..<8)
    func agreesWithStandardLibrary(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let interesting: [UInt8] = [0x61, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5]
        for _ in 0..<20_000 {
            let sample = (0..<Int.random(in: 1...6, using: &generator)).map { _ in interesting.randomElement(using: &generator) ?? 0 }
            let expected = String(validating: sample, as: UTF8.self) != nil
            #expect((fault(sample) == nil) == expected, "seed \(seed): \(sample)")
        }
    }

    @Test("A topic name of ours is checked once")
    func topicName() throws {
        #expect(try TopicName("a/ä").bytes == bytes("612FC3A4"))
        #expect(throws: MQTTError.invalidTopicName("a/+", .wildcardInName)) { try TopicName("a/+") }
        #expect(throws: MQTTError.invalidTopicName("", .empty)) { try TopicName("") }
        let long = String(repeating: "x", count: 65_536)
        #expect(throws: MQTTError.invalidTopicName(long, .tooLong(bytes: 65_536))) { try TopicName(long) }
        #expect(try TopicName(long.dropLast()).bytes.count == 65_535)
        #expect([UInt8]("a/b".utf8).withUnsafeBytes(TopicName.isValid))
        #expect(![UInt8]("a/#".utf8).withUnsafeBytes(TopicName.isValid))
    }
}

@Suite("Topic filters")
struct TopicFilterTests {
    @Test(
        "Filters that are none",
        arguments: [
            ("", TopicFault.empty), ("a\0", .nullCharacter), ("a#", .wildcardWithinLevel), ("a/b#", .wildcardWithinLevel),
            ("#a", .wildcardWithinLevel), ("a+", .wildcardWithinLevel), ("+a/b", .wildcardWithinLevel), ("++", .wildcardWithinLevel),
            ("+#", .wildcardWithinLevel), ("#/a", .multiLevelWildcardNotLast), ("a/#/b", .multiLevelWildcardNotLast),
            ("#/", .multiLevelWildcardNotLast), ("$share/", .malformedSharedSubscription), ("$share/g", .malformedSharedSubscription),
            ("$share/g/", .malformedSharedSubscription), ("$share//a", .malformedSharedSubscription),
            ("$share/+/a", .malformedSharedSubscription), ("$share/g#/a", .malformedSharedSubscription),
        ])
    func invalid(text: String, fault: TopicFault) {
        #expect(throws: MQTTError.invalidTopicFilter(text, fault)) { try TopicFilter(text) }
    }

    @Test("Filters may have empty levels", arguments: ["/", "//", "a//b", "/+", "+/", "#", "+", "+/+/#", "$SYS/#", "$share", "$share2/a"])
    func valid(text: String) throws {
        #expect(try TopicFilter(text).description == text)
    }

    @Test("A filter is at most 65,535 bytes long")
    func length() throws {
        let long = String(repeating: "x", count: 65_536)
        #expect(throws: MQTTError.invalidTopicFilter(long, .tooLong(bytes: 65_536))) { try TopicFilter(long) }
    }

    /// §4.7.1, §4.7.2 and §4.7.3 of the standard, then the corners.
    @Test(
        "Which topics a filter matches",
        arguments: [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/tennis/player1/#", "sport/tennis/player10", false),
            ("sport/#", "sport", true), ("sport/#", "sports", false), ("sport/#", "spor", false), ("sport/#", "sport/", true),
            ("#", "sport", true), ("#", "/", true), ("#", "a/b/c", true),
            ("sport/tennis/+", "sport/tennis/player1", true), ("sport/tennis/+", "sport/tennis/player2", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false), ("sport/+", "sport/", true),
            ("+/+", "/finance", true), ("/+", "/finance", true), ("+", "/finance", false), ("+", "finance", true),
            ("+/tennis/#", "sport/tennis", true), ("+/tennis/#", "sport/tennis/x", true), ("+/tennis/#", "sport/golf", false),
            ("sport/+/player1", "sport/tennis/player1", true), ("sport/+/player1", "sport//player1", true),
            ("sport/+/player1", "sport/a/b/player1", false),
            ("#", "$SYS/monitor/Clients", false), ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/monitor", true), ("$SYS/#", "$SYS", true), ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
            ("+", "$a", false), ("a/+", "a/$b", true), ("a/#", "a/$b", true),
            ("ACCOUNTS", "Accounts", false), ("a b", "a b", true), ("/finance", "finance", false), ("a", "a/", false), ("a/", "a", false),
            ("a/b", "a/b", true), ("a/b", "a/bc", false), ("a/bc", "a/b", false), ("/", "/", true), ("/", "//", false), ("+/+", "/", true),
            ("+/#", "a", true), ("+/+/#", "a/b", true), ("+/+/#", "a", false), ("+/a", "//a", false), ("a/+/#", "a", false),
            ("$share/g/a/+", "a/b", true), ("$share/g/#", "$SYS/x", false), ("$share/g/#", "a", true), ("$share/g/a", "g/a", false),
            ("$share/g//a", "/a", true),
        ])
    func matches(filter: String, topic: String, expected: Bool) throws {
        #expect(try TopicFilter(filter).matches(TopicName(topic)) == expected)
    }

    @Test("Matching agrees with the definition, level by level, on random filters and topics", arguments: 0..<4)
    func matchesDefinition(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<10_000 {
            let filter = Self.randomFilter(&generator)
            let topic = Self.randomTopic(&generator)
            #expect(
                try TopicFilter(filter).matches(TopicName(topic)) == Self.definition(filter, topic), "seed \(seed): \(filter) on \(topic)")
        }
    }

    @Test(
        "Which filters a filter covers",
        arguments: [
            ("#", "a/b", true), ("#", "+/b/#", true), ("#", "#", true), ("#", "$SYS/a", false), ("#", "$SYS/#", false),
            ("+/a", "$SYS/a", false),
            ("+/#", "#", true), ("/+/#", "/#", true), ("+/+/#", "#", false), ("+/#", "a", true), ("+/#", "+", true), ("a/#", "a", true),
            ("a/#", "a/#", true),
            ("a/#", "a/+/c", true), ("a/#", "+/b", false), ("a/+", "a/b", true), ("a/+", "a/+", true), ("a/+", "a/#", false),
            ("a/+", "a", false), ("a/+", "a/b/c", false), ("a/b", "a/b", true), ("a/b", "a/+", false), ("a", "a/#", false),
            ("a/+/#", "a/#", false), ("a/#", "a/+/#", true), ("+/+", "/finance", true), ("+", "+/a", false), ("$SYS/#", "$SYS/a", true),
            ("$SYS/+", "$SYS/a", true), ("$share/g/#", "$share/g/a", true), ("$share/g/#", "$share/h/a", false), ("#", "$share/g/a", false),
            ("$share/g/#", "a", false),
        ])
    func covers(filter: String, other: String, expected: Bool) throws {
        #expect(try TopicFilter(filter).covers(TopicFilter(other)) == expected)
    }

    @Test(
        "Which filters have a topic in common",
        arguments: [
            ("a/+", "+/b", true), ("a/#", "+/b/c", true), ("a/b", "a/c", false), ("a/#", "a", true), ("a", "a/#", true),
            ("a/+", "a", false),
            ("#", "$SYS/a", false), ("$SYS/#", "+/a", false), ("+", "a/b", false), ("a/b/#", "a/+", true), ("+/+", "/", true),
            ("a/+/c", "a/b/#", true), ("#", "#", true),
        ])
    func intersects(filter: String, other: String, expected: Bool) throws {
        #expect(try TopicFilter(filter).intersects(TopicFilter(other)) == expected)
        #expect(try TopicFilter(other).intersects(TopicFilter(filter)) == expected)
    }

    @Test("Covering and intersecting agree with matching, on random filters and all small topics")
    func relationsAgreeWithMatching() throws {
        var generator = SeededGenerator(seed: 7)
        let levels = ["", "a", "b", "$s"]
        var topics = levels.filter { !$0.isEmpty }
        for first in levels {
            for second in levels {
                topics.append("\(first)/\(second)")
                for third in levels {
                    topics.append("\(first)/\(second)/\(third)")
                    for fourth in levels { topics.append("\(first)/\(second)/\(third)/\(fourth)") }
                }
            }
        }
        let names = try topics.map { try TopicName($0) }
        for _ in 0..<3_000 {
            let one = try TopicFilter(Self.randomFilter(&generator))
            let other = try TopicFilter(Self.randomFilter(&generator))
            let both = names.map { (one.matches($0), other.matches($0)) }
            #expect(one.covers(other) == both.allSatisfy { $0.0 || !$0.1 }, "\(one) covers \(other)")
            #expect(one.intersects(other) == both.contains { $0.0 && $0.1 }, "\(one) intersects \(other)")
        }
    }

    @Test("A shared subscription is built from a filter, and keeps its pattern")
    func shared() throws {
        let shared = try TopicFilter("site/+/#").shared(inGroup: "penstock")
        #expect(shared.description == "$share/penstock/site/+/#")
        #expect(shared.sharedGroup == "penstock")
        #expect(shared.pattern == "site/+/#")
        #expect(try shared.shared(inGroup: "other").description == "$share/other/site/+/#")
        #expect(try TopicFilter("a").sharedGroup == nil)
        for group in ["", "a/b", "+", "g#", "a\0"] {
            #expect(throws: MQTTError.self) { try TopicFilter("a").shared(inGroup: group) }
        }
    }

    private static func randomFilter(_ generator: inout SeededGenerator) -> String {
        var levels = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
            ["", "a", "b", "+", "+", "$s"].randomElement(using: &generator) ?? ""
        }
        if Bool.random(using: &generator) { levels.append("#") }
        if levels.count > 1, levels[0] == "+", levels.last == "#", Bool.random(using: &generator) { levels.removeFirst() }
        let filter = levels.joined(separator: "/")
        return filter.isEmpty ? "+" : filter
    }

    private static func randomTopic(_ generator: inout SeededGenerator) -> String {
        let levels = (0..<Int.random(in: 1...4, using: &generator)).map { _ in ["", "a", "b", "$s"].randomElement(using: &generator) ?? "" }
        let topic = levels.joined(separator: "/")
        return topic.isEmpty ? "a" : topic
    }

    private static func definition(_ filter: String, _ topic: String) -> Bool {
        let filters = filter.split(separator: "/", omittingEmptySubsequences: false)
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
        if topic.hasPrefix("$"), filters[0] == "+" || filters[0] == "#" { return false }
        for (index, level) in filters.enumerated() {
            if level == "#" { return levels.count >= index }
            guard index < levels.count, level == "+" || level == levels[index] else { return false }
        }
        return filters.count == levels.count
    }
}
