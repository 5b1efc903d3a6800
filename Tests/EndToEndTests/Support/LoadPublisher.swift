import Foundation
import Synchronization

/// Publishes numbered messages on a thread of its own and remembers which of them the broker has acknowledged: at QoS 2 with PUBCOMP; at QoS 0,
/// where it never does, which of them were sent.
///
/// A connection that ends is opened again, and what was unacknowledged on it is sent again, as the sender of QoS 1 must. At QoS 2 that would
/// make repeats of its own, so there the publisher ends with its connection.
final class LoadPublisher: Sendable {
    static let deviceCount = 50

    private struct Progress {
        var acknowledged: Set<Int> = []
        var isFinished = false
        var isStopped = false
    }

    private let progress = Mutex(Progress())
    private let port: Int
    private let count: Int
    private let perSecond: Int
    private let qos: UInt8
    private let credentials: Credentials?
    private let message: @Sendable (Int) -> Message

    struct Credentials: Sendable {
        var username: String
        var password: String
    }

    struct Message: Sendable {
        var topic: String
        var payload: [UInt8]

        init(_ topic: String, _ payload: [UInt8]) {
            self.topic = topic
            self.payload = payload
        }

        init(_ topic: String, _ payload: String) { self.init(topic, Array(payload.utf8)) }
    }

    /// - Parameters:
    ///   - port: the broker's.
    ///   - count: how many messages, numbered from 0.
    ///   - perSecond: no more than this.
    ///   - message: what the message of a number is; a JSON reading of one of the devices where nothing else is said.
    init(
        port: Int, count: Int, perSecond: Int, qos: UInt8 = 1, credentials: Credentials? = nil,
        message: @escaping @Sendable (Int) -> Message = LoadPublisher.reading
    ) {
        self.port = port
        self.count = count
        self.perSecond = perSecond
        self.qos = qos
        self.credentials = credentials
        self.message = message
        Thread.detachNewThread { [self] in
            run()
            progress.withLock { $0.isFinished = true }
        }
    }

    var acknowledged: Set<Int> { progress.withLock(\.acknowledged) }
    var acknowledgedCount: Int { progress.withLock(\.acknowledged.count) }
    /// All are acknowledged, or it was stopped.
    var isFinished: Bool { progress.withLock(\.isFinished) }

    /// Publishes nothing more.
    func stop() { progress.withLock { $0.isStopped = true } }

    static func device(of sequence: Int) -> String { "d\(sequence % deviceCount)" }

    @Sendable static func reading(_ sequence: Int) -> Message {
        Message(
            "site/hq/dev/\(device(of: sequence))/telemetry", #"{"seq":\#(sequence),"temp":\#(sequence % 400).5,"unit":"C","fw":"1.4.2"}"#)
    }

    // MARK: On its thread

    /// mosquitto takes no more than 20 unfinished messages at QoS 2 from a client.
    private var window: Int { qos == 2 ? 20 : 500 }

    private func run() {
        var next = 0
        var unacknowledged: [Int] = []
        var connectionNumber = 0
        let start = ContinuousClock.now
        let name = UInt32.random(in: 0...UInt32.max)
        while !isDone(next: next, unacknowledged: unacknowledged) {
            connectionNumber += 1
            // A broker that is down ends the attempt at once; the pause keeps the attempts few.
            try? publish(
                from: &next, unacknowledged: &unacknowledged, client: "load-\(name)-\(connectionNumber)", start: start)
            if qos == 2 { return }
            if !isDone(next: next, unacknowledged: unacknowledged) { usleep(50_000) }
        }
    }

    private func isDone(next: Int, unacknowledged: [Int]) -> Bool {
        (next == count && unacknowledged.isEmpty) || progress.withLock(\.isStopped)
    }

    /// One connection, until all is acknowledged or the connection ends.
    private func publish(from next: inout Int, unacknowledged: inout [Int], client: String, start: ContinuousClock.Instant) throws {
        let socket = try Socket(port: port)
        try socket.send(Packets.connect(client: client, credentials: credentials))
        var stream = PacketStream()
        var identifiers: [UInt16: Int] = [:]
        var isAccepted = false
        var toRepeat = unacknowledged
        var identifier: UInt16 = 0
        socket.setReceiveLimit(milliseconds: 2)
        while !isDone(next: next, unacknowledged: unacknowledged) {
            if isAccepted {
                var bytes: [UInt8] = []
                var settledUnheard: Set<Int> = []
                while identifiers.count + settledUnheard.count < window {
                    let sequence: Int
                    let isRepeat = !toRepeat.isEmpty
                    if isRepeat {
                        sequence = toRepeat.removeFirst()
                    } else {
                        guard next < count, .seconds(Double(next) / Double(perSecond)) <= ContinuousClock.now - start else { break }
                        sequence = next
                        next += 1
                        unacknowledged.append(sequence)
                    }
                    identifier = identifier == .max ? 1 : identifier + 1
                    if qos == 0 { settledUnheard.insert(sequence) } else { identifiers[identifier] = sequence }
                    let message = message(sequence)
                    bytes += Packets.publish(
                        topic: Array(message.topic.utf8), payload: message.payload, packetIdentifier: qos == 0 ? nil : identifier, qos: qos,
                        isDuplicate: isRepeat)
                }
                if !bytes.isEmpty { try socket.send(bytes) }
                settle(settledUnheard, &unacknowledged)
            }
            guard let bytes = try receiveIfAny(socket) else { return }
            var settled: Set<Int> = []
            var releases: [UInt8] = []
            for packet in stream.take(bytes) {
                switch (packet.kind, packet.packetIdentifier) {
                case (.connectAcknowledgement, _): isAccepted = true
                case (.publishReceived, let identifier?): releases += Packets.release(identifier)
                case (.publishAcknowledgement, let identifier?), (.publishComplete, let identifier?):
                    if let sequence = identifiers.removeValue(forKey: identifier) { settled.insert(sequence) }
                default: break
                }
            }
            if !releases.isEmpty { try socket.send(releases) }
            settle(settled, &unacknowledged)
        }
        try? socket.send(Packets.disconnect)
    }

    private func settle(_ settled: Set<Int>, _ unacknowledged: inout [Int]) {
        guard !settled.isEmpty else { return }
        unacknowledged.removeAll(where: settled.contains)
        progress.withLock { $0.acknowledged.formUnion(settled) }
    }

    /// Nothing when the receive limit has passed; nil when the broker has closed.
    private func receiveIfAny(_ socket: Socket) throws -> [UInt8]? {
        do { return try socket.receive() } catch let error as SystemError where error.code == EAGAIN || error.code == EWOULDBLOCK {
            return []
        }
    }
}
