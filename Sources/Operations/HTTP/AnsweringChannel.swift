import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes

/// A connection of the HTTP server: one request, one answer, closed.
struct AnsweringChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let http: HTTP1Channel
    private let limits: ConnectionGuard.Limits
    private let count: ConnectionGuard.Count
    private let answer: @Sendable (HTTPRequest) async -> Answer

    init(limits: ConnectionGuard.Limits, answer: @escaping @Sendable (HTTPRequest) async -> Answer) {
        self.limits = limits
        self.answer = answer
        count = ConnectionGuard.Count(maximum: limits.connectionsMaximum)
        // Its own way of answering is not used: `handle` is.
        http = HTTP1Channel(
            responder: { _, _, _ in },
            configuration: .init(
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.requestBytesMaximum / 2, maxHeaderListSize: limits.requestBytesMaximum,
                    maxHeaderFieldCount: 100)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ConnectionGuard(limits, count))
        }.flatMap { http.setup(channel: channel, logger: logger) }
    }

    func handle(value connection: Value, logger: Logger) async {
        do {
            try await connection.executeThenClose { inbound, outbound in
                var parts = inbound.makeAsyncIterator()
                var request: HTTPRequest?
                let given: Answer
                do {
                    guard case .head(let head)? = try await parts.next() else { return }
                    request = head
                    given = await answer(head)
                } catch {
                    given = Answer(.badRequest, text: "this is no request that is understood here\n")
                }
                var head = given.head
                if request?.method == .head { head.headerFields[.contentLength] = String(given.body.count) }
                try await outbound.write(.head(head))
                if request?.method != .head, !given.body.isEmpty { try await outbound.write(.body(ByteBuffer(bytes: given.body))) }
                try await outbound.write(.end(nil))
                outbound.finish()
                // Closing while something is unread would take the answer back; the guard sees to it that this ends.
                while try await parts.next() != nil {}
            }
        } catch {
            logger.trace("a connection ended", metadata: ["reason": "\(error)"])
        }
    }
}
