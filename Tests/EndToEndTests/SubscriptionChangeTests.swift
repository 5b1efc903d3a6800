import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("Subscriptions follow the mappings")
    struct SubscriptionChanges {
        /// Sessions, distribution and version: what a pool can be.
        struct Pool: Sendable, CustomTestStringConvertible {
            var sessions: Int
            var distribution: String
            var version: String
            var testDescription: String { "\(sessions) sessions, \(distribution), MQTT \(version)" }
        }

        static let pools = [
            Pool(sessions: 1, distribution: "auto", version: "auto"), Pool(sessions: 2, distribution: "auto", version: "auto"),
            Pool(sessions: 2, distribution: "split", version: "3.1.1"),
        ]

        private static func mapping(_ topic: String) -> String {
            "topic: \(topic)\ntable: readings\ncolumns:\n  device: text not null from topic.device\n  seq: bigint not null\n"
        }

        private static func workplace(_ pool: Pool, _ mappings: [String: String]) async throws -> Workplace {
            var options = PrivateMosquitto.Options()
            options.logsEverything = true
            return try await Workplace(
                sessions: pool.sessions, shards: 1, mappings: mappings, broker: "version: \(pool.version)", distribution: pool.distribution,
                brokerOptions: options)
        }

        /// What the broker's log says of SUBSCRIBE and UNSUBSCRIBE of the pool's sessions.
        private static func requests(_ workplace: Workplace) -> (subscribe: Int, unsubscribe: Int) {
            let log = workplace.broker?.log ?? ""
            return (
                log.components(separatedBy: "Received SUBSCRIBE from end-to-end-").count - 1,
                log.components(separatedBy: "Received UNSUBSCRIBE from end-to-end-").count - 1
            )
        }

        private static func filters(_ workplace: Workplace) throws -> Set<String> {
            Set(
                try workplace.probe().rows(
                    "SELECT DISTINCT f.key FROM penstock.session, jsonb_each(subscriptions) AS f WHERE f.value->>'state' = 'granted'"
                ).compactMap { $0[0]?.replacing("$share/penstock/", with: "") })
        }

        private static func isSettled(_ workplace: Workplace, _ expected: Set<String>) throws -> Bool {
            try filters(workplace) == expected
                && workplace.probe().number(
                    "SELECT count(*) FROM penstock.session, jsonb_each(subscriptions) AS f WHERE f.value->>'state' <> 'granted'") == 0
                && workplace.probe().number("SELECT count(*) FROM penstock.session WHERE connecting") == 0
        }

        @Test("an unchanged set of mappings sends no SUBSCRIBE to a session that is present", arguments: pools)
        func unchanged(_ pool: Pool) async throws {
            let workplace = try await Self.workplace(pool, ["a": Self.mapping("a/{device}"), "b": Self.mapping("b/{device}/#")])
            try workplace.ingester.start()
            let expected: Set = ["a/+", "b/+/#"]
            try await workplace.eventually("all is subscribed") { try Self.isSettled(workplace, expected) }
            try await workplace.terminateIngester()
            let before = Self.requests(workplace)
            #expect(before.subscribe > 0)

            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("session_present=true", times: pool.sessions)
            try await workplace.publish([.init("a/d", Array(#"{"seq":1}"#.utf8)), .init("b/d/x", Array(#"{"seq":2}"#.utf8))])
            try await workplace.waitUntilRows(["readings": 2])
            #expect(Self.requests(workplace) == before)

            // Killed, it cannot have said goodbye; what it has is known all the same.
            try await workplace.ingester.kill()
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("session_present=true", times: pool.sessions)
            try await workplace.publish([.init("a/d", Array(#"{"seq":3}"#.utf8))])
            try await workplace.waitUntilRows(["readings": 3])
            #expect(Self.requests(workplace) == before)
            try await workplace.close()
        }

        @Test("a changed mapping changes the broker's subscriptions at the next start", arguments: pools)
        func changedAtStart(_ pool: Pool) async throws {
            let workplace = try await Self.workplace(pool, ["a": Self.mapping("a/{device}"), "b": Self.mapping("b/{device}")])
            try workplace.ingester.start()
            try await workplace.eventually("all is subscribed") { try Self.isSettled(workplace, ["a/+", "b/+"]) }
            try await workplace.terminateIngester()
            let before = Self.requests(workplace)
            try workplace.write(mapping: "b", Self.mapping("c/{device}"))
            try workplace.ingester.start()
            try await workplace.eventually("the subscriptions are other ones") { try Self.isSettled(workplace, ["a/+", "c/+"]) }
            let after = Self.requests(workplace)
            #expect(after.subscribe > before.subscribe)
            #expect(after.unsubscribe > before.unsubscribe)
            try await Self.checkFlow(workplace)
            try await workplace.close()
        }

        @Test("SIGHUP takes other mappings under load: subscriptions follow, nothing is lost and nothing stored twice", arguments: pools)
        func changedOnSignal(_ pool: Pool) async throws {
            let workplace = try await Self.workplace(pool, ["a": Self.mapping("a/{device}"), "b": Self.mapping("b/{device}")])
            try workplace.ingester.start()
            try await workplace.eventually("all is subscribed") { try Self.isSettled(workplace, ["a/+", "b/+"]) }
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 4000, perSecond: 2000) { number in
                .init("a/d", Array(#"{"seq":\#(number + 1000)}"#.utf8))
            }
            for round in 0..<4 {
                try workplace.write(mapping: "b", Self.mapping(round % 2 == 0 ? "c/{device}" : "b/{device}"))
                try workplace.write(mapping: "a", Self.mapping(round % 2 == 0 ? "+/{device}" : "a/{device}"))
                workplace.ingester.hangUp()
                let expected: Set = round % 2 == 0 ? ["+/+"] : ["a/+", "b/+"]
                try await workplace.eventually("round \(round): the subscriptions are other ones") {
                    try Self.isSettled(workplace, expected)
                }
            }
            try workplace.write(mapping: "b", Self.mapping("c/{device}"))
            workplace.ingester.hangUp()
            try await workplace.eventually("the subscriptions are other ones") { try Self.isSettled(workplace, ["a/+", "c/+"]) }
            try await workplace.eventually("all is published", within: .seconds(30)) { publisher.isFinished }
            let probe = try workplace.probe()
            try await workplace.eventually("every reading is stored") {
                try probe.number("SELECT count(DISTINCT seq) FROM readings WHERE seq >= 1000") == 4000
            }
            // While one subscription takes another's place, the broker may deliver through both: at QoS 1 that is allowed, and must stay the exception.
            let repeats = try probe.number("SELECT count(*) - count(DISTINCT seq) FROM readings WHERE seq >= 1000")
            #expect(repeats < 400)
            try probe.rows("DELETE FROM readings")
            try await Self.checkFlow(workplace)
            try await workplace.close()
        }

        @Test("shared subscriptions that a broker has lost in a restart while nobody was there are asked for again")
        func lostInRestart() async throws {
            var options = PrivateMosquitto.Options()
            options.logsEverything = true
            options.extraLines = ["sys_interval 1"]
            let workplace = try await Workplace(
                sessions: 2, shards: 1, mappings: ["a": Self.mapping("a/{device}")], distribution: "shared", brokerOptions: options,
                watches: true)
            try workplace.ingester.start()
            try await workplace.eventually("all is subscribed") { try Self.isSettled(workplace, ["a/+"]) }
            try await workplace.terminateIngester()
            try workplace.probe().rows("UPDATE penstock.session SET subscribed = subscribed - interval '1 minute'")
            // mosquitto 2.0.11 says afterwards that the sessions are there, and has forgotten what they share.
            try await workplace.stopBroker()
            try await workplace.startBroker()
            let before = Self.requests(workplace).subscribe
            try workplace.ingester.start()
            try await workplace.eventually("it asks again") { Self.requests(workplace).subscribe >= before + 2 }
            try await workplace.publish([.init("a/d", #"{"seq":1}"#)])
            try await workplace.waitUntilRows(["readings": 1])
            try await workplace.close()
        }

        @Test("a bad set of mappings is refused on SIGHUP as a whole, with the reason, and the old one stays")
        func refusedOnSignal() async throws {
            let workplace = try await Self.workplace(Self.pools[0], ["a": Self.mapping("a/{device}")])
            try workplace.ingester.start()
            try await workplace.eventually("all is subscribed") { try Self.isSettled(workplace, ["a/+"]) }
            try workplace.write(mapping: "b", "topic: b/{device}\ntable: readings\ncolums: {}\n")
            workplace.ingester.hangUp()
            try await workplace.ingester.waitForLog("the old ones stay")
            #expect(workplace.ingester.log.contains("colums"))
            try await workplace.publish([.init("a/d", Array(#"{"seq":1}"#.utf8))])
            try await workplace.waitUntilRows(["readings": 1])
            #expect(try Self.filters(workplace) == ["a/+"])
            try await workplace.close()
        }

        /// a and c are stored, b is not asked for any more.
        private static func checkFlow(_ workplace: Workplace) async throws {
            try await workplace.publish([
                .init("b/d", Array(#"{"seq":1}"#.utf8)), .init("a/d", Array(#"{"seq":2}"#.utf8)),
                .init("c/d", Array(#"{"seq":3}"#.utf8)),
            ])
            try await workplace.waitUntilRows(["readings": 2])
            #expect(try workplace.probe().rows("SELECT seq FROM readings ORDER BY seq").map { $0[0] } == ["2", "3"])
        }
    }
}
