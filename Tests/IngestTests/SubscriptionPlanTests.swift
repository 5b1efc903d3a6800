import MQTT
import Testing

@testable import Ingest
@testable import Mapping

@Suite("Which session subscribes to what")
struct SubscriptionPlanTests {
    private func needs(_ filters: [(String, Bool)]) throws -> [MappingPlan.Subscription] {
        try filters.map { MappingPlan.Subscription(filter: try TopicFilter($0.0), qos: .atLeastOnce, retained: $0.1 ? .use : .skip) }
    }

    private func filters(_ needs: [MappingPlan.Subscription], sessions: Int, _ distribution: Distribution, sharedIsAvailable: Bool? = nil)
        throws -> [[String]]
    {
        let plan = try SubscriptionPlan(needs: needs, sessions: sessions, distribution: distribution, group: "g")
        return (0..<sessions).map { plan.subscriptions(ofSession: $0, sharedIsAvailable: sharedIsAvailable).map(\.filter.description) }
    }

    @Test("shared: every session takes part in every filter")
    func shared() throws {
        #expect(
            try filters(needs([("a/#", false), ("b", false)]), sessions: 2, .shared) == [
                ["$share/g/a/#", "$share/g/b"], ["$share/g/a/#", "$share/g/b"],
            ])
    }

    @Test("split: each filter goes to one session")
    func split() throws {
        let lists = try filters(needs([("a", false), ("b", true), ("c", false)]), sessions: 2, .split)
        #expect(lists.flatMap { $0 }.sorted() == ["a", "b", "c"])
        #expect(lists.map(\.count).max() == 2)
    }

    @Test("auto: shared, but what wants retained messages goes to one session alone; a single session shares nothing")
    func automatic() throws {
        let needs = try needs([("a", false), ("b", true)])
        let lists = try filters(needs, sessions: 2, .auto, sharedIsAvailable: true)
        #expect(Set(lists) == [["$share/g/a", "b"], ["$share/g/a"]])
        #expect(try filters(needs, sessions: 1, .auto, sharedIsAvailable: true) == [["a", "b"]])
    }

    @Test("auto: a broker that has no shared subscriptions, or cannot say so, gets each filter from one session", arguments: [false, nil])
    func automaticWithoutShared(isAvailable: Bool?) throws {
        let lists = try filters(needs([("a", false), ("b", true)]), sessions: 2, .auto, sharedIsAvailable: isAvailable)
        #expect(Set(lists) == [["a"], ["b"]])
    }

    @Test("Where a filter goes does not depend on the order of the mappings, and few move when one comes or goes")
    func placement() {
        let filters = (0..<200).map { "site/\($0)/+/telemetry" }
        let places = FilterPlacement.places(of: filters, in: 8)
        let reversed = FilterPlacement.places(of: filters.reversed(), in: 8)
        #expect(Array(reversed.reversed()) == places)
        #expect(Dictionary(grouping: places, by: { $0 }).values.map(\.count).allSatisfy { $0 == 25 })
        let more = FilterPlacement.places(of: ["new/#"] + filters, in: 8).dropFirst()
        #expect(zip(places, more).filter { $0 != $1 }.count < 20)
        let fewer = FilterPlacement.places(of: Array(filters.dropFirst()), in: 8)
        #expect(zip(places.dropFirst(), fewer).filter { $0 != $1 }.count < 20)
    }

    @Test("A filter that is left has successors where other sessions take its topics, and none where the session itself goes on")
    func successors() throws {
        let needs = try needs([("a/#", false), ("b", false)])
        let plan = try SubscriptionPlan(needs: needs, sessions: 2, distribution: .split, group: "g")
        let owner = (0..<2).first { plan.subscriptions(ofSession: $0, sharedIsAvailable: nil).contains { $0.filter.description == "a/#" } }
        let session = try #require(owner)
        let left = try TopicFilter("a/+")
        #expect(plan.successors(to: left, leftBy: session, sharedIsAvailable: nil).isEmpty)
        let others = plan.successors(to: left, leftBy: 1 - session, sharedIsAvailable: nil)
        #expect(others.map(\.session) == [session])
        #expect(others.map(\.filter.description) == ["a/#"])
        #expect(plan.successors(to: try TopicFilter("c"), leftBy: 0, sharedIsAvailable: nil).isEmpty)
        let shared = try SubscriptionPlan(needs: needs, sessions: 2, distribution: .shared, group: "g")
        #expect(shared.successors(to: left, leftBy: 0, sharedIsAvailable: true).isEmpty, "the session takes part in a/# itself")
        #expect(shared.successors(to: try TopicFilter("$share/g/+"), leftBy: 0, sharedIsAvailable: true).isEmpty, "and in b")
    }

    @Test("filters whose messages have an order across topics go to one session together, unless all are to be shared")
    func orderly() throws {
        var needs = try needs([("a", false), ("b", false), ("c", false), ("d", false)])
        needs[1].needsOrder = true
        needs[3].needsOrder = true
        let split = try filters(needs, sessions: 3, .split)
        #expect(split.flatMap { $0 }.sorted() == ["a", "b", "c", "d"])
        #expect(split.contains { Set($0).isSuperset(of: ["b", "d"]) }, "\(split)")
        let automatic = try filters(needs, sessions: 2, .auto, sharedIsAvailable: true)
        #expect(Set(automatic.map { Set($0) }) == [["$share/g/a", "$share/g/c"], ["$share/g/a", "b", "$share/g/c", "d"]])
        #expect(try filters(needs, sessions: 2, .shared).map(\.count) == [4, 4])
    }

    @Test("Retained messages come as the mappings of a filter want them, and never by a shared subscription")
    func retainHandling() throws {
        let needs: [MappingPlan.Subscription] = [
            .init(filter: try TopicFilter("a"), qos: .atLeastOnce), .init(filter: try TopicFilter("b"), qos: .atLeastOnce, retained: .new),
            .init(filter: try TopicFilter("c"), qos: .atLeastOnce, retained: .use),
        ]
        let plan = try SubscriptionPlan(needs: needs, sessions: 1, distribution: .split, group: "g")
        #expect(plan.subscriptions(ofSession: 0, sharedIsAvailable: true).map(\.retainHandling) == [.never, .ifNew, .always])
    }

    @Test("retained messages on shared subscriptions are refused, with what to do")
    func retainedOnShared() throws {
        let needs = try needs([("a", true)])
        #expect(throws: SubscriptionPlanError.retainedOnShared(filter: "a")) {
            try SubscriptionPlan(needs: needs, sessions: 2, distribution: .shared, group: "g")
        }
        #expect(SubscriptionPlanError.retainedOnShared(filter: "a").description.contains("pool.distribution"))
    }
}
