import MQTT
import Testing

@testable import Ingest

@Suite("Finding out which version a broker speaks")
struct VersionNegotiationTests {
    @Test("5.0 first, and it stays where it is accepted, whatever silence comes later")
    func newest() {
        var negotiation = VersionNegotiation(.auto)
        #expect(negotiation.next == .v5)
        let isKept = negotiation.accepted(.v5)
        #expect(isKept)
        negotiation.metSilence(.v5, since: negotiation.knowledge)
        negotiation.metSilence(.v5, since: negotiation.knowledge)
        #expect(negotiation.next == .v5)
    }

    @Test("A broker that says it does not know 5.0 gets 3.1.1 at once")
    func refused() {
        var negotiation = VersionNegotiation(.auto)
        negotiation.refused(.v5)
        #expect(negotiation.next == .v3_1_1)
        let isKept = negotiation.accepted(.v3_1_1)
        #expect(isKept)
        #expect(negotiation.next == .v3_1_1)
    }

    @Test("A broker that closes 5.0 without a word counts as old only when it takes 3.1.1 and closes 5.0 once more")
    func silence() {
        var negotiation = VersionNegotiation(.auto)
        negotiation.metSilence(.v5, since: negotiation.knowledge)
        #expect(negotiation.next == .v3_1_1)
        let isKept = negotiation.accepted(.v3_1_1)
        #expect(!isKept, "the connection was a question")
        #expect(negotiation.next == .v5)
        negotiation.metSilence(.v5, since: negotiation.knowledge)
        #expect(negotiation.next == .v3_1_1)
        #expect(negotiation.isSettled(on: .v3_1_1))
        let isKeptThen = negotiation.accepted(.v3_1_1)
        #expect(isKeptThen)
    }

    @Test("A broker that was only starting is not taken for an old one")
    func starting() {
        var negotiation = VersionNegotiation(.auto)
        negotiation.metSilence(.v5, since: negotiation.knowledge)
        _ = negotiation.accepted(.v3_1_1)
        let isKept = negotiation.accepted(.v5)
        #expect(isKept)
        #expect(negotiation.isSettled(on: .v5))

        var silent = VersionNegotiation(.auto)
        silent.metSilence(.v5, since: silent.knowledge)
        silent.metSilence(.v3_1_1, since: silent.knowledge)
        #expect(silent.next == .v5)
    }

    @Test("A connection of another version that was under way is not kept")
    func underWay() {
        var negotiation = VersionNegotiation(.auto)
        negotiation.metSilence(.v5, since: negotiation.knowledge)
        #expect(negotiation.next == .v3_1_1)
        _ = negotiation.accepted(.v5)
        let isKept = negotiation.accepted(.v3_1_1)
        #expect(!isKept)
        #expect(negotiation.next == .v5)
    }

    @Test("The silence that an older attempt meets says nothing")
    func olderAttempt() {
        var negotiation = VersionNegotiation(.auto)
        let atFirst = negotiation.knowledge
        negotiation.metSilence(.v5, since: atFirst)
        _ = negotiation.accepted(.v3_1_1)
        negotiation.metSilence(.v5, since: atFirst)
        #expect(!negotiation.isSettled(on: .v3_1_1))
    }

    @Test("A version that is named is the only one", arguments: ProtocolVersion.allCases)
    func fixed(version: ProtocolVersion) {
        var negotiation = VersionNegotiation(.fixed(version))
        negotiation.refused(version)
        negotiation.metSilence(version, since: negotiation.knowledge)
        #expect(negotiation.next == version)
        let isKept = negotiation.accepted(version)
        #expect(isKept)
    }
}

@Suite("Where a broker sends us")
struct ServerReferenceTests {
    private let endpoint = BrokerEndpoint(scheme: .mqtts, host: "a.example", port: 8884)

    @Test(
        "A server reference names a host, with or without a port",
        arguments: [
            ("b.example", "mqtts://b.example:8884"), ("b.example:8883", "mqtts://b.example:8883"),
            ("10.0.0.1:1 c.example", "mqtts://10.0.0.1:1"),
            ("[fe80::1]:1883", "mqtts://[fe80::1]:1883"), ("[fe80::1]", "mqtts://[fe80::1]:8884"),
        ])
    func reference(text: String, expected: String) {
        #expect(endpoint.referred(to: text)?.description == expected)
    }

    @Test("What is none is not followed", arguments: ["", " ", ":1883", "b:0", "b:65536", "b:x", "[]:1", "a:b:c"])
    func noReference(text: String) {
        #expect(endpoint.referred(to: text) == nil)
    }
}
