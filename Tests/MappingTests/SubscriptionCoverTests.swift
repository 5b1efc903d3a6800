import MQTT
import Testing

@testable import Mapping

@Suite("The subscriptions that mappings need, and whose a copy is")
struct SubscriptionCoverTests {
    private func plan(_ mappings: (name: String, text: String)...) throws -> MappingPlan {
        let read = try mappings.map { name, text in
            let reading = MappingReader.read(text: text + "\ntable: \(name)\ncolumns: {v: bigint}\n", file: "\(name).yaml")
            return try #require(reading.mappings.first, "\(reading.diagnostics)")
        }
        return MappingPlan(read)
    }

    private func tables(_ plan: MappingPlan, _ topic: String, identifiers: [UInt32]) -> [String] {
        var properties: [UInt8] = []
        for var rest in identifiers {
            properties.append(0x0B)
            repeat {
                properties.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
                rest >>= 7
            } while rest > 0
        }
        let trial = Trial(plan, topic: topic, payload: Array(#"{"v":1}"#.utf8), receivedMicroseconds: 0, properties: properties)
        return trial.rows.map(\.table).sorted()
    }

    @Test("A covered filter is left out and gives its QoS and what it does with retained messages")
    func cover() throws {
        let plan = try plan(("narrow", "topic: a/b\nqos: 2\nretained: new"), ("wide", "topic: a/#\nqos: 0"))
        #expect(plan.subscriptions == [.init(filter: try TopicFilter("a/#"), qos: .exactlyOnce, retained: .new)])
    }

    @Test("Only filters that meet others have identifiers, which follow from their text")
    func identifiers() throws {
        let both = try plan(("one", "topic: a/+/c"), ("other", "topic: a/b/#"), ("alone", "topic: z"))
        let byFilter = Dictionary(uniqueKeysWithValues: both.subscriptions.map { ($0.filter.description, $0.identifier) })
        let one = try #require(byFilter["a/+/c"] ?? nil)
        let other = try #require(byFilter["a/b/#"] ?? nil)
        #expect(one != other)
        #expect(byFilter["z"] == .some(nil))
        let more = try plan(("new", "topic: a/b/c/+"), ("other", "topic: a/b/#"), ("one", "topic: a/+/c"))
        #expect(more.subscriptions.first { $0.filter.description == "a/+/c" }?.identifier == one, "other mappings change nothing")
    }

    @Test("A mapping takes the copy that its own subscription brings: one row, whether the broker sends one copy or two")
    func copies() throws {
        let plan = try plan(("one", "topic: a/+/c"), ("other", "topic: a/b/#"))
        let one = try #require(plan.subscriptions.first { $0.filter.description == "a/+/c" }?.identifier)
        let other = try #require(plan.subscriptions.first { $0.filter.description == "a/b/#" }?.identifier)
        #expect(tables(plan, "a/b/c", identifiers: [one]) == ["one"])
        #expect(tables(plan, "a/b/c", identifiers: [other]) == ["other"])
        #expect(tables(plan, "a/b/c", identifiers: [one, other]) == ["one", "other"])
        // A broker that says nothing, or names a subscription that is just being ended: twice is better than never.
        #expect(tables(plan, "a/b/c", identifiers: []) == ["one", "other"])
        #expect(tables(plan, "a/b/c", identifiers: [one, 77]) == ["one", "other"])
        #expect(tables(plan, "a/x/c", identifiers: [one]) == ["one"])
    }

    @Test("A mapping of two patterns that meet takes a message once")
    func twoPatterns() throws {
        let plan = try plan(("both", "topic: [a/+/c, a/b/#]"))
        let identifiers = plan.subscriptions.compactMap(\.identifier)
        #expect(identifiers.count == 2)
        let rows = identifiers.map { tables(plan, "a/b/c", identifiers: [$0]).count }
        #expect(rows.sorted() == [0, 1])
    }

    @Test("Where a report goes: captures of the topic stand in it, and what is a report itself has none")
    func errorReports() throws {
        let plan = try plan(("m", "topic: site/{site}/{rest...}\nreport_errors_to: \"errors/{site}/of/{rest}\""), ("n", "topic: x"))
        func topic(_ mapping: Int, _ name: String) -> String? {
            Array(name.utf8).withUnsafeBytes { plan.errorReportTopic(of: mapping, for: $0)?.description }
        }
        #expect(plan.reportsErrors)
        #expect(topic(0, "site/hq/a/b") == "errors/hq/of/a/b" || topic(0, "site/hq/a") == "errors/hq/of/a")
        #expect(topic(0, "errors/hq/of/a") == nil)
        #expect(topic(1, "x") == nil)
    }

    @Test(
        "What report_errors_to cannot be",
        arguments: [("a/+", "without + and #"), ("{nobody}/errors", "no capture {nobody}"), ("a/{x", "capture"), ("#", "without + and #")])
    func badReports(text: String, expected: String) {
        let reading = MappingReader.read(
            text: "topic: a/{id}\nreport_errors_to: \"\(text)\"\ntable: t\ncolumns: {v: bigint}\n", file: "m.yaml")
        #expect(reading.diagnostics.contains { $0.description.contains(expected) }, "\(reading.diagnostics)")
    }
}
