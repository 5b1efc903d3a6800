import Foundation
import Testing

@testable import Ingest

@Suite("The configuration")
struct ConfigurationTests {
    private func read(_ text: String, _ environment: [String: String] = [:]) throws -> ConfigurationReader.Reading {
        let file = FileManager.default.temporaryDirectory.appending(path: "configuration-\(UInt32.random(in: 0...UInt32.max)).yaml")
        try text.write(to: file, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        return ConfigurationReader.read(path: file.path, environment: environment)
    }

    @Test("an empty file is all defaults")
    func defaults() throws {
        let reading = try read("# nothing\n")
        #expect(reading.errors.isEmpty)
        #expect(reading.configuration.broker.endpoints == [BrokerEndpoint(host: "localhost", port: 1883)])
        #expect(reading.configuration.pool.sessions == 8)
    }

    @Test("keys, units, lists, variables; the environment comes last")
    func values() throws {
        let reading = try read(
            "broker: {url: [\"mqtt://u:p@a:1\", \"mqtt://[::1]\"], keep_alive: 1m}\ndead_letter: {keep: forever}\nbatch: {max_bytes: 1MiB, linger: 250ms}\ndatabase: {url: \"${DB:-x}\"}\npool: {sessions: 3}",
            ["PENSTOCK_POOL_SESSIONS": "5", "DB": "service=s"])
        #expect(reading.errors.isEmpty, "\(reading.errors)")
        let configuration = reading.configuration
        #expect(configuration.broker.endpoints.map(\.description) == ["a:1", "[::1]:1883"])
        #expect(configuration.broker.username == "u" && configuration.broker.password == Secret("p"))
        #expect(configuration.broker.keepAlive == .seconds(60))
        #expect(configuration.batch.maximumBytes == 1 << 20 && configuration.batch.linger == .milliseconds(250))
        #expect(configuration.deadLetter.keep == nil && Configuration().deadLetter.keep == .hours(720))
        #expect(configuration.database.url.value == "service=s")
        #expect(configuration.pool.sessions == 5)
    }

    @Test(
        "mistakes are named",
        arguments: [
            ("pool: {sesions: 3}", "2", "unknown key 'sesions' in 'pool' - did you mean 'sessions'?"),
            ("pool: {sessions: 0}", "", "whole number from 1 to 1024"),
            ("broker: {url: \"mqqt://a\"}", "", "unknown scheme 'mqqt' - did you mean 'mqtt'?"),
            ("broker: {url: \"mqttx://a\"}", "", "unknown scheme 'mqttx'"),
            ("broker: {password: x}", "", "needs broker.username"), ("batch: {max_bytes: lots}", "", "is a size such as 64KiB"),
            ("database: {url: \"${NOT_SET}\"}", "", "the environment variable NOT_SET is not set"),
            ("http: {listen: x}", "", "is an address with a port such as 127.0.0.1:9464"),
            ("dead_letter: {keep: 5m}", "", "'dead_letter.keep' is a duration such as 500ms, 30s or 5m, from 1h to 36500d, not '5m'"),
            ("ddl: maybe", "", "is one of off, create, evolve"), ("pool: {group: a/b}", "", "without / + and #"),
        ])
    func mistakes(text: String, unused: String, words: String) throws {
        let errors = try read(text).errors.map(\.description)
        #expect(errors.contains { $0.contains(words) }, "\(errors)")
    }

    @Test(
        "the broker's sessions last a minute or more",
        arguments: [("500ms", false), ("0s", false), ("59s", false), ("61500ms", false), ("60s", true), ("7d", true)])
    func sessionExpiry(text: String, isTaken: Bool) throws {
        let reading = try read("broker: {session_expiry: \(text)}")
        #expect(reading.errors.isEmpty == isTaken)
        #expect(reading.errors.allSatisfy { $0.description.contains("'broker.session_expiry' is at least 1m, in whole seconds") })
    }

    @Test(
        "where the status page is, and that it can be turned off",
        arguments: [
            ("", "127.0.0.1:9464"), ("http: {listen: \"[::1]:80\"}", "[::1]:80"), ("http: {listen: \"localhost:0\"}", "localhost:0"),
            ("http: {}", "127.0.0.1:9464"), ("http: null", nil), ("http:", nil), ("http: off", nil), ("http: {listen: off}", nil),
            ("http: {listen: null}", nil),
        ] as [(String, String?)])
    func http(text: String, listen: String?) throws {
        let reading = try read(text + "\n")
        #expect(reading.errors.isEmpty, "\(reading.errors)")
        #expect(reading.configuration.http?.listen == listen)
        #expect(reading.configuration.http?.isLoopback ?? true)
    }

    @Test(
        "addresses that other machines reach need a token",
        arguments: ["0.0.0.0:9464", "[::]:9464", "192.0.2.7:9464", "gateway:9464", "127.0.0.1.example:9464"])
    func tokenIsNeeded(listen: String) throws {
        let errors = try read("# line 1\nhttp:\n  listen: \"\(listen)\"\n").errors.map(\.description)
        #expect(errors.count == 1)
        #expect(errors.allSatisfy { $0.contains(".yaml:3:11: ") && $0.contains("it needs http.token_file") }, "\(errors)")
    }

    @Test(
        "a token is a line of 16 visible characters or more, and shows nowhere",
        arguments: [("0123456789abcdef\n", true), ("0123456789abcde", false), ("0123456789 abcdef", false), ("", false), (nil, false)]
            as [(String?, Bool)])
    func token(text: String?, isTaken: Bool) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "token-\(UInt32.random(in: 0...UInt32.max))")
        try text?.write(to: file, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let reading = try read("http: {listen: \"0.0.0.0:9464\", token_file: \(file.path)}")
        #expect(reading.errors.isEmpty == isTaken, "\(reading.errors)")
        #expect(!"\(reading.configuration) \(reading.errors)".contains("0123456789"))
        if isTaken { #expect(reading.configuration.http?.token == Secret("0123456789abcdef")) }
    }

    @Test("the environment turns it off, and on elsewhere")
    func httpOfEnvironment() throws {
        #expect(try read("", ["PENSTOCK_HTTP_LISTEN": "off"]).configuration.http == nil)
        #expect(try read("http: off", ["PENSTOCK_HTTP_LISTEN": "127.0.0.1:1"]).configuration.http?.port == 1)
    }

    @Test("what stands in the query of a WebSocket's address is asked for, and shows nowhere")
    func query() throws {
        func endpoint(_ query: String) throws -> BrokerEndpoint {
            try #require(read("broker: {url: \"wss://h/a/mqtt\(query)\"}").configuration.broker.endpoints.first)
        }
        let (one, other, none) = (try endpoint("?token=hidden%20one"), try endpoint("?token=hidden%20two"), try endpoint(""))
        #expect(one.requestTarget == "/a/mqtt?token=hidden%20one" && none.requestTarget == "/a/mqtt")
        #expect(none.description == "wss://h:443/a/mqtt")
        #expect(one.description.wholeMatch(of: /wss:\/\/h:443\/a\/mqtt\?[0-9a-f]{4}/) != nil, "\(one)")
        #expect(one.description != other.description, "two addresses stay two")
        var dumped = ""
        dump(one, to: &dumped)
        #expect(!dumped.contains("hidden") && !String(reflecting: one).contains("hidden"))
    }

    @Test("an unknown variable of ours is a mistake too, and a secret shows nowhere")
    func environment() throws {
        let reading = try read(
            "# nothing", ["PENSTOCK_BROKER_URLS": "x", "PENSTOCK_BROKER_PASSWORD": "hidden", "PENSTOCK_BROKER_USERNAME": "u"])
        #expect(reading.errors.map(\.description).contains { $0.contains("did you mean 'PENSTOCK_BROKER_URL'?") })
        var dumped = ""
        dump(reading.configuration, to: &dumped)
        #expect(!dumped.contains("hidden") && !"\(reading.configuration)".contains("hidden"))
    }

    @Test("what Kubernetes puts into the environment for a Service of our name is no setting")
    func serviceLinks() throws {
        let reading = try read(
            "# nothing",
            [
                "PENSTOCK_PORT": "tcp://10.0.0.11:9464", "PENSTOCK_PORT_9464_TCP": "tcp://10.0.0.11:9464",
                "PENSTOCK_PORT_9464_TCP_ADDR": "10.0.0.11", "PENSTOCK_PORT_9464_TCP_PORT": "9464", "PENSTOCK_PORT_9464_TCP_PROTO": "tcp",
                "PENSTOCK_SERVICE_HOST": "10.0.0.11", "PENSTOCK_SERVICE_PORT": "9464", "PENSTOCK_SERVICE_PORT_HTTP": "9464",
                // Of the Service penstock-http, with addresses of version 6 and a port of UDP.
                "PENSTOCK_HTTP_PORT": "udp://[fd00::b]:53", "PENSTOCK_HTTP_PORT_53_UDP": "udp://[fd00::b]:53",
                "PENSTOCK_HTTP_PORT_53_UDP_ADDR": "fd00::b", "PENSTOCK_HTTP_SERVICE_HOST": "fd00::b",
            ])
        #expect(reading.errors.isEmpty, "\(reading.errors)")
    }

    @Test(
        "what only looks like one of them is still a mistake",
        arguments: [
            ("PENSTOCK_PORT", "9464"), ("PENSTOCK_PORT", "tcp://broker:1883"), ("PENSTOCK_PORT", "mqtt://10.0.0.11:1883"),
            ("PENSTOCK_BROKER_PORT", "1883"), ("PENSTOCK_HTTP_PORT", "9464"), ("PENSTOCK_SERVICE_HOST", "database"),
            ("PENSTOCK_SERVICE_PORT", "tcp://10.0.0.11:9464"), ("PENSTOCK_SERVICE", "10.0.0.11"),
            ("PENSTOCK_PORT_TCP", "tcp://10.0.0.11:9464"), ("PENSTOCK_PORT_9464_TCP_HOST", "10.0.0.11"),
            ("PENSTOCK_PORT_9464_TCP_PROTO", "mqtt"),
            ("PENSTOCK_PORT_99999_TCP_ADDR", "10.0.0.11"), ("PENSTOCK_", "tcp://10.0.0.11:9464"),
        ])
    func noServiceLinks(name: String, value: String) throws {
        let errors = try read("# nothing", [name: value]).errors.map(\.description)
        #expect(errors.contains { $0.contains("unknown setting in the environment") }, "\(errors)")
    }

    @Test(
        "a secret that everybody may read is warned of, by the file's own rights and not by those of a link to it",
        arguments: [0o644, 0o440])
    func secretsRights(mode: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "secrets-\(UInt32.random(in: 0...UInt32.max))")
        try FileManager.default.createDirectory(at: folder.appending(path: "data"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "data/password").path
        #expect(FileManager.default.createFile(atPath: file, contents: Data("x".utf8), attributes: [.posixPermissions: mode]))
        // As Kubernetes mounts them: password -> ..data/password, ..data -> a folder.
        try FileManager.default.createSymbolicLink(atPath: folder.appending(path: "..data").path, withDestinationPath: "data")
        let link = folder.appending(path: "password").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "..data/password")
        for path in [file, link] {
            let reading = try read("broker: {username: u, password_file: \(path)}")
            #expect(reading.errors.isEmpty, "\(reading.errors)")
            #expect(reading.warnings.isEmpty == (mode == 0o440), "\(path): \(reading.warnings)")
        }
    }
}
