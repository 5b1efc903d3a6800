import Foundation
import Synchronization

/// A server that says to the ingester exactly the bytes that a test gives it, whatever the standard thinks of them.
final class ScriptedBroker: Sendable {
    let port: Int
    private let listener: Listener
    private let faults = Mutex<[String]>([])
    private let accepted = Mutex(0)
    private let heard = Mutex<[String]>([])

    /// - Parameter serve: what to do with the connection of this number, counted from 0; it is closed when this returns or throws.
    init(serve: @escaping @Sendable (ScriptedConnection, Int) throws -> Void) throws {
        listener = try Listener()
        port = listener.port
        Thread.detachNewThread { [self] in
            while let socket = listener.accept() {
                let number = accepted.withLock { count in
                    defer { count += 1 }
                    return count
                }
                Thread.detachNewThread { [self] in
                    let connection = ScriptedConnection(socket) { text in self.heard.withLock { $0.append(text) } }
                    do { try serve(connection, number) } catch { faults.withLock { $0.append("connection \(number): \(error)") } }
                    socket.shutDown()
                }
            }
        }
    }

    var connectionCount: Int { accepted.withLock { $0 } }
    /// What the scripts did not expect.
    var complaints: [String] { faults.withLock { $0 } }
    /// What came where the scripts waited for text.
    var texts: [String] { heard.withLock { $0 } }

    func stop() { listener.stop() }
}

/// The broker's end of one connection. It belongs to the thread of its script.
final class ScriptedConnection {
    private let socket: Socket
    private var stream = PacketStream()
    private var waiting: [WirePacket] = []

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    private let hear: (String) -> Void

    /// - Parameter hear: takes what came where the script waited for text.
    init(_ socket: Socket, hear: @escaping (String) -> Void) {
        self.socket = socket
        self.hear = hear
        socket.setReceiveLimit(milliseconds: 20_000)
    }

    func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }

    /// The next packet of this kind; others before it are passed over.
    @discardableResult
    func expect(_ kind: WirePacket.Kind) throws -> WirePacket {
        while true {
            while !waiting.isEmpty {
                let packet = waiting.removeFirst()
                if packet.kind == kind { return packet }
            }
            guard let bytes = try socket.receive() else { throw Unexpected(description: "closed while waiting for \(kind)") }
            waiting += stream.take(bytes)
        }
    }

    /// Reads until the text that came, which is no MQTT, ends so.
    func waitForText(_ end: String) throws {
        var text = ""
        while !text.hasSuffix(end) {
            guard let bytes = try socket.receive() else { throw Unexpected(description: "closed while waiting for text") }
            text += String(decoding: bytes, as: UTF8.self)
        }
        hear(text)
    }

    /// The next packet, of whatever kind.
    func next() throws -> WirePacket {
        while waiting.isEmpty {
            guard let bytes = try socket.receive() else { throw Unexpected(description: "closed while waiting for a packet") }
            waiting += stream.take(bytes)
        }
        return waiting.removeFirst()
    }

    /// The next packet, which has to be of this kind and for this identifier.
    @discardableResult
    func require(_ kind: WirePacket.Kind, _ packetIdentifier: UInt16? = nil) throws -> WirePacket {
        let packet = try next()
        guard packet.kind == kind, packetIdentifier == nil || packet.packetIdentifier == packetIdentifier else {
            throw Unexpected(
                description:
                    "\(packet.kind.map { "\($0)" } ?? "?") \(packet.packetIdentifier ?? 0) in place of \(kind) \(packetIdentifier ?? 0)")
        }
        return packet
    }

    /// Waits until the ingester closes the connection; true when it said nothing of this kind before.
    func waitForEnd(without kind: WirePacket.Kind) throws -> Bool {
        var kinds = waiting.map(\.kind)
        do {
            while let bytes = try socket.receive() { kinds += stream.take(bytes).map(\.kind) }
        } catch let error as SystemError where error.code == ECONNRESET {
            // The ingester closed while bytes of ours were still unread.
        }
        return !kinds.contains(kind)
    }

    /// CONNECT and CONNACK.
    /// - Parameter isSessionPresent: what CONNACK says.
    func acceptConnection(isSessionPresent: Bool = false) throws {
        try expect(.connect)
        try send(isSessionPresent ? Packets.sessionResumed : Packets.connectionAccepted)
    }

    /// SUBSCRIBE and SUBACK, each filter granted at this QoS.
    func grantSubscription(qos: UInt8 = 1) throws { try grant(try expect(.subscribe), qos: qos) }

    /// SUBACK, each filter granted at this QoS.
    func grant(_ subscribe: WirePacket, qos: UInt8) throws {
        try send(Packets.subscriptionGranted(packetIdentifier: subscribe.packetIdentifier ?? 0, codes: Self.codes(qos, for: subscribe)))
    }

    private static func codes(_ qos: UInt8, for subscribe: WirePacket) -> [UInt8] {
        var codes: [UInt8] = []
        var rest = subscribe.body.dropFirst(2)
        while rest.count >= 2 {
            let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            rest = rest.dropFirst(2 + length + 1)
            codes.append(qos)
        }
        return codes
    }
}
