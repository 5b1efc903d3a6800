import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("penstock check asks the broker as the ingester would")
    struct CheckBroker {
        @Test("it says which version the broker speaks", arguments: [("3.1", "3.1"), ("3.1.1", "3.1.1"), ("5", "5"), ("auto", "5")])
        func version(asked: String, spoken: String) async throws {
            let workplace = try await Workplace(sessions: 1, shards: 1, broker: "version: \(asked)")
            let check = try await workplace.penstock("check")
            #expect(check.end == .exit(0), "\(check.errors)")
            #expect(check.output.contains("speaks MQTT \(spoken) "), "\(check.output)")
            try await workplace.close()
        }

        @Test("it comes down from 5 where the ingester does", arguments: Versions.refusals)
        func fallback(_ refusal: Versions.Refusal) async throws {
            let workplace = try await Workplace(
                sessions: 1, shards: 1, broker: "version: auto", refusal: .init(aboveLevel: 4, answer: refusal.answer))
            let check = try await workplace.penstock("check")
            #expect(check.end == .exit(0), "\(check.errors)")
            #expect(check.output.contains("speaks MQTT 3.1.1 "), "\(check.output)")
            try await workplace.close()
        }

        @Test("over TLS and WebSocket, and it says why a certificate is not trusted", arguments: Transport.ways)
        func transports(_ way: Transport.Way) async throws {
            let certificates = try await TestCertificates()
            var options = PrivateMosquitto.Options()
            options.webSockets = true
            options.tls = .init(certificate: certificates.server.certificate, key: certificates.server.key)
            for (authority, isGood) in [(certificates.authority, true), (certificates.otherAuthority, false)] where isGood || way.isSecure {
                let workplace = try await Workplace(
                    sessions: 1, shards: 1, approach: way.approach, broker: way.isSecure ? "tls: {ca_file: \(authority.path)}" : nil,
                    brokerOptions: options)
                let check = try await workplace.penstock("check")
                #expect(check.end == .exit(isGood ? 0 : 1), "\(check.errors)")
                #expect((check.output + check.errors).contains(isGood ? "speaks MQTT 5 " : "certificate is not trusted"), "\(check.errors)")
                try await workplace.close()
            }
        }

        @Test("a subscription that the broker refuses is a problem, with its filter", arguments: ["3.1.1", "5"])
        func refusedSubscription(version: String) async throws {
            var options = PrivateMosquitto.Options()
            options.allowedSubscriptions = ["site/#", "$SYS/#"]
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: ["telemetry": Mappings.telemetry, "weather": Mappings.weather],
                broker: "version: \(version)", brokerOptions: options)
            let check = try await workplace.penstock("check")
            #expect(check.end == .exit(1))
            #expect(check.errors.contains("the broker refuses the subscription to 'weather/+'"), "\(check.errors)")
            #expect(!check.errors.contains("'site/"))
            try await workplace.close()
        }

        @Test(
            "a mapping of what the broker says of itself is one like others", arguments: ["$SYS/broker/{name...}", "$SYS/broker/version"])
        func ownTopics(topic: String) async throws {
            let mapping = """
                topic: \(topic)
                decode: text
                table: statements
                columns: {topic: text not null from topic, said: text from $}
                """
            let workplace = try await Workplace(sessions: 1, shards: 1, mappings: ["telemetry": Mappings.telemetry, "own": mapping])
            let check = try await workplace.penstock("check")
            #expect(check.end == .exit(0), "\(check.errors)")
            #expect(check.output.contains("subscribes to \(topic.replacing("{name...}", with: "#"))"), "\(check.output)")
            #expect(check.output.contains("mosquitto version"), "\(check.output)")
            try await workplace.close()
        }
    }
}
