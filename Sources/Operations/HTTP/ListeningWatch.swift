import Glibc
import Logging
import NIOCore
import Synchronization

/// What went wrong with a listening socket last.
final class ListeningFailure: Sendable {
    private let failure = Mutex<(any Error)?>(nil)

    var text: String { failure.withLock { $0.map { "\($0)" } } ?? "it does not say" }

    func note(_ error: any Error) { failure.withLock { $0 = error } }
}

/// Watches over a listening socket: where the process, or the machine, has nothing left to take a connection with, it is asked again after a pause.
///
/// Without the pause the event loop would ask as often as it can: the connection that waits makes the socket ready again and again.
final class ListeningWatch: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private static let pause = TimeAmount.seconds(1)

    private let failure: ListeningFailure
    private let logger: Logger
    /// How often it was asked in vain since it last took a connection.
    private var attemptsInVain = 0

    init(_ failure: ListeningFailure, logger: Logger) {
        self.failure = failure
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure.note(error)
        guard let code = (error as? IOError)?.errnoCode, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) else {
            return context.fireErrorCaught(error)
        }
        if attemptsInVain == 0 {
            logger.warning("the HTTP server can take no connection for now; messages flow on", metadata: ["reason": "\(error)"])
        }
        attemptsInVain += 1
        read(context.channel, false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [channel = context.channel] in self.read(channel, true) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if attemptsInVain > 0 {
            logger.notice("the HTTP server takes connections again", metadata: ["attempts_in_vain": "\(attemptsInVain)"])
            attemptsInVain = 0
        }
        context.fireChannelRead(data)
    }

    /// A channel that has been closed meanwhile needs neither.
    private func read(_ channel: any Channel, _ reads: Bool) { try? channel.syncOptions?.setOption(.autoRead, value: reads) }
}
