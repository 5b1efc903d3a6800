import Foundation
import Glibc
import Ingest

/// Asks a running service for its report, over a socket of its own. Calls block, for a few seconds at most.
public struct StatusClient {
    /// Nobody answers there.
    public struct Unreachable: Error, CustomStringConvertible { public let description: String }
    /// Somebody answers, but not with a report.
    public struct Refused: Error, CustomStringConvertible { public let description: String }

    private static let answerBytesMaximum = 32 * 1024 * 1024
    private let settings: HTTPSettings

    public init(_ settings: HTTPSettings) { self.settings = settings }

    /// - Throws: `Unreachable`, `Refused`.
    public func report() throws -> StatusReport {
        let (status, body) = try get("/api/status")
        guard status == 200 else {
            let words = String(decoding: body.prefix(300), as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " ")
            throw Refused(description: "\(settings.listen) answers with \(status): \(words)")
        }
        do {
            return try StatusReport(json: body)
        } catch {
            throw Refused(description: "what listens at \(settings.listen) is no penstock of this version")
        }
    }

    /// Status and body of an answer.
    func get(_ path: String) throws -> (status: Int, body: Data) {
        let connection = try connect()
        defer { close(connection) }
        // A service that listens everywhere is asked by a name that it takes for its own.
        var request = "GET \(path) HTTP/1.1\r\nHost: \(settings.isLoopback ? settings.listen : "localhost")\r\nConnection: close\r\n"
        if let token = settings.token { request += "Authorization: Bearer \(token.value)\r\n" }
        try write(Array((request + "\r\n").utf8), connection)
        let answer = try readAll(connection)
        guard let end = answer.range(of: Data("\r\n\r\n".utf8)) else {
            throw Refused(description: "what listens at \(settings.listen) does not speak HTTP")
        }
        let line = String(decoding: answer[..<end.lowerBound].prefix(100), as: UTF8.self).split(separator: " ")
        guard line.count > 1, line[0].hasPrefix("HTTP/1."), let status = Int(line[1]) else {
            throw Refused(description: "what listens at \(settings.listen) does not speak HTTP")
        }
        return (status, answer[end.upperBound...])
    }

    /// An address that listens everywhere is reached on this machine.
    private var host: String { ["0.0.0.0": "127.0.0.1", "::": "::1"][settings.host] ?? settings.host }

    private func connect() throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(settings.port), &hints, &list) == 0 else {
            throw Unreachable(description: "http.listen: '\(host)' is not known")
        }
        defer { freeaddrinfo(list) }
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let made = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard made >= 0 else { continue }
            var limit = timeval(tv_sec: 5, tv_usec: 0)
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] { setsockopt(made, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) }
            if Glibc.connect(made, address.ai_addr, address.ai_addrlen) == 0 { return made }
            close(made)
        }
        throw Unreachable(description: "nobody answers at \(settings.listen)")
    }

    private func write(_ bytes: [UInt8], _ connection: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Unreachable(description: "\(settings.listen) takes no request") }
            rest = rest.dropFirst(count)
        }
    }

    private func readAll(_ connection: Int32) throws -> Data {
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count >= 0 else { throw Unreachable(description: "\(settings.listen) does not answer in time") }
            if count == 0 { return answer }
            answer.append(contentsOf: buffer[..<count])
            guard answer.count <= Self.answerBytesMaximum else { throw Refused(description: "\(settings.listen) answers without end") }
        }
    }
}
