import HTTPTypes
import Ingest

/// Whether a request may be answered, before anybody looks at what it asks for.
struct RequestCheck: Sendable {
    private let token: [UInt8]?
    private let isLoopback: Bool

    init(_ settings: HTTPSettings) {
        token = settings.token.map { Array($0.value.utf8) }
        isLoopback = settings.isLoopback
    }

    /// What is answered in place of what was asked for; nil: the request is in order.
    func refusal(of request: HTTPRequest) -> Answer? {
        guard request.method == .get || request.method == .head else {
            return Answer(.methodNotAllowed, text: "GET and HEAD only\n", headers: [.allow: "GET, HEAD"])
        }
        // A page from elsewhere whose name was made to lead to this machine would be served as if it were ours: its name is not.
        guard !isLoopback || Self.isLoopbackHost(request.authority) else {
            return Answer(.forbidden, text: "this address is not served; ask for http://127.0.0.1 or http://localhost\n")
        }
        return nil
    }

    /// Whether the request shows the token, if one is needed.
    func isAllowed(_ request: HTTPRequest) -> Bool {
        guard let token else { return true }
        guard let header = request.headerFields[.authorization] else { return false }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
        return Self.isEqual(Array(parts[1].utf8), token)
    }

    static let unauthorized = Answer(
        .unauthorized, text: "Authorization: Bearer <token of http.token_file>\n", headers: [.wwwAuthenticate: "Bearer realm=\"penstock\""])

    /// Takes the same time wherever the two differ; only their lengths show.
    static func isEqual(_ given: [UInt8], _ token: [UInt8]) -> Bool {
        var difference: UInt8 = given.count == token.count ? 0 : 1
        for index in token.indices { difference |= token[index] ^ (given.isEmpty ? 0 : given[index % given.count]) }
        return difference == 0
    }

    /// `localhost`, an address of this machine or the name of the host, with or without a port.
    static func isLoopbackHost(_ authority: String?) -> Bool {
        guard var host = authority.map({ Substring($0.lowercased()) }), !host.isEmpty else { return false }
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            return host[...end] == "[::1]"
        }
        if let colon = host.firstIndex(of: ":") { host = host[..<colon] }
        if host == "localhost" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
