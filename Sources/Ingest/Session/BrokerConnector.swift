import NIOCore
import NIOPosix

/// Makes the network connections of sessions: TCP, or a model of it.
protocol BrokerConnector: AnyObject {
    /// Connects, with the handler as what carries the connection; a failure is told by `PoolSession.connectionEnded`.
    /// - Parameter attempt: counts the session's connections, from 0.
    func connect(_ session: PoolSession, attempt: Int, handler: SessionHandler)
}

/// TCP to the brokers, tried in turn.
final class TCPConnector: BrokerConnector {
    private let endpoints: [BrokerEndpoint]
    private let eventLoop: any EventLoop

    init(endpoints: [BrokerEndpoint], eventLoop: any EventLoop) {
        precondition(!endpoints.isEmpty, "a session has a broker to connect to")
        self.endpoints = endpoints
        self.eventLoop = eventLoop
    }

    func connect(_ session: PoolSession, attempt: Int, handler: SessionHandler) {
        let endpoint = endpoints[attempt % endpoints.count]
        let handler = NIOLoopBound(handler, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(session.settings.mqtt.connectTimeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 16 * 1024, initial: 64 * 1024, maximum: 1024 * 1024)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
            .connect(host: endpoint.host, port: endpoint.port)
            .assumeIsolated()
            .whenComplete { result in
                guard case .failure(let error) = result else { return }
                session.connectionEnded(because: "cannot reach the broker at \(endpoint): \(describeConnectFailure(error))")
            }
    }
}

/// Says in words why TCP could not be had.
func describeConnectFailure(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
        if let first = error.connectionErrors.first { return describeConnectFailure(first.error) }
        if error.dnsAError != nil || error.dnsAAAAError != nil { return "the host name is not known" }
        return "\(error)"
    case let error as IOError where error.errnoCode == ECONNREFUSED:
        return "connection refused (is the broker running, and is this its port?)"
    case ChannelError.connectTimeout(let limit): return "no answer within \(limit.nanoseconds / 1_000_000_000) s"
    default: return "\(error)"
    }
}
