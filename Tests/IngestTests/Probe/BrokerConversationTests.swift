import MQTT
import NIOCore
import NIOEmbedded
import NIOSSL
import Testing

@testable import Ingest

@Suite("A conversation with a broker that may be up to no good")
struct BrokerConversationTests {
    /// Counts what the conversation asks to be read.
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    /// A conversation over a channel without a network.
    private final class Stage {
        let channel = EmbeddedChannel()
        let reads = Reads()
        var end: BrokerConversation.End?
        var messageCount = 0

        init(packetsMaximum: Int = .max) throws {
            var configuration = SessionConfiguration(clientIdentifier: "c")
            configuration.cleanSession = true
            let conversation = BrokerConversation(try ClientSession(configuration: configuration), packetsMaximum: packetsMaximum) {
                [unowned self] _, event in
                if case .publish = event { messageCount += 1 }
            } ended: { [unowned self] in
                end = $0
            }
            try channel.pipeline.syncOperations.addHandlers([reads, conversation])
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1883), promise: nil)
        }

        func receive(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

        func setWritable(_ isWritable: Bool) {
            channel.isWritable = isWritable
            channel.pipeline.fireChannelWritabilityChanged()
        }

        var failure: String? {
            if case .networkFailed(let reason) = end { reason } else { nil }
        }
    }

    private static let accepted: [UInt8] = [0x20, 2, 0, 0]
    private static let message: [UInt8] = [0x30, 4, 0, 1, 0x61, 0x31]
    /// PUBREC, which is answered by PUBREL whether or not anything was published.
    private static let received: [UInt8] = [0x50, 2, 0, 9]

    @Test("nothing is read while the broker takes nothing, and all goes on when it does")
    func writability() throws {
        let stage = try Stage()
        try stage.receive(Self.accepted)
        stage.setWritable(false)
        let before = stage.reads.count
        try stage.receive(Self.received)
        #expect(stage.reads.count == before)
        stage.setWritable(true)
        #expect(stage.reads.count == before + 1)
        stage.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(stage.failure == nil)
    }

    @Test("a broker that takes nothing for too long is left")
    func unwritten() throws {
        let stage = try Stage()
        try stage.receive(Self.accepted)
        stage.setWritable(false)
        stage.channel.embeddedEventLoop.advanceTime(by: .seconds(41))
        #expect(stage.failure == "the broker has not taken what we write for too long")
        #expect(!stage.channel.isActive)
    }

    @Test("more packets in ten seconds than can be meant end it; as many in a longer time do not", arguments: [true, false])
    func flood(isFast: Bool) throws {
        let stage = try Stage(packetsMaximum: 100)
        try stage.receive(Self.accepted)
        for _ in 0..<40 {
            for _ in 0..<10 { try stage.receive(Self.message) }
            if !isFast { stage.channel.embeddedEventLoop.advanceTime(by: .seconds(2)) }
        }
        #expect(stage.failure == (isFast ? "the broker sends more than was asked for" : nil))
        #expect(isFast ? stage.messageCount <= 100 : stage.messageCount == 400)
    }

    @Test("an end over TLS without close_notify is an end without a word")
    func endWithoutWord() throws {
        let stage = try Stage()
        stage.channel.pipeline.fireErrorCaught(NIOSSLError.uncleanShutdown)
        guard case .closed(wasAnswered: false) = stage.end else {
            Issue.record("\(String(describing: stage.end))")
            return
        }
    }
}
