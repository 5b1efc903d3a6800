import Foundation
import Sandbox
import Testing

extension EndToEndTests {
    @Suite("Certificates, keys and passwords that change while the ingester runs")
    struct Rotation {
        @Test("a new authority and a new certificate of the broker are taken up with the next connection")
        func authority() async throws {
            let certificates = try await TestCertificates()
            var options = PrivateMosquitto.Options()
            options.tls = .init(certificate: certificates.server.certificate, key: certificates.server.key)
            let workplace = try await Workplace(
                sessions: 2, shards: 1, approach: .tls, broker: "tls: {ca_file: \(certificates.authority.path)}", brokerOptions: options)
            try await workplace.startIngester()
            let process = workplace.ingester.processIdentifier
            try await workplace.publish((0..<100).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<100))

            try await certificates.renewServer()
            try await workplace.broker?.reload()
            workplace.tap.cut()
            try await workplace.publish((100..<200).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<200))
            #expect(workplace.ingester.processIdentifier == process)
            try await workplace.close()
        }

        @Test("a new client certificate is taken up with the next connection")
        func clientCertificate() async throws {
            let certificates = try await TestCertificates()
            var options = PrivateMosquitto.Options()
            options.tls = .init(
                certificate: certificates.server.certificate, key: certificates.server.key, clientAuthority: certificates.authority)
            let folder = try TestServers.ofThisSuite().makeFolder()
            let (certificate, key) = (folder.appending(path: "client.pem"), folder.appending(path: "client.key"))
            func install(_ pair: TestCertificates.Pair) throws {
                for (source, target) in [(pair.certificate, certificate), (pair.key, key)] {
                    try TLS.write(try String(contentsOf: source, encoding: .utf8), to: target)
                }
            }
            try install(certificates.clientOfOtherAuthority)
            let files = "ca_file: \(certificates.authority.path), cert_file: \(certificate.path), key_file: \(key.path)"
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: .mutualTLS, broker: "tls: {\(files)}", brokerOptions: options)
            try workplace.ingester.start()
            try await workplace.ingester.waitForLog("no connection to the broker")
            try install(certificates.client)
            try await workplace.waitUntilSubscribed()
            try await workplace.publish((0..<10).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<10))
            try await workplace.close()
        }

        @Test("a CA file that is broken for a while is said to be so, and is read again")
        func brokenFile() async throws {
            let certificates = try await TestCertificates()
            var options = PrivateMosquitto.Options()
            options.tls = .init(certificate: certificates.server.certificate, key: certificates.server.key)
            let folder = try TestServers.ofThisSuite().makeFolder()
            let good = try String(contentsOf: certificates.authority, encoding: .utf8)
            let file = try TLS.write(good, to: folder.appending(path: "ca.pem"))
            let workplace = try await Workplace(
                sessions: 1, shards: 1, approach: .tls, broker: "tls: {ca_file: \(file.path)}", brokerOptions: options)
            try await workplace.startIngester()
            try TLS.write("-----BEGIN CERTIFICATE-----\nnonsense\n", to: file)
            workplace.tap.cut()
            try await workplace.ingester.waitForLog("ca.pem")
            #expect(workplace.ingester.isAlive)
            try TLS.write(good, to: file)
            try await workplace.publish((0..<10).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<10))
            try await workplace.close()
        }

        @Test("a new password is taken up with the next connection, and no password is ever shown")
        func password() async throws {
            var options = PrivateMosquitto.Options()
            options.passwords = ["ingester": "old-s3cret", "publisher": "p"]
            let folder = try TestServers.ofThisSuite().makeFolder()
            let file = try TLS.write("old-s3cret\n", to: folder.appending(path: "password"))
            let workplace = try await Workplace(
                sessions: 2, shards: 1, broker: "username: ingester\npassword_file: \(file.path)", more: "log: {level: trace}",
                brokerOptions: options, credentials: .init(username: "publisher", password: "p"))
            try await workplace.startIngester()
            let process = try #require(workplace.ingester.processIdentifier)
            try await workplace.publish((0..<100).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<100))

            // First the broker's, so that there is a time at which the ingester's is wrong.
            try await workplace.broker?.change(passwords: ["ingester": "new-s3cret", "publisher": "p"])
            workplace.tap.cut()
            try await workplace.ingester.waitForLog("no connection to the broker")
            try TLS.write("new-s3cret\n", to: file)
            try await workplace.publish((100..<200).map(LoadPublisher.reading))
            try await workplace.waitUntilStored(Set(0..<200))
            #expect(workplace.ingester.processIdentifier == process)

            let check = try await workplace.penstock("check")
            let shown = [
                workplace.ingester.log, check.output, check.errors,
                try String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8),
                try String(contentsOfFile: "/proc/\(process)/environ", encoding: .utf8),
            ]
            #expect(!shown.joined().contains("s3cret"))
            try await workplace.close()
        }
    }
}
