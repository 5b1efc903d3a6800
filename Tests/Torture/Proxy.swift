import Foundation
import Glibc
import Synchronization

/// Stands between a client and a server, and is a bad network on demand: it cuts connections at any byte, stalls and delays them.
final class Proxy: Sendable {
    struct Weather {
        /// The next connections to be cut, each after so many more bytes.
        var cuts: [Int] = []
        var stalledUntil = Date.distantPast
        var delayMilliseconds: UInt32 = 0
    }

    let name: String
    let port: Int
    private let targetPort: Int
    private let listener: Int32
    private let weather = Mutex(Weather())
    private let deliveries: DeliveryCounter?

    /// - Parameter deliveries: counts the messages that go from the server to the client.
    init(_ name: String, to targetPort: Int, counting deliveries: DeliveryCounter? = nil) throws {
        self.name = name
        self.targetPort = targetPort
        self.deliveries = deliveries
        (listener, port) = try Sockets.listen()
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                open(client)
            }
        }
    }

    // MARK: Weather

    /// Some connection ends after so many more bytes in one direction.
    func cut(afterBytes count: Int) { weather.withLock { $0.cuts.append(count) } }
    func stall(seconds: Double) { weather.withLock { $0.stalledUntil = Date().addingTimeInterval(seconds) } }
    func delay(milliseconds: UInt32) { weather.withLock { $0.delayMilliseconds = milliseconds } }
    func clear() { weather.withLock { $0 = Weather() } }

    // MARK: Connections

    private func open(_ client: Int32) {
        guard let server = Sockets.connect(port: targetPort) else {
            close(client)
            return
        }
        let ends = Mutex(2)
        let lastOut: @Sendable () -> Void = {
            if ends.withLock({ count in
                count -= 1
                return count == 0
            }) {
                close(client)
                close(server)
            }
        }
        Thread.detachNewThread { [self] in
            pump(from: client, to: server, reader: nil)
            lastOut()
        }
        Thread.detachNewThread { [self] in
            pump(from: server, to: client, reader: deliveries.map { DeliveryReader($0) })
            lastOut()
        }
    }

    private func pump(from source: Int32, to target: Int32, reader: DeliveryReader?) {
        var reader = reader
        var bytesLeft: Int?
        while true {
            let now = weather.withLock { $0 }
            if now.stalledUntil > Date() {
                usleep(10_000)
                continue
            }
            guard Sockets.isReadable(source, milliseconds: 50) else { continue }
            guard var bytes = Sockets.receive(source)?[...] else { break }
            if now.delayMilliseconds > 0 { usleep(now.delayMilliseconds * 1000) }
            if bytesLeft == nil { bytesLeft = weather.withLock { $0.cuts.popLast() } }
            if let left = bytesLeft { bytes = bytes.prefix(left) }
            let isSent = Sockets.sendAll(target, bytes)
            // What may have arrived counts as delivered.
            reader?.forwarded(bytes)
            guard isSent else { break }
            if let left = bytesLeft {
                bytesLeft = left - bytes.count
                if left - bytes.count <= 0 {
                    if left % 2 == 0 {
                        Sockets.resetOnClose(source)
                        Sockets.resetOnClose(target)
                    }
                    break
                }
            }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }
}
