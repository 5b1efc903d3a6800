import Foundation

/// Certificates for tests of TLS, made with the command line of OpenSSL: good ones, and one for each way to be wrong. All files are in PEM.
public final class TestCertificates: Sendable {
    /// A certificate and its key.
    public struct Pair: Sendable {
        public let certificate: URL
        public let key: URL
    }

    /// The authority that has signed the others.
    public var authority: URL { file("authority.pem") }
    /// One that has signed nothing here.
    public var otherAuthority: URL { file("other-authority.pem") }
    /// For `localhost` and 127.0.0.1.
    public var server: Pair { pair("server") }
    /// For another host.
    public var serverElsewhere: Pair { pair("elsewhere") }
    /// For `localhost` and 127.0.0.1, until yesterday.
    public var serverExpired: Pair { pair("expired") }
    /// A client's; the name in it is `clientName`.
    public var client: Pair { pair("client") }
    /// The client's key in PKCS #8, encrypted with what stands in `clientKeyPassword`.
    public var clientKeyEncrypted: URL { file("client-encrypted.key") }
    public var clientKeyPassword: URL { file("client-key-password") }
    /// A client's that the other authority has signed.
    public var clientOfOtherAuthority: Pair { pair("stranger") }
    public static let clientName = "gateway"

    private let folder: ServerFolder

    /// - Parameter folder: exists, and is kept; nil: a temporary folder, removed with this object.
    /// - Throws: `SandboxError` with OpenSSL's words.
    public init(folder: URL? = nil) async throws {
        self.folder = try ServerFolder(folder)
        try await makeAuthority("authority")
        try await makeAuthority("other-authority")
        let here = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        try await issue("server", name: "localhost", here)
        try await issue("elsewhere", name: "elsewhere.example", "subjectAltName=DNS:elsewhere.example")
        try await issue("expired", name: "localhost", here, days: -1)
        try await issue("client", name: Self.clientName, "extendedKeyUsage=clientAuth")
        try await issue("stranger", name: Self.clientName, "extendedKeyUsage=clientAuth", by: "other-authority")
        try write("open sesame, twice\n", to: clientKeyPassword)
        try await openssl(
            "pkcs8", "-topk8", "-in", client.key.path, "-passout", "file:\(clientKeyPassword.path)", "-out", clientKeyEncrypted.path)
    }

    /// Puts a new authority in place of the present one, and a new certificate of the server, signed by it, in place of the server's. The clients'
    /// certificates stay those of the authority that was.
    public func renewServer() async throws {
        try await makeAuthority("authority")
        try await issue("server", name: "localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    }

    private func file(_ name: String) -> URL { folder.url.appending(path: name) }
    private func pair(_ name: String) -> Pair { Pair(certificate: file(name + ".pem"), key: file(name + ".key")) }

    // Elliptic curves: an RSA key takes a hundred times as long.
    private let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    private func makeAuthority(_ name: String) async throws {
        let made = pair(name)
        let files = ["-keyout", made.key.path, "-out", made.certificate.path]
        try await openssl(["req", "-x509", "-subj", "/CN=Test \(name)", "-days", "30"] + newKey + files)
    }

    private func issue(
        _ file: String, name: String, _ extensions: String, days: Int = 30, by authority: String = "authority"
    ) async throws {
        let (made, signer) = (pair(file), pair(authority))
        let request = self.file("\(file).csr")
        try await openssl(["req", "-subj", "/CN=\(name)", "-keyout", made.key.path, "-out", request.path] + newKey)
        let extensionFile = self.file("\(file).ext")
        try write(extensions + "\n", to: extensionFile)
        try await openssl(
            "x509", "-req", "-in", request.path, "-CA", signer.certificate.path, "-CAkey", signer.key.path, "-days", "\(days)",
            "-set_serial", "\(UInt32.random(in: 1...UInt32.max))", "-extfile", extensionFile.path, "-out", made.certificate.path)
    }

    private func write(_ text: String, to file: URL) throws {
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: file.path, contents: Data(text.utf8), attributes: attributes) else {
            throw SandboxError("cannot write \(file.path)")
        }
    }

    private func openssl(_ arguments: String...) async throws { try await openssl(arguments) }

    private func openssl(_ arguments: [String]) async throws {
        let run = try ChildProcess(["openssl"] + arguments, outputs: "openssl", in: folder.url)
        guard await run.waitForEnd(within: .seconds(30)) == .exit(0) else {
            throw SandboxError("openssl \(arguments[0]) failed: \(run.errors.suffix(2000))")
        }
    }
}
