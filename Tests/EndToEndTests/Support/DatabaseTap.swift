import Foundation
import Synchronization

/// A proxy of ours between the ingester and its database that can keep the answer to a COMMIT to itself.
final class DatabaseTap: Sendable {
    private struct State {
        var open: [Int: (client: Socket, server: Socket)] = [:]
        var connectionCount = 0
        var swallowsNext = false
        var swallowedCount = 0
    }

    let port: Int
    private let databasePort: Int
    private let listener: Listener
    private let state = Mutex(State())

    init(databasePort: Int) throws {
        self.databasePort = databasePort
        listener = try Listener()
        port = listener.port
        Thread.detachNewThread { [self] in
            while let connection = listener.accept() { carry(connection) }
        }
    }

    /// Ends everything, and takes no connection any more.
    func stop() {
        listener.stop()
        for (client, server) in state.withLock({ Array($0.open.values) }) {
            client.shutDown()
            server.shutDown()
        }
    }

    /// The next time that the database says COMMIT, it is not passed on, and the connection ends: what was asked is done, and nobody hears of it.
    func swallowNextCommit() { state.withLock { $0.swallowsNext = true } }

    /// Connections that were taken so far.
    var connectionCount: Int { state.withLock(\.connectionCount) }
    /// Answers that were not passed on.
    var swallowedCount: Int { state.withLock(\.swallowedCount) }

    // MARK: Carrying

    /// CommandComplete of a COMMIT (PostgreSQL documentation, "Message Formats").
    private static let committed = [UInt8(ascii: "C"), 0, 0, 0, 11] + Array("COMMIT\0".utf8)

    private func carry(_ client: Socket) {
        guard let server = try? Socket(port: databasePort) else { return client.shutDown() }
        let number = state.withLock { state in
            defer { state.connectionCount += 1 }
            state.open[state.connectionCount] = (client, server)
            return state.connectionCount
        }
        Thread.detachNewThread { [self] in pump(from: client, to: server, number, isFromDatabase: false) }
        Thread.detachNewThread { [self] in pump(from: server, to: client, number, isFromDatabase: true) }
    }

    private func pump(from source: Socket, to destination: Socket, _ number: Int, isFromDatabase: Bool) {
        // A message may come in two pieces.
        var last: [UInt8] = []
        while let bytes = try? source.receive() {
            if isFromDatabase {
                if swallows(last + bytes) { break }
                last = bytes.suffix(Self.committed.count - 1)
            }
            do { try destination.send(bytes) } catch { break }
        }
        source.shutDown()
        destination.shutDown()
        state.withLock { state in _ = state.open.removeValue(forKey: number) }
    }

    private func swallows(_ bytes: [UInt8]) -> Bool {
        guard state.withLock(\.swallowsNext), bytes.contains(Self.committed) else { return false }
        return state.withLock { state in
            guard state.swallowsNext else { return false }
            state.swallowsNext = false
            state.swallowedCount += 1
            return true
        }
    }
}
