import Foundation
import MQTT
import NIOCore
import NIOPosix

/// One session's publishing, through all its connections. Everything runs on its event loop.
final class PublishingSession {
    private(set) var progress = FleetProgress()
    private let configuration: FleetConfiguration
    private let share: FleetShare
    private let loop: any EventLoop
    private let finished: EventLoopPromise<Void>
    private var session: ClientSession
    private var channel: (any Channel)?
    private var unparsed = ByteBuffer()

    /// Counts this connection's messages; the share says which of the fleet's each is.
    private var next = 0
    /// Which of them are acknowledged.
    private var isAcknowledged: [Bool] = []
    /// Message by packet identifier; −1 where none is under way.
    private var underWay = [Int](repeating: -1, count: 65_536)
    private var underWayCount = 0
    private var refused: ServerRefusal?

    private var timer: Scheduled<Void>?
    /// The first CONNACK.
    private var startedAt: NIODeadline?
    /// Nothing is waited for beyond.
    private var stopsAt: NIODeadline?
    /// A connection that was lost is given up then.
    private var returnsUntil: NIODeadline?
    private var returnDelay = TimeAmount.milliseconds(100)
    private var isEnding = false

    init(_ configuration: FleetConfiguration, _ share: FleetShare, session: ClientSession, loop: any EventLoop) {
        self.configuration = configuration
        self.share = share
        self.session = session
        self.loop = loop
        finished = loop.makePromise()
    }

    deinit { finished.fail(FleetPublisher.Failure(description: "publishing was never started, or is gone")) }

    /// The numbers of the messages over the whole fleet, ascending.
    var acknowledgedMessages: [Int] { isAcknowledged.indices.lazy.filter { self.isAcknowledged[$0] }.map(share.message) }

    // MARK: Start and end

    func start() -> EventLoopFuture<Void> {
        connect()
        tick()
        return finished.futureResult
    }

    /// Publishes no more, and waits no longer than the limit for what is under way.
    func stop() {
        guard stopsAt == nil else { return }
        stopsAt = .now() + configuration.acknowledgementLimit
        publish()
    }

    private func connect() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(PublishingHandler(bound.value)) }
            }
            .connect(host: configuration.host, port: configuration.port)
            .assumeIsolated()
            .whenFailure { [self] error in
                lost(
                    "cannot reach the broker at \(configuration.host):\(configuration.port): is it running, and is this its port? (\(error))"
                )
            }
    }

    func opened(_ channel: any Channel) {
        guard !isEnding else { return channel.close(promise: nil) }
        self.channel = channel
        session.connectionOpened(now: .now())
        flush()
    }

    func closed() {
        guard channel != nil else { return }
        channel = nil
        unparsed.clear()
        session.connectionClosed()
        lost("the broker closed the connection")
    }

    private func lost(_ reason: String) {
        if isEnding { return finish(.success(())) }
        guard let limit = configuration.reconnectLimit, startedAt != nil else {
            // Whoever asked for the end gets it.
            return finish(stopsAt == nil ? .failure(FleetPublisher.Failure(description: reason)) : .success(()))
        }
        let until = returnsUntil ?? .now() + limit
        returnsUntil = until
        guard .now() + returnDelay < until else { return finish(.failure(FleetPublisher.Failure(description: reason))) }
        loop.assumeIsolated().scheduleTask(in: returnDelay) { [self] in if !isEnding { connect() } }
        returnDelay = min(returnDelay * 2, .seconds(2))
    }

    private func fail(_ reason: String) {
        guard let channel else { return lost(reason) }
        self.channel = nil
        channel.close(promise: nil)
        unparsed.clear()
        session.connectionClosed()
        lost(reason)
    }

    /// Says goodbye; the broker then closes the connection, having read all that came before.
    private func end() {
        guard !isEnding else { return }
        isEnding = true
        guard let channel else { return finish(.success(())) }
        guard session.isConnected else { return channel.close(promise: nil) }
        session.disconnect()
        flush()
        loop.assumeIsolated().scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }

    private func finish(_ result: Result<Void, any Error>) {
        isEnding = true
        timer?.cancel()
        timer = nil
        finished.completeWith(result)
    }

    // MARK: Reading

    func read(_ bytes: inout ByteBuffer) {
        guard channel != nil, !isEnding else { return }
        unparsed.writeBuffer(&bytes)
        var offset = 0
        do throws(MQTTError) {
            // The closure's errors lose their type on the way, so they take the way around it.
            let outcome = unparsed.withUnsafeReadableBytes { bytes -> Result<Void, MQTTError> in
                do throws(MQTTError) {
                    while handle(try session.nextEvent(in: bytes, at: &offset, now: .now())) {}
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            try outcome.get()
        } catch {
            return fail(error.description)
        }
        unparsed.moveReaderIndex(forwardBy: offset)
        unparsed.discardReadBytes()
        if let refused { return fail("the broker refuses a message: \(refused.code)") }
        publish()
    }

    /// False when more bytes are needed.
    private func handle(_ event: SessionEvent) -> Bool {
        switch event {
        case .needsMoreBytes, .held: return false
        case .connected:
            if startedAt == nil { startedAt = .now() }
            returnsUntil = nil
            returnDelay = .milliseconds(100)
        case .acknowledged(let identifier):
            let message = underWay[Int(identifier)]
            guard message >= 0 else { return true }
            underWay[Int(identifier)] = -1
            underWayCount -= 1
            acknowledged(message)
        case .publishRefused(let identifier, let refusal):
            guard underWay[Int(identifier)] >= 0 else { return true }
            underWay[Int(identifier)] = -1
            underWayCount -= 1
            refused = refusal
        default: break
        }
        return true
    }

    private func acknowledged(_ message: Int) {
        isAcknowledged[message] = true
        progress.acknowledged[configuration.fleet.format(of: share.message(message)), default: 0] += 1
    }

    // MARK: Writing

    /// A hundredth of a second at a time, so that any rate is kept smoothly.
    private func tick() {
        guard !isEnding else { return }
        let now = NIODeadline.now()
        if channel != nil {
            do throws(MQTTError) { _ = try session.tick(now: now) } catch { fail(error.description) }
        }
        if let startedAt, let duration = configuration.duration, now - startedAt >= duration { stop() }
        if let stopsAt, now >= stopsAt { return end() }
        publish()
        guard !isEnding else { return }
        timer = loop.assumeIsolated().scheduleTask(in: .milliseconds(10)) { [self] in tick() }
    }

    /// Writes what is due, as far as the window and the socket take it; ends when all is done.
    func publish() {
        guard !isEnding else { return }
        if channel != nil, session.isConnected { writeDueMessages() }
        let isDone = stopsAt != nil || isComplete
        if isDone, stopsAt == nil { stopsAt = .now() + configuration.acknowledgementLimit }
        if isDone, underWayCount == 0 { end() }
    }

    /// Every message of the count is written.
    private var isComplete: Bool { startedAt != nil && share.message(next) >= configuration.count ?? .max }

    private func writeDueMessages() {
        guard let startedAt, let channel else { return }
        let elapsedSeconds = Double((NIODeadline.now() - startedAt).nanoseconds) / 1e9
        let due = configuration.rate == 0 ? Int.max : Int(elapsedSeconds * Double(configuration.rate) * share.part) + 1
        let milliseconds = Int64(Date().timeIntervalSince1970 * 1000)
        var room = 2000
        defer { flush() }
        while stopsAt == nil, !isComplete, next < due, room > 0, channel.isWritable {
            let number = share.message(next)
            let message = configuration.fleet.message(number, at: milliseconds)
            guard let topic = try? TopicName(message.topic) else { return fail("'\(message.topic)' is no topic") }
            switch session.publish(topic: topic, payload: message.payload, qos: configuration.qos, isRetained: false) {
            case .written:
                isAcknowledged.append(false)
                acknowledged(next)
            case .awaitingAcknowledgement(let identifier):
                isAcknowledged.append(false)
                underWay[Int(identifier)] = next
                underWayCount += 1
            case .windowFull, .notConnected: return
            case .tooLarge(let maximum): return fail("a message is larger than the \(maximum) bytes that the broker takes")
            }
            progress.published[configuration.fleet.format(of: number), default: 0] += 1
            next += 1
            room -= 1
        }
    }

    private func flush() {
        guard let channel, let output = session.takeOutput(now: .now()) else { return }
        channel.writeAndFlush(output, promise: nil)
    }
}

/// Hands on what the channel of one connection tells.
private final class PublishingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let session: PublishingSession

    init(_ session: PublishingSession) { self.session = session }

    func channelActive(context: ChannelHandlerContext) { session.opened(context.channel) }

    func channelInactive(context: ChannelHandlerContext) { session.closed() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        session.read(&bytes)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { session.publish() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
