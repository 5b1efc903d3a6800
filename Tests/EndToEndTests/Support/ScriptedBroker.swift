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
                    if !connection.endsWithReset { socket.shutDown() }
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
    /// What CONNECT says of a last will, once it was read.
    private(set) var hasWill = false
    /// PINGREQ is answered as it comes, and no packet that a script sees.
    var answersPings = false
    /// The connection is to end with a reset in place of an orderly end: what was not read yet may be lost.
    var endsWithReset = false {
        didSet { if endsWithReset { socket.resetWhenClosed() } }
    }

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

    /// What CONNECT has asked for, once it was seen.
    var version: WireVersion { stream.version }

    func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }

    /// Sends as much of it as fits into the buffers; nil when the connection is gone.
    func sendWhatFits(_ bytes: [UInt8]) -> Int? { socket.sendWhatFits(bytes) }
    func setBuffers(bytes: Int32) { socket.setBuffers(bytes: bytes) }

    /// The next packet of this kind; others before it are passed over.
    @discardableResult
    func expect(_ kind: WirePacket.Kind) throws -> WirePacket {
        while true {
            let packet = try next("\(kind)")
            if packet.kind == kind { return packet }
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
    func next(_ what: String = "a packet") throws -> WirePacket {
        while true {
            while waiting.isEmpty {
                do {
                    guard let bytes = try socket.receive() else { throw Unexpected(description: "closed while waiting for \(what)") }
                    waiting += stream.take(bytes)
                } catch let error as SystemError where error.code == EAGAIN {
                    throw Unexpected(description: "nothing came while waiting for \(what)")
                }
            }
            let packet = waiting.removeFirst()
            if packet.kind == .connect { hasWill = packet.hasWill }
            guard answersPings, packet.kind == .pingRequest else { return packet }
            try send(Packets.pingResponse)
        }
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

    /// Waits until the ingester closes the connection; what it said before.
    func packetsUntilEnd() throws -> [WirePacket] {
        var packets: [WirePacket] = []
        do {
            while true {
                for packet in waiting {
                    if answersPings, packet.kind == .pingRequest { try send(Packets.pingResponse) } else { packets.append(packet) }
                }
                waiting = []
                guard let bytes = try socket.receive() else { break }
                waiting = stream.take(bytes)
            }
        } catch let error as SystemError where error.code == ECONNRESET || error.code == EPIPE {
            // The ingester closed while bytes of ours were still unread.
        }
        return packets
    }

    /// Waits until the ingester closes the connection; true when it said nothing of this kind before.
    func waitForEnd(without kind: WirePacket.Kind) throws -> Bool { try !packetsUntilEnd().contains { $0.kind == kind } }

    /// CONNECT and CONNACK.
    /// - Parameter isSessionPresent: what CONNACK says.
    func acceptConnection(isSessionPresent: Bool = false) throws {
        try expect(.connect)
        try accept(isSessionPresent: isSessionPresent)
    }

    /// CONNACK to a CONNECT that is here already.
    func accept(isSessionPresent: Bool = false) throws {
        try send(Packets.connectionAcknowledgement(version, isSessionPresent: isSessionPresent))
    }

    /// SUBSCRIBE and SUBACK, each filter granted at this QoS.
    func grantSubscription(qos: UInt8 = 1) throws { try grant(try expect(.subscribe), qos: qos) }

    /// SUBACK, each filter granted at this QoS.
    func grant(_ subscribe: WirePacket, qos: UInt8) throws {
        try send(
            Packets.subscriptionGranted(
                packetIdentifier: subscribe.packetIdentifier ?? 0, codes: subscribe.filters.map { _ in qos }, version: version))
    }

    /// PUBLISH of the reading of this number, under this identifier or the number's own.
    func publish(_ sequence: Int, packetIdentifier: UInt16? = nil, qos: UInt8 = 1, isDuplicate: Bool = false) throws {
        let reading = LoadPublisher.reading(sequence)
        try send(
            Packets.publish(
                topic: Array(reading.topic.utf8), payload: reading.payload,
                packetIdentifier: qos == 0 ? nil : packetIdentifier ?? Self.packetIdentifier(of: sequence), qos: qos,
                isDuplicate: isDuplicate,
                version: version))
    }
}
