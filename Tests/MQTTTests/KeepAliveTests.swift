import NIOCore
import Testing

@testable import MQTT

@Suite("Keep alive, both ways")
struct KeepAliveTests {
    /// Keep alive of 40 s: PINGREQ after 30 s without sending or 40 s without receiving; 5 s for the answer.
    private func connected() throws -> SessionHarness {
        try SessionHarness.connected {
            $0.keepAliveSeconds = 40
            $0.pingTimeout = .seconds(5)
        }
    }

    @Test("PINGREQ goes out after three quarters of the keep alive without sending, not before [MQTT-3.1.2-23]")
    func silenceOfOurs() throws {
        var harness = try connected()
        let start = harness.now
        #expect(try harness.session.tick(now: start) == start + .seconds(30))
        #expect(try harness.session.tick(now: start + .seconds(29)) == start + .seconds(30))
        #expect(harness.takeOutput() == [])
        harness.now = start + .seconds(30)
        #expect(try harness.session.tick(now: harness.now) == start + .seconds(35))
        #expect(harness.takeOutput() == bytes("C0 00"))
        #expect(harness.receive(hex: "D0 00") == [])
        #expect(try harness.session.tick(now: start + .seconds(31)) == start + .seconds(60))
    }

    @Test("Anything that is sent puts PINGREQ off")
    func sending() throws {
        var harness = try connected()
        let start = harness.now
        _ = harness.session.publish(topic: try TopicName("a"), payload: [], qos: .atMostOnce)
        harness.now = start + .seconds(20)
        _ = harness.takeOutput()
        #expect(try harness.session.tick(now: start + .seconds(30)) == start + .seconds(40))
        #expect(harness.takeOutput() == [])
    }

    @Test("A server that says nothing is asked, though we send all the time")
    func silenceOfTheServer() throws {
        var harness = try connected()
        let start = harness.now
        for second in stride(from: Int64(10), to: 40, by: 10) {
            harness.now = start + .seconds(second)
            _ = harness.session.publish(topic: try TopicName("a"), payload: [], qos: .atMostOnce)
            _ = harness.takeOutput()
            _ = try harness.session.tick(now: harness.now)
            #expect(harness.takeOutput() == [])
        }
        harness.now = start + .seconds(40)
        #expect(try harness.session.tick(now: harness.now) == start + .seconds(45))
        #expect(harness.takeOutput() == bytes("C0 00"))
        #expect(throws: MQTTError.pingTimedOut) { try harness.session.tick(now: start + .seconds(45)) }
        #expect(!harness.session.isConnected)
    }

    @Test("A missing PINGRESP ends the connection at its time limit, not before")
    func missingResponse() throws {
        var harness = try connected()
        let start = harness.now
        _ = try harness.session.tick(now: start + .seconds(30))
        #expect(try harness.session.tick(now: start + .seconds(34)) == start + .seconds(35))
        #expect(throws: MQTTError.pingTimedOut) { try harness.session.tick(now: start + .seconds(35)) }
    }

    @Test("Other bytes show that the server lives: PINGRESP may wait behind them")
    func responseBehindMessages() throws {
        var harness = try connected()
        let start = harness.now
        _ = try harness.session.tick(now: start + .seconds(30))
        harness.now = start + .seconds(34)
        _ = harness.receive(publishPacket("a"))
        #expect(try harness.session.tick(now: start + .seconds(38)) == start + .seconds(39))
        #expect(throws: MQTTError.pingTimedOut) { try harness.session.tick(now: start + .seconds(39)) }
    }

    @Test("While the caller does not read, PINGREQ goes out and PINGRESP is not missed")
    func paused() throws {
        var harness = try connected()
        let start = harness.now
        harness.session.pauseReading()
        #expect(harness.session.isReadingPaused)
        for second in stride(from: Int64(30), through: 300, by: 30) {
            harness.now = start + .seconds(second)
            #expect(try harness.session.tick(now: harness.now) == harness.now + .seconds(30))
            #expect(harness.takeOutput() == bytes("C0 00"))
        }
        harness.now = start + .seconds(301)
        harness.session.resumeReading(now: harness.now)
        #expect(try harness.session.tick(now: harness.now) == start + .seconds(306))
        var silent = harness
        #expect(throws: MQTTError.pingTimedOut) { try silent.session.tick(now: start + .seconds(306)) }
        _ = harness.receive(hex: "D0 00")
        #expect(try harness.session.tick(now: start + .seconds(306)) == start + .seconds(330))
    }

    @Test("A keep alive of 0 turns it off")
    func off() throws {
        var harness = try SessionHarness.connected { $0.keepAliveSeconds = 0 }
        #expect(try harness.session.tick(now: harness.now + .hours(24)) == .distantFuture)
        #expect(harness.takeOutput() == [])
    }

    @Test("A new connection starts without an unanswered PINGREQ")
    func reconnect() throws {
        var harness = try connected()
        harness.session.pauseReading()
        _ = try harness.session.tick(now: harness.now + .seconds(30))
        harness.now = harness.now + .seconds(100)
        harness.reconnect(sessionPresent: false)
        #expect(!harness.session.isReadingPaused)
        #expect(try harness.session.tick(now: harness.now + .seconds(6)) == harness.now + .seconds(30))
    }
}
