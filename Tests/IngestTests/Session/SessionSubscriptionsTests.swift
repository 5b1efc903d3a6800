import MQTT
import Store
import Testing

@testable import Ingest

@Suite("The subscriptions of a session, recorded and asked for as they differ")
struct SessionSubscriptionsTests {
    private let everything = ServerCapabilities(version: .v5)

    private func subscription(_ filter: String, _ qos: QoS = .atLeastOnce) throws -> Subscription {
        Subscription(filter: try TopicFilter(filter), qos: qos)
    }

    private func granted(_ subscriptions: [Subscription]) -> [SubscriptionResult] {
        subscriptions.map { SubscriptionResult(subscription: $0, grantedQoS: $0.qos) }
    }

    /// A session whose broker has these.
    private func session(having filters: [String]) throws -> SessionSubscriptions {
        SessionSubscriptions(filters.map { RecordedSubscription(filter: $0, qos: 1, grantedQoS: 1, state: .granted) })
    }

    private func states(_ session: SessionSubscriptions) -> [String: RecordedSubscription.State] {
        Dictionary(uniqueKeysWithValues: session.record.map { ($0.filter, $0.state) })
    }

    @Test("A session that has what it should have is asked nothing")
    func unchanged() throws {
        var session = try session(having: ["a/#", "b"])
        let asks = session.want([try subscription("a/#"), try subscription("b")], capabilities: everything)
        #expect(!asks)
        #expect(session.isComplete)
    }

    @Test("What is to be asked is recorded as asked, what is to go as leaving, before anything is sent")
    func recordedFirst() throws {
        var session = try session(having: ["old", "both"])
        let asks = session.want([try subscription("both"), try subscription("new")], capabilities: everything)
        #expect(asks)
        #expect(states(session) == ["old": .leaving, "both": .granted, "new": .asked])
    }

    @Test("UNSUBSCRIBE waits for SUBACK, and then the old filter is forgotten")
    func order() throws {
        var session = try session(having: ["old"])
        let new = try subscription("new")
        _ = session.want([new], capabilities: everything)
        let first = session.requests
        #expect(first.subscribe == [new])
        #expect(first.unsubscribe.isEmpty)
        session.subscribed(granted([new]))
        let second = session.requests
        #expect(second.subscribe.isEmpty)
        #expect(second.unsubscribe == [try TopicFilter("old")])
        session.unsubscribed([UnsubscriptionResult(filter: try TopicFilter("old"))])
        #expect(session.requests.subscribe.isEmpty && session.requests.unsubscribe.isEmpty)
        #expect(session.isComplete)
        #expect(states(session) == ["new": .granted])
    }

    @Test("A filter that another session is to take over stays until it has it")
    func heldBack() throws {
        var session = try session(having: ["a/+", "b"])
        _ = session.want([], capabilities: everything)
        #expect(session.leaving.map(\.description) == ["a/+", "b"])
        session.holdBack([try TopicFilter("a/+")])
        #expect(session.requests.unsubscribe == [try TopicFilter("b")])
        session.holdBack([])
        #expect(session.requests.unsubscribe == [try TopicFilter("a/+"), try TopicFilter("b")])
    }

    @Test("Shared subscriptions count as there only when the broker has answered for each of them on this connection")
    func sharedAnswered() throws {
        var session = try session(having: ["a", "$share/g/b"])
        session.connectionBegan()
        let new = try subscription("$share/g/c")
        _ = session.want([try subscription("a"), try subscription("$share/g/b"), new], capabilities: everything)
        session.subscribed(granted([new]))
        #expect(!session.isEachSharedAnswered, "of $share/g/b only the record speaks")
        session.doubt(onlyShared: true)
        session.subscribed(granted([try subscription("$share/g/b"), new]))
        #expect(session.isEachSharedAnswered)
        session.connectionBegan()
        #expect(!session.isEachSharedAnswered)
    }

    @Test("What changes in the record changes its revision, and nothing else does")
    func revision() throws {
        var session = try session(having: ["a"])
        let before = session.revision
        _ = session.want([try subscription("a")], capabilities: everything)
        #expect(session.revision == before)
        _ = session.want([], capabilities: everything)
        #expect(session.revision > before)
    }

    @Test("A filter that the broker does not end is asked to go at the next occasion")
    func unsubscribeRefused() throws {
        var session = try session(having: ["old"])
        _ = session.want([], capabilities: everything)
        session.unsubscribed([UnsubscriptionResult(filter: try TopicFilter("old"), refusal: ServerRefusal(code: .notAuthorized))])
        #expect(states(session) == ["old": .leaving])
        #expect(session.requests.unsubscribe.isEmpty, "not again on this connection")
        let asks = session.want([], capabilities: everything)
        #expect(asks)
    }

    @Test("Where the new filter is refused, an old one that reaches the same topics stays; others go")
    func refusedKeepsTheOld() throws {
        var session = try session(having: ["a/b", "c"])
        let new = try subscription("a/#")
        _ = session.want([new], capabilities: everything)
        session.subscribed([
            SubscriptionResult(subscription: new, grantedQoS: nil, refusal: ServerRefusal(code: .notAuthorized, reason: "no"))
        ])
        #expect(session.requests.unsubscribe == [try TopicFilter("c")])
        #expect(session.refused.map(\.reason) == ["not authorized: no"])
        session.unsubscribed([UnsubscriptionResult(filter: try TopicFilter("c"))])
        let retries = session.retryRefused()
        #expect(retries)
        #expect(session.requests.subscribe == [new])
        session.subscribed(granted([new]))
        #expect(session.requests.unsubscribe == [try TopicFilter("a/b")])
    }

    @Test("Mappings that change while answers are due: what is asked for twice is granted once, and nothing is forgotten")
    func changedMeanwhile() throws {
        var session = SessionSubscriptions([])
        let (a, b, c) = (try subscription("a"), try subscription("b"), try subscription("c"))
        _ = session.want([a, b], capabilities: everything)
        #expect(session.requests.subscribe == [a, b])
        _ = session.want([a, c], capabilities: everything)
        #expect(session.requests.subscribe == [a, c])
        session.subscribed(granted([a, b]))
        #expect(states(session) == ["a": .granted, "b": .leaving, "c": .asked])
        session.subscribed(granted([a, c]))
        #expect(session.isComplete)
        #expect(session.requests.unsubscribe == [b.filter], "the broker has it, and it is not wanted")
    }

    @Test("Another QoS, identifier or retain handling is asked for anew", arguments: 0..<3)
    func changedOptions(_ option: Int) throws {
        var session = try session(having: ["a"])
        var changed = try subscription("a")
        switch option {
        case 0: changed.qos = .exactlyOnce
        case 1: changed.identifier = 7
        default: changed.retainHandling = .never
        }
        _ = session.want([changed], capabilities: everything)
        #expect(session.requests.subscribe == [changed])
        session.subscribed(granted([changed]))
        var again = SessionSubscriptions(session.record)
        let asks = again.want([changed], capabilities: everything)
        #expect(!asks, "what is recorded reads as it was")
    }

    @Test("A crash between any two steps leaves a record that is never less than what the broker has")
    func crashes() throws {
        let old = try subscription("old")
        let new = try subscription("new")
        for stop in 0..<6 {
            // What the broker has, beside what is recorded, when the process dies at this step.
            var broker: Set<TopicFilter> = [old.filter]
            var session = try session(having: ["old"])
            var record = session.record
            _ = session.want([new], capabilities: everything)
            if stop > 0 { record = session.record }
            if stop > 1 { for asked in session.requests.subscribe { broker.insert(asked.filter) } }
            if stop > 2 { session.subscribed(granted([new])) }
            if stop > 3 { for left in session.requests.unsubscribe { broker.remove(left) } }
            if stop > 4 {
                session.unsubscribed([UnsubscriptionResult(filter: old.filter)])
                record = session.record
            }
            #expect(broker.isSubset(of: Set(record.compactMap { try? TopicFilter($0.filter) })), "step \(stop)")
            // The next process makes it right, whatever it finds.
            var next = SessionSubscriptions(record)
            if next.want([new], capabilities: everything) {
                for asked in next.requests.subscribe { broker.insert(asked.filter) }
                next.subscribed(granted([new]))
                for left in next.requests.unsubscribe { broker.remove(left) }
            }
            #expect(broker == [new.filter], "step \(stop)")
        }
    }

    @Test("A session that the broker has forgotten is asked for everything; one in doubt too, and what is not wanted is ended")
    func forgottenOrInDoubt() throws {
        var forgotten = try session(having: ["a", "stale"])
        forgotten.sessionForgotten()
        _ = forgotten.want([try subscription("a")], capabilities: everything)
        #expect(states(forgotten) == ["a": .asked])
        var doubtful = try session(having: ["a", "stale"])
        doubtful.doubt()
        _ = doubtful.want([try subscription("a")], capabilities: everything)
        #expect(states(doubtful) == ["a": .asked, "stale": .leaving])
    }

    @Test("Only shared subscriptions are in doubt after a restart of the broker")
    func doubtOfShared() throws {
        var session = try session(having: ["a", "$share/g/b"])
        session.doubt(onlyShared: true)
        _ = session.want([try subscription("a"), try subscription("$share/g/b")], capabilities: everything)
        #expect(session.requests.subscribe.map(\.filter.description) == ["$share/g/b"])
    }

    @Test(
        "What was asked for or refused before, and the broker now says that it cannot do, is not asked for again and told once",
        arguments: [RecordedSubscription.State.asked, .refused, .granted])
    func unavailableLater(state: RecordedSubscription.State) throws {
        var capabilities = everything
        capabilities.areWildcardSubscriptionsAvailable = false
        var session = SessionSubscriptions([RecordedSubscription(filter: "b/+", qos: 1, state: state)])
        session.doubt()
        let asks = session.want([try subscription("b/+")], capabilities: capabilities)
        #expect(!asks)
        let retries = session.retryRefused()
        #expect(!retries)
        #expect(session.requests.subscribe.isEmpty)
        #expect(session.refused.count == 1)
    }

    @Test("What the broker has said that it cannot do is not asked for, and visible")
    func unavailable() throws {
        var capabilities = everything
        capabilities.areSharedSubscriptionsAvailable = false
        capabilities.areWildcardSubscriptionsAvailable = false
        capabilities.areSubscriptionIdentifiersAvailable = false
        var plain = try subscription("a")
        plain.identifier = 3
        var session = SessionSubscriptions([])
        _ = session.want([plain, try subscription("b/+"), try subscription("$share/g/c")], capabilities: capabilities)
        let asked = session.requests.subscribe
        #expect(asked.map(\.filter.description) == ["a"])
        #expect(asked.first?.identifier == nil)
        #expect(session.refused.map(\.filter.description) == ["$share/g/c", "b/+"])
        session.subscribed(granted(asked))
        #expect(session.isComplete)
    }
}
