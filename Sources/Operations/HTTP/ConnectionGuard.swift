import NIOCore
import Synchronization

/// Bounds what one connection may cost: it carries one request, lives for a few seconds, and sends no more than a request needs. Where there are too many, the
/// next one is closed at once.
final class ConnectionGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// How many there are.
    final class Count: Sendable {
        private let open = Atomic(0)
        let maximum: Int

        init(maximum: Int) { self.maximum = maximum }

        fileprivate func enter() -> Bool { open.add(1, ordering: .relaxed).newValue <= maximum }
        fileprivate func leave() { open.subtract(1, ordering: .relaxed) }
    }

    struct Limits: Sendable {
        var connectionsMaximum = 64
        /// Of a request with all its headers.
        var requestBytesMaximum = 16 * 1024
        /// From the connection to the end of the answer.
        var lifetime = TimeAmount.seconds(10)
        /// What is left of that when the server ends.
        var quiescence = TimeAmount.milliseconds(300)
    }

    private let limits: Limits
    private let count: Count
    private var bytes = 0
    private var deadline: Scheduled<Void>?

    init(_ limits: Limits, _ count: Count) {
        self.limits = limits
        self.count = count
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let isWelcome = count.enter()
        let lifetime = isWelcome ? limits.lifetime : .zero
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: lifetime) { channel.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { count.leave() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            deadline?.cancel()
            let channel = context.channel
            deadline = context.eventLoop.scheduleTask(in: limits.quiescence) { channel.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += unwrapInboundIn(data).readableBytes
        guard bytes <= limits.requestBytesMaximum else { return context.close(promise: nil) }
        context.fireChannelRead(data)
    }
}
