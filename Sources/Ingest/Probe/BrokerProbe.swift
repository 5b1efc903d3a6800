import MQTT
import NIOCore
import NIOPosix

/// Logs in to the broker once, asks for subscriptions and leaves: what `penstock check` reports.
///
/// It uses a session of its own that the broker forgets, and plain filters: as a member of the shared group it could be given messages that are meant
/// for the pool.
public enum BrokerProbe {
    /// What a broker granted.
    public struct Grant: Sendable {
        public var filter: String
        public var asked: QoS
        /// nil: refused.
        public var granted: QoS?
    }

    /// Why the broker could not be asked.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public static func ask(_ broker: BrokerSettings, clientIdentifier: String, subscriptions: [Subscription]) async throws -> [Grant] {
        let group = MultiThreadedEventLoopGroup.singleton
        var lastFailure = Failure(description: "no broker is configured")
        for endpoint in broker.endpoints {
            do {
                return try await ask(endpoint, broker, clientIdentifier, subscriptions, on: group.next())
            } catch let failure as Failure {
                lastFailure = failure
            }
        }
        throw lastFailure
    }

    private static func ask(
        _ endpoint: BrokerEndpoint, _ broker: BrokerSettings, _ clientIdentifier: String, _ subscriptions: [Subscription],
        on loop: any EventLoop
    ) async throws -> [Grant] {
        var configuration = broker.sessionConfiguration(clientIdentifier: clientIdentifier)
        configuration.cleanSession = true
        let session = try ClientSession(configuration: configuration)
        let promise = loop.makePromise(of: [Grant].self)
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(broker.connectTimeout)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            ProbeHandler(session: session, subscriptions: subscriptions, promise: promise))
                    }
                }
                .connect(host: endpoint.host, port: endpoint.port).get()
            defer { channel.close(promise: nil) }
            return try await promise.futureResult.get()
        } catch let failure as Failure {
            throw Failure(description: "the broker at \(endpoint): \(failure)")
        } catch {
            promise.fail(error)
            throw Failure(description: "cannot reach the broker at \(endpoint): \(describeConnectFailure(error))")
        }
    }
}

/// One conversation: CONNECT, SUBSCRIBE, DISCONNECT.
private final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session: ClientSession
    private let subscriptions: [Subscription]
    private let promise: EventLoopPromise<[BrokerProbe.Grant]>
    private var unparsed = ByteBuffer()
    private var grants: [BrokerProbe.Grant] = []
    private var timer: Scheduled<Void>?

    init(session: ClientSession, subscriptions: [Subscription], promise: EventLoopPromise<[BrokerProbe.Grant]>) {
        self.session = session
        self.subscriptions = subscriptions
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        session.connectionOpened(now: .now())
        flush(context)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: session.configuration.connectTimeout) { [promise] in
            promise.fail(BrokerProbe.Failure(description: "no answer in time"))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        promise.fail(BrokerProbe.Failure(description: "it closed the connection"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var read = unwrapInboundIn(data)
        unparsed.writeBuffer(&read)
        do {
            while let isDone = try step(), !isDone {}
        } catch {
            promise.fail(BrokerProbe.Failure(description: (error as? MQTTError)?.description ?? "\(error)"))
            context.close(promise: nil)
            return
        }
        flush(context)
    }

    /// Reads one event; nil when more bytes are needed, true when all is known.
    private func step() throws -> Bool? {
        var offset = 0
        let event = try unparsed.withUnsafeReadableBytes { try session.nextEvent(in: $0, at: &offset, now: .now()) }
        switch event {
        case .needsMoreBytes, .held:
            unparsed.moveReaderIndex(forwardBy: offset)
            return nil
        case .connected:
            if subscriptions.isEmpty { finish() } else { session.subscribe(subscriptions, now: .now()) }
        case .subscribed(let results):
            grants += results.map { .init(filter: $0.subscription.filter.description, asked: $0.subscription.qos, granted: $0.grantedQoS) }
            if grants.count >= subscriptions.count { finish() }
        default: break
        }
        unparsed.moveReaderIndex(forwardBy: offset)
        return !session.isConnected
    }

    private func finish() {
        timer?.cancel()
        session.disconnect()
        promise.succeed(grants)
    }

    private func flush(_ context: ChannelHandlerContext) {
        if let output = session.takeOutput(now: .now()) { context.writeAndFlush(wrapOutboundOut(output), promise: nil) }
    }
}
