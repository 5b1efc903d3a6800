import Testing

@testable import MQTT

@Suite("Nothing is acknowledged before it is durable")
struct AtLeastOnceDeliveryTests {
    @Test("PUBACK goes out after settling, in the order of arrival [MQTT-4.6.0-2]")
    func order() throws {
        var harness = try SessionHarness.connected()
        let events = harness.receive(
            publishPacket("a", qos: 1, identifier: 9) + publishPacket("b") + publishPacket("c", qos: 1, identifier: 4)
                + publishPacket("d", qos: 2, identifier: 9))
        #expect(events.map(\.sequence) == [0, nil, 1, 2])
        #expect(harness.flush() == [])
        harness.session.settle(1..<3)
        #expect(harness.flush() == [])
        harness.settle(0)
        #expect(harness.flush() == bytes("40 02 0009  40 02 0004  50 02 0009"))
        #expect(harness.session.unacknowledgedCount == 0)
    }

    @Test("After PUBACK the identifier is a new message, whatever DUP says", arguments: [false, true])
    func afterAcknowledgement(isDuplicate: Bool) throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(publishPacket("a", qos: 1, identifier: 1)).first?.sequence == 0)
        harness.settle(0)
        #expect(harness.flush() == bytes("40 02 0001"))
        #expect(harness.receive(publishPacket("a", qos: 1, identifier: 1, duplicate: isDuplicate)).first?.sequence == 1)
    }

    @Test("Before PUBACK a repeat with DUP is no second delivery and gets no second PUBACK")
    func repeatedBeforeAcknowledgement() throws {
        var harness = try SessionHarness.connected()
        _ = harness.receive(publishPacket("a", qos: 1, identifier: 1))
        #expect(harness.receive(publishPacket("a", qos: 1, identifier: 1, duplicate: true)) == [.repeated(1, .atLeastOnce)])
        harness.settle(0)
        // Durable, but not answered yet: still the same message.
        #expect(harness.receive(publishPacket("a", qos: 1, identifier: 1, duplicate: true)) == [.repeated(1, .atLeastOnce)])
        #expect(harness.flush() == bytes("40 02 0001"))
    }

    @Test("Before PUBACK a new message with the identifier breaks [MQTT-2.3.1-4]")
    func identifierInUse() throws {
        var harness = try SessionHarness.connected()
        _ = harness.receive(publishPacket("a", qos: 1, identifier: 1))
        #expect(harness.receive(publishPacket("b", qos: 1, identifier: 1)) == [.failed(.packetIdentifierInUse(1))])
    }

    @Test("All 65,535 identifiers can be in flight at once")
    func wholeWindow() throws {
        var harness = try SessionHarness.connected()
        var stream: [UInt8] = []
        for identifier in UInt16(1)...65_535 { stream += publishPacket(topic: [0x61], qos: 1, identifier: identifier) }
        #expect(harness.receive(stream).last?.sequence == 65_534)
        harness.session.settle(0..<65_535)
        #expect(harness.flush().count == 4 * 65_535)
    }

    @Test("A random peer gets exactly the answers that are due, in order, over many connections", arguments: 0..<300)
    func randomPeer(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var harness = try SessionHarness.connected(sessionPresent: true)
        var owed: [(packet: [UInt8], sequence: UInt64, isDurable: Bool)] = []
        var former: [UInt64] = []
        var next: UInt16 = 1
        for _ in 0..<200 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                let qos = UInt8.random(in: 0...2, using: &generator)
                let events = harness.receive(publishPacket("a/b", qos: qos, identifier: qos == 0 ? nil : next))
                guard former.isEmpty else {
                    #expect(events == [.held], "seed \(seed)")
                    harness.close()
                    harness.reconnect(sessionPresent: true)
                    continue
                }
                if qos > 0 {
                    let sequence = try #require(events.first?.sequence)
                    owed.append((acknowledgementPacket(qos == 1 ? 0x40 : 0x50, next), sequence, false))
                    next += 1
                }
            case 5..<7:
                guard let index = owed.indices.filter({ !owed[$0].isDurable }).randomElement(using: &generator) else { continue }
                owed[index].isDurable = true
                harness.settle(owed[index].sequence)
            case 7:
                guard let sequence = former.popLast() else { continue }
                if Bool.random(using: &generator) { harness.settle(sequence) } else { harness.session.abandon(sequence..<sequence + 1) }
            case 8:
                let due = owed.prefix { $0.isDurable }
                #expect(harness.flush() == due.flatMap(\.packet), "seed \(seed)")
                owed.removeFirst(due.count)
            default:
                guard Int.random(in: 0..<8, using: &generator) == 0 else { continue }
                former += owed.filter { !$0.isDurable }.map(\.sequence)
                owed = []
                harness.reconnect(sessionPresent: true)
                #expect(harness.session.hasUnsettledDeliveriesOfFormerConnection == !former.isEmpty)
                #expect(harness.flush() == [], "seed \(seed)")
            }
        }
    }
}

@Suite("QoS 2, receiver's side [MQTT-4.3.3-2]")
struct ExactlyOnceDeliveryTests {
    @Test("A message is delivered once, received once durable, released once durable")
    func wholeWay() throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 7)).first?.sequence == 0)
        #expect(harness.flush() == [])
        harness.settle(0)
        #expect(harness.flush() == bytes("50 02 0007"))
        #expect(harness.heldIdentifiers == [7])
        #expect(harness.receive(hex: "62 02 0007") == [.released(7, sequence: release(0))])
        #expect(harness.flush() == [])
        // To be stored as free before PUBCOMP goes out.
        #expect(harness.heldIdentifiers == [])
        harness.settleRelease(0)
        #expect(harness.flush() == bytes("70 02 0007"))
        #expect(harness.heldIdentifiers == [])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 7, duplicate: true)).first?.sequence == 1)
    }

    @Test("A repeat before PUBREL gets a PUBREC of its own and is not delivered, whatever DUP says", arguments: [false, true])
    func repeated(isDuplicate: Bool) throws {
        var harness = try SessionHarness.connected()
        let again = publishPacket("a", qos: 2, identifier: 7, duplicate: isDuplicate)
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 7))
        #expect(harness.receive(again) == [.repeated(7, .exactlyOnce)])
        #expect(harness.flush() == [])
        harness.settle(0)
        #expect(harness.flush() == bytes("50 02 0007  50 02 0007"))
        #expect(harness.receive(again) == [.repeated(7, .exactlyOnce)])
        #expect(harness.flush() == bytes("50 02 0007"))
    }

    @Test("The answer to a repeat keeps its place in the order [MQTT-4.6.0-3]")
    func repeatedInOrder() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([7...7])
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 1))
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 7, duplicate: true)) == [.repeated(7, .exactlyOnce)])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 2)).first?.sequence == 2)
        #expect(harness.flush() == [])
        // A batch holds 0 and 2; what lies between needs nothing.
        harness.session.settle(0..<3)
        #expect(harness.flush() == bytes("50 02 0001  50 02 0007  50 02 0002"))
    }

    @Test("PUBREC for a repeat is not sent after PUBREL has come")
    func repeatedThenReleased() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([7...7])
        _ = harness.receive(publishPacket("a", qos: 1, identifier: 1))
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 7, duplicate: true))
        #expect(harness.receive(hex: "62 02 0007") == [.released(7, sequence: release(0))])
        harness.session.settle(0..<2)
        #expect(harness.flush() == bytes("40 02 0001"))
        harness.settleRelease(0)
        #expect(harness.flush() == bytes("70 02 0007"))
    }

    @Test("PUBCOMP does not wait for messages that came before its PUBREL")
    func completesAlone() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([7...7])
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 1))
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 7, duplicate: true))
        _ = harness.receive(hex: "62 02 0007")
        harness.settleRelease(0)
        #expect(harness.flush() == bytes("70 02 0007"))
        // The identifier is used again, before the repeat of its former message had its turn: that is answered no more.
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 7)).first?.sequence == 2)
        harness.settle(0)
        #expect(harness.flush() == bytes("50 02 0001"))
        #expect(harness.heldIdentifiers == [1, 7])
        harness.settle(2)
        #expect(harness.flush() == bytes("50 02 0007"))
    }

    @Test("PUBREL of an identifier that is not stored is answered at once, in its turn")
    func releaseOfFree() throws {
        var harness = try SessionHarness.connected()
        #expect(harness.receive(hex: "62 02 0007") == [])
        #expect(harness.flush() == bytes("70 02 0007"))
    }

    @Test("PUBREL twice before the release is durable gets one PUBCOMP")
    func releasedTwice() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([7...7])
        #expect(harness.receive(hex: "62 02 0007  62 02 0007") == [.released(7, sequence: release(0))])
        harness.settleRelease(0)
        #expect(harness.flush() == bytes("70 02 0007"))
    }

    @Test("PUBREL before our PUBREC breaks [MQTT-4.3.3-1]")
    func releasedTooEarly() throws {
        var harness = try SessionHarness.connected()
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 7))
        #expect(harness.receive(hex: "62 02 0007") == [.failed(.releaseBeforeReceipt(7))])
    }

    @Test("PUBLISH between PUBREL and PUBCOMP breaks [MQTT-2.3.1-4]")
    func publishedTooEarly() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([7...7])
        _ = harness.receive(hex: "62 02 0007")
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 7)) == [.failed(.packetIdentifierInUse(7))])
    }

    @Test("QoS 1 and QoS 2 may use one identifier at a time each")
    func sharedIdentifier() throws {
        var harness = try SessionHarness.connected()
        _ = harness.receive(publishPacket("a", qos: 1, identifier: 7) + publishPacket("a", qos: 2, identifier: 7))
        harness.session.settle(0..<2)
        #expect(harness.flush() == bytes("40 02 0007  50 02 0007"))
    }

    @Test("A flood of repeats behind one message that waits is bounded")
    func floodOfRepeats() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([7...7])
        _ = harness.receive(publishPacket("a", qos: 1, identifier: 1))
        let flood = [[UInt8]](repeating: publishPacket("a", qos: 2, identifier: 7, duplicate: true), count: 65_535).flatMap { $0 }
        #expect(harness.receive(flood).last == .failed(.tooManyUnacknowledged(maximum: 65_535)))
    }
}

@Suite("Deliveries outlive their connection, acknowledgements do not")
struct FormerConnectionTests {
    @Test("A message waits until all deliveries of the former connection have settled")
    func held() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        _ = harness.receive(publishPacket("a", qos: 1, identifier: 1) + publishPacket("a", qos: 1, identifier: 2))
        harness.session.settle(1..<2)
        harness.reconnect(sessionPresent: true)
        #expect(harness.session.connectionEpoch == 2)
        #expect(harness.session.hasUnsettledDeliveriesOfFormerConnection)
        #expect(harness.receive(publishPacket("a", qos: 1, identifier: 1, duplicate: true)) == [.held])
        #expect(harness.receive([]) == [.held])
        harness.settle(0)
        #expect(harness.flush() == [])
        #expect(harness.receive([]).first?.sequence == 2)
        harness.settle(2)
        #expect(harness.flush() == bytes("40 02 0001"))
    }

    @Test("What becomes durable after the connection is lost is a repeat on the next one")
    func storedLater() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 7) + publishPacket("a", qos: 2, identifier: 8))
        harness.reconnect(sessionPresent: true)
        harness.settle(0)
        harness.session.abandon(1..<2)
        #expect(harness.heldIdentifiers == [7])
        let events = harness.receive(
            publishPacket("a", qos: 2, identifier: 7, duplicate: true) + publishPacket("a", qos: 2, identifier: 8, duplicate: true))
        #expect(events.first == .repeated(7, .exactlyOnce))
        #expect(events.last?.sequence == 3)
        #expect(harness.flush() == bytes("50 02 0007"))
    }

    @Test("A release that becomes durable after the connection is lost is answered when PUBREL comes again", arguments: [true, false])
    func releasedLater(isDurable: Bool) throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([7...7])
        _ = harness.receive(hex: "62 02 0007")
        harness.reconnect(sessionPresent: true)
        if isDurable { harness.settleRelease(0) } else { harness.session.abandon(release(0)..<release(1)) }
        #expect(harness.heldIdentifiers == (isDurable ? [] : [7]))
        #expect(harness.receive(hex: "62 02 0007") == (isDurable ? [] : [.released(7, sequence: release(1))]))
        #expect(harness.flush() == (isDurable ? bytes("70 02 0007") : []))
    }

    @Test("A server without the session makes every identifier free, also that of a delivery under way")
    func forgotten() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([6...6])
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 7))
        harness.reconnect(sessionPresent: false)
        harness.settle(0)
        #expect(harness.heldIdentifiers == [])
        let events = harness.receive(publishPacket("a", qos: 2, identifier: 6) + publishPacket("a", qos: 2, identifier: 7))
        #expect(events.map(\.sequence) == [1, 2])
    }

    @Test("Stored identifiers are kept from connection to connection, and replaced by those that are loaded")
    func loaded() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([3...3, 65_535...65_535])
        harness.reconnect(sessionPresent: true)
        #expect(harness.heldIdentifiers == [3, 65_535])
        harness.session.loadStoredPacketIdentifiers([4...4])
        #expect(harness.heldIdentifiers == [4])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 4, duplicate: true)) == [.repeated(4, .exactlyOnce)])
    }

    @Test("The answer to a repeated PUBREL does not free the identifier of the next message")
    func repeatedReleaseBehindNextMessage() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        _ = harness.receive(publishPacket("a", qos: 1, identifier: 1))
        #expect(harness.receive(hex: "62 02 0007") == [])
        #expect(harness.flush() == bytes("70 02 0007"))
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 7)).first?.sequence == 1)
        harness.settle(0)
        #expect(harness.flush() == bytes("40 02 0001"))
        #expect(harness.heldIdentifiers == [7])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 7, duplicate: true)) == [.repeated(7, .exactlyOnce)])
    }

    @Test("Held identifiers are told as ranges, across the borders of words", arguments: [1, 60, 63, 64, 65, 127, 65_500] as [UInt16])
    func ranges(start: UInt16) throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        let ranges = [start...start + 1, start + 3...start + 35]
        harness.session.loadStoredPacketIdentifiers(ranges)
        #expect(harness.session.heldPacketIdentifiers == ranges)
        #expect(!harness.session.holdsNoPacketIdentifier)
    }

    @Test("A server that was asked keeps the identifiers that it has named before PINGRESP, and frees the others")
    func confirmed() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([5...9])
        harness.session.confirmPacketIdentifiers()
        #expect(harness.flush() == bytes("C0 00"))
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 6, duplicate: true)) == [.repeated(6, .exactlyOnce)])
        #expect(harness.receive(hex: "62 02 0008") == [.released(8, sequence: release(0))])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 20)).first?.sequence == 1)
        harness.settleRelease(0)
        harness.settle(1)
        #expect(harness.flush() == bytes("70 02 0008 50 02 0006 50 02 0014"))
        #expect(harness.receive(hex: "D0 00") == [.identifiersConfirmed])
        #expect(harness.heldIdentifiers == [6, 20])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 5)).first?.sequence == 2)
    }

    @Test(
        "A server that gives a held identifier to a new message has lost state: what it has not named is freed, and the message waits until that is durable"
    )
    func contradicted() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([5...9])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 6, duplicate: true)) == [.repeated(6, .exactlyOnce)])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 7)) == [.identifiersFreed, .held])
        #expect(harness.heldIdentifiers == [6])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 8)) == [.held])
        harness.session.freedIdentifiersAreDurable()
        #expect(harness.receive([]).map(\.sequence) == [1, 2])
        #expect(harness.heldIdentifiers == [6, 7, 8])
    }

    @Test("On one connection a PUBLISH without DUP is a repeat all the same")
    func repeatedOnOneConnection() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([5...5])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 5, duplicate: true)) == [.repeated(5, .exactlyOnce)])
        #expect(harness.receive(publishPacket("a", qos: 2, identifier: 5)) == [.repeated(5, .exactlyOnce)])
    }

    @Test("What has not settled on a former connection is not taken for forgotten")
    func confirmedOnlyOnceSettled() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        _ = harness.receive(publishPacket("a", qos: 2, identifier: 7))
        harness.reconnect(sessionPresent: true)
        harness.session.confirmPacketIdentifiers()
        #expect(harness.receive(hex: "D0 00") == [.held])
        harness.settle(0)
        #expect(harness.heldIdentifiers == [7])
        #expect(harness.receive(hex: "") == [.identifiersConfirmed])
        #expect(harness.heldIdentifiers == [])
    }

    @Test("Acknowledgements that were due stay behind with their connection")
    func notAnsweredOnNext() throws {
        var harness = try SessionHarness.connected(sessionPresent: true)
        _ = harness.receive(publishPacket("a", qos: 1, identifier: 1))
        harness.settle(0)
        harness.session.flushAcknowledgements()
        harness.session.connectionClosed()
        #expect(harness.takeOutput() == [])
        harness.reconnect(sessionPresent: true)
        #expect(harness.flush() == [])
    }

    @Test("Giving up a delivery of the present connection is our own mistake, and stops the process")
    func abandonedTooEarly() async {
        await #expect(processExitsWith: .failure) {
            var harness = try SessionHarness.connected()
            _ = harness.receive(publishPacket("a", qos: 1, identifier: 1))
            harness.session.abandon(0..<1)
        }
    }
}
