import Foundation
import Glibc

/// The built `penstock` as its users run it: a process with a configuration file.
final class Ingester {
    /// `PENSTOCK_BINARY` where it is set, else the one that was built beside the tests.
    static let binary: String = {
        if let named = ProcessInfo.processInfo.environment["PENSTOCK_BINARY"] { return named }
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appending(path: "penstock").path
    }()

    /// Names its files.
    let name: String
    private let configurationPath: String
    private let folder: URL
    private var process: ChildProcess?
    private var earlier: [ChildProcess] = []
    private var wasAskedToEnd = false

    init(configurationPath: String, folder: URL, name: String) {
        self.configurationPath = configurationPath
        self.folder = folder
        self.name = name
    }

    deinit { process?.signal(SIGKILL) }

    var isAlive: Bool { process?.pollEnd() == nil }
    var hasEndedUnasked: Bool { !isAlive && !wasAskedToEnd }
    /// Of the present process.
    var processIdentifier: pid_t? { process?.identifier }

    /// What the present process has logged.
    var log: String { process?.errors ?? "" }
    /// What all processes have logged, in order.
    var wholeLog: String { (earlier + (process.map { [$0] } ?? [])).map(\.errors).joined() }

    /// Starts `penstock run`. Returns at once.
    func start() throws {
        if let process { earlier.append(process) }
        wasAskedToEnd = false
        process = try ChildProcess(
            Self.binary, ["run", "--config", configurationPath], outputs: "\(name)-life-\(earlier.count + 1)", in: folder)
    }

    /// Sends SIGTERM, the wish to end.
    func terminate() {
        wasAskedToEnd = true
        process?.signal(SIGTERM)
    }

    /// Sends SIGHUP, the wish to take other mappings.
    func hangUp() { process?.signal(SIGHUP) }

    /// Ends the process without a chance to do anything more.
    func kill() async throws {
        wasAskedToEnd = true
        process?.signal(SIGKILL)
        _ = try await waitForEnd()
    }

    /// Somebody else ends the process, as the test wants it.
    func willBeKilled() { wasAskedToEnd = true }

    /// Stops the process where it stands: its connections stay, and it answers nothing.
    func suspend() { process?.signal(SIGSTOP) }
    func resume() { process?.signal(SIGCONT) }

    func waitForEnd(within limit: Duration = .seconds(15)) async throws -> ChildProcess.End? {
        try await process?.waitForEnd(within: limit)
    }

    /// Waits until the present process has logged a text this often.
    func waitForLog(_ text: String, times: Int = 1, within limit: Duration = .seconds(20)) async throws {
        do {
            try await waitUntil("the log holds '\(text)' \(times) times", within: limit) {
                log.components(separatedBy: text).count > times || !isAlive
            }
        } catch {
            throw UnhappyIngester(why: "\(error)", log: log)
        }
        guard log.components(separatedBy: text).count > times else { throw UnhappyIngester(why: "it ended", log: log) }
    }

    /// The processor time that it has used so far, in seconds; nil when the process has ended.
    var processorSeconds: Double? {
        guard isAlive, let process, let text = try? String(contentsOfFile: "/proc/\(process.identifier)/stat", encoding: .utf8) else {
            return nil
        }
        // Behind the name in parentheses, which may hold anything: utime and stime are the 14th and 15th field of proc(5).
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The most memory that was resident at any time, in bytes; nil when the process has ended.
    var residentBytesPeak: Int? {
        guard isAlive, let process, let status = try? String(contentsOfFile: "/proc/\(process.identifier)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return kibibytes * 1024
    }
}

/// An ingester that did not do what a test needs, with all it said.
struct UnhappyIngester: Error, CustomStringConvertible {
    let why: String
    let log: String

    var description: String { "the ingester is not as it should be: \(why). It logged:\n\(log)" }
}
