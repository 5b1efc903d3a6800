import Testing

@testable import Inference

@Suite("Topics are grouped by what stays and what varies")
struct TopicGuessTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        /// Topic and payload.
        var messages: [(String, String)]
        /// Patterns of the proposals with what they exclude.
        var patterns: [String]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "a level of numbered devices is a capture named by the level before",
            messages: [("site/hq/dev/d1/t", #"{"a":1}"#), ("site/hq/dev/d2/t", #"{"a":2}"#)], patterns: ["site/hq/dev/{device}/t"]),
        Case(
            name: "words that lead to the same things vary, too",
            messages: [("site/north/dev/d1/t", #"{"a":1}"#), ("site/south/dev/d2/t", #"{"a":2}"#)], patterns: ["site/{site}/dev/{device}/t"]
        ),
        Case(
            name: "words that decide the shape stay",
            messages: [
                ("tele/x1/SENSOR", #"{"Temperature":1}"#), ("tele/x1/STATE", #"{"Uptime":1}"#), ("tele/x2/SENSOR", #"{"Temperature":1}"#),
                ("tele/x2/STATE", #"{"Uptime":1}"#),
            ], patterns: ["tele/{device}/SENSOR", "tele/{device}/STATE"]),
        Case(
            name: "one device with a hardware address is a capture all the same",
            messages: [("home/a4:cf:12:00:11:22/state", #"{"a":1}"#)], patterns: ["home/{mac}/state"]),
        Case(
            name: "names with slashes take the rest of the topic",
            messages: [
                ("zigbee2mqtt/attic", #"{"battery":1}"#), ("zigbee2mqtt/kitchen/lamp", #"{"battery":1}"#),
                ("zigbee2mqtt/a/b/c", #"{"battery":1}"#),
            ],
            patterns: ["zigbee2mqtt/{device...}"]),
        Case(
            name: "what is of another kind is left out of a pattern that would take it",
            messages: [
                ("zigbee2mqtt/attic", #"{"battery":1}"#), ("zigbee2mqtt/kitchen/lamp", #"{"battery":1}"#),
                ("zigbee2mqtt/attic/availability", "online"),
            ], patterns: ["zigbee2mqtt/attic/availability", "zigbee2mqtt/{device...} without zigbee2mqtt/attic/availability"]),
        Case(
            name: "values in the topic's last level are metrics",
            messages: [("room/r1/temperature", "21.5"), ("room/r1/humidity", "40"), ("room/r2/temperature", "20")],
            patterns: ["room/{room}/{metric}"]),
        Case(
            name: "application and tenant", messages: [("v3/app@acme/devices/dev-001a2b/up", #"{"a":1}"#)],
            patterns: ["v3/{application}@{tenant}/devices/{device}/up"]),
        Case(
            name: "devices of one name pattern and two kinds of payload are listed",
            messages: [("plant/box1/data", #"{"a":1}"#), ("plant/box2/data", #"{"a":1}"#), ("plant/box3/data", "1;2;3")],
            patterns: ["plant/box3/data", "plant/{plant}/data without plant/box3/data"]),
        Case(
            name: "a topic that starts with a capture", messages: [("0a1b2c3d/t", #"{"a":1}"#), ("0a1b2c4e/t", #"{"a":1}"#)],
            patterns: ["{device}/t"]),
    ]

    @Test("patterns of", arguments: cases)
    func patterns(_ example: Case) {
        // Each twice: one message proves little.
        let messages = (example.messages + example.messages).map {
            ObservedMessage(topic: $0.0, payload: Array($0.1.utf8), receivedMicroseconds: 1_772_366_400_000_000)
        }
        let inference = Inference(messages)
        let found = inference.proposals.map { proposal in
            let excluded =
                proposal.text.split(separator: "\n").first { $0.hasPrefix("exclude: ") }.map { " without " + $0.dropFirst(9) } ?? ""
            return proposal.topics.joined(separator: ", ") + excluded
        }
        #expect(found.sorted() == example.patterns.sorted())
        for proposal in inference.proposals { #expect(proposal.problems == [], "\(proposal.text)") }
    }

    @Test("names of files are made of the levels that stay, without the root that all share")
    func names() {
        let messages = ["site/tele/x1/SENSOR", "site/tele/x2/SENSOR", "site/pumps/p1/frame"].map {
            ObservedMessage(
                topic: $0, payload: Array(($0.contains("tele") ? #"{"a":1}"# : #"{"b":1}"#).utf8),
                receivedMicroseconds: 1_772_366_400_000_000)
        }
        #expect(Inference(messages).proposals.map(\.name) == ["pumps_p1_frame", "tasmota_sensor"])
    }
}
