import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("MQTT over WebSocket")
    struct WebSockets {
        enum Scheme: String, Sendable, CaseIterable { case ws, wss }

        @Test("thousands of small messages and one of a mebibyte come in, before and after a cut", arguments: Scheme.allCases)
        func ingestion(_ scheme: Scheme) async throws {
            let certificates = try await TestCertificates()
            var options = PrivateMosquitto.Options()
            options.webSockets = true
            options.tls = .init(certificate: certificates.server.certificate, key: certificates.server.key)
            let workplace = try await Workplace(
                sessions: 2, shards: 2, approach: scheme == .ws ? .webSocket : .secureWebSocket,
                broker: scheme == .ws ? nil : "tls: {ca_file: \(certificates.authority.path)}", more: "decode: {max_bytes: 4MiB}",
                brokerOptions: options)
            try await workplace.startIngester()
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 5000, perSecond: 5000)
            try await workplace.eventually("half is published") { publisher.acknowledgedCount > 2500 }
            workplace.tap.cut()
            try await workplace.eventually("all is published", within: .seconds(60)) { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged)

            let unit = String(repeating: "0123456789abcdef", count: 1 << 16)
            try await workplace.publish([.init("site/hq/dev/d0/telemetry", #"{"seq":5000,"unit":"\#(unit)"}"#)])
            try await workplace.waitUntilStored(Set(0...5000))
            let probe = try workplace.probe()
            #expect(try probe.number("SELECT length(unit) FROM readings WHERE seq = 5000 LIMIT 1") == 1 << 20)
            #expect(try probe.rows("SELECT md5(unit) FROM readings WHERE seq = 5000 LIMIT 1") == [[try Self.md5(unit, probe)]])
            #expect(workplace.tap.connectionCount >= 4)
            try await workplace.close()
        }

        private static func md5(_ text: String, _ probe: DatabaseProbe) throws -> String? {
            try probe.rows("SELECT md5(repeat('\(text.prefix(16))', \(text.utf8.count / 16)))")[0][0]
        }

        @Test(
            "a server that does not speak WebSocket is refused, in words",
            arguments: ["HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK", "garbage"])
        func refusal(_ answer: String) async throws {
            let server = try ScriptedBroker(speaksMQTT: false) { connection, _ in
                try connection.waitForText("\r\n\r\n")
                try connection.send(Array("\(answer)\r\nContent-Length: 0\r\n\r\n".utf8))
            }
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: .plain.at { "ws://localhost:\($0)/mqtt" }, withoutBroker: server.port)
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("no connection to the broker")
            try await workplace.eventually("it tries again") { server.connectionCount >= 3 }
            #expect(workplace.ingester.log.contains("WebSocket"))
            #expect(workplace.ingester.isAlive)
            try await workplace.close()
            server.stop()
        }

        @Test("the request for WebSocket asks for the subprotocol mqtt at the path of the address")
        func request() async throws {
            let server = try ScriptedBroker(speaksMQTT: false) { connection, _ in try connection.waitForText("\r\n\r\n") }
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: .plain.at { "ws://localhost:\($0)/broker/mqtt?tenant=a" }, withoutBroker: server.port)
            try workplace.ingester.start()
            try await workplace.eventually("the request comes") { !server.texts.isEmpty }
            let lines = server.texts[0].components(separatedBy: "\r\n")
            #expect(lines[0] == "GET /broker/mqtt?tenant=a HTTP/1.1")
            let headers = lines.map { $0.lowercased() }
            #expect(headers.contains("sec-websocket-protocol: mqtt"))
            #expect(headers.contains("sec-websocket-version: 13"))
            #expect(headers.contains("upgrade: websocket"))
            #expect(headers.contains("host: localhost:\(server.port)"))
            try await workplace.close()
            server.stop()
        }
    }
}
