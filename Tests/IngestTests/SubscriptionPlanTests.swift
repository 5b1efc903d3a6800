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
        #expect(try filters(needs([("a", false), ("b", true), ("c", false)]), sessions: 2, .split) == [["a", "c"], ["b"]])
    }

    @Test("auto: shared, but what wants retained messages goes to one session alone; a single session shares nothing")
    func automatic() throws {
        let needs = try needs([("a", false), ("b", true)])
        #expect(try filters(needs, sessions: 2, .auto, sharedIsAvailable: true) == [["$share/g/a", "b"], ["$share/g/a"]])
        #expect(try filters(needs, sessions: 1, .auto, sharedIsAvailable: true) == [["a", "b"]])
    }

    @Test("auto: a broker that has no shared subscriptions, or cannot say so, gets each filter from one session", arguments: [false, nil])
    func automaticWithoutShared(isAvailable: Bool?) throws {
        #expect(try filters(needs([("a", false), ("b", true)]), sessions: 2, .auto, sharedIsAvailable: isAvailable) == [["a"], ["b"]])
    }

    @Test("filters whose messages have an order across topics go to one session together, unless all are to be shared")
    func orderly() throws {
        var needs = try needs([("a", false), ("b", false), ("c", false), ("d", false)])
        needs[1].needsOrder = true
        needs[3].needsOrder = true
        #expect(try filters(needs, sessions: 3, .split) == [["a"], ["b", "d"], ["c"]])
        #expect(
            try filters(needs, sessions: 2, .auto, sharedIsAvailable: true) == [
                ["$share/g/a", "b", "$share/g/c", "d"], ["$share/g/a", "$share/g/c"],
            ])
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
