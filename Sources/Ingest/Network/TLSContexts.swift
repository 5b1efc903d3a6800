import Foundation
import NIOSSL
import Synchronization

/// How connections to the broker are secured (`broker.tls`).
public struct TLSSettings: Sendable, Equatable {
    /// How the broker's certificate is looked at: in full (its authority and its name), or not at all.
    public enum Verification: String, Sendable, CaseIterable { case full, none }
    /// Versions of TLS.
    public enum Version: String, Sendable, CaseIterable {
        case v1_2 = "1.2"
        case v1_3 = "1.3"
    }

    /// PEM: who is trusted; nil: whom the system trusts.
    public var caFile: String?
    /// PEM: our certificate, with those between it and the authority behind it.
    public var certificateFile: String?
    /// PEM: the certificate's private key, encrypted or not.
    public var keyFile: String?
    /// Holds the passphrase of the private key.
    public var keyPasswordFile: String?
    /// The name that the broker's certificate must be for, and that it is asked for (SNI); nil: the host of the url.
    public var serverName: String?
    /// Whether the broker has to prove who it is.
    public var verification = Verification.full
    /// The oldest version that is spoken.
    public var minimumVersion = Version.v1_2
    /// By which name the broker knows the pre-shared key, which stands in place of certificates.
    public var pskIdentity: String?
    /// Holds the pre-shared key in hexadecimal digits.
    public var pskFile: String?

    /// The system's authorities, full verification.
    public init() {}

    /// Files whose content can change while the service runs.
    var files: [String] { [caFile, certificateFile, keyFile, keyPasswordFile, pskFile].compactMap { $0 } }
}

/// Something about a connection that an operator can put right.
struct NetworkProblem: Error, CustomStringConvertible {
    let description: String
}

/// Makes TLS contexts from files, and makes them anew when the files have changed: a rotated certificate is taken up with the next connection.
final class TLSContexts: Sendable {
    private struct Stamp: Equatable {
        var modified: Date?
        var size: UInt64?
        var file: UInt64?
    }

    private struct Made {
        var stamps: [Stamp]
        var context: NIOSSLContext
    }

    let settings: TLSSettings
    private let made = Mutex<Made?>(nil)

    init(_ settings: TLSSettings) { self.settings = settings }

    /// The context for a connection that is made now. Reads files: some milliseconds when they have changed.
    func context() throws(NetworkProblem) -> NIOSSLContext {
        let stamps = settings.files.map(Self.stamp)
        if let known = made.withLock({ $0 }), known.stamps == stamps { return known.context }
        let context = try make()
        made.withLock { $0 = Made(stamps: stamps, context: context) }
        return context
    }

    private static func stamp(_ file: String) -> Stamp {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        return Stamp(
            modified: attributes?[.modificationDate] as? Date, size: (attributes?[.size] as? NSNumber)?.uint64Value,
            file: (attributes?[.systemFileNumber] as? NSNumber)?.uint64Value)
    }

    private func make() throws(NetworkProblem) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = settings.minimumVersion == .v1_3 ? .tlsv13 : .tlsv12
        configuration.certificateVerification = settings.verification == .full ? .fullVerification : .none
        if let file = settings.caFile {
            do {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            } catch {
                throw NetworkProblem(description: "broker.tls.ca_file: \(Self.reason(error, file, "a certificate in PEM"))")
            }
        }
        if let file = settings.certificateFile {
            do {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(file).map { .certificate($0) }
            } catch {
                throw NetworkProblem(description: "broker.tls.cert_file: \(Self.reason(error, file, "a certificate in PEM"))")
            }
        }
        if let file = settings.keyFile { configuration.privateKey = .privateKey(try key(file)) }
        if let identity = settings.pskIdentity, let file = settings.pskFile { try setPSK(&configuration, identity, file) }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw NetworkProblem(description: "broker.tls: certificate and key do not go together (\(error))")
        }
    }

    private func key(_ file: String) throws(NetworkProblem) -> NIOSSLPrivateKey {
        do {
            guard let passwordFile = settings.keyPasswordFile else { return try NIOSSLPrivateKey(file: file, format: .pem) }
            let password = try Self.secret(passwordFile, key: "broker.tls.key_password_file")
            return try NIOSSLPrivateKey(file: file, format: .pem) { setter in setter(Array(password.utf8)) }
        } catch let problem as NetworkProblem {
            throw problem
        } catch {
            let hint =
                settings.keyPasswordFile == nil
                ? "a private key in PEM (an encrypted one needs key_password_file)" : "a private key in PEM that this passphrase opens"
            throw NetworkProblem(description: "broker.tls.key_file: \(Self.reason(error, file, hint))")
        }
    }

    /// Pre-shared keys stand instead of certificates, and in TLS 1.2 only as far as the library has them.
    private func setPSK(_ configuration: inout TLSConfiguration, _ identity: String, _ file: String) throws(NetworkProblem) {
        let digits = try Self.secret(file, key: "broker.tls.psk_file")
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.utf8.count, by: 2) {
            guard let byte = UInt8(String(digits.dropFirst(start).prefix(2)), radix: 16) else {
                throw NetworkProblem(description: "broker.tls.psk_file: '\(file)' holds no key in hexadecimal digits")
            }
            bytes.append(byte)
        }
        let key = bytes
        configuration.minimumTLSVersion = .tlsv12
        configuration.maximumTLSVersion = .tlsv12
        configuration.certificateVerification = .none
        configuration.cipherSuiteValues = [
            .TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA, .TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA,
            .TLS_PSK_WITH_AES_256_CBC_SHA, .TLS_PSK_WITH_AES_128_CBC_SHA,
        ]
        configuration.pskClientProvider = { _ in PSKClientIdentityResponse(key: NIOSSLSecureBytes(key), identity: identity) }
    }

    private static func secret(_ file: String, key: String) throws(NetworkProblem) -> String {
        guard let content = SecretFile.content(file) else {
            throw NetworkProblem(description: "\(key): cannot read the file '\(file)'")
        }
        return content
    }

    private static func reason(_ error: any Error, _ file: String, _ expected: String) -> String {
        FileManager.default.isReadableFile(atPath: file) ? "'\(file)' is not \(expected)" : "cannot read the file '\(file)'"
    }
}
