import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Testing

@testable import Ingest

@Suite("Frames of a WebSocket")
struct WebSocketFrameTests {
    /// Sends one frame once it was spoken to, as servers of MQTT do.
    private final class Sender: ChannelInboundHandler {
        typealias InboundIn = WebSocketFrame
        typealias OutboundOut = WebSocketFrame
        private let bytes: ByteBuffer
        init(_ bytes: ByteBuffer) { self.bytes = bytes }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .binary, data: bytes)), promise: nil)
        }
    }

    /// Takes bytes until there are so many, or something goes wrong.
    private final class Taker: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let wanted: Int
        private let outcome: EventLoopPromise<ByteBuffer>
        private var taken = ByteBuffer()

        init(_ wanted: Int, _ outcome: EventLoopPromise<ByteBuffer>) {
            self.wanted = wanted
            self.outcome = outcome
        }

        func handlerAdded(context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "hello")), promise: nil)
            context.read()
        }

        func channelReadComplete(context: ChannelHandlerContext) { context.read() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { outcome.fail(error) }
        func channelInactive(context: ChannelHandlerContext) { outcome.fail(ChannelError.eof) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            taken.writeBuffer(&bytes)
            if taken.readableBytes >= wanted { outcome.succeed(taken) }
        }
    }

    /// Serves one frame of so many bytes to whoever connects.
    private func serve(frameOf count: Int) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let upgrader = NIOWebSocketServerUpgrader(
                    shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
                    upgradePipelineHandler: { channel, _ in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(Sender(ByteBuffer(repeating: 0x61, count: count)))
                        }
                    })
                return channel.pipeline.configureHTTPServerPipeline(
                    withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private func take(_ count: Int, packetBytes: Int) async throws -> ByteBuffer {
        let server = try await serve(frameOf: count)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let outcome = loop.makePromise(of: ByteBuffer.self)
        let endpoint = BrokerEndpoint(scheme: .ws, host: "127.0.0.1", port: server.localAddress?.port)
        let client = try await loop.flatSubmit {
            BrokerChannel(tls: TLSContexts(TLSSettings()), connectTimeout: .seconds(10), maximumPacketBytes: packetBytes)
                .open(endpoint, on: loop, handler: Taker(count, outcome))
        }.get()
        loop.scheduleTask(in: .seconds(20)) { outcome.fail(ChannelError.connectTimeout(.seconds(20))) }
        let result = await outcome.futureResult.result
        try? await client.close()
        try await server.close()
        return try result.get()
    }

    @Test("one may be longer than the longest packet: it can hold many")
    func manyPackets() async throws {
        #expect(try await take(100_000, packetBytes: 64 * 1024).readableBytes == 100_000)
    }

    @Test("one that is longer than all that can be meant is refused, in words that name the setting")
    func tooLong() async throws {
        do {
            _ = try await take(BrokerChannel.frameBytesMinimum + 1, packetBytes: 64 * 1024)
            Issue.record("it was taken")
        } catch {
            #expect(describeConnectFailure(error).contains("broker.max_packet_bytes"), "\(error)")
        }
    }
}

extension EventLoopFuture where Value: Sendable {
    fileprivate var result: Result<Value, any Error> {
        get async {
            do { return .success(try await get()) } catch { return .failure(error) }
        }
    }
}
