import NIOCore
import NIOEmbedded

@testable import Ingest

/// One network connection between a process and the broker: bytes on their way in both directions, and each end, which may be gone while the other
/// does not know.
final class Link {
    enum Question { case publish, publishReceived, publishComplete }

    private unowned let world: World
    let process: SimulatedProcess
    let channel: EmbeddedChannel
    private let gate = ReadGate()
    private var toBroker: [UInt8] = []
    private var toClient: [UInt8] = []
    /// At the broker, not yet a whole packet.
    private var atBroker: [UInt8] = []
    private(set) var isOpenAtBroker = true
    private var expected: [(question: Question, identifier: UInt16)] = []

    init(world: World, process: SimulatedProcess, handler: SessionHandler) throws {
        self.world = world
        self.process = process
        channel = EmbeddedChannel(loop: process.loop)
        try channel.pipeline.syncOperations.addHandlers([gate, handler])
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1883), promise: nil)
    }

    var isOpenAtClient: Bool { channel.isActive }
    var isDead: Bool { !isOpenAtClient && !isOpenAtBroker && toBroker.isEmpty }
    var hasNewsForClient: Bool { isOpenAtClient && (gate.isAsked && !toClient.isEmpty || !isOpenAtBroker) }
    var hasNewsForBroker: Bool { isOpenAtBroker && (!toBroker.isEmpty || !isOpenAtClient) }

    // MARK: Broker's end

    func send(_ bytes: [UInt8]) { if isOpenAtBroker { toClient += bytes } }

    /// The broker ends the connection, or its end is cut.
    func breakOff() {
        isOpenAtBroker = false
        world.broker.linkLost(self)
    }

    /// The broker asks something; answers of one kind come in the order of the questions [MQTT-4.6.0-2, MQTT-4.6.0-3].
    func expect(_ question: Question, _ identifier: UInt16) { expected.append((question, identifier)) }

    /// - Throws: when something that was asked earlier is not answered yet.
    func answered(_ question: Question, _ identifier: UInt16) throws(Violation) {
        // A second answer, to a repeat that crossed the first one.
        guard expected.contains(where: { $0.question == question && $0.identifier == identifier }) else { return }
        guard let first = expected.firstIndex(where: { $0.question == question }), expected[first].identifier == identifier else {
            throw Violation("\(question) \(identifier) is answered out of turn: \(expected)")
        }
        // Repeats are answered with the first of them, or once more.
        expected.removeAll { $0.question == question && $0.identifier == identifier }
    }

    /// The broker reads up to so many bytes.
    func readAtBroker(_ count: Int) throws(Violation) {
        guard isOpenAtBroker else { return }
        let some = toBroker.prefix(count)
        toBroker.removeFirst(some.count)
        atBroker += some
        while isOpenAtBroker, atBroker.count >= 2, atBroker.count >= 2 + Int(atBroker[1]) {
            let packet = Array(atBroker.prefix(2 + Int(atBroker[1])))
            atBroker.removeFirst(packet.count)
            try world.broker.receive(packet, on: self)
        }
        if !isOpenAtClient, toBroker.isEmpty { breakOff() }
    }

    // MARK: Client's end

    /// The client's process reads up to so many bytes, or notices that the connection is gone.
    func readAtClient(_ count: Int) {
        guard isOpenAtClient else { return }
        if gate.isAsked, !toClient.isEmpty {
            gate.isAsked = false
            let some = toClient.prefix(count)
            toClient.removeFirst(some.count)
            _ = try? channel.writeInbound(ByteBuffer(bytes: some))
        } else if !isOpenAtBroker {
            closeAtClient()
        }
    }

    func closeAtClient() { channel.close(promise: nil) }

    /// The network loses what was on its way to the broker.
    func loseBytesToBroker(keeping count: Int) { toBroker = Array(toBroker.prefix(count)) }

    /// What the client has written goes on its way.
    func collect() {
        while let buffer = try? channel.readOutbound(as: ByteBuffer.self) {
            guard process.isAlive else { continue }
            var bytes = Array(buffer.readableBytesView)
            if world.bugs.contains(.acknowledgesOutOfOrder) { Self.swapAcknowledgements(&bytes) }
            toBroker += bytes
        }
    }

    /// The last two acknowledgements of one kind change places.
    private static func swapAcknowledgements(_ bytes: inout [UInt8]) {
        guard bytes.count >= 8, bytes.count % 4 == 0 else { return }
        let last = bytes.count - 4
        guard bytes[last] == bytes[last - 4], [0x40, 0x50].contains(bytes[last]) else { return }
        bytes.replaceSubrange(last - 4..<bytes.count, with: Array(bytes[last...]) + Array(bytes[last - 4..<last]))
    }
}

/// Remembers that the handler has asked for bytes: like a socket, the channel gives none without.
private final class ReadGate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var isAsked = false

    func read(context: ChannelHandlerContext) { isAsked = true }
}
