import Foundation
import Glibc

@testable import Operations

/// A blocking TCP connection to this machine that says what it is told, byte for byte.
final class RawConnection: Sendable {
    struct Failed: Error { let call: String }

    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 15, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else { throw Failed(call: "connect") }
    }

    deinit { close(descriptor) }

    /// - Returns: false when the peer takes no more.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// All that comes until the peer closes.
    /// - Throws: when it does not within a quarter of a minute.
    func receiveAll() throws -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN { throw Failed(call: "recv") }
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += buffer[..<count]
        }
    }

    /// Ends what this process listens with at a port, behind its back: `accept` fails from then on.
    /// - Returns: how many sockets that were.
    static func shutDownListeners(port: Int) -> Int {
        (Int32(0)..<1024).count { descriptor in
            var address = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
            }
            var listens: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            guard result == 0, Int(UInt16(bigEndian: address.sin_port)) == port,
                getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0, listens == 1
            else { return false }
            return shutdown(descriptor, Int32(SHUT_RDWR)) == 0
        }
    }

    /// Sends a byte whenever nothing comes for a while, until the peer closes.
    /// - Returns: what came.
    /// - Throws: when the peer does not close by the deadline.
    func trickle(_ byte: String, until deadline: ContinuousClock.Instant) throws -> String {
        var events = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&events, 1, 100) == 0 {
            guard ContinuousClock.now < deadline else { throw Failed(call: "poll") }
            send(byte)
        }
        return try receiveAll()
    }

    /// One request and its answer. It waits on a thread of its own: the server works on the same few threads as the tests.
    static func exchange(port: Int, _ request: String) async throws -> String {
        try await onOwnThread {
            let connection = try RawConnection(port: port)
            connection.send(request)
            return try connection.receiveAll()
        }
    }

    static func get(_ path: String, port: Int, method: String = "GET", headers: String = "") async throws -> String {
        try await exchange(port: port, "\(method) \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\n\(headers)\r\n")
    }
}
