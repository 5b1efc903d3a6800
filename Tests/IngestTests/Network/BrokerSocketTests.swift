import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import Ingest

@Suite("The socket of a broker's connection")
struct BrokerSocketTests {
    private final class Silent: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
    }

    // Options of TCP have numbers that mean something else to the socket: that of "no delay" is SO_DEBUG there, which only root may set.
    @Test("sends without delay, and asks for nothing that needs a privilege")
    func options() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let endpoint = BrokerEndpoint(host: "127.0.0.1", port: port)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let channel = try await loop.flatSubmit {
            BrokerChannel(tls: TLSContexts(TLSSettings()), connectTimeout: .seconds(10), maximumPacketBytes: 1024)
                .open(endpoint, on: loop, handler: Silent())
        }.get()
        let noDelay = try await channel.getOption(.tcpOption(.tcp_nodelay)).get()
        let debug = try await channel.getOption(.socketOption(NIOBSDSocket.Option(rawValue: SO_DEBUG))).get()
        #expect(noDelay != 0 && debug == 0)
        try await channel.close()
        try await server.close()
    }
}
