import MQTT
import NIOCore
import NIOPosix

/// One connection that takes part in no ingestion: what `check`, `sessions` and the watch over `$SYS` topics say to a broker.
///
/// It may share its event loop with those that do. So it reads only while the broker takes what is written, and ends when the broker takes nothing, or
/// sends more than can be meant.
final class BrokerConversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How a conversation ended.
    enum End {
        case failed(MQTTError)
        case networkFailed(String)
        case closed(wasAnswered: Bool)
    }

    /// The time in which `packetsMaximum` may come.
    private static let window = TimeAmount.seconds(10)

    private var session: ClientSession
    private let packetsMaximum: Int
    private let take: (inout ClientSession, SessionEvent) -> Void
    private let ended: (End) -> Void
    private var end: End?
    private var unparsed = ByteBuffer()
    private var timer: Scheduled<Void>?
    /// Runs while the broker does not take what is written.
    private var unwritten: Scheduled<Void>?
    private var windowBegan = NIODeadline.uptimeNanoseconds(0)
    private var packetsInWindow = 0
    private var hasBegun = false
    private var wasAnswered = false

    /// - Parameters:
    ///   - packetsMaximum: packets that the broker may send in ten seconds.
    ///   - take: called with each event; what it asks of the session goes out. A session that it disconnects is closed.
    ///   - ended: called once, after the channel has closed.
    init(
        _ session: ClientSession, packetsMaximum: Int = .max, take: @escaping (inout ClientSession, SessionEvent) -> Void,
        ended: @escaping (End) -> Void
    ) {
        self.session = session
        self.packetsMaximum = packetsMaximum
        self.take = take
        self.ended = ended
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) { begin(context) }

    private func begin(_ context: ChannelHandlerContext) {
        guard !hasBegun else { return }
        hasBegun = true
        session.connectionOpened(now: .now())
        tick(context)
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        unwritten?.cancel()
        ended(end ?? .closed(wasAnswered: wasAnswered))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end = end ?? (isEndWithoutWord(error) ? .closed(wasAnswered: wasAnswered) : .networkFailed(describeConnectFailure(error)))
        context.close(promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { readOn(context) }

    private func readOn(_ context: ChannelHandlerContext) {
        if context.channel.isWritable {
            session.resumeReading(now: .now())
            context.read()
        } else {
            session.pauseReading()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unwritten?.cancel()
        unwritten = nil
        if context.channel.isWritable {
            readOn(context)
        } else {
            let limit = session.configuration.pingTimeout + .seconds(Int64(max(session.configuration.keepAliveSeconds, 1)))
            unwritten = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [self] in
                leave("the broker has not taken what we write for too long", context)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    private func leave(_ reason: String, _ context: ChannelHandlerContext) {
        end = end ?? .networkFailed(reason)
        context.close(promise: nil)
    }

    /// Whether the packets of the last seconds are more than can be meant.
    private func isFlooded(now: NIODeadline) -> Bool {
        if now - windowBegan >= Self.window {
            windowBegan = now
            packetsInWindow = 0
        }
        return packetsInWindow > packetsMaximum
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        var read = unwrapInboundIn(data)
        unparsed.writeBuffer(&read)
        var offset = 0
        do throws(MQTTError) {
            while try step(&offset) {
                packetsInWindow += 1
                if isFlooded(now: context.eventLoop.now) { return leave("the broker sends more than was asked for", context) }
            }
        } catch {
            fail(error, context)
            return
        }
        unparsed.moveReaderIndex(forwardBy: offset)
        unparsed.discardReadBytes()
        flush(context)
    }

    /// False when more bytes are needed.
    private func step(_ offset: inout Int) throws(MQTTError) -> Bool {
        // The closure's errors lose their type on the way, so they take the way around it.
        let outcome = unparsed.withUnsafeReadableBytes { bytes -> Result<Bool, MQTTError> in
            do throws(MQTTError) {
                let event = try session.nextEvent(in: bytes, at: &offset, now: .now())
                switch event {
                case .needsMoreBytes, .held: return .success(false)
                case .connected: wasAnswered = true
                default: break
                }
                take(&session, event)
                return .success(true)
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private func fail(_ error: MQTTError, _ context: ChannelHandlerContext) {
        end = end ?? .failed(error)
        flush(context)
        context.close(promise: nil)
    }

    private func tick(_ context: ChannelHandlerContext) {
        do throws(MQTTError) {
            let next = try session.tick(now: .now())
            flush(context)
            timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: min(next, .now() + .seconds(10))) { [self] in tick(context) }
        } catch {
            fail(error, context)
        }
    }

    /// Sends what the session has to say, and closes when it has said DISCONNECT.
    private func flush(_ context: ChannelHandlerContext) {
        let isOver = wasAnswered && !session.isConnected
        guard let output = session.takeOutput(now: .now()) else {
            if isOver { context.close(promise: nil) }
            return
        }
        let written = context.writeAndFlush(wrapOutboundOut(output))
        if isOver { written.assumeIsolated().whenComplete { _ in context.close(promise: nil) } }
    }
}
