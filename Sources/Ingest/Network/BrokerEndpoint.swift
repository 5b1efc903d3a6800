/// Where a broker listens, and how it is spoken to.
public struct BrokerEndpoint: Sendable, Hashable, CustomStringConvertible {
    /// How MQTT's bytes travel.
    public enum Scheme: String, Sendable, CaseIterable {
        case mqtt, mqtts, ws, wss

        var isSecure: Bool { self == .mqtts || self == .wss }
        var isWebSocket: Bool { self == .ws || self == .wss }

        /// The port that is meant where none is named; of a WebSocket HTTP's.
        var usualPort: Int {
            switch self {
            case .mqtt: 1883
            case .mqtts: 8883
            case .ws: 80
            case .wss: 443
            }
        }
    }

    /// What carries MQTT.
    public var scheme: Scheme
    /// A name or an address, an IPv6 address without brackets.
    public var host: String
    /// From 1 to 65,535.
    public var port: Int
    /// Of a WebSocket.
    public var path: String
    /// Of a WebSocket: what stands behind the `?`, where some brokers want tokens and signatures.
    public var query: Secret?
    /// A broker has named it: what the configuration says of host names is not about it.
    var isReferred = false

    /// - Parameter port: nil: the usual one of the scheme.
    public init(scheme: Scheme = .mqtt, host: String, port: Int? = nil, path: String = "/mqtt", query: Secret? = nil) {
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.usualPort
        self.path = path
        self.query = query
    }

    /// `host:port`, an IPv6 address in brackets.
    var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    /// What the first request of a WebSocket asks for.
    var requestTarget: String { path + (query.map { "?" + $0.value } ?? "") }

    /// `host:port` of plain MQTT, else with its scheme; of a WebSocket with its path, and in place of a query four digits that tell it from others: too few
    /// to tell what it is. It goes into logs and into the database.
    public var description: String {
        switch scheme {
        case .mqtt: authority
        case .mqtts: "mqtts://\(authority)"
        case .ws, .wss: "\(scheme.rawValue)://\(authority)\(path)\(query.map { "?" + Self.digest($0.value) } ?? "")"
        }
    }

    /// Sixteen bits of FNV-1a.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0x811C_9DC5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let digits = String(UInt16(truncatingIfNeeded: hash ^ hash >> 16), radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Reads a server reference (MQTT 5.0 §4.11): hosts with or without a port, separated by blanks; the first one counts. Everything else stays as it is.
    func referred(to reference: String) -> BrokerEndpoint? {
        guard let first = reference.split(separator: " ").first.map(String.init) else { return nil }
        var other = self
        other.isReferred = true
        if first.hasPrefix("["), let end = first.firstIndex(of: "]") {
            other.host = String(first[first.index(after: first.startIndex)..<end])
            let rest = first[first.index(after: end)...]
            if rest.hasPrefix(":") { other.port = Int(rest.dropFirst()) ?? 0 }
        } else {
            let parts = first.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { return nil }
            other.host = String(parts[0])
            if parts.count == 2 { other.port = Int(parts[1]) ?? 0 }
        }
        guard !other.host.isEmpty, (1...65_535).contains(other.port) else { return nil }
        return other
    }
}
