import NIOCore
import Testing

@testable import MQTT

@Suite("MQTT 5.0: messages")
struct Version5MessageTests {
    /// PUBLISH with properties, at QoS 0, or with an identifier at QoS 1.
    private func publish(_ topic: String, _ properties: String, payload: [UInt8] = [0x2A], qos: UInt8 = 0, identifier: UInt16? = nil)
        -> [UInt8]
    {
        let block = bytes(properties)
        return publishPacket(
            topic: Array(topic.utf8),
            payload: (identifier.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []) + remainingLength(block.count) + block + payload,
            qos: qos)
    }

    private func topics(_ events: [RecordedEvent]) -> [String] {
        events.map { event in
            if case .publish(let topic, _, _, _, _, _, _) = event { topic } else { event.description }
        }
    }

    @Test("The payload begins behind the properties")
    func payload() throws {
        var harness = try connectedVersion5()
        let events = harness.receive(publish("a", "01 01 02 0000003C 03 0001 74", payload: [1, 2]))
        #expect(
            events == [
                .publish(topic: "a", payload: [1, 2], identifier: 0, qos: .atMostOnce, retained: false, duplicate: false, sequence: nil)
            ])
    }

    @Test("What came with a message can be looked up")
    func properties() throws {
        let packet = publish(
            "a", "01 01 02 0000003C 03 0004 74657874 08 0003 722F31 09 0002 00FF 26 0001 6B 0001 31 26 0001 6B 0001 32 0B 05 0B 8001")
        var harness = try connectedVersion5()
        var offset = 0
        try packet.withUnsafeBytes { buffer in
            guard case .publish(let publish, _) = try harness.session.nextEvent(in: buffer, at: &offset, now: harness.now) else {
                Issue.record("no message")
                return
            }
            let properties = publish.properties
            #expect(properties.isPayloadText)
            #expect(properties.messageExpirySeconds == 60)
            #expect(properties.contentType.map { Array($0) } == Array("text".utf8))
            #expect(properties.responseTopic.map { Array($0) } == Array("r/1".utf8))
            #expect(properties.correlationData.map { Array($0) } == [0, 0xFF])
            #expect(properties.userProperty(Array("k".utf8)).map { Array($0) } == Array("2".utf8))
            #expect(properties.userProperty(Array("l".utf8)) == nil)
            var identifiers: [UInt32] = []
            properties.forEachSubscriptionIdentifier { identifiers.append($0) }
            #expect(identifiers == [5, 128])
        }
    }

    @Test("What is written as properties of a message reads the same")
    func writer() throws {
        var writer = PublishPropertiesWriter()
        writer.payloadIsText()
        writer.messageExpirySeconds(7)
        writer.contentType("application/json")
        writer.responseTopic("r")
        writer.correlationData([1, 2, 3])
        writer.userProperty("name", "wert")
        let isTaken = writer.contentType("nul\0")
        #expect(!isTaken)
        writer.bytes.withUnsafeBytes { bytes in
            let read = PublishProperties(checking: bytes)
            #expect(read?.isPayloadText == true)
            #expect(read?.messageExpirySeconds == 7)
            #expect(read?.contentType.map { String(decoding: $0, as: UTF8.self) } == "application/json")
            #expect(read?.responseTopic?.count == 1)
            #expect(read?.correlationData.map { Array($0) } == [1, 2, 3])
            #expect(read?.userProperty(Array("name".utf8)).map { String(decoding: $0, as: UTF8.self) } == "wert")
        }
        #expect([UInt8](arrayLiteral: 0x01, 0x02).withUnsafeBytes { PublishProperties(checking: $0) } == nil)
    }

    @Test("An alias stands for the topic that came with it, until it gets another")
    func aliases() throws {
        var harness = try connectedVersion5()
        let stream =
            publish("first/topic", "23 0001") + publish("", "23 0001") + publish("second", "23 0002") + publish("third", "23 0001")
            + publish("", "23 0001") + publish("", "23 0002")
        #expect(topics(harness.receive(stream)) == ["first/topic", "first/topic", "second", "third", "third", "second"])
    }

    @Test("An alias means nothing on the next connection")
    func aliasesEndWithTheConnection() throws {
        var harness = try connectedVersion5()
        #expect(topics(harness.receive(publish("t", "23 0001"))) == ["t"])
        harness.reconnect(sessionPresent: true)
        #expect(harness.receive(publish("", "23 0001")) == [.failed(.unknownTopicAlias(1))])
        #expect(harness.takeOutput() == bytes("E0 01 82"))
    }

    @Test("A message at QoS 1 with an alias is settled like any other")
    func aliasAtQoS1() throws {
        var harness = try connectedVersion5()
        let events = harness.receive(publish("t", "23 0001", qos: 1, identifier: 7) + publish("", "23 0001", qos: 1, identifier: 8))
        #expect(topics(events) == ["t", "t"])
        harness.settle(0)
        harness.settle(1)
        #expect(harness.flush() == bytes("40 02 0007 40 02 0008"))
    }

    @Test(
        "A PUBLISH that the standard does not know ends the connection with its reason",
        arguments: [
            ("", "23 0000", MQTTError.malformedProperties(.publish, .invalidNumber(.topicAlias, 0)), ReasonCode.protocolError),
            ("t", "23 0021", .topicAliasTooLarge(33, maximum: 32), .topicAliasInvalid),
            ("", "", .malformedTopicName(.empty), .protocolError),
            ("", "23 0001", .unknownTopicAlias(1), .protocolError),
            ("t", "01 02", .malformedProperties(.publish, .invalidNumber(.payloadFormatIndicator, 2)), .protocolError),
            ("t", "0B 00", .malformedProperties(.publish, .invalidNumber(.subscriptionIdentifier, 0)), .protocolError),
            ("t", "03 0001 61 03 0001 61", .malformedProperties(.publish, .repeated(.contentType)), .protocolError),
            ("t", "03 0001 C0", .malformedProperties(.publish, .malformedText(.contentType)), .malformedPacket),
            ("t", "26 0001 61 0001 00", .malformedProperties(.publish, .malformedText(.userProperty)), .malformedPacket),
            ("t", "03 0009 61", .malformedProperties(.publish, .truncated), .malformedPacket),
            ("t", "11 00000001", .malformedProperties(.publish, .notAllowed(.sessionExpiryInterval)), .malformedPacket),
            ("t", "2B", .malformedProperties(.publish, .unknown(0x2B)), .malformedPacket),
            ("t", "0B 8000", .malformedProperties(.publish, .malformedLength), .malformedPacket),
            ("t", "0B FFFFFFFF01", .malformedProperties(.publish, .malformedLength), .malformedPacket),
            ("a/#", "", .malformedTopicName(.wildcardInName), .topicNameInvalid),
        ])
    func malformed(topic: String, properties: String, expected: MQTTError, code: ReasonCode) throws {
        var harness = try connectedVersion5()
        #expect(harness.receive(publish(topic, properties)) == [.failed(expected)])
        #expect(harness.takeOutput() == bytes("E0 01") + [code.rawValue])
    }

    @Test("A property length beyond the packet, or longer than four bytes", arguments: ["30 04 0001 74 05", "30 08 0001 74 FFFFFFFF 7F"])
    func malformedLength(hex: String) throws {
        var harness = try connectedVersion5()
        let events = harness.receive(hex: hex)
        #expect(events == [.failed(.malformedProperties(.publish, hex.contains("FF") ? .malformedLength : .truncated))])
    }

    @Test("A remaining length has its shortest form")
    func paddedLength() throws {
        var harness = try connectedVersion5()
        #expect(harness.receive(hex: "30 8400 0001 74 00") == [.failed(.paddedRemainingLength)])
        var older = try SessionHarness.connected()
        #expect(older.receive(hex: "30 8300 0001 74").count == 1)
        #expect(older.session.isConnected)
    }

    @Test("More messages at once than we have allowed end the connection")
    func receiveMaximum() throws {
        var harness = try connectedVersion5 { $0.receiveMaximum = 2 }
        #expect(harness.receive(publish("t", "", qos: 1, identifier: 1) + publish("t", "", qos: 2, identifier: 1)).count == 2)
        harness.settle(0)
        harness.settle(1)
        #expect(harness.flush() == bytes("40 02 0001 50 02 0001"))
        // PUBACK gave a place back, PUBREC does not: PUBCOMP will.
        #expect(harness.receive(publish("t", "", qos: 1, identifier: 3)).first?.sequence == 2)
        #expect(harness.receive(publish("t", "", qos: 1, identifier: 4)) == [.failed(.receiveMaximumExceeded(maximum: 2))])
        #expect(harness.takeOutput() == bytes("E0 01 93"))
    }

    @Test("PUBCOMP gives the place of a message at QoS 2 back")
    func receiveMaximumAtQoS2() throws {
        var harness = try connectedVersion5 { $0.receiveMaximum = 1 }
        _ = harness.receive(publish("t", "", qos: 2, identifier: 1))
        harness.settle(0)
        _ = harness.flush()
        #expect(harness.receive(hex: "62 02 0001") == [.released(1, sequence: release(0))])
        harness.settleRelease(0)
        #expect(harness.flush() == bytes("70 02 0001"))
        #expect(harness.receive(publish("t", "", qos: 2, identifier: 1)).first?.sequence == 1)
    }

    @Test("A packet larger than we take ends the connection before its body is here")
    func tooLarge() throws {
        var harness = try connectedVersion5 { $0.maximumPacketBytes = 1024 }
        #expect(harness.receive(hex: "30 FFFFFF7F") == [.failed(.packetTooLarge(packetBytes: 268_435_460, maximumBytes: 1024))])
        #expect(harness.takeOutput() == bytes("E0 01 95"))
    }

    @Test("PUBREL may say that the server does not know the identifier")
    func releaseWithReason() throws {
        var harness = try connectedVersion5()
        _ = harness.receive(publish("t", "", qos: 2, identifier: 1))
        harness.settle(0)
        _ = harness.flush()
        #expect(harness.receive(hex: "62 04 0001 92 00") == [.released(1, sequence: release(0))])
        #expect(harness.receive(hex: "62 03 0001 80") == [.failed(.misplacedReasonCode(.publishRelease, .unspecifiedError))])
    }
}

@Suite("MQTT 5.0: what the server says to what we send")
struct Version5AnswerTests {
    private func subscription(_ filter: String, identifier: UInt32? = nil) throws -> Subscription {
        var subscription = Subscription(filter: try TopicFilter(filter), qos: .atLeastOnce)
        subscription.identifier = identifier
        return subscription
    }

    @Test("SUBSCRIBE carries options, and an identifier has a packet of its own")
    func subscribe() throws {
        var harness = try connectedVersion5()
        var first = try subscription("a")
        first.retainHandling = .never
        var shared = try subscription("$share/g/a")
        shared.retainHandling = .ifNew
        harness.session.subscribe(
            [first, shared, try subscription("b", identifier: 200), try subscription("c", identifier: 201), try subscription("d")],
            now: harness.now)
        #expect(
            harness.takeOutput()
                == bytes("82 14 0001 00 0001 61 21 000A 24736861 72652F67 2F61 11") + bytes("82 0A 0002 03 0B C801 0001 62 01")
                + bytes("82 0A 0003 03 0B C901 0001 63 01") + bytes("82 07 0004 00 0001 64 01"))
    }

    @Test("SUBACK refuses with a reason, filter by filter")
    func refusal() throws {
        var harness = try connectedVersion5()
        let asked = [try subscription("a"), try subscription("b"), try subscription("c")]
        harness.session.subscribe(asked, now: harness.now)
        #expect(
            harness.receive(hex: "90 0A 0001 04 1F 0001 6E 00 9E 87") == [
                .subscribed([
                    SubscriptionResult(subscription: asked[0], grantedQoS: .atMostOnce),
                    SubscriptionResult(
                        subscription: asked[1], grantedQoS: nil, refusal: ServerRefusal(code: .sharedSubscriptionsNotSupported, reason: "n")
                    ),
                    SubscriptionResult(subscription: asked[2], grantedQoS: nil, refusal: ServerRefusal(code: .notAuthorized, reason: "n")),
                ])
            ])
    }

    @Test("UNSUBACK says which subscriptions are still there")
    func unsubscribed() throws {
        var harness = try connectedVersion5()
        let filters = [try TopicFilter("a"), try TopicFilter("b"), try TopicFilter("c")]
        harness.session.unsubscribe(filters, now: harness.now)
        #expect(harness.takeOutput() == bytes("A2 0C 0001 00 0001 61 0001 62 0001 63"))
        #expect(
            harness.receive(hex: "B0 06 0001 00 00 11 87") == [
                .unsubscribed([
                    UnsubscriptionResult(filter: filters[0]), UnsubscriptionResult(filter: filters[1]),
                    UnsubscriptionResult(filter: filters[2], refusal: ServerRefusal(code: .notAuthorized)),
                ])
            ])
    }

    @Test(
        "Answers with reason codes that belong elsewhere, or too few",
        arguments: [
            ("90 04 0001 00 03", MQTTError.unknownReasonCode(.subscribeAcknowledgement, 3)),
            ("90 04 0001 00 8E", .misplacedReasonCode(.subscribeAcknowledgement, .sessionTakenOver)),
            ("90 05 0001 00 00 00", .wrongReasonCodeCount(.subscribeAcknowledgement, expected: 1, received: 2)),
            ("90 03 0001 00", .wrongRemainingLength(.subscribeAcknowledgement, remainingBytes: 3)),
            ("90 04 0001 05 00", .malformedProperties(.subscribeAcknowledgement, .truncated)),
        ])
    func malformedSubscribeAcknowledgement(hex: String, expected: MQTTError) throws {
        var harness = try connectedVersion5()
        harness.session.subscribe([try subscription("a")], now: harness.now)
        #expect(harness.receive(hex: hex) == [.failed(expected)])
    }

    @Test("A message that the server refuses is told, and not sent again")
    func publishRefused() throws {
        var harness = try connectedVersion5()
        let topic = try TopicName("t")
        for qos in [QoS.atLeastOnce, .exactlyOnce, .atLeastOnce] {
            _ = harness.session.publish(topic: topic, payload: [], qos: qos)
        }
        _ = harness.takeOutput()
        #expect(
            harness.receive(hex: "40 03 0001 87  50 07 0002 97 03 1F 0000") == [
                .publishRefused(1, ServerRefusal(code: .notAuthorized)),
                .publishRefused(2, ServerRefusal(code: .quotaExceeded, reason: "")),
            ])
        #expect(harness.receive(hex: "40 04 0003 10 00") == [.acknowledged(3)])
        #expect(harness.takeOutput() == [])
        harness.reconnect(sessionPresent: true)
        #expect(harness.takeOutput() == [])
    }

    @Test("PUBLISH has properties, and stays within what the server takes")
    func publishing() throws {
        var harness = try connectedVersion5(properties: "21 0001 24 01 25 00 27 00000014")
        let topic = try TopicName("t")
        var writer = PublishPropertiesWriter()
        writer.contentType("j")
        #expect(
            harness.session.publish(topic: topic, payload: [0x2A], qos: .exactlyOnce, isRetained: true, properties: writer.bytes)
                == .awaitingAcknowledgement(packetIdentifier: 1))
        // QoS 2 became QoS 1, and RETAIN is gone.
        #expect(harness.takeOutput() == bytes("32 0B 0001 74 0001 04 03 0001 6A 2A"))
        #expect(harness.session.publish(topic: topic, payload: [1], qos: .atLeastOnce) == .windowFull)
        #expect(harness.session.publish(topic: topic, payload: Array(repeating: 0, count: 14), qos: .atMostOnce) == .written)
        #expect(
            harness.session.publish(topic: topic, payload: Array(repeating: 0, count: 15), qos: .atMostOnce) == .tooLarge(maximumBytes: 20))
    }

    @Test("What is sent again keeps to the receive maximum of the new connection")
    func resend() throws {
        var harness = try connectedVersion5()
        for _ in 0..<3 { _ = harness.session.publish(topic: try TopicName("t"), payload: [], qos: .atLeastOnce) }
        harness.close()
        harness.session.connectionOpened(now: harness.now)
        _ = harness.takeOutput()
        _ = harness.receive(hex: "20 06 01 00 03 21 0001")
        #expect(harness.takeOutput() == bytes("3A 06 0001 74 0001 00"))
        #expect(harness.receive(hex: "40 02 0002") == [.failed(.unexpectedAcknowledgement(.publishAcknowledgement, packetIdentifier: 2))])
        harness.close()
        harness.session.connectionOpened(now: harness.now)
        _ = harness.takeOutput()
        _ = harness.receive(hex: "20 06 01 00 03 21 0001")
        _ = harness.takeOutput()
        #expect(harness.receive(hex: "40 02 0001") == [.acknowledged(1)])
        #expect(harness.takeOutput() == bytes("3A 06 0001 74 0002 00"))
    }

    @Test("The end of a message of a former connection makes no room for a message that waits")
    func releaseMakesNoRoom() throws {
        var harness = try connectedVersion5()
        let topic = try TopicName("t")
        for qos in [QoS.exactlyOnce, .atLeastOnce, .atLeastOnce] { _ = harness.session.publish(topic: topic, payload: [], qos: qos) }
        _ = harness.receive(hex: "50 02 0001")
        harness.close()
        harness.session.connectionOpened(now: harness.now)
        _ = harness.takeOutput()
        // This time one message at once is allowed.
        _ = harness.receive(hex: "20 06 01 00 03 21 0001")
        #expect(harness.takeOutput() == bytes("62 02 0001  3A 06 0001 74 0002 00"))
        #expect(harness.receive(hex: "70 02 0001") == [.acknowledged(1)])
        #expect(harness.takeOutput() == [])
        #expect(harness.receive(hex: "40 02 0002") == [.acknowledged(2)])
        #expect(harness.takeOutput() == bytes("3A 06 0001 74 0003 00"))
    }

    @Test("The server ends the connection and says why")
    func disconnected() throws {
        var harness = try connectedVersion5()
        #expect(
            harness.receive(hex: "E0 08 9C 06 1C 0003 683A31") == [
                .failed(.disconnected(.useAnotherServer, ServerStatement(serverReference: "h:1")))
            ])
        #expect(harness.takeOutput() == [])
        harness.reconnect(sessionPresent: true)
        #expect(harness.receive(hex: "E0 00") == [.failed(.disconnected(.success, ServerStatement()))])
        harness.reconnect(sessionPresent: true)
        #expect(harness.receive(hex: "E0 01 8E") == [.failed(.disconnected(.sessionTakenOver, ServerStatement()))])
    }

    @Test(
        "A DISCONNECT that the standard does not know",
        arguments: [
            ("E0 01 04", MQTTError.misplacedReasonCode(.disconnect, .disconnectWithWill)),
            ("E0 01 7F", .unknownReasonCode(.disconnect, 0x7F)),
            ("E0 07 00 05 11 00000001", .malformedProperties(.disconnect, .notAllowed(.sessionExpiryInterval))),
        ])
    func malformedDisconnect(hex: String, expected: MQTTError) throws {
        var harness = try connectedVersion5()
        #expect(harness.receive(hex: hex) == [.failed(expected)])
    }

    @Test("We say DISCONNECT without a reason when all is well")
    func disconnect() throws {
        var harness = try connectedVersion5()
        harness.session.disconnect()
        #expect(harness.takeOutput() == bytes("E0 00"))
        harness.reconnect(sessionPresent: true)
        harness.session.disconnect(.disconnectWithWill)
        #expect(harness.takeOutput() == bytes("E0 01 04"))
    }
}
