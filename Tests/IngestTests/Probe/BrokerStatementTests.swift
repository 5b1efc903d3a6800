import MQTT
import NIOCore
import Testing

@testable import Ingest

@Suite("What a broker tells of itself")
struct BrokerStatementTests {
    private func statement(_ topic: String, _ payload: String, isRetained: Bool = false) -> BrokerStatement? {
        Array(topic.utf8).withUnsafeBytes { topic in
            Array(payload.utf8).withUnsafeBytes { BrokerStatement(topic: topic, payload: $0, isRetained: isRetained) }
        }
    }

    @Test("its counters of dropped messages, and how long it has been running")
    func known() {
        let (mosquitto, node) = ("$SYS/broker/publish/messages/dropped", "$SYS/brokers/emqx@node1/metrics/messages/dropped")
        #expect(statement(mosquitto, "12", isRetained: true) == .dropped(12, counter: mosquitto))
        #expect(statement(node, "7") == .dropped(7, counter: node))
        #expect(statement("$SYS/broker/uptime", "123 seconds") == .uptime(seconds: 123))
        #expect(statement("$SYS/broker/uptime", "123 seconds", isRetained: true) == nil, "a clock that may have stood still")
        #expect(BrokerStatement.subscriptions.count == 3)
    }

    @Test(
        "what was not asked for, and what is no number, is nothing",
        arguments: [
            ("$SYS/broker/clients/total", "5"), ("a/b", "5"), ("", "5"), ("$SYS/brokers/n/metrics/messages/received", "5"),
            ("$SYS/brokers/\(String(repeating: "n", count: 300))/metrics/messages/dropped", "5"),
            ("$SYS/broker/publish/messages/dropped", "many"), ("$SYS/broker/publish/messages/dropped", ""),
            ("$SYS/broker/publish/messages/dropped", "99999999999999999999"),
            ("$SYS/broker/publish/messages/dropped", String(repeating: "0", count: 100)), ("$SYS/broker/uptime", "a while"),
        ])
    func unknown(topic: String, payload: String) {
        #expect(statement(topic, payload) == nil)
    }

    @Test("growth is told at most once a minute, and counts from anew after a restart")
    func growth() {
        var dropped = DroppedMessages()
        let start = NIODeadline.uptimeNanoseconds(0)
        var growths: [UInt64?] = []
        growths.append(dropped.growth(100, of: "a", now: start))
        growths.append(dropped.growth(103, of: "a", now: start))
        growths.append(dropped.growth(104, of: "a", now: start + .seconds(59)))
        growths.append(dropped.growth(2, of: "a", now: start + .seconds(60)))
        growths.append(dropped.growth(2, of: "a", now: start + .seconds(200)))
        #expect(growths == [0, 3, nil, 3, nil])
    }

    @Test("a broker that names ever new counters fills no memory")
    func manyCounters() {
        var dropped = DroppedMessages()
        for number in 0..<10_000 { _ = dropped.growth(1, of: "\(number)", now: .uptimeNanoseconds(0)) }
        #expect(dropped.counts.count == DroppedMessages.countersMaximum)
    }
}
