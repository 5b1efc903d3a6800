import Foundation
import MQTT
import Mapping
import NIOCore
import Payload

/// Reads `penstock.yaml` as strictly as a mapping, with the environment over it: every key also as `PENSTOCK_<PATH>`.
public struct ConfigurationReader {
    /// What was read; the configuration is meant only when there are no errors.
    public struct Reading: Sendable {
        public var configuration: Configuration
        public var errors: [Diagnostic]
        public var warnings: [String]
    }

    /// Keys of each section. The file's own keys stand at "", those of a section within a section at its whole path.
    static let keys: [String: [String]] = [
        "": ["broker", "database", "pool", "batch", "decode", "log", "mappings", "ddl", "shutdown_timeout", "dead_letter", "http"],
        "broker": [
            "url", "version", "username", "password", "password_file", "tls", "keep_alive", "connect_timeout", "session_expiry",
            "receive_maximum", "max_packet_bytes", "status_topic", "server_reference",
            "watch",
        ],
        "broker.tls": [
            "ca_file", "cert_file", "key_file", "key_password_file", "server_name", "verify", "min_version", "psk_identity", "psk_file",
        ],
        "database": ["url", "url_file", "statement_timeout", "lock_timeout", "tcp_user_timeout", "give_up"],
        "pool": ["client_id", "sessions", "shards", "distribution", "group", "lease"],
        "batch": ["max_bytes", "max_messages", "linger"],
        "dead_letter": ["max_per_minute", "on_flood", "max_reports_per_minute", "keep"],
        "decode": ["max_bytes", "max_depth"],
        "log": ["level", "format"],
        "http": ["listen", "token_file"],
    ]

    private let environment: [String: String]
    private let diagnostics = DiagnosticList()
    private var warnings: [String] = []
    private var file = "the environment"
    /// Scalars by path (`broker.url`), with the place where they stand.
    private var values: [String: (text: String, isNull: Bool, mark: SourceMark)] = [:]
    private var endpoints: [(text: String, mark: SourceMark)] = []

    /// - Parameters:
    ///   - path: nil: `penstock.yaml` in the current folder where there is one, else defaults.
    ///   - environment: PENSTOCK_* and what `${NAME}` stands for.
    public static func read(path: String?, environment: [String: String] = ProcessInfo.processInfo.environment) -> Reading {
        var reader = ConfigurationReader(environment: environment)
        let named = path ?? environment["PENSTOCK_CONFIG"]
        if let text = try? String(contentsOfFile: named ?? "penstock.yaml", encoding: .utf8) {
            reader.take(text, file: named ?? "penstock.yaml")
        } else if let named {
            reader.diagnostics.add(at: SourceMark(file: named, line: 1, column: 1), "cannot read the configuration file")
        }
        reader.takeEnvironment()
        let configuration = reader.configuration()
        return Reading(configuration: configuration, errors: reader.diagnostics.diagnostics, warnings: reader.warnings)
    }

    private init(environment: [String: String]) { self.environment = environment }

    // MARK: Sources

    private mutating func take(_ text: String, file: String) {
        self.file = file
        if text.split(separator: "\n").allSatisfy({ $0.drop { $0 == " " }.isEmpty || $0.drop { $0 == " " }.first == "#" }) { return }
        guard let root = StrictNode.read(text, file: file, diagnostics), let keys = Self.keys[""],
            let object = ObjectReader(root, "the configuration", keys: keys, diagnostics)
        else { return }
        for key in keys {
            if let node = object[key] { take(node, at: key) }
        }
    }

    private mutating func take(_ node: StrictNode, at path: String) {
        if path == "http", node.isNull || node.text == "off" {
            values["http.listen"] = ("off", false, node.mark)
            return
        }
        if let section = Self.keys[path] {
            guard let members = ObjectReader(node, "'\(path)'", keys: section, diagnostics) else { return }
            for name in section {
                if let value = members[name] { take(value, at: path + "." + name) }
            }
            return
        }
        if path == "broker.url" {
            endpoints = node.oneOrMore.compactMap { item in item.text.map { (expanded($0, at: item.mark), item.mark) } }
            return
        }
        guard let text = node.text else {
            diagnostics.add(at: node.mark, "'\(path)' is a single value, not \(node.kindInWords)")
            return
        }
        values[path] = (expanded(text, at: node.mark), node.isNull, node.mark)
    }

    /// `${NAME}` and `${NAME:-default}`.
    private func expanded(_ text: String, at mark: SourceMark) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.range(of: "${") {
            result += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                diagnostics.add(at: mark, "'${' is not closed")
                return text
            }
            let inside = rest[start.upperBound..<end]
            let parts =
                inside.range(of: ":-").map { (String(inside[..<$0.lowerBound]), String(inside[$0.upperBound...])) } ?? (
                    String(inside), nil as String?
                )
            if let value = environment[parts.0], !(value.isEmpty && parts.1 != nil) {
                result += value
            } else if let fallback = parts.1 {
                result += fallback
            } else {
                diagnostics.add(
                    at: mark, "the environment variable \(parts.0) is not set", hint: "set it, or give a default: ${\(parts.0):-value}")
            }
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private mutating func takeEnvironment() {
        var paths: [String: String] = [:]
        for (section, keys) in Self.keys {
            for key in keys {
                let path = section.isEmpty ? key : section + "." + key
                guard Self.keys[path] == nil else { continue }
                paths["PENSTOCK_" + path.replacingOccurrences(of: ".", with: "_").uppercased()] = path
            }
        }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("PENSTOCK_") {
            if ["PENSTOCK_CONFIG", "PENSTOCK_STRICT", "PENSTOCK_BINARY"].contains(name) || name.hasPrefix("PENSTOCK_TEST_") { continue }
            let mark = SourceMark(file: name, line: 1, column: 1)
            guard let path = paths[name] else {
                if ServiceLink.made(name, value) { continue }
                diagnostics.add(at: mark, "unknown setting in the environment", hint: suggestion(for: name, among: paths.keys.sorted()))
                continue
            }
            if path == "broker.url" {
                endpoints = value.split(separator: ",").map { (String($0), mark) }
            } else {
                values[path] = (value, false, mark)
            }
        }
    }

    // MARK: Values

    private mutating func configuration() -> Configuration {
        var result = Configuration()
        readBroker(&result.broker)
        if let url = text("database.url") { result.database.url = Secret(url) }
        if let url = fileText("database.url_file") { result.database.url = Secret(url) }
        if let time = duration("database.statement_timeout", in: 1...86_400_000) { result.database.statementTimeoutMilliseconds = time }
        if let time = duration("database.lock_timeout", in: 1...86_400_000) { result.database.lockTimeoutMilliseconds = time }
        if let time = duration("database.tcp_user_timeout", in: 1...3_600_000) { result.database.tcpUserTimeoutMilliseconds = time }
        if let time = duration("database.give_up", in: 1000...86_400_000) { result.database.giveUp = .milliseconds(Int64(time)) }
        if let time = duration("pool.lease", in: 1000...300_000) { result.pool.lease = .milliseconds(Int64(time)) }
        if let number = number("dead_letter.max_per_minute", in: 1...100_000_000) { result.deadLetter.maximumPerMinute = number }
        if let number = number("dead_letter.max_reports_per_minute", in: 1...1_000_000) {
            result.deadLetter.maximumReportsPerMinute = number
        }
        if text("dead_letter.keep") == "forever" {
            result.deadLetter.keep = nil
        } else if let time = duration("dead_letter.keep", in: 3_600_000...3_153_600_000_000) {
            result.deadLetter.keep = .milliseconds(Int64(time))
        }
        if let policy = choice("dead_letter.on_flood", FloodPolicy.self) { result.deadLetter.onFlood = policy }
        if let name = text("pool.client_id") {
            if name.isEmpty || name.utf8.count > 200 { fail("pool.client_id", "is a name of 1 to 200 bytes") }
            result.pool.clientIdentifier = name
        }
        if let number = number("pool.sessions", in: 1...1024) { result.pool.sessions = number }
        if let number = number("pool.shards", in: 1...256) { result.pool.shards = number }
        if let choice = choice("pool.distribution", Distribution.self) { result.pool.distribution = choice }
        if let group = text("pool.group") {
            if group.isEmpty || group.contains(where: { "/+#".contains($0) }) { fail("pool.group", "is a name without / + and #") }
            result.pool.group = group
        }
        if let size = size("batch.max_bytes", in: 64 * 1024...1024 * 1024 * 1024) { result.batch.maximumBytes = size }
        if let number = number("batch.max_messages", in: 1...10_000_000) { result.batch.maximumMessages = number }
        if let time = duration("batch.linger", in: 0...60_000) { result.batch.linger = .milliseconds(Int64(time)) }
        if let size = size("decode.max_bytes", in: 1...268_435_455) { result.decode.maximumPayloadBytes = size }
        if let depth = number("decode.max_depth", in: 1...1024) { result.decode.maximumDepth = depth }
        if let level = choice("log.level", LogSettings.Level.self) { result.log.level = level }
        if let format = choice("log.format", LogSettings.Format.self) { result.log.format = format }
        result.http = http()
        if let folder = text("mappings") { result.mappings = folder }
        if let policy = choice("ddl", DDLPolicy.self) { result.ddl = policy }
        if let time = duration("shutdown_timeout", in: 100...600_000) { result.shutdownTimeout = .milliseconds(Int64(time)) }
        return result
    }

    private mutating func readBroker(_ broker: inout BrokerSettings) {
        var credentials: (String, String?)?
        let read = endpoints.compactMap { text, mark in endpoint(text, mark, &credentials) }
        if !read.isEmpty { broker.endpoints = read }
        if let credentials {
            broker.username = credentials.0
            broker.password = credentials.1.map { Secret($0) }
        }
        if let version = text("broker.version") {
            switch version {
            case "auto": broker.version = .auto
            case "5", "5.0": broker.version = .fixed(.v5)
            case "3.1.1": broker.version = .fixed(.v3_1_1)
            case "3.1": broker.version = .fixed(.v3_1)
            default: fail("broker.version", "is auto, 5, 3.1.1 or 3.1, not '\(version)'")
            }
        }
        if let name = text("broker.username") { broker.username = name }
        if let password = text("broker.password") { broker.password = Secret(password) }
        if let password = fileText("broker.password_file") {
            broker.password = Secret(password)
            broker.passwordFile = text("broker.password_file")
        }
        if broker.password != nil, broker.username == nil, broker.version != .fixed(.v5) {
            fail(
                values["broker.password"] == nil ? "broker.password_file" : "broker.password",
                "needs broker.username: before MQTT 5 there is no password without a name")
        }
        readTLS(&broker.tls, isUsed: broker.endpoints.contains { $0.scheme.isSecure })
        if let time = duration("broker.keep_alive", in: 1000...65_535_000) { broker.keepAlive = .milliseconds(Int64(time)) }
        if let time = duration("broker.connect_timeout", in: 100...600_000) { broker.connectTimeout = .milliseconds(Int64(time)) }
        if let size = size("broker.max_packet_bytes", in: 1024...268_435_460) { broker.maximumPacketBytes = size }
        if let time = duration("broker.session_expiry", in: 0...4_294_967_294_000) {
            if time < 60_000 || time % 1000 != 0 {
                fail(
                    "broker.session_expiry",
                    "is at least 1m, in whole seconds: when it is over, the broker forgets the session and the messages that wait in it")
            }
            broker.sessionExpirySeconds = UInt32(time / 1000)
        }
        if let number = number("broker.receive_maximum", in: 1...65_535) { broker.receiveMaximum = UInt16(number) }
        if let topic = values["broker.status_topic"] {
            broker.statusTopic = topic.isNull || topic.text.isEmpty ? nil : topic.text
            let sample = topic.text.replacingOccurrences(of: "{client_id}", with: "c")
            if broker.statusTopic != nil, sample.contains("{") || (try? TopicName(sample)) == nil {
                fail("broker.status_topic", "is a topic without wildcards, in which only {client_id} stands for something")
            }
        }
        if let choice = text("broker.watch") {
            if !["true", "false"].contains(choice) { fail("broker.watch", "is true or false, not '\(choice)'") }
            broker.isWatched = choice == "true"
        }
        if let choice = text("broker.server_reference") {
            if !["ignore", "follow"].contains(choice) { fail("broker.server_reference", "is ignore or follow, not '\(choice)'") }
            broker.followsServerReference = choice == "follow"
        }
    }

    private mutating func http() -> HTTPSettings? {
        var settings = HTTPSettings()
        if let listen = values["http.listen"] {
            if listen.isNull || listen.text == "off" { return nil }
            guard let read = HTTPSettings(listen: listen.text) else {
                fail("http.listen", "is an address with a port such as 127.0.0.1:9464 or [::1]:9464, or off, not '\(listen.text)'")
                return nil
            }
            settings = read
        }
        if let token = fileText("http.token_file") {
            if token.utf8.count < 16 || !token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
                fail("http.token_file", "holds at least 16 visible ASCII characters in one line; `openssl rand -hex 32` makes some")
            }
            settings.token = Secret(token)
        } else if !settings.isLoopback, text("http.token_file") == nil {
            fail("http.listen", "can be reached from other machines: it needs http.token_file")
        }
        return settings
    }

    private mutating func readTLS(_ tls: inout TLSSettings, isUsed: Bool) {
        tls.caFile = file("broker.tls.ca_file")
        tls.certificateFile = file("broker.tls.cert_file")
        tls.keyFile = file("broker.tls.key_file")
        tls.keyPasswordFile = file("broker.tls.key_password_file")
        tls.pskFile = file("broker.tls.psk_file")
        tls.pskIdentity = text("broker.tls.psk_identity")
        tls.serverName = text("broker.tls.server_name")
        if let name = tls.serverName, (try? SocketAddress(ipAddress: name, port: 0)) != nil {
            fail("broker.tls.server_name", "is a host name, not an address")
        }
        if let choice = choice("broker.tls.verify", TLSSettings.Verification.self) { tls.verification = choice }
        if let choice = choice("broker.tls.min_version", TLSSettings.Version.self) { tls.minimumVersion = choice }
        for (one, other) in [("cert_file", "key_file"), ("psk_identity", "psk_file")] {
            let (first, second) = ("broker.tls.\(one)", "broker.tls.\(other)")
            if text(first) != nil, text(second) == nil { fail(first, "needs \(second)") }
            if text(second) != nil, text(first) == nil { fail(second, "needs \(first)") }
        }
        if tls.pskFile != nil, tls.certificateFile != nil || tls.caFile != nil {
            fail("broker.tls.psk_file", "stands in place of certificates: leave one of them out")
        }
        if let stray = values.keys.filter({ $0.hasPrefix("broker.tls.") }).sorted().first, !isUsed {
            fail(stray, "has no effect: no address in broker.url is mqtts:// or wss://")
        }
        if tls.verification == .none, isUsed {
            warnings.append("broker.tls.verify: none lets anybody pretend to be the broker")
        }
    }

    /// A file that can be read, as it is named.
    private mutating func file(_ path: String) -> String? {
        guard let name = text(path) else { return nil }
        if !FileManager.default.isReadableFile(atPath: name) { fail(path, "cannot read the file '\(name)'") }
        return name
    }

    /// `mqtt://user:password@host:port`
    private func endpoint(_ text: String, _ mark: SourceMark, _ credentials: inout (String, String?)?) -> BrokerEndpoint? {
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(), let host = url.host, !host.isEmpty else {
            // The text may hold a password, so it is not repeated.
            diagnostics.add(at: mark, "'broker.url' is not a broker's address", hint: "such as mqtt://localhost:1883")
            return nil
        }
        guard let scheme = BrokerEndpoint.Scheme(rawValue: scheme) else {
            let known = BrokerEndpoint.Scheme.allCases.map(\.rawValue)
            diagnostics.add(
                at: mark, "broker.url: unknown scheme '\(scheme)'",
                hint: suggestion(for: scheme, among: known) ?? "use \(known.map { $0 + "://" }.joined(separator: ", "))")
            return nil
        }
        if !scheme.isWebSocket, !url.path.isEmpty, url.path != "/" {
            diagnostics.add(at: mark, "broker.url: only the address of a WebSocket has a path", hint: "such as ws://localhost:9001/mqtt")
            return nil
        }
        if let port = url.port, !(1...65_535).contains(port) {
            diagnostics.add(at: mark, "broker.url: a port is a number from 1 to 65535")
            return nil
        }
        if let user = url.user, !user.isEmpty {
            if let other = credentials, other.0 != user || other.1 != url.password {
                diagnostics.add(at: mark, "broker.url: the brokers of a list share one user and password", hint: "use broker.username")
            }
            credentials = (user, url.password)
        }
        let name = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let path = url.percentEncodedPath.isEmpty ? "/mqtt" : url.percentEncodedPath
        return BrokerEndpoint(scheme: scheme, host: name, port: url.port, path: path, query: url.percentEncodedQuery.map { Secret($0) })
    }

    private func text(_ path: String) -> String? {
        guard let value = values[path], !value.isNull else { return nil }
        return value.text
    }

    /// The content of the file that a key names, without the newline at its end.
    private mutating func fileText(_ path: String) -> String? {
        guard let name = text(path) else { return nil }
        guard let content = SecretFile.content(name) else {
            fail(path, "cannot read the file '\(name)'")
            return nil
        }
        if SecretFile.isOpenToAll(name) {
            warnings.append("\(path): everybody on this machine may read '\(name)'; chmod 600 keeps it secret")
        }
        return content
    }

    private func fail(_ path: String, _ message: String) {
        diagnostics.add(at: values[path]?.mark ?? SourceMark(file: file, line: 1, column: 1), "'\(path)' \(message)")
    }

    private func number(_ path: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(path) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            fail(path, "is a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
            return nil
        }
        return number
    }

    private func choice<Choice: RawRepresentable & CaseIterable>(_ path: String, _ type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        guard let text = text(path) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            fail(path, "is one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")), not '\(text)'")
            return nil
        }
        return choice
    }

    /// Milliseconds of `30s`, `5m`, `250ms`, `7d`.
    private func duration(_ path: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(path) else { return nil }
        guard let nanoseconds = DurationText.nanoseconds(text), case let milliseconds = Int(nanoseconds / 1_000_000),
            range.contains(milliseconds)
        else {
            let (least, most) = (DurationText.text(milliseconds: range.lowerBound), DurationText.text(milliseconds: range.upperBound))
            fail(path, "is a duration such as 500ms, 30s or 5m, from \(least) to \(most), not '\(text)'")
            return nil
        }
        return milliseconds
    }

    /// Bytes of `8MiB`, `64KiB`, `1GB` or a plain number.
    private func size(_ path: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(path) else { return nil }
        let units = ["": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        let digits = text.prefix { $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int(digits), let factor = units[String(unit)],
            case let (bytes, overflow) = number.multipliedReportingOverflow(by: factor),
            !overflow, range.contains(bytes)
        else {
            fail(path, "is a size such as 64KiB or 8MiB, from \(range.lowerBound) to \(range.upperBound) bytes, not '\(text)'")
            return nil
        }
        return bytes
    }
}
