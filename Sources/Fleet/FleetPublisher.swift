import Foundation
import MQTT
import NIOCore
import NIOPosix

/// How a fleet publishes.
public struct FleetConfiguration: Sendable {
    public var fleet: DeviceFleet
    public var host: String
    public var port: Int
    public var credentials: Credentials?
    public var qos = QoS.atLeastOnce
    /// Messages a second; 0 = as fast as the broker takes them.
    public var rate = 0
    /// How many messages; nil = until it is stopped.
    public var count: Int?
    /// How long; nil = until `count`, or it is stopped.
    public var duration: TimeAmount?

    public init(fleet: DeviceFleet, host: String, port: Int) {
        self.fleet = fleet
        self.host = host
        self.port = port
    }
}

/// What has been published so far.
public struct FleetProgress: Sendable {
    /// Messages written to the broker, by format.
    public var published: [PayloadFormat: Int] = [:]
    /// Of these, acknowledged by the broker; at QoS 0 the same.
    public var acknowledged: [PayloadFormat: Int] = [:]

    public var publishedTotal: Int { published.values.reduce(0, +) }
    public var acknowledgedTotal: Int { acknowledged.values.reduce(0, +) }
}

/// Publishes a fleet's messages over one connection, and knows of each whether the broker has acknowledged it.
public final class FleetPublisher: Sendable {
    private let loop: any EventLoop
    private let handler: NIOLoopBound<PublishingHandler>
    private let configuration: FleetConfiguration

    /// Why publishing ended early.
    public struct Failure: Error, CustomStringConvertible { public let description: String }

    public init(_ configuration: FleetConfiguration) throws {
        self.configuration = configuration
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        var session = SessionConfiguration(clientIdentifier: "fleet-\(UInt32.random(in: 0...UInt32.max))")
        session.cleanSession = true
        session.credentials = configuration.credentials
        let mqtt = try ClientSession(configuration: session)
        handler = try loop.submit { NIOLoopBound(PublishingHandler(configuration, session: mqtt, loop: loop), eventLoop: loop) }.wait()
    }

    /// Connects and publishes until count or duration is reached, or `stop` is called; then waits for the last acknowledgements.
    public func run() async throws {
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .channelInitializer { [handler] channel in
                    channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
                }
                .connect(host: configuration.host, port: configuration.port).get()
        } catch {
            throw Failure(
                description:
                    "cannot reach the broker at \(configuration.host):\(configuration.port): is it running, and is this its port? (\(error))"
            )
        }
        defer { channel.close(promise: nil) }
        try await loop.flatSubmit { [handler] in handler.value.finished.futureResult }.get()
    }

    /// Publishes no more; `run` returns when what is under way has been acknowledged.
    public func stop() { loop.execute { [handler] in handler.value.stop() } }

    public func progress() async throws -> FleetProgress { try await loop.submit { [handler] in handler.value.progress }.get() }

    /// The numbers of all messages that the broker has acknowledged.
    public func acknowledgedMessages() async throws -> [Int] {
        try await loop.submit { [handler] in handler.value.acknowledgedMessages }.get()
    }
}

/// Everything runs on its event loop.
private final class PublishingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let finished: EventLoopPromise<Void>
    private(set) var progress = FleetProgress()
    private let configuration: FleetConfiguration
    private var session: ClientSession
    private var context: ChannelHandlerContext?
    private var unparsed = ByteBuffer()
    private var next = 0
    private var startedAt = NIODeadline.now()
    private var isStopping = false
    private var timer: Scheduled<Void>?
    /// Message number by packet identifier; −1 where none is under way.
    private var underWay = [Int](repeating: -1, count: 65_536)
    private var underWayCount = 0
    private var isAcknowledged: [Bool] = []

    init(_ configuration: FleetConfiguration, session: ClientSession, loop: any EventLoop) {
        self.configuration = configuration
        self.session = session
        finished = loop.makePromise()
    }

    var acknowledgedMessages: [Int] { isAcknowledged.indices.filter { isAcknowledged[$0] } }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        session.connectionOpened(now: .now())
        flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        timer?.cancel()
        finished.fail(FleetPublisher.Failure(description: "the broker closed the connection"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail("\(error)") }

    private func fail(_ reason: String) {
        finished.fail(FleetPublisher.Failure(description: reason))
        context?.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var read = unwrapInboundIn(data)
        unparsed.writeBuffer(&read)
        var offset = 0
        do {
            try unparsed.withUnsafeReadableBytes { bytes in
                while try handle(session.nextEvent(in: bytes, at: &offset, now: .now())) {}
            }
        } catch {
            return fail("\((error as? MQTTError)?.description ?? "\(error)")")
        }
        unparsed.moveReaderIndex(forwardBy: offset)
        unparsed.discardReadBytes()
        publish()
    }

    /// False when more bytes are needed.
    private func handle(_ event: SessionEvent) -> Bool {
        switch event {
        case .needsMoreBytes, .held: return false
        case .connected:
            startedAt = .now()
            tick()
        case .acknowledged(let identifier):
            let number = underWay[Int(identifier)]
            guard number >= 0 else { return true }
            underWay[Int(identifier)] = -1
            underWayCount -= 1
            acknowledged(number)
        default: break
        }
        return true
    }

    private func acknowledged(_ number: Int) {
        isAcknowledged[number] = true
        progress.acknowledged[configuration.fleet.format(of: number), default: 0] += 1
    }

    /// A hundredth of a second at a time, so that any rate is kept smoothly.
    private func tick() {
        guard let context else { return }
        do throws(MQTTError) { _ = try session.tick(now: .now()) } catch { return fail(error.description) }
        publish()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(10)) { [self] in tick() }
    }

    func stop() {
        isStopping = true
        publish()
    }

    private func publish() {
        guard context != nil, session.isConnected else { return }
        let elapsed = NIODeadline.now() - startedAt
        if let duration = configuration.duration, elapsed >= duration { isStopping = true }
        let due = configuration.rate == 0 ? Int.max : Int(Double(elapsed.nanoseconds) / 1e9 * Double(configuration.rate)) + 1
        let milliseconds = Int64(Date().timeIntervalSince1970 * 1000)
        var room = 2000
        while !isStopping, next < due, next < configuration.count ?? Int.max, room > 0 {
            let message = configuration.fleet.message(next, at: milliseconds)
            guard let topic = try? TopicName(message.topic) else { return fail("'\(message.topic)' is no topic") }
            switch session.publish(topic: topic, payload: message.payload, qos: configuration.qos, isRetained: false) {
            case .written:
                isAcknowledged.append(false)
                acknowledged(next)
            case .awaitingAcknowledgement(let identifier):
                isAcknowledged.append(false)
                underWay[Int(identifier)] = next
                underWayCount += 1
            case .windowFull, .notConnected: return flush()
            }
            progress.published[configuration.fleet.format(of: next), default: 0] += 1
            next += 1
            room -= 1
        }
        flush()
        if isStopping || next >= configuration.count ?? Int.max, underWayCount == 0 { end() }
    }

    private func end() {
        timer?.cancel()
        session.disconnect()
        flush()
        finished.succeed()
    }

    private func flush() {
        guard let context, let output = session.takeOutput(now: .now()) else { return }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
    }
}
