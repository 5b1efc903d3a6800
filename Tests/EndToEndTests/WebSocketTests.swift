import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("MQTT over WebSocket")
    struct WebSockets {
        enum Scheme: String, Sendable, CaseIterable { case ws, wss }

        @Test("thousands of small messages and a larger one come in, before and after a cut", arguments: Scheme.allCases)
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

            // No larger: mosquitto 2.0 sends a message over WebSocket in pieces of 4 KiB, ten of them a second.
            try await expectStored(textOfBytes: 1 << 16, workplace)
            #expect(workplace.tap.connectionCount >= 4)
            try await workplace.close()
        }

        @Test(
            "a message of a mebibyte and thousands of small ones come in through RabbitMQ's WebSocket",
            .enabled(if: PrivateRabbitMQ.isInstalled, "RabbitMQ is not installed; scripts/setup --tests installs it"))
        func otherServer() async throws {
            let broker = try PrivateRabbitMQ()
            try await broker.start()
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: .plain.at { "ws://localhost:\($0)/ws" }, broker: "version: 3.1.1",
                more: "decode: {max_bytes: 4MiB}", withoutBroker: broker.webSocketPort, publishingTo: broker.port)
            try workplace.ingester.start()
            let probe = try workplace.probe()
            try await workplace.eventually("the subscription is recorded as answered") {
                try probe.number("SELECT count(*) FROM penstock.session WHERE subscribed IS NOT NULL") == 1
            }
            let publisher = LoadPublisher(port: workplace.brokerPort, count: 5000, perSecond: 5000)
            try await workplace.eventually("all is published", within: .seconds(60)) { publisher.isFinished }
            try await workplace.waitUntilStored(publisher.acknowledged)
            try await expectStored(textOfBytes: 1 << 20, workplace)
            try await workplace.close()
            await broker.stop()
        }

        /// Publishes reading 5000 with a text so long, and wants it to be stored as it was.
        private func expectStored(textOfBytes count: Int, _ workplace: Workplace) async throws {
            let text = String(repeating: "0123456789abcdef", count: count / 16)
            try await workplace.publish([.init("site/hq/dev/d0/telemetry", #"{"seq":5000,"unit":"\#(text)"}"#)])
            try await workplace.waitUntilStored(Set(0...5000))
            let isWhole = "unit = repeat('0123456789abcdef', \(count / 16))"
            #expect(try workplace.probe().rows("SELECT DISTINCT \(isWhole) FROM readings WHERE seq = 5000") == [["t"]])
        }

        @Test(
            "a server that does not speak WebSocket is refused, in words",
            arguments: ["HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK", "garbage"])
        func refusal(_ answer: String) async throws {
            let server = try ScriptedBroker { connection, _ in
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
            let server = try ScriptedBroker { connection, _ in try connection.waitForText("\r\n\r\n") }
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
