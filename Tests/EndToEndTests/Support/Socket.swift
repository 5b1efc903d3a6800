import Foundation
import Glibc

/// What the system said no to.
struct SystemError: Error, CustomStringConvertible {
    let call: String
    let code: Int32

    /// Takes `errno` as it stands.
    init(_ call: String) {
        self.call = call
        code = errno
    }

    init(_ call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// A blocking TCP connection on loopback. `shutDown` from another thread ends a call that blocks.
final class Socket: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Connects to a port of this machine.
    convenience init(port: Int) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        self.init(descriptor: descriptor)
        var address = loopbackAddress(port: port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else { throw SystemError("connect") }
        sendWithoutDelay()
    }

    deinit { close(descriptor) }

    fileprivate func sendWithoutDelay() {
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError("send") }
            sent += count
        }
    }

    /// Sends as much of it as the system takes at once; nil when the connection is gone.
    func sendWhatFits(_ bytes: [UInt8]) -> Int? {
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) }
        return count >= 0 ? count : errno == EAGAIN || errno == EINTR ? 0 : nil
    }

    /// The next bytes, at least one; nil when the peer has closed.
    func receive(upTo limit: Int = 65_536) throws -> [UInt8]? {
        let bytes = try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var received = recv(descriptor, buffer.baseAddress, limit, 0)
            while received < 0 && errno == EINTR { received = recv(descriptor, buffer.baseAddress, limit, 0) }
            guard received >= 0 else { throw SystemError("recv") }
            count = received
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// A `receive` that has nothing to give fails after this long.
    func setReceiveLimit(milliseconds: Int) {
        var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// What the system holds of either direction; it may be twice as much.
    func setBuffers(bytes: Int32) {
        var bytes = bytes
        for option in [SO_SNDBUF, SO_RCVBUF] { setsockopt(descriptor, SOL_SOCKET, option, &bytes, socklen_t(MemoryLayout<Int32>.size)) }
    }

    /// What ends the connection from now on is a reset: the peer may lose what it has not read yet.
    func resetWhenClosed() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

/// A listening socket on a free port of loopback.
final class Listener: Sendable {
    let port: Int
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        var address = loopbackAddress(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else {
            let error = SystemError("listen")
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    /// The next connection; nil once `stop` was called.
    func accept() -> Socket? {
        var connection = Glibc.accept(descriptor, nil, nil)
        while connection < 0 && (errno == EINTR || errno == ECONNABORTED) { connection = Glibc.accept(descriptor, nil, nil) }
        guard connection >= 0 else { return nil }
        let socket = Socket(descriptor: connection)
        socket.sendWithoutDelay()
        return socket
    }

    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

private func loopbackAddress(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    return address
}
