import Foundation
import Testing

/// Asks a running ingester over HTTP, as a monitoring system does.
struct StatusProbe {
    struct Answer {
        var status: Int
        var body: String
    }

    let port: Int

    init(port: Int) { self.port = port }

    /// At the address that the ingester has logged.
    init(_ ingester: Ingester) async throws {
        try await ingester.waitForLog("status page, metrics and health")
        let match = try #require(ingester.log.firstMatch(of: /http:\/\/127\.0\.0\.1:([0-9]+)\//))
        port = try #require(Int(match.1))
    }

    func get(_ path: String, headers: String = "") throws -> Answer {
        let socket = try Socket(port: port)
        socket.setReceiveLimit(milliseconds: 10_000)
        try socket.send(Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(headers)\r\n".utf8))
        var bytes: [UInt8] = []
        while let more = try socket.receive() { bytes += more }
        let text = String(decoding: bytes, as: UTF8.self)
        let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Answer(status: status, body: text.range(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? "")
    }

    /// The values of a scrape, by name and labels as they are written.
    func metrics() throws -> Scrape { Scrape(try get("/metrics").body) }
}

/// What `/metrics` says.
struct Scrape {
    let text: String
    private let values: [Substring: Double]

    init(_ text: String) {
        self.text = text
        values = Dictionary(
            text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
                line.lastIndex(of: " ").flatMap { space in Double(line[line.index(after: space)...]).map { (line[..<space], $0) } }
            }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter sample: `name{label="value"}`.
    subscript(sample: String) -> Double? { values[sample[...]] }

    /// Whether the metric is described.
    func describes(_ name: String) -> Bool { text.contains("# HELP \(name) ") && text.contains("# TYPE \(name) ") }
}
