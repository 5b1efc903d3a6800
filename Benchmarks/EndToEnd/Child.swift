import Foundation
import Glibc

/// A process that is measured: its clocks, its memory, what it says.
final class Child {
    private let process: Process
    private let outputURL: URL
    private let errorURL: URL
    private let command: String

    /// - Parameter outputs: where standard output and error are kept, under this name with `.out` and `.err`.
    init(_ command: [String], outputs: URL) throws {
        self.command = command.joined(separator: " ")
        outputURL = outputs.appendingPathExtension("out")
        errorURL = outputs.appendingPathExtension("err")
        for url in [outputURL, errorURL] { try Data().write(to: url) }
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: outputURL)
        process.standardError = try FileHandle(forWritingTo: errorURL)
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    var errors: String { text(of: errorURL) }
    var output: String { text(of: outputURL) }

    func terminate(_ signal: Int32 = SIGTERM) { kill(process.processIdentifier, signal) }

    /// Waits for the end and returns standard output.
    func waitForSuccess() throws -> String {
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkError("\(command) ended with status \(process.terminationStatus):\n\(errors)")
        }
        return output
    }

    func checkAlive() throws {
        guard process.isRunning else { throw BenchmarkError("\(command) ended with status \(process.terminationStatus):\n\(errors)") }
    }

    /// Waits until standard error holds a text.
    func waitForError(_ text: String, limitSeconds: Double = 120) throws {
        let deadline = Date().addingTimeInterval(limitSeconds)
        while !errors.contains(text) {
            try checkAlive()
            guard Date() < deadline else { throw BenchmarkError("\(command) never said '\(text)':\n\(errors)") }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    /// User and system time of all its threads so far, by the scheduler's clock (nanoseconds; the ticks of /proc/PID/stat are 10 ms).
    func cpuSeconds() throws -> Double {
        try checkAlive()
        return try Self.cpuSeconds(of: process.processIdentifier)
    }

    /// The same of this process and its children that live, one process after the other.
    func cpuSecondsWithChildren() throws -> Double {
        let identifier = process.processIdentifier
        let children = try String(contentsOfFile: "/proc/\(identifier)/task/\(identifier)/children", encoding: .utf8)
        return try children.split(separator: " ").compactMap { pid_t($0) }.reduce(cpuSeconds()) {
            $0 + ((try? Self.cpuSeconds(of: $1)) ?? 0)
        }
    }

    private static func cpuSeconds(of identifier: pid_t) throws -> Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(identifier, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw BenchmarkError("the CPU clock of process \(identifier) cannot be read")
        }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The most memory that was resident so far.
    func residentBytesPeak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { throw BenchmarkError("/proc/PID/status has no VmHWM") }
        return kibibytes * 1024
    }

    private func text(of url: URL) -> String { String(decoding: (try? Data(contentsOf: url)) ?? Data(), as: UTF8.self) }
}
