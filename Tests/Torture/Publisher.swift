import Foundation
import Glibc
import MQTT
import NIOCore
import Synchronization

/// One device: publishes numbered messages at one QoS over a persistent session, again and again until the broker has taken each over.
final class Publisher: Sendable {
    struct Account {
        /// Numbers 0..<tried were given to the session.
        var tried = 0
        /// Of these, those that the broker has acknowledged (QoS 0: written).
        var acknowledged: Set<Int> = []
        var isIdle = false
    }

    let device: String
    private let qos: QoS
    private let number: Int
    private let port: Int
    private let rate: Double
    private let account = Mutex(Account())
    private let isStopping = Mutex(false)

    init(qos: QoS, number: Int, port: Int, rate: Double) {
        device = "q\(qos.rawValue)-d\(number)"
        self.qos = qos
        self.number = number
        self.port = port
        self.rate = rate
    }

    var snapshot: Account { account.withLock { $0 } }

    func start() throws {
        var configuration = SessionConfiguration(clientIdentifier: "publisher-\(device)")
        configuration.keepAliveSeconds = 5
        configuration.pingTimeout = .seconds(5)
        // mosquitto 2.0.11 cuts off a publisher that has more than 20 messages at QoS 2 under way.
        configuration.maximumPublishesInFlight = 20
        let session = try ClientSession(configuration: configuration)
        let topic = try TopicName("t/q\(qos.rawValue)/\(number)/\(device)")
        Thread.detachNewThread { [self] in run(session, topic) }
    }

    /// Publishes nothing new; `snapshot.isIdle` once everything is through.
    func stop() { isStopping.withLock { $0 = true } }

    private func run(_ start: ClientSession, _ topic: TopicName) {
        var session = start
        var underWay: [UInt16: Int] = [:]
        var nextDue = Date()
        while true {
            guard let socket = Sockets.connect(port: port) else {
                usleep(100_000)
                continue
            }
            session.connectionOpened(now: .now())
            var unparsed: [UInt8] = []
            while true {
                while session.isConnected, Date() >= nextDue, !isStopping.withLock({ $0 }) {
                    let number = snapshot.tried
                    let payload = Array(MessageKey(device: device, number: number).payload.utf8)
                    switch session.publish(topic: topic, payload: payload, qos: qos) {
                    case .written: account.withLock { _ = $0.acknowledged.insert(number) }
                    case .awaitingAcknowledgement(let identifier): underWay[identifier] = number
                    case .windowFull, .notConnected, .tooLarge: break
                    }
                    if qos != .atMostOnce, !underWay.values.contains(number) { break }
                    account.withLock { $0.tried += 1 }
                    nextDue = max(nextDue, Date().addingTimeInterval(-1)).addingTimeInterval(1 / rate)
                }
                if isStopping.withLock({ $0 }), session.publishesInFlight == 0 { account.withLock { $0.isIdle = true } }
                guard (try? session.tick(now: .now())) != nil else { break }
                if let output = session.takeOutput(now: .now()), !Sockets.sendAll(socket, Array(output.readableBytesView)[...]) { break }
                guard Sockets.isReadable(socket, milliseconds: 5) else { continue }
                guard let bytes = Sockets.receive(socket) else { break }
                unparsed += bytes
                guard read(&unparsed, &session, &underWay) else { break }
            }
            close(socket)
            session.connectionClosed()
            usleep(50_000)
        }
    }

    /// False when the broker broke the rules.
    private func read(_ unparsed: inout [UInt8], _ session: inout ClientSession, _ underWay: inout [UInt16: Int]) -> Bool {
        var offset = 0
        var isFine = true
        unparsed.withUnsafeBytes { bytes in
            do {
                while true {
                    switch try session.nextEvent(in: bytes, at: &offset, now: .now()) {
                    case .needsMoreBytes: return
                    case .acknowledged(let identifier):
                        guard let number = underWay.removeValue(forKey: identifier) else { continue }
                        account.withLock { _ = $0.acknowledged.insert(number) }
                    default: continue
                    }
                }
            } catch { isFine = false }
        }
        unparsed.removeFirst(offset)
        return isFine
    }
}
