import FuzzSupport
import Glibc
import Mapping

@testable import Ingest

/// An input is the text of a configuration file, and behind a NUL the environment, a setting a line.
@main
struct ConfigurationFuzz {
    /// A file without a place on any disk.
    private let file: CInt
    private let path: String

    static func main() {
        let target = ConfigurationFuzz()
        fuzz(target.run)
    }

    private init() {
        let name = "/penstock-fuzz-\(getpid())"
        file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
        shm_unlink(name)
        path = "/proc/self/fd/\(file)"
        precondition(file >= 0, "no memory for the fuzzer")
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map { UnsafeRawBufferPointer(rebasing: $0) }
        guard let text = parts.first, ftruncate(file, 0) == 0, pwrite(file, text.baseAddress, text.count, 0) == text.count else { return }
        var environment: [String: String] = [:]
        for line in parts.dropFirst().flatMap({ $0.split(separator: 0x0A) }) {
            let setting = String(decoding: line, as: UTF8.self).split(separator: "=", maxSplits: 1)
            // A secret in a file is read from there: no such file here.
            if setting.count == 2, !setting[0].hasSuffix("_FILE") { environment[String(setting[0])] = String(setting[1]) }
        }
        environment["PENSTOCK_CONFIG"] = nil
        guard !String(decoding: text, as: UTF8.self).contains("_file") else { return }
        let reading = ConfigurationReader.read(path: path, environment: environment)
        for error in reading.errors {
            claim(error.mark.line >= 1 && error.mark.column >= 1 && !error.message.isEmpty, "\(error) stands nowhere")
        }
        guard reading.errors.isEmpty else { return }
        check(reading.configuration)
    }

    /// What is accepted is within the bounds that the rest relies on.
    private func check(_ configuration: Configuration) {
        claim(!configuration.broker.endpoints.isEmpty, "no broker")
        for endpoint in configuration.broker.endpoints {
            claim(!endpoint.host.isEmpty && (1...65_535).contains(endpoint.port), "\(endpoint)")
        }
        claim((1...1024).contains(configuration.pool.sessions), "\(configuration.pool.sessions) sessions")
        claim(!configuration.pool.clientIdentifier.isEmpty, "a client identifier of nothing")
        claim(configuration.batch.maximumBytes >= 64 * 1024 && configuration.batch.maximumMessages > 0, "a batch of nothing")
        claim((1...1024).contains(configuration.decode.maximumDepth), "\(configuration.decode.maximumDepth) levels")
        claim(configuration.broker.password == nil || configuration.broker.username != nil, "a password without a name")
        if let password = configuration.broker.password {
            claim(!"\(password)".contains(password.value) || password.value.count < 8, "a password shows")
        }
    }
}
