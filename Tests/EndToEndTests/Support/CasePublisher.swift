import Mapping
import Testing

/// A connection in MQTT 5 that publishes what the tests of mappings describe: with their properties, QoS and retain flag.
struct CasePublisher {
    private let socket: Socket
    private var stream = PacketStream()
    private var identifier: UInt16 = 0

    struct Refused: Error { let packet: [UInt8] }

    init(port: Int) throws {
        socket = try Socket(port: port)
        socket.setReceiveLimit(milliseconds: 20_000)
        try socket.send(Packets.connect(client: "cases-\(UInt32.random(in: 0...UInt32.max))", level: 5))
    }

    /// Returns when the broker has acknowledged all that it acknowledges.
    mutating func publish(_ tests: [TestSyntax]) throws {
        for test in tests { try send(test.topic, test.payload, qos: test.qos, isRetained: test.isRetained, properties(of: test)) }
    }

    /// At QoS 1.
    mutating func publish(_ topic: String, _ payload: String) throws {
        try send(topic, Array(payload.utf8), qos: 1, isRetained: false, [])
    }

    private mutating func send(_ topic: String, _ payload: [UInt8], qos: UInt8, isRetained: Bool, _ properties: [UInt8]) throws {
        if qos > 0 { identifier += 1 }
        var packet = Packets.publish(
            topic: Array(topic.utf8), payload: payload, packetIdentifier: qos > 0 ? identifier : nil, qos: qos, version: .v5,
            properties: properties)
        if isRetained { packet[0] |= 1 }
        try socket.send(packet)
        while qos > 0 {
            let bytes = try #require(try socket.receive(), "the broker closed the connection")
            for packet in stream.take(bytes) where packet.packetIdentifier == identifier {
                if let reason = packet.body.dropFirst(2).first, reason >= 0x80 { throw Refused(packet: packet.bytes) }
                switch packet.kind {
                case .publishReceived: try socket.send(Packets.release(identifier))
                case .publishAcknowledgement, .publishComplete: return
                default: break
                }
            }
        }
    }

    private func properties(of test: TestSyntax) -> [UInt8] {
        var bytes: [UInt8] = []
        if let seconds = test.messageExpirySeconds { bytes += [0x02] + withUnsafeBytes(of: seconds.bigEndian, Array.init) }
        if let type = test.contentType { bytes += [0x03] + Packets.text(type) }
        if let topic = test.responseTopic { bytes += [0x08] + Packets.text(topic) }
        if let data = test.correlationData { bytes += [0x09] + Packets.counted(data) }
        for property in test.userProperties { bytes += [0x26] + Packets.text(property.name) + Packets.text(property.value) }
        return bytes
    }
}
