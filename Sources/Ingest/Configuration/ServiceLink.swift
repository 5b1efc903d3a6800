/// Variables that Kubernetes (and the links of old Docker) put into the environment of every container, for each Service of its namespace.
///
/// A Service named `penstock` makes `PENSTOCK_PORT=tcp://10.0.0.11:9464`, `PENSTOCK_SERVICE_HOST` and six more, which look like settings and are none.
/// Name and value have to be of that shape, so that a setting that is misspelt is still a mistake.
enum ServiceLink {
    /// Whether Kubernetes may have made this variable.
    static func made(_ name: String, _ value: String) -> Bool {
        // A name such as PENSTOCK_STATUS_PORT is that of the Service penstock-status: what stands before is any Service's name.
        var words = name.split(separator: "_", omittingEmptySubsequences: false)[...]
        guard words.popFirst() == "PENSTOCK" else { return false }
        if let place = words.lastIndex(of: "SERVICE") {
            let rest = words[words.index(after: place)...]
            if rest == ["HOST"] { return isAddress(value) }
            // _SERVICE_PORT, and _SERVICE_PORT_HTTP for a port with a name.
            if rest.first == "PORT" { return isPort(value) }
        }
        guard let part = words.popLast() else { return false }
        if part == "PORT", !endsInProtocol(words) { return isLink(value) }
        if transports.contains(part.lowercased()) {
            words.append(part)
            return endsInProtocol(words) && isLink(value)
        }
        guard endsInProtocol(words) else { return false }
        switch part {
        case "PROTO": return transports.contains(value)
        case "PORT": return isPort(value)
        case "ADDR": return isAddress(value)
        default: return false
        }
    }

    private static let transports: Set<String> = ["tcp", "udp", "sctp"]

    /// … PORT 9464 TCP
    private static func endsInProtocol(_ words: ArraySlice<Substring>) -> Bool {
        let end = Array(words.suffix(3))
        return end.count == 3 && end[0] == "PORT" && isPort(end[1]) && transports.contains(end[2].lowercased())
    }

    /// `tcp://10.0.0.11:9464`
    private static func isLink(_ value: String) -> Bool {
        guard let scheme = transports.first(where: { value.hasPrefix($0 + "://") }) else { return false }
        let rest = value.dropFirst(scheme.count + 3)
        guard let colon = rest.lastIndex(of: ":") else { return false }
        var host = rest[..<colon]
        if host.first == "[", host.last == "]" { host = host.dropFirst().dropLast() }
        return isAddress(host) && isPort(rest[rest.index(after: colon)...])
    }

    /// An address in digits, of version 4 or 6: Kubernetes writes no names.
    private static func isAddress(_ text: some StringProtocol) -> Bool {
        text.contains { $0 == "." || $0 == ":" } && text.utf8.count <= 45 && text.allSatisfy { $0.isHexDigit || $0 == "." || $0 == ":" }
    }

    private static func isPort(_ text: some StringProtocol) -> Bool { UInt16(text) != nil && text.allSatisfy(\.isNumber) }
}
