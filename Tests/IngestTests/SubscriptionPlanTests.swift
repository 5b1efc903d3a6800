import MQTT
import Testing

@testable import Ingest
@testable import Mapping

@Suite("Which session subscribes to what")
struct SubscriptionPlanTests {
    private func needs(_ filters: [(String, Bool)]) throws -> [MappingPlan.Subscription] {
        try filters.map { MappingPlan.Subscription(filter: try TopicFilter($0.0), qos: .atLeastOnce, needsRetained: $0.1) }
    }

    private func filters(_ needs: [MappingPlan.Subscription], sessions: Int, _ distribution: Distribution) throws -> [[String]] {
        try SubscriptionPlan(needs: needs, sessions: sessions, distribution: distribution, group: "g").bySession
            .map { $0.map(\.filter.description) }
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
        #expect(try filters(needs([("a", false), ("b", true)]), sessions: 2, .auto) == [["$share/g/a", "b"], ["$share/g/a"]])
        #expect(try filters(needs([("a", false)]), sessions: 1, .auto) == [["a"]])
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
