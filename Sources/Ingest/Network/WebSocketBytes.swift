import NIOCore
import NIOWebSocket

/// Carries MQTT's bytes in WebSocket frames (MQTT 5.0 §6): frames mean nothing, only the bytes in them, which must be binary ([MQTT-6.0.0-1],
/// [MQTT-6.0.0-2]).
final class WebSocketBytes: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .binary, .continuation:
            context.fireChannelRead(wrapInboundOut(frame.unmaskedData))
        case .text:
            context.fireErrorCaught(
                NetworkProblem(description: "the broker sent text over the WebSocket, where MQTT has bytes [MQTT-6.0.0-1]"))
        case .ping:
            let pong = WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: frame.unmaskedData)
            context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
        case .connectionClose:
            let close = WebSocketFrame(fin: true, opcode: .connectionClose, maskKey: .random(), data: frame.unmaskedData)
            context.writeAndFlush(wrapOutboundOut(close)).assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            frame.data.clear()
        default: break
        }
    }

    /// A frame that breaks the rules, or is too long: the server is told, and who stands behind us closes the channel (RFC 6455 §7.4.1).
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let fault = error as? NIOWebSocketError {
            var data = context.channel.allocator.buffer(capacity: 2)
            data.write(webSocketErrorCode: fault == .invalidFrameLength ? .messageTooLarge : .protocolError)
            let close = WebSocketFrame(fin: true, opcode: .connectionClose, maskKey: .random(), data: data)
            context.writeAndFlush(wrapOutboundOut(close), promise: nil)
        }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = WebSocketFrame(fin: true, opcode: .binary, maskKey: .random(), data: unwrapOutboundIn(data))
        context.write(wrapOutboundOut(frame), promise: promise)
    }
}
