import NIOCore
import Testing

@testable import MQTT

@Suite("Connecting")
struct ConnectingTests {
    @Test("CONNECT goes out first and alone; CONNACK opens the connection")
    func connect() throws {
        var harness = try SessionHarness()
        #expect(harness.takeOutput() == [])
        harness.session.connectionOpened(now: harness.now)
        #expect(harness.takeOutput() == bytes("10 0D 0004 4D515454 04 00 001E 0001 63"))
        #expect(harness.session.publish(topic: try TopicName("a"), payload: [1], qos: .atMostOnce) == .notConnected)
        harness.session.flushAcknowledgements()
        #expect(harness.takeOutput() == [])
        #expect(harness.receive(hex: "20 02 0000") == [.connected(.absent)])
        #expect(harness.session.isConnected)
    }

    @Test("A message may follow CONNACK at once, before any SUBACK")
    func messageAtOnce() throws {
        var harness = try SessionHarness()
        harness.session.connectionOpened(now: harness.now)
        let events = harness.receive(bytes("20 02 0100") + publishPacket("a", qos: 1, identifier: 1, duplicate: true))
        #expect(events.first == .connected(.present))
        #expect(events.last?.sequence == 0)
    }

    @Test("3.1 does not say whether there was a session", arguments: [(false, SessionPresence.unknown), (true, .absent)])
    func presenceOf3_1(cleanSession: Bool, expected: SessionPresence) throws {
        var harness = try SessionHarness {
            $0.version = .v3_1
            $0.cleanSession = cleanSession
        }
        harness.session.connectionOpened(now: harness.now)
        #expect(harness.receive(hex: "20 02 FF00") == [.connected(expected)])
    }

    @Test("CONNACK that does not come is missed at its time limit, not before")
    func connectTimeout() throws {
        var harness = try SessionHarness { $0.connectTimeout = .seconds(3) }
        let start = harness.now
        harness.session.connectionOpened(now: start)
        #expect(try harness.session.tick(now: start) == start + .seconds(3))
        #expect(try harness.session.tick(now: start + .nanoseconds(2_999_999_999)) == start + .seconds(3))
        #expect(throws: MQTTError.connectTimedOut) { try harness.session.tick(now: start + .seconds(3)) }
    }

    @Test("DISCONNECT is the last thing sent, and nothing is read after it [MQTT-3.14.4-2]")
    func disconnect() throws {
        var harness = try SessionHarness.connected()
        _ = harness.receive(publishPacket("a", qos: 1, identifier: 1))
        harness.settle(0)
        harness.session.flushAcknowledgements()
        harness.session.disconnect()
        #expect(harness.takeOutput() == bytes("40 02 0001  E0 00"))
        #expect(harness.receive(publishPacket("a")) == [])
        #expect(harness.flush() == [])
    }

    @Test("Before CONNACK disconnecting sends nothing")
    func disconnectEarly() throws {
        var harness = try SessionHarness()
        harness.session.connectionOpened(now: harness.now)
        _ = harness.takeOutput()
        harness.session.disconnect()
        #expect(harness.takeOutput() == [])
    }
}

@Suite("Subscribing")
struct SubscribingTests {
    private func subscriptions(_ count: Int) throws -> [Subscription] {
        try (0..<count).map { Subscription(filter: try TopicFilter("t\($0)"), qos: .exactlyOnce) }
    }

    @Test("SUBSCRIBE carries at most 8 filters, and each SUBACK answers its own packet")
    func packets() throws {
        var harness = try SessionHarness.connected()
        let asked = try subscriptions(10)
        harness.session.subscribe(asked, now: harness.now)
        let output = harness.takeOutput()
        #expect(Array(output.prefix(4)) == bytes("82 2A 0001"))
        #expect(Array(output.dropFirst(44)) == bytes("82 0C 0002 0002 7438 02 0002 7439 02"))
        #expect(harness.session.hasPendingRequests)

        #expect(
            harness.receive(hex: "90 04 0002 01 80") == [
                .subscribed([
                    SubscriptionResult(subscription: asked[8], grantedQoS: .atLeastOnce),
                    SubscriptionResult(subscription: asked[9], grantedQoS: nil, refusal: ServerRefusal(code: .unspecifiedError)),
                ])
            ])
        #expect(
            harness.receive(hex: "90 0A 0001 00 01 02 80 02 02 02 02").first
                == .subscribed(
                    zip(asked, [.atMostOnce, .atLeastOnce, .exactlyOnce, nil, .exactlyOnce, .exactlyOnce, .exactlyOnce, .exactlyOnce])
                        .map {
                            SubscriptionResult(
                                subscription: $0, grantedQoS: $1, refusal: $1 == nil ? ServerRefusal(code: .unspecifiedError) : nil)
                        }))
        #expect(!harness.session.hasPendingRequests)
    }

    @Test("SUBACK has a return code for each filter", arguments: [("90 03 0001 00", 1), ("90 05 0001 00 00 00", 3)])
    func count(hex: String, count: Int) throws {
        var harness = try SessionHarness.connected()
        harness.session.subscribe(try subscriptions(2), now: harness.now)
        #expect(harness.receive(hex: hex) == [.failed(.wrongReasonCodeCount(.subscribeAcknowledgement, expected: 2, received: count))])
    }

    @Test("Return codes other than 0, 1, 2 and 0x80 are reserved [MQTT-3.9.3-2]")
    func reservedCodes() throws {
        for code in UInt8.min...UInt8.max where ![0, 1, 2, 0x80].contains(code) {
            var harness = try SessionHarness.connected()
            harness.session.subscribe(try subscriptions(1), now: harness.now)
            #expect(harness.receive(bytes("90 03 0001") + [code]) == [.failed(.reservedSubscribeReturnCode(code))])
        }
    }

    @Test("UNSUBSCRIBE is split too, and answered by UNSUBACK only")
    func unsubscribe() throws {
        var harness = try SessionHarness.connected { $0.filtersPerPacket = 1 }
        let filters = [try TopicFilter("a"), try TopicFilter("b")]
        harness.session.unsubscribe(filters, now: harness.now)
        #expect(harness.takeOutput() == bytes("A2 05 0001 0001 61  A2 05 0002 0001 62"))
        #expect(
            harness.receive(hex: "B0 02 0002  B0 02 0001") == [
                .unsubscribed([.init(filter: filters[1])]), .unsubscribed([.init(filter: filters[0])]),
            ])
        harness.session.unsubscribe(filters, now: harness.now)
        #expect(
            harness.receive(hex: "90 03 0003 00") == [.failed(.unexpectedAcknowledgement(.subscribeAcknowledgement, packetIdentifier: 3))])
    }

    @Test("SUBACK and UNSUBACK that do not come are missed at their time limit")
    func timeLimit() throws {
        var harness = try SessionHarness.connected {
            $0.subscribeTimeout = .seconds(5)
            $0.keepAliveSeconds = 0
        }
        let start = harness.now
        let asked = try subscriptions(1)
        #expect(try harness.session.tick(now: start) == .distantFuture)
        harness.session.subscribe(asked, now: start)
        #expect(try harness.session.tick(now: start + .seconds(4)) == start + .seconds(5))
        var other = harness
        #expect(throws: MQTTError.subscribeTimedOut(filters: [asked[0].filter])) {
            try harness.session.tick(now: start + .seconds(5))
        }

        _ = other.receive(hex: "90 03 0001 00")
        other.session.unsubscribe([asked[0].filter], now: start + .seconds(4))
        #expect(try other.session.tick(now: start + .seconds(8)) == start + .seconds(9))
        #expect(throws: MQTTError.unsubscribeTimedOut(filters: [asked[0].filter])) {
            try other.session.tick(now: start + .seconds(9))
        }
    }

    @Test("While the caller does not read, SUBACK is not missed; the limit starts anew when it reads again")
    func timeLimitWhilePaused() throws {
        var harness = try SessionHarness.connected { $0.keepAliveSeconds = 0 }
        let start = harness.now
        harness.session.subscribe(try subscriptions(1), now: start)
        harness.session.pauseReading()
        #expect(try harness.session.tick(now: start + .hours(1)) == .distantFuture)
        harness.session.resumeReading(now: start + .hours(1))
        #expect(try harness.session.tick(now: start + .hours(1)) == start + .hours(1) + .seconds(10))
    }

    @Test("A new connection does not wait for answers of the old one")
    func reconnect() throws {
        var harness = try SessionHarness.connected()
        harness.session.subscribe(try subscriptions(1), now: harness.now)
        harness.reconnect(sessionPresent: false)
        #expect(!harness.session.hasPendingRequests)
    }
}

@Suite("Publishing")
struct PublishingTests {
    private let topic: TopicName

    init() throws { topic = try TopicName("a") }

    @Test("QoS 0 needs no identifier, QoS 1 ends with PUBACK, QoS 2 with PUBCOMP")
    func flows() throws {
        var harness = try SessionHarness.connected()
        #expect(harness.session.publish(topic: topic, payload: [0x2A], qos: .atMostOnce, isRetained: true) == .written)
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .awaitingAcknowledgement(packetIdentifier: 1))
        #expect(harness.session.publish(topic: topic, payload: [], qos: .exactlyOnce) == .awaitingAcknowledgement(packetIdentifier: 2))
        #expect(harness.takeOutput() == bytes("31 04 0001 61 2A  32 05 0001 61 0001  34 05 0001 61 0002"))
        #expect(harness.receive(hex: "50 02 0002") == [])
        #expect(harness.takeOutput() == bytes("62 02 0002"))
        #expect(harness.receive(hex: "40 02 0001  70 02 0002") == [.acknowledged(1), .acknowledged(2)])
        #expect(harness.session.publishesInFlight == 0)
    }

    @Test("The window is bounded, and opens again with each PUBACK; QoS 0 passes by")
    func window() throws {
        var harness = try SessionHarness.connected { $0.maximumPublishesInFlight = 2 }
        for identifier in UInt16(1)...2 {
            #expect(
                harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce)
                    == .awaitingAcknowledgement(packetIdentifier: identifier))
        }
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .windowFull)
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atMostOnce) == .written)
        #expect(harness.receive(hex: "40 02 0001") == [.acknowledged(1)])
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .awaitingAcknowledgement(packetIdentifier: 3))
    }

    @Test("Identifiers go round, passing over those in use, SUBSCRIBE's included")
    func identifiers() throws {
        var harness = try SessionHarness.connected()
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .awaitingAcknowledgement(packetIdentifier: 1))
        harness.session.subscribe([Subscription(filter: try TopicFilter("a"), qos: .atMostOnce)], now: harness.now)
        for identifier in UInt16(3)...65_535 {
            #expect(
                harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce)
                    == .awaitingAcknowledgement(packetIdentifier: identifier))
            _ = harness.receive(acknowledgementPacket(0x40, identifier))
            _ = harness.takeOutput()
        }
        #expect(harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce) == .awaitingAcknowledgement(packetIdentifier: 3))
    }

    @Test(
        "An acknowledgement of the wrong kind ends the connection",
        arguments: [
            (QoS.atLeastOnce, "50 02 0001", PacketType.publishReceived), (.atLeastOnce, "70 02 0001", .publishComplete),
            (.exactlyOnce, "40 02 0001", .publishAcknowledgement), (.exactlyOnce, "70 02 0001", .publishComplete),
        ])
    func wrongKind(qos: QoS, hex: String, type: PacketType) throws {
        var harness = try SessionHarness.connected()
        _ = harness.session.publish(topic: topic, payload: [], qos: qos)
        #expect(harness.receive(hex: hex) == [.failed(.unexpectedAcknowledgement(type, packetIdentifier: 1))])
    }

    @Test("PUBREC of a message of a former process is answered with PUBREL, and its PUBCOMP is no news")
    func formerProcess() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        #expect(harness.receive(hex: "50 02 0009") == [])
        #expect(harness.takeOutput() == bytes("62 02 0009"))
        #expect(harness.receive(hex: "70 02 0009") == [])
    }

    @Test("What the server has not taken over goes again on the next connection, in order, with DUP [MQTT-4.4.0-1]")
    func resent() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        for qos in [QoS.exactlyOnce, .atLeastOnce, .exactlyOnce, .atLeastOnce] {
            _ = harness.session.publish(topic: topic, payload: [0x2A], qos: qos)
        }
        _ = harness.receive(hex: "50 02 0003  40 02 0002")
        harness.reconnect(sessionPresent: true)
        #expect(harness.takeOutput() == bytes("3C 06 0001 61 0001 2A  62 02 0003  3A 06 0001 61 0004 2A"))
        #expect(harness.receive(hex: "70 02 0003  40 02 0004") == [.acknowledged(3), .acknowledged(4)])
        #expect(harness.session.publishesInFlight == 1)
    }

    @Test("A server without the session gets them as new messages, and those it had received are done")
    func resentAsNew() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        for _ in 0..<3 { _ = harness.session.publish(topic: topic, payload: [0x2A], qos: .exactlyOnce) }
        _ = harness.receive(hex: "50 02 0001  50 02 0003")
        harness.close()
        harness.session.connectionOpened(now: harness.now)
        _ = harness.takeOutput()
        #expect(harness.receive(hex: "20 02 0000") == [.connected(.absent), .acknowledged(1), .acknowledged(3)])
        #expect(harness.takeOutput() == bytes("34 06 0001 61 0002 2A"))
    }

    @Test("A clean session forgets them with the connection")
    func forgotten() throws {
        var harness = try SessionHarness.connected { $0.cleanSession = true }
        _ = harness.session.publish(topic: topic, payload: [], qos: .atLeastOnce)
        harness.reconnect(sessionPresent: false)
        #expect(harness.takeOutput() == [])
        #expect(harness.session.publishesInFlight == 0)
    }
}
