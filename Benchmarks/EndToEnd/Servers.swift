import Foundation
import Glibc
import PostgreSQL

/// The broker and the database of a benchmark, as they are started here.
final class Servers {
    let brokerPort: Int
    let databaseURL: String
    private let broker: Child
    private let database: Child

    init(folder: URL) throws {
        brokerPort = try Self.freePort()
        let databasePort = try Self.freePort()
        databaseURL = "postgresql://postgres@127.0.0.1:\(databasePort)/postgres"
        chmod(folder.path, 0o777)
        let asServerUser = getuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
        let bin = "/usr/lib/postgresql/15/bin/"
        let data = folder.appending(path: "data").path
        _ = try Child(
            asServerUser + [bin + "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
            outputs: folder.appending(path: "initdb")
        )
        .waitForSuccess()
        database = try Child(
            asServerUser + [
                bin + "postgres", "-D", data, "-p", "\(databasePort)", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
                "-c", "track_commit_timestamp=on", "-c", "max_wal_size=4GB", "-c", "shared_buffers=256MB",
            ],
            outputs: folder.appending(path: "postgres"))
        try "listener \(brokerPort) 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\nlog_dest stderr\n"
            .write(to: folder.appending(path: "mosquitto.conf"), atomically: false, encoding: .utf8)
        broker = try Child(
            ["/usr/sbin/mosquitto", "-c", folder.appending(path: "mosquitto.conf").path], outputs: folder.appending(path: "mosquitto"))
        try broker.waitForError("running")
        while true {
            try database.checkAlive()
            if let connection = try? Connection(url: databaseURL), connection.isOpen { break }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    func stop() {
        broker.terminate()
        // A fast shutdown: it does not wait for clients.
        database.terminate(SIGINT)
        for child in [broker, database] { _ = try? child.waitForSuccess() }
    }

    func costs() throws -> ServerCosts {
        ServerCosts(brokerSeconds: try broker.cpuSeconds(), databaseSeconds: try database.cpuSecondsWithChildren())
    }

    private static func freePort() throws -> Int {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let ok = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, length) == 0 && getsockname(fd, $0, &length) == 0 }
        }
        guard ok else { throw BenchmarkError("no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
