/// Where the service tells how it is: the status page, metrics, health.
public struct HTTPSettings: Sendable {
    public static let defaultPort = 9464

    public var host = "127.0.0.1"
    /// 0: any that is free.
    public var port = HTTPSettings.defaultPort
    /// What a request has to show; without one anybody who can connect may look.
    public var token: Secret?

    public init() {}

    /// - Parameter listen: `host:port`, an IPv6 address in brackets; nil when it is not that.
    init?(listen: String) {
        guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]), (0...65_535).contains(port)
        else { return nil }
        var host = listen[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.count <= 253, host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-:%_".contains($0)) })
        else { return nil }
        self.host = String(host)
        self.port = port
    }

    /// Only this machine can connect.
    public var isLoopback: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        let isIPv4 = parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
        return isIPv4 || host == "::1" || host.lowercased() == "localhost"
    }

    /// As it stands in the configuration.
    public var listen: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
