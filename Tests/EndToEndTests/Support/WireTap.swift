import Foundation
import Synchronization

/// A proxy of ours between the ingester and its broker that sees every packet, in both directions, before it is passed on.
///
/// An acknowledgement that the tap sees has left the ingester and has not reached the broker.
final class WireTap: Sendable {
    enum Direction: Sendable { case toBroker, toIngester }

    /// One packet on its way.
    struct Passage: Sendable {
        let at: ContinuousClock.Instant
        /// Connections are numbered from 0 in the order in which they were accepted.
        let connection: Int
        let direction: Direction
        let kind: WirePacket.Kind?
        let packetIdentifier: UInt16?
        /// The client identifier that was named in the connection's CONNECT.
        let client: String
        /// The `seq` of a JSON reading in a PUBLISH; in a PUBACK, PUBREC or PUBCOMP that of the PUBLISH that it answers.
        let sequence: Int?
        let isDuplicate: Bool
        /// The protocol level of a CONNECT.
        let protocolLevel: UInt8?
    }

    /// The answer to a CONNECT of a version that the broker would not know.
    struct Refusal: Sendable {
        /// The newest protocol level that is let through.
        var aboveLevel: UInt8
        /// What is sent before the connection is closed.
        var answer: [UInt8]
    }

    private struct State {
        var passages: [Passage] = []
        var open: [Int: (ingester: Socket, broker: Socket)] = [:]
        var connectionCount = 0
        var clients: [Int: String] = [:]
        /// What has been published last to a client under a packet identifier.
        var published: [String: [UInt16: Int]] = [:]
    }

    let port: Int
    private let brokerPort: Int
    private let reads: Bool
    private let refusal: Refusal?
    private let listener: Listener
    private let state = Mutex(State())
    private let gate = Gate()
    private let whenSeen: @Sendable (Passage) -> Void

    /// - Parameters:
    ///   - reads: false where what passes is no MQTT, as in TLS: it is passed on unseen.
    ///   - whenSeen: called on the thread that carries the packet, before the packet is passed on: what it does holds the packet up.
    init(
        brokerPort: Int, reads: Bool = true, refusal: Refusal? = nil, whenSeen: @escaping @Sendable (Passage) -> Void = { _ in }
    ) throws {
        self.brokerPort = brokerPort
        self.reads = reads
        self.refusal = refusal
        self.whenSeen = whenSeen
        listener = try Listener()
        port = listener.port
        Thread.detachNewThread { [self] in
            while let connection = listener.accept() { carry(connection) }
        }
    }

    /// Ends everything; the threads go away by themselves.
    func stop() {
        listener.stop()
        gate.open()
        cut()
    }

    // MARK: What was seen

    var passages: [Passage] { state.withLock(\.passages) }
    /// Whether all clients that are sent messages have been sent one that is not marked as sent before, on a connection of number `first` or later.
    func isSendingNewMessages(since first: Int) -> Bool {
        let messages = passages.filter { $0.direction == .toIngester && $0.kind == .publish }
        let new = messages.filter { $0.connection >= first && !$0.isDuplicate }
        return !messages.isEmpty && Set(messages.map(\.client)) == Set(new.map(\.client))
    }

    var connectionCount: Int { state.withLock(\.connectionCount) }

    func count(_ kind: WirePacket.Kind, _ direction: Direction, since start: ContinuousClock.Instant? = nil) -> Int {
        state.withLock { state in
            state.passages.count { passage in
                passage.kind == kind && passage.direction == direction && (start.map { passage.at >= $0 } ?? true)
            }
        }
    }

    /// The `seq` of every reading that the ingester has acknowledged.
    var acknowledgedSequences: [Int] {
        state.withLock { state in
            state.passages.compactMap { $0.kind == .publishAcknowledgement && $0.direction == .toBroker ? $0.sequence : nil }
        }
    }

    // MARK: What it can do

    /// Ends all connections, as a network that fails does.
    func cut() {
        for (ingester, broker) in state.withLock({ Array($0.open.values) }) {
            ingester.shutDown()
            broker.shutDown()
        }
    }

    /// Holds back all bytes in both directions until `resume`.
    func stall() { gate.close() }
    func resume() { gate.open() }

    // MARK: Carrying

    private func carry(_ ingester: Socket) {
        guard let broker = try? Socket(port: brokerPort) else { return ingester.shutDown() }
        let connection = state.withLock { state in
            defer { state.connectionCount += 1 }
            state.open[state.connectionCount] = (ingester, broker)
            return state.connectionCount
        }
        Thread.detachNewThread { [self] in pump(from: ingester, to: broker, .toBroker, connection) }
        Thread.detachNewThread { [self] in pump(from: broker, to: ingester, .toIngester, connection) }
    }

    private func pump(from source: Socket, to destination: Socket, _ direction: Direction, _ connection: Int) {
        var stream = PacketStream()
        while let bytes = try? source.receive() {
            gate.wait()
            let packets = reads ? stream.take(bytes) : []
            for packet in packets { see(packet, direction, connection) }
            if let refusal, packets.contains(where: { ($0.protocolLevel ?? 0) > refusal.aboveLevel }) {
                try? source.send(refusal.answer)
                break
            }
            do { try destination.send(bytes) } catch { break }
        }
        source.shutDown()
        destination.shutDown()
        state.withLock { state in _ = state.open.removeValue(forKey: connection) }
    }

    private func see(_ packet: WirePacket, _ direction: Direction, _ connection: Int) {
        let passage = state.withLock { state in
            var sequence: Int?
            if let named = packet.clientIdentifier { state.clients[connection] = named }
            let client = state.clients[connection] ?? ""
            switch (packet.kind, packet.packetIdentifier) {
            case (.publish, let identifier):
                sequence = sequenceNumber(in: packet.payload)
                if let identifier, direction == .toIngester { state.published[client, default: [:]][identifier] = sequence }
            case (.publishAcknowledgement, let identifier?), (.publishReceived, let identifier?), (.publishComplete, let identifier?):
                if direction == .toBroker { sequence = state.published[client]?[identifier] }
            default: break
            }
            let passage = Passage(
                at: .now, connection: connection, direction: direction, kind: packet.kind, packetIdentifier: packet.packetIdentifier,
                client: client, sequence: sequence, isDuplicate: packet.kind == .publish && packet.isDuplicate,
                protocolLevel: packet.protocolLevel)
            state.passages.append(passage)
            return passage
        }
        whenSeen(passage)
    }
}

/// Lets threads through, or holds them until it is opened.
private final class Gate: @unchecked Sendable {
    // @unchecked: `isOpen` is read and written only while `condition` is locked.
    private let condition = NSCondition()
    private var isOpen = true

    func wait() {
        condition.lock()
        while !isOpen { condition.wait() }
        condition.unlock()
    }

    func open() { set(true) }
    func close() { set(false) }

    private func set(_ value: Bool) {
        condition.lock()
        isOpen = value
        condition.broadcast()
        condition.unlock()
    }
}
