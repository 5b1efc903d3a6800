import Foundation
import Testing

/// A connection to a broker in bytes written by hand, as MQTT 3.1.1 has them.
final class BrokerConversation {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        let isConnected = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isConnected)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws { try #require(write(descriptor, bytes, bytes.count) == bytes.count) }

    /// So many bytes, or fewer when the connection ends before.
    func receive(_ count: Int) -> [UInt8] {
        var answer = [UInt8](repeating: 0, count: count)
        let received = recv(descriptor, &answer, count, Int32(MSG_WAITALL))
        return Array(answer.prefix(max(0, received)))
    }

    /// The CONNACK: `20 02 SP RC`.
    func connect(flags: UInt8, client: String = "test", credentials: [String] = []) throws -> [UInt8] {
        let body = Self.text("MQTT") + [4, flags, 0, 60] + Self.text(client) + credentials.flatMap(Self.text)
        try send([0x10, UInt8(body.count)] + body)
        return receive(4)
    }

    /// The return codes of the SUBACK.
    func subscribe(_ filters: [String]) throws -> [UInt8] {
        let body: [UInt8] = [0, 1] + filters.flatMap { filter -> [UInt8] in Self.text(filter) + [1] }
        try send([0x82, UInt8(body.count)] + body)
        return Array(receive(4 + filters.count).dropFirst(4))
    }

    /// Publishes at QoS 1 and waits for the PUBACK.
    func publish(_ topic: String, _ payload: String) throws {
        let body = Self.text(topic) + [0, 1] + Array(payload.utf8)
        // Two digits of the remaining length, also where one would do.
        try send([0x32, UInt8(body.count % 128) | 0x80, UInt8(body.count / 128)] + body)
        try #require(receive(4) == [0x40, 2, 0, 1])
    }

    /// The topic and payload of the next PUBLISH, which is at QoS 1 and short.
    func receiveMessage() throws -> (topic: String, payload: String) {
        let head = receive(2)
        try #require(head.count == 2 && head[0] & 0xF0 == 0x30 && head[1] < 128)
        let body = receive(Int(head[1]))
        let topicEnd = 2 + Int(body[1])
        return (String(decoding: body[2..<topicEnd], as: UTF8.self), String(decoding: body[(topicEnd + 2)...], as: UTF8.self))
    }

    /// DISCONNECT: the session stays when it was not asked to be clean.
    func disconnect() { _ = write(descriptor, [0xE0, 0x00] as [UInt8], 2) }

    private static func text(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + Array(text.utf8) }
}
