import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("TLS: whom the ingester trusts, and how it shows who it is")
    struct TLS {
        /// A broker that shows this certificate.
        private func options(_ shown: TestCertificates.Pair, clientAuthority: URL? = nil) -> PrivateMosquitto.Options {
            var options = PrivateMosquitto.Options()
            options.tls = .init(certificate: shown.certificate, key: shown.key, clientAuthority: clientAuthority)
            return options
        }

        /// Starts the ingester, and wants readings to be stored.
        private func expectIngestion(_ workplace: Workplace) async throws {
            try await workplace.startIngester()
            try await workplace.publish((0..<500).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<500))
            try await workplace.close()
        }

        /// Starts the ingester, and wants it to say why it has no connection, in one of these words, and to go on trying.
        private func expectRefusal(_ workplace: Workplace, saying words: [String]) async throws {
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("no connection to the broker")
            try await workplace.eventually("it tries again") { workplace.tap.connectionCount >= 3 }
            let line = try #require(workplace.ingester.log.split(separator: "\n").first { $0.contains("no connection to the broker") })
            #expect(words.contains { line.localizedCaseInsensitiveContains($0) }, "\(line)")
            #expect(workplace.grantCount == 0)
            #expect(workplace.ingester.isAlive)
            try await workplace.close()
        }

        @Test("messages come in from a broker whose certificate the CA file vouches for, by name and by address")
        func trusted() async throws {
            let certificates = try await TestCertificates()
            for host in ["localhost", "127.0.0.1"] {
                try await expectIngestion(
                    try await Workplace(
                        sessions: 2, shards: 2, approach: .tls(host: host), broker: "tls: {ca_file: \(certificates.authority.path)}",
                        brokerOptions: options(certificates.server)))
            }
        }

        @Test("a broker of an authority that is not in the CA file is refused")
        func wrongAuthority() async throws {
            let certificates = try await TestCertificates()
            try await expectRefusal(
                try await Workplace(
                    sessions: 1, shards: 1, approach: .tls, broker: "tls: {ca_file: \(certificates.otherAuthority.path)}",
                    brokerOptions: options(certificates.server)), saying: ["certificate"])
        }

        @Test("without a CA file only the authorities of this machine are trusted")
        func unknownAuthority() async throws {
            let certificates = try await TestCertificates()
            try await expectRefusal(
                try await Workplace(sessions: 1, shards: 1, approach: .tls, brokerOptions: options(certificates.server)),
                saying: ["certificate"])
        }

        @Test("a certificate for another host name is refused")
        func wrongHost() async throws {
            let certificates = try await TestCertificates()
            try await expectRefusal(
                try await Workplace(
                    sessions: 1, shards: 1, approach: .tls, broker: "tls: {ca_file: \(certificates.authority.path)}",
                    brokerOptions: options(certificates.serverElsewhere)), saying: ["host", "name"])
        }

        @Test("server_name says which host name the certificate has to have")
        func serverName() async throws {
            let certificates = try await TestCertificates()
            try await expectIngestion(
                try await Workplace(
                    sessions: 1, shards: 1, approach: .tls,
                    broker: "tls: {ca_file: \(certificates.authority.path), server_name: elsewhere.example}",
                    brokerOptions: options(certificates.serverElsewhere)))
        }

        @Test("an expired certificate is refused")
        func expired() async throws {
            let certificates = try await TestCertificates()
            try await expectRefusal(
                try await Workplace(
                    sessions: 1, shards: 1, approach: .tls, broker: "tls: {ca_file: \(certificates.authority.path)}",
                    brokerOptions: options(certificates.serverExpired)), saying: ["expired", "date"])
        }

        @Test("verify: none trusts anybody, and the log warns of it")
        func unverified() async throws {
            let certificates = try await TestCertificates()
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: .tls, broker: "tls: {verify: none}", brokerOptions: options(certificates.serverExpired))
            try await workplace.startIngester()
            #expect(workplace.ingester.log.contains("verify"))
            try await workplace.publish((0..<50).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<50))
            try await workplace.close()
        }

        @Test("a broker that is not reached in TLS at all is refused")
        func noTLS() async throws {
            let certificates = try await TestCertificates()
            let approach = Approach(port: { $0.port }, url: { "mqtts://localhost:\($0)" })
            try await expectRefusal(
                try await Workplace(
                    sessions: 1, shards: 1, approach: approach, broker: "tls: {ca_file: \(certificates.authority.path)}",
                    brokerOptions: options(certificates.server)), saying: ["TLS"])
        }

        // MARK: Who it is

        @Test("a client certificate opens a broker that asks for one, with a plain key and with an encrypted one")
        func clientCertificate() async throws {
            let certificates = try await TestCertificates()
            let keys = [
                "key_file: \(certificates.client.key.path)",
                "key_file: \(certificates.clientKeyEncrypted.path), key_password_file: \(certificates.clientKeyPassword.path)",
            ]
            for key in keys {
                let files = "ca_file: \(certificates.authority.path), cert_file: \(certificates.client.certificate.path), \(key)"
                try await expectIngestion(
                    try await Workplace(
                        sessions: 2, shards: 1, approach: .mutualTLS, broker: "tls: {\(files)}",
                        brokerOptions: options(certificates.server, clientAuthority: certificates.authority)))
            }
        }

        @Test("the name in the client certificate is who it is, where the broker takes it so")
        func certificateNamesUser() async throws {
            let certificates = try await TestCertificates()
            var options = options(certificates.server, clientAuthority: certificates.authority)
            options.tls?.certificateNamesUser = true
            // Nobody else may read.
            options.accessRules = "topic write #\nuser \(TestCertificates.clientName)\ntopic readwrite #"
            let (client, authority) = (certificates.client, certificates.authority)
            try await expectIngestion(
                try await Workplace(
                    sessions: 1, shards: 1, approach: .mutualTLS,
                    broker: "tls: {ca_file: \(authority.path), cert_file: \(client.certificate.path), key_file: \(client.key.path)}",
                    brokerOptions: options))
        }

        @Test("without a client certificate, or with a stranger's, the log says that the broker wants one")
        func missingClientCertificate() async throws {
            let certificates = try await TestCertificates()
            let stranger = certificates.clientOfOtherAuthority
            for more in ["", ", cert_file: \(stranger.certificate.path), key_file: \(stranger.key.path)"] {
                try await expectRefusal(
                    try await Workplace(
                        sessions: 1, shards: 1, approach: .mutualTLS, broker: "tls: {ca_file: \(certificates.authority.path)\(more)}",
                        brokerOptions: options(certificates.server, clientAuthority: certificates.authority)), saying: ["certificate"])
            }
        }

        @Test("a pre-shared key opens a broker that knows it")
        func preSharedKey() async throws {
            var options = PrivateMosquitto.Options()
            options.preSharedKeys = ["gateway": "0123456789abcdef0123456789abcdef"]
            let folder = try TestServers.ofThisSuite().makeFolder()
            let file = try Self.write("0123456789abcdef0123456789abcdef\n", to: folder.appending(path: "key"))
            try await expectIngestion(
                try await Workplace(
                    sessions: 2, shards: 1, approach: .preSharedKey, broker: "tls: {psk_identity: gateway, psk_file: \(file.path)}",
                    brokerOptions: options))
        }

        @Test("a wrong pre-shared key does not, and stands in no log")
        func wrongPreSharedKey() async throws {
            var options = PrivateMosquitto.Options()
            options.preSharedKeys = ["gateway": "0123456789abcdef0123456789abcdef"]
            let folder = try TestServers.ofThisSuite().makeFolder()
            let file = try Self.write("fedcba9876543210\n", to: folder.appending(path: "key"))
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: .preSharedKey, broker: "tls: {psk_identity: gateway, psk_file: \(file.path)}",
                more: "log: {level: trace}", brokerOptions: options)
            try await expectRefusal(workplace, saying: ["TLS", "handshake", "key"])
            #expect(!workplace.ingester.log.localizedCaseInsensitiveContains("fedcba9876543210"))
        }

        // MARK: Versions of TLS

        @Test("min_version: a broker that speaks nothing so new is refused", arguments: [("1.2", true), ("1.3", false)])
        func minimumVersion(_ minimum: String, isGood: Bool) async throws {
            let certificates = try await TestCertificates()
            var options = options(certificates.server)
            options.tls?.maximumVersion = "TLSv1.2"
            let lines = #"tls: {ca_file: \#(certificates.authority.path), min_version: "\#(minimum)"}"#
            let workplace = try await Workplace(sessions: 1, shards: 1, approach: .tls, broker: lines, brokerOptions: options)
            if isGood {
                try await expectIngestion(workplace)
            } else {
                try await expectRefusal(workplace, saying: ["version", "protocol"])
            }
        }

        @discardableResult
        static func write(_ text: String, to file: URL) throws -> URL {
            let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
            try #require(FileManager.default.createFile(atPath: file.path, contents: Data(text.utf8), attributes: attributes))
            return file
        }
    }
}
