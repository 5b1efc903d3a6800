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

    public var scheme: Scheme
    public var host: String
    public var port: Int
    /// Of a WebSocket: path and query.
    public var path: String
    /// A broker has named it: what the configuration says of host names is not about it.
    var isReferred = false

    public init(scheme: Scheme = .mqtt, host: String, port: Int? = nil, path: String = "/mqtt") {
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.usualPort
        self.path = path
    }

    /// `host:port`, an IPv6 address in brackets.
    var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    /// `host:port` of plain MQTT, else with its scheme.
    public var description: String {
        switch scheme {
        case .mqtt: authority
        case .mqtts: "mqtts://\(authority)"
        case .ws, .wss: "\(scheme.rawValue)://\(authority)\(path)"
        }
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
