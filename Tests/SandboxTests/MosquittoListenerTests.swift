import Foundation
import Testing

@testable import Sandbox

@Suite("The listeners of a private mosquitto")
struct MosquittoListenerTests {
    /// Whether OpenSSL's client likes what it finds there, with what it said.
    private func handshake(port: Int?, _ arguments: [String]) async throws -> (isGood: Bool, text: String) {
        let folder = try TemporaryFolder()
        let target = ["-connect", "localhost:\(try #require(port))", "-verify_return_error", "-verify_hostname", "localhost"]
        // Its input ends at once; it has to wait for what the server thinks of its certificate, which with TLS 1.3 comes after the handshake.
        let client = try ChildProcess(
            ["sh", "-c", #"sleep 0.3 | openssl s_client "$@""#, "sh"] + target + arguments, outputs: "client", in: folder.url)
        let end = await client.waitForEnd(within: .seconds(20))
        return (end == .exit(0) && !client.errors.contains("alert"), client.output + client.errors)
    }

    @Test("TLS shows the server's certificate, and a renewed one after a reload")
    func tls() async throws {
        let certificates = try await TestCertificates()
        var options = PrivateMosquitto.Options()
        options.tls = .init(certificate: certificates.server.certificate, key: certificates.server.key)
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        #expect(broker.mutualTLSPort == nil)
        #expect(try await handshake(port: broker.tlsPort, ["-CAfile", certificates.authority.path]).isGood)
        #expect(try await !handshake(port: broker.tlsPort, ["-CAfile", certificates.otherAuthority.path]).isGood)

        let earlier = try Data(contentsOf: certificates.authority)
        try await certificates.renewServer()
        #expect(try await !handshake(port: broker.tlsPort, ["-CAfile", certificates.authority.path]).isGood)
        let process = broker.processIdentifier
        try await broker.reload()
        #expect(try await handshake(port: broker.tlsPort, ["-CAfile", certificates.authority.path]).isGood)
        #expect(broker.processIdentifier == process)
        #expect(try Data(contentsOf: certificates.authority) != earlier)
    }

    @Test("a certificate of another host, or one that has expired, is found wrong")
    func wrongCertificates() async throws {
        let certificates = try await TestCertificates()
        for (pair, complaint) in [
            (certificates.serverElsewhere, "hostname mismatch"), (certificates.serverExpired, "certificate has expired"),
        ] {
            var options = PrivateMosquitto.Options()
            options.tls = .init(certificate: pair.certificate, key: pair.key)
            let broker = try PrivateMosquitto(options: options)
            try await broker.start()
            let result = try await handshake(port: broker.tlsPort, ["-CAfile", certificates.authority.path])
            #expect(!result.isGood)
            #expect(result.text.contains(complaint))
        }
    }

    @Test("mutual TLS lets in who has a certificate, also with an encrypted key, and nobody else")
    func mutualTLS() async throws {
        let certificates = try await TestCertificates()
        var options = PrivateMosquitto.Options()
        options.tls = .init(
            certificate: certificates.server.certificate, key: certificates.server.key, clientAuthority: certificates.authority)
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        let trust = ["-CAfile", certificates.authority.path]
        let (client, stranger) = (certificates.client, certificates.clientOfOtherAuthority)
        #expect(
            try await handshake(port: broker.mutualTLSPort, trust + ["-cert", client.certificate.path, "-key", client.key.path]).isGood)
        #expect(
            try await handshake(
                port: broker.mutualTLSPort,
                trust + [
                    "-cert", client.certificate.path, "-key", certificates.clientKeyEncrypted.path,
                    "-pass", "file:\(certificates.clientKeyPassword.path)",
                ]
            ).isGood)
        #expect(try await !handshake(port: broker.mutualTLSPort, trust).isGood)
        #expect(
            try await !handshake(port: broker.mutualTLSPort, trust + ["-cert", stranger.certificate.path, "-key", stranger.key.path])
                .isGood)
        #expect(try String(contentsOf: certificates.clientKeyEncrypted, encoding: .utf8).contains("BEGIN ENCRYPTED PRIVATE KEY"))
    }

    @Test("the newest version of TLS can be kept down")
    func maximumVersion() async throws {
        let certificates = try await TestCertificates()
        var options = PrivateMosquitto.Options()
        options.tls = .init(certificate: certificates.server.certificate, key: certificates.server.key)
        options.tls?.maximumVersion = "TLSv1.2"
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        let trust = ["-CAfile", certificates.authority.path]
        #expect(try await handshake(port: broker.tlsPort, trust).isGood)
        #expect(try await !handshake(port: broker.tlsPort, trust + ["-tls1_3"]).isGood)
    }

    @Test("a pre-shared key opens its listener, and another one does not")
    func preSharedKeys() async throws {
        var options = PrivateMosquitto.Options()
        options.preSharedKeys = ["gateway": "0123456789abcdef"]
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        #expect(broker.tlsPort == nil)
        func attempt(_ key: String) async throws -> Bool {
            try await handshake(port: broker.pskPort, ["-psk_identity", "gateway", "-psk", key, "-tls1_2"]).isGood
        }
        #expect(try await attempt("0123456789abcdef"))
        #expect(try await !attempt("00"))
    }

    @Test("WebSocket is spoken, with and without TLS")
    func webSockets() async throws {
        let certificates = try await TestCertificates()
        var options = PrivateMosquitto.Options()
        options.webSockets = true
        options.tls = .init(certificate: certificates.server.certificate, key: certificates.server.key)
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        let conversation = try BrokerConversation(port: try #require(broker.webSocketPort))
        let lines = [
            "GET /mqtt HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: mqtt", "", "",
        ]
        try conversation.send(Array(lines.joined(separator: "\r\n").utf8))
        #expect(String(decoding: conversation.receive(12), as: UTF8.self) == "HTTP/1.1 101")
        #expect(try await handshake(port: broker.secureWebSocketPort, ["-CAfile", certificates.authority.path]).isGood)
    }

    @Test("changed passwords count from the next connection on")
    func changedPasswords() async throws {
        var options = PrivateMosquitto.Options()
        options.passwords = ["ann": "s3cret"]
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        func answer(_ password: String) throws -> [UInt8] {
            try BrokerConversation(port: broker.port).connect(flags: 0xC2, credentials: ["ann", password])
        }
        #expect(try answer("s3cret") == [0x20, 0x02, 0x00, 0x00])
        try await broker.change(passwords: ["ann": "fresh"])
        #expect(try answer("s3cret") == [0x20, 0x02, 0x00, 0x05])
        #expect(try answer("fresh") == [0x20, 0x02, 0x00, 0x00])
        try await broker.restart()
        #expect(try answer("fresh") == [0x20, 0x02, 0x00, 0x00])
    }

    @Test("subscriptions that are not allowed are refused until they are, on the same connection")
    func refusedSubscriptions() async throws {
        var options = PrivateMosquitto.Options()
        options.allowedSubscriptions = ["a/#"]
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        let conversation = try BrokerConversation(port: broker.port)
        _ = try conversation.connect(flags: 2)
        #expect(try conversation.subscribe(["a/#", "b/#", "$share/g/b/#"]) == [1, 0x80, 0x80])
        let administrator = try BrokerConversation(port: broker.port)
        _ = try administrator.connect(flags: 2, client: "administrator")
        try administrator.publish(PrivateMosquitto.allowsEverySubscription.topic, PrivateMosquitto.allowsEverySubscription.payload)
        #expect(try conversation.subscribe(["a/#", "b/#", "$share/g/b/#"]) == [1, 1, 1])
    }

    @Test("access rules grant the subscription, and withhold the messages")
    func accessRules() async throws {
        var options = PrivateMosquitto.Options()
        options.accessRules = "topic readwrite a/#\ntopic write b/#"
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        let conversation = try BrokerConversation(port: broker.port)
        _ = try conversation.connect(flags: 2)
        #expect(try conversation.subscribe(["#"]) == [1])
        let publisher = try BrokerConversation(port: broker.port)
        _ = try publisher.connect(flags: 2, client: "publisher")
        try publisher.publish("b/1", "withheld")
        try publisher.publish("a/1", "let through")
        let message = try conversation.receiveMessage()
        #expect(message.topic == "a/1")
        #expect(message.payload == "let through")
    }

    @Test("the log tells of subscriptions when it is asked to")
    func log() async throws {
        var options = PrivateMosquitto.Options()
        options.logsEverything = true
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        let conversation = try BrokerConversation(port: broker.port)
        _ = try conversation.connect(flags: 2)
        _ = try conversation.subscribe(["a/#"])
        try await waitUntil { broker.log.contains("Received SUBSCRIBE from test") && broker.log.contains("test 1 a/#") }
    }
}
