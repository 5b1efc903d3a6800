import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// Opens a channel to a broker: TCP, TLS above it where the scheme says so, and a WebSocket above that.
///
/// The handler that comes last sees MQTT's bytes, and reads only when it asks to. Over TLS its channel is active before the handshake is done: what it
/// writes waits for it, and a handshake that fails is an error of the channel.
struct BrokerChannel {
    let tls: TLSContexts
    let connectTimeout: TimeAmount
    /// The largest packet that is taken.
    let maximumPacketBytes: Int
    /// A WebSocket frame may be so long whatever a packet may be.
    static let frameBytesMinimum = 16 * 1024 * 1024
    /// The first request of a WebSocket names it.
    let webSocketProtocol = "mqtt"

    /// - Parameter handler: made and used on the event loop.
    /// - Returns: once the handler stands in the channel. Fails when there is no connection; what ends one that was there is the handler's to see.
    func open(
        _ endpoint: BrokerEndpoint, on eventLoop: any EventLoop, handler: any ChannelHandler
    ) -> EventLoopFuture<any Channel> {
        let handler = NIOLoopBound(handler, eventLoop: eventLoop)
        let context: NIOSSLContext?
        do {
            context = endpoint.scheme.isSecure ? try tls.context() : nil
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: endpoint.scheme.isWebSocket)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 16 * 1024, initial: 64 * 1024, maximum: 1024 * 1024))
        guard endpoint.scheme.isWebSocket else {
            return
                bootstrap
                .channelInitializer { [self] channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let context { try addTLS(channel, context, endpoint) }
                        try channel.pipeline.syncOperations.addHandler(handler.value)
                    }
                }
                .connect(host: endpoint.host, port: endpoint.port)
        }
        let upgraded = eventLoop.makePromise(of: (any Channel).self)
        bootstrap
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context { try addTLS(channel, context, endpoint) }
                    try addUpgrade(channel, endpoint, handler).cascade(to: upgraded)
                }
            }
            .connect(host: endpoint.host, port: endpoint.port)
            .whenFailure { upgraded.fail($0) }
        return upgraded.futureResult
    }

    /// Servers send a packet as one frame, but a frame may hold many packets, or parts of some ([MQTT-6.0.0-2]).
    private var maximumFrameBytes: Int { max(maximumPacketBytes, Self.frameBytesMinimum) }

    private func addTLS(_ channel: any Channel, _ context: NIOSSLContext, _ endpoint: BrokerEndpoint) throws {
        let name = endpoint.isReferred ? endpoint.host : tls.settings.serverName ?? endpoint.host
        // An address is no name that a server can be asked for; the certificate is then held against the address.
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name))
    }

    // MARK: WebSocket

    private func addUpgrade(
        _ channel: any Channel, _ endpoint: BrokerEndpoint, _ handler: NIOLoopBound<any ChannelHandler>
    ) throws -> EventLoopFuture<any Channel> {
        var headers = HTTPHeaders()
        headers.add(name: "Host", value: endpoint.authority)
        headers.add(name: "Content-Length", value: "0")
        headers.add(name: "Sec-WebSocket-Protocol", value: webSocketProtocol)
        // Errors are answered by WebSocketBytes: what comes with the library closes the channel before it says why.
        let upgrader = NIOTypedWebSocketClientUpgrader<any Channel>(
            maxFrameSize: maximumFrameBytes, enableAutomaticErrorHandling: false
        ) { channel, response in
            let accepted = response.headers["Sec-WebSocket-Protocol"].first
            guard accepted == nil || accepted?.lowercased() == "mqtt" else {
                return channel.eventLoop.makeFailedFuture(
                    NetworkProblem(description: "the server speaks another protocol than MQTT over the WebSocket [MQTT-6.0.0-4]"))
            }
            return channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(WebSocketBytes())
                return channel
            }
        }
        let refusal = NetworkProblem(
            description: "the server does not answer with a WebSocket: check the path in broker.url and that this is its WebSocket port")
        let upgrade = NIOTypedHTTPClientUpgradeConfiguration<any Channel>(
            upgradeRequestHead: HTTPRequestHead(version: .http1_1, method: .GET, uri: endpoint.requestTarget, headers: headers),
            upgraders: [upgrader],
            notUpgradingCompletionHandler: { $0.eventLoop.makeFailedFuture(refusal) })
        let result = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
            configuration: NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: upgrade))
        let failure = UpgradeFailure(promise: channel.eventLoop.makePromise())
        try channel.pipeline.syncOperations.addHandler(failure)
        let answered = channel.eventLoop.makePromise(of: (any Channel).self)
        let timer = channel.eventLoop.scheduleTask(in: connectTimeout) {
            answered.fail(
                NetworkProblem(description: "no answer to the WebSocket's request within \(connectTimeout.nanoseconds / 1_000_000_000) s"))
        }
        // Only now has the pipeline lost its handlers for HTTP, through which nothing else can be written.
        result.flatMap { channel in channel.setOption(.autoRead, value: false).map { channel } }
            .flatMap { channel in
                channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                    return channel
                }
            }
            .whenComplete { answered.completeWith($0) }
        failure.promise.futureResult.whenFailure { answered.fail($0) }
        answered.futureResult.whenComplete { outcome in
            timer.cancel()
            if case .failure = outcome { channel.close(promise: nil) }
        }
        answered.futureResult.whenSuccess { channel in
            channel.pipeline.removeHandler(name: UpgradeFailure.name, promise: nil)
        }
        return answered.futureResult
    }
}

/// Tells why a channel ended before it was a WebSocket.
private final class UpgradeFailure: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    static let name = "upgrade failure"
    let promise: EventLoopPromise<Never>

    init(promise: EventLoopPromise<Never>) { self.promise = promise }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(NetworkProblem(description: "the server closed the connection before it became a WebSocket"))
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
    }
}
