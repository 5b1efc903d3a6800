import Foundation
import Glibc
import Synchronization

/// A process that is started here, with its outputs in files. It ends with its owner: when nobody holds it any more, and when this process dies.
public final class ChildProcess: Sendable {
    public enum End: Equatable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    public let identifier: pid_t
    private let outputPath: String
    private let errorPath: String
    private let end = Mutex<End?>(nil)

    /// - Parameters:
    ///   - command: the program, found on PATH and in the folders of servers, and its arguments.
    ///   - user: whom it runs as; nil: as ourselves. Only root may name another.
    ///   - name: of the files for its outputs, in `folder`.
    public init(_ command: [String], as user: String? = nil, outputs name: String, in folder: URL) throws(SandboxError) {
        outputPath = folder.appending(path: "\(name).out").path
        errorPath = folder.appending(path: "\(name).err").path
        // setpriv changes the user first and asks for the signal at our death afterwards, since the kernel forgets that wish when the user changes.
        var arguments = ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
        if let user { arguments += ["--reuid", user, "--regid", user, "--clear-groups"] }
        let spawn = Spawn(arguments: arguments + command, outputPath: outputPath, errorPath: errorPath)
        switch LastingThread.shared.perform(spawn.run) {
        case .success(let identifier): self.identifier = identifier
        case .failure(let error): throw error
        }
    }

    deinit {
        guard pollEnd() == nil else { return }
        kill(identifier, SIGKILL)
        var status: Int32 = 0
        waitpid(identifier, &status, 0)
    }

    public var output: String { Self.text(at: outputPath) }
    public var errors: String { Self.text(at: errorPath) }

    public func signal(_ number: Int32) {
        // A process that was waited for is gone, and its number may be another's.
        if pollEnd() == nil { kill(identifier, number) }
    }

    /// How it ended; nil while it lives.
    public func pollEnd() -> End? {
        end.withLock { end in
            if end != nil { return end }
            var status: Int32 = 0
            guard waitpid(identifier, &status, WNOHANG) == identifier else { return nil }
            end = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
            return end
        }
    }

    /// Waits for the end; nil when it has not come by then.
    public func waitForEnd(within limit: Duration) async -> End? {
        let deadline = ContinuousClock.now + limit
        while pollEnd() == nil, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(10)) }
        return pollEnd()
    }

    private static func text(at path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}

/// Why a private server is not there.
public struct SandboxError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// A port of the loopback interface that is free now.
func freePort() throws(SandboxError) -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
        }
    }
    guard isBound else { throw SandboxError("there is no free port on 127.0.0.1") }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// Whether something accepts connections there.
func answers(port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    return withUnsafePointer(to: &address) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
