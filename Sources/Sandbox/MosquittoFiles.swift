import Foundation
import Glibc

/// The ports of a mosquitto; nil where there is no such listener.
struct MosquittoPorts {
    let plain: Int
    let tls: Int?
    let mutualTLS: Int?
    let psk: Int?
    let webSocket: Int?
    let secureWebSocket: Int?

    init(for options: PrivateMosquitto.Options) throws(SandboxError) {
        let free = try freePorts(6)
        plain = free[0]
        tls = options.tls == nil ? nil : free[1]
        mutualTLS = options.tls?.clientAuthority == nil ? nil : free[2]
        psk = options.preSharedKeys == nil ? nil : free[3]
        webSocket = options.webSockets ? free[4] : nil
        secureWebSocket = options.webSockets && options.tls != nil ? free[5] : nil
    }

    var all: [Int] { [plain] + [tls, mutualTLS, psk, webSocket, secureWebSocket].compactMap { $0 } }
}

/// The files that a mosquitto reads, in its folder.
struct MosquittoFiles {
    let folder: URL

    var configuration: URL { folder.appending(path: "mosquitto.conf") }
    var passwords: URL { folder.appending(path: "mosquitto.passwords") }
    private var preSharedKeys: URL { folder.appending(path: "mosquitto.psk") }
    private var accessRules: URL { folder.appending(path: "mosquitto.acl") }
    private var subscriptions: URL { folder.appending(path: "mosquitto.subscriptions") }
    private var openSSL: URL { folder.appending(path: "openssl.cnf") }

    /// The topic that takes orders for the plugin that refuses subscriptions.
    static let control = "$CONTROL/dynamic-security/v1"

    /// Writes all but the passwords, which are not written as they are.
    func write(_ options: PrivateMosquitto.Options, ports: MosquittoPorts) throws {
        try write(lines(options, ports), to: configuration)
        if let keys = options.preSharedKeys { try write(keys.map { "\($0.key):\($0.value)" }, to: preSharedKeys) }
        if let rules = options.accessRules { try write([rules], to: accessRules) }
        if let filters = options.allowedSubscriptions { try write([try allowing(filters)], to: subscriptions) }
        if let version = options.tls?.maximumVersion {
            // mosquitto has no setting for it.
            let sections = ["[start]", "ssl_conf = ssl", "[ssl]", "system_default = limits", "[limits]", "MaxProtocol = \(version)"]
            try write(["openssl_conf = start"] + sections, to: openSSL)
        }
    }

    /// Variables that it is started with.
    func environment(_ options: PrivateMosquitto.Options) -> [String: String] {
        options.tls?.maximumVersion == nil ? [:] : ["OPENSSL_CONF": openSSL.path]
    }

    private func lines(_ options: PrivateMosquitto.Options, _ ports: MosquittoPorts) throws -> [String] {
        var lines = [
            "allow_anonymous \(options.passwords == nil)", "persistence \(options.persistence)",
            "persistence_location \(folder.path)/", "max_queued_messages \(options.maximumQueued)", "log_dest stderr",
        ]
        // Started by root it would become a user who cannot get into the folder.
        if getuid() == 0 { lines.append("user root") }
        if let maximum = options.maximumInflight { lines.append("max_inflight_messages \(maximum)") }
        if options.passwords != nil { lines.append("password_file \(passwords.path)") }
        if options.preSharedKeys != nil { lines.append("psk_file \(preSharedKeys.path)") }
        if options.accessRules != nil { lines.append("acl_file \(accessRules.path)") }
        if options.allowedSubscriptions != nil {
            lines += ["plugin \(try Self.findPlugin())", "plugin_opt_config_file \(subscriptions.path)"]
        }
        if options.logsEverything { lines.append("log_type all") }
        // What stands below a listener may be about that listener.
        return lines + listeners(options, ports) + options.extraLines
    }

    private func listeners(_ options: PrivateMosquitto.Options, _ ports: MosquittoPorts) -> [String] {
        var lines: [String] = []
        func listen(_ port: Int?, _ more: [String]) { if let port { lines += ["listener \(port) 127.0.0.1"] + more } }
        let shown = options.tls.map { ["certfile \($0.certificate.path)", "keyfile \($0.key.path)"] } ?? []
        let asked = options.tls?.clientAuthority.map { ["cafile \($0.path)", "require_certificate true"] } ?? []
        let named = options.tls?.certificateNamesUser == true ? ["use_identity_as_username true"] : []
        listen(ports.tls, shown)
        listen(ports.mutualTLS, shown + asked + named)
        listen(ports.psk, ["psk_hint penstock"])
        listen(ports.webSocket, ["protocol websockets"])
        listen(ports.secureWebSocket, ["protocol websockets"] + shown)
        listen(ports.plain, [])
        return lines
    }

    /// What the plugin takes: everybody may publish, and subscribe to these.
    private func allowing(_ filters: [String]) throws -> String {
        let rights = filters.map { ["acltype": "subscribePattern", "topic": $0, "allow": true] as [String: Any] }
        let control = ["acltype": "publishClientSend", "topic": Self.control, "allow": true] as [String: Any]
        let content: [String: Any] = [
            "defaultACLAccess": ["publishClientSend": true, "publishClientReceive": true, "subscribe": false, "unsubscribe": true],
            "anonymousGroup": "everybody", "clients": [Any](),
            "groups": [["groupname": "everybody", "roles": [["rolename": "reader"]]]],
            "roles": [["rolename": "reader", "acls": rights + [control]]],
        ]
        return String(decoding: try JSONSerialization.data(withJSONObject: content), as: UTF8.self)
    }

    private static func findPlugin() throws -> String {
        let folders = ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []).map { "/usr/lib/\($0)" }
        let places = (folders + ["/usr/lib", "/usr/local/lib"]).map { $0 + "/mosquitto_dynamic_security.so" }
        guard let found = places.first(where: { access($0, R_OK) == 0 }) else {
            throw SandboxError("mosquitto's plugin mosquitto_dynamic_security.so is not installed")
        }
        return found
    }

    private func write(_ lines: [String], to file: URL) throws {
        let text = (lines + [""]).joined(separator: "\n")
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: file.path, contents: Data(text.utf8), attributes: attributes) else {
            throw SandboxError("cannot write \(file.path)")
        }
    }
}
