import Foundation
import Synchronization
import Testing

/// Somebody who subscribes to a broker and writes down what comes, in MQTT 3.1.1 at QoS 0 unless said otherwise; it acknowledges nothing.
final class Listening: Sendable {
    struct Message: Sendable {
        var topic: String
        var payload: [UInt8]
        var isRetained: Bool
    }

    private let socket: Socket
    private let heard = Mutex<[Message]>([])

    /// Returns once the broker has granted the subscriptions.
    init(
        port: Int, filters: [String], clientIdentifier: String = "listening-\(UInt32.random(in: 0...UInt32.max))", isClean: Bool = true,
        qos: UInt8 = 0
    ) throws {
        socket = try Socket(port: port)
        socket.setReceiveLimit(milliseconds: 20_000)
        try socket.send(Packets.connect(client: clientIdentifier, cleanSession: isClean))
        let list = filters.flatMap { Packets.big(UInt16($0.utf8.count)) + Array($0.utf8) + [qos] }
        try socket.send(Packets.packet(0x82, [0, 1] + list))
        var stream = PacketStream()
        var isGranted = false
        while !isGranted {
            let bytes = try #require(try socket.receive(), "the broker closed the connection")
            for packet in stream.take(bytes) {
                isGranted = isGranted || packet.kind == .subscribeAcknowledgement
                note(packet)
            }
        }
        socket.setReceiveLimit(milliseconds: 0)
        let rest = stream
        Thread.detachNewThread { [self] in
            var stream = rest
            while let bytes = try? socket.receive() {
                for packet in stream.take(bytes) { note(packet) }
            }
        }
    }

    deinit { socket.shutDown() }

    private func note(_ packet: WirePacket) {
        guard packet.kind == .publish else { return }
        heard.withLock { $0.append(Message(topic: packet.topic, payload: Array(packet.payload), isRetained: packet.bytes[0] & 1 == 1)) }
    }

    /// What has come so far.
    var messages: [Message] { heard.withLock { $0 } }
    var retainedCount: Int { messages.count(where: \.isRetained) }
    /// The last payload of each topic, as text.
    var last: [String: String] {
        Dictionary(messages.map { ($0.topic, String(decoding: $0.payload, as: UTF8.self)) }, uniquingKeysWith: { $1 })
    }

    /// Goes without a word.
    func leave() { socket.shutDown() }
}
