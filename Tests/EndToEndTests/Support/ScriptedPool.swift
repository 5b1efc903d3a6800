import Foundation
import Synchronization

/// One ingester with many sessions, each of which meets a broker with a script of its own: what one session suffers, the others must not feel.
final class ScriptedPool {
    /// One connection of one session.
    struct Visit: Sendable {
        /// Counted from 0, as the ingester counts them in their client identifiers.
        let session: Int
        /// Counted from 0, of the session's connections.
        let number: Int
        let at: ContinuousClock.Instant
    }

    let workplace: Workplace
    let probe: DatabaseProbe
    let sessions: Int
    private let broker: ScriptedBroker
    private let seen: Seen

    private final class Seen: Sendable {
        let visits = Mutex<[Visit]>([])

        func visit(_ session: Int) -> Visit {
            visits.withLock { visits in
                let visit = Visit(session: session, number: visits.count { $0.session == session }, at: .now)
                visits.append(visit)
                return visit
            }
        }
    }

    /// Every session asks for the filters of all mappings.
    /// - Parameters:
    ///   - broker: further lines under `broker:`.
    ///   - watches: `broker.watch`.
    ///   - script: what the broker does once a session's CONNECT is here; the connection ends when it returns or throws.
    init(
        sessions: Int, version: WireVersion, mappings: [String: String] = ["telemetry": Mappings.telemetry, "weather": Mappings.weather],
        broker lines: [String] = [], watches: Bool = false, more: String? = nil,
        script: @escaping @Sendable (ScriptedConnection, Visit) throws -> Void
    ) async throws {
        let seen = Seen()
        self.seen = seen
        self.sessions = sessions
        broker = try ScriptedBroker { connection, _ in
            guard let name = try connection.expect(.connect).clientIdentifier else { return }
            guard let number = name.split(separator: "-").last, !name.contains("-watch-"), let session = Int(number) else {
                // The ingester's look at what the broker tells of itself: what it meets is no reason for anything either.
                try connection.accept()
                try connection.send([0x36, 2, 0, 0])
                return _ = try connection.packetsUntilEnd()
            }
            let visit = seen.visit(session)
            do { try script(connection, visit) } catch {
                throw ScriptedConnection.Unexpected(description: "session \(visit.session), its connection \(visit.number): \(error)")
            }
        }
        workplace = try await Workplace(
            sessions: sessions, shards: 2, mappings: mappings, broker: ([version.configurationLine] + lines).joined(separator: "\n"),
            distribution: sessions > 1 ? "shared" : nil, more: more, withoutBroker: broker.port, watches: watches)
        probe = try workplace.probe()
    }

    /// What the scripts did not expect.
    var complaints: [String] { broker.complaints }
    var visits: [Visit] { seen.visits.withLock { $0 } }

    func visits(of session: Int) -> [Visit] { visits.filter { $0.session == session } }

    /// What was logged because a connection of this session ended, in order.
    func endings(of session: Int) -> [String] {
        workplace.ingester.log.split(separator: "\n").map(String.init).filter { line in
            line.contains("no connection to the broker") && line.split(separator: " ").contains("session=end-to-end-\(session)")
        }
    }

    /// Waits until these readings stand in the table; gives up at once when a script met what it did not expect.
    func waitUntilStored(_ sequences: some Collection<Int>, within limit: Duration = .seconds(30)) async throws {
        let wanted = sequences.map(String.init).joined(separator: ",")
        try await workplace.eventually("\(sequences.count) readings are stored", within: limit, every: .milliseconds(50)) {
            if let complaint = complaints.first { throw UnhappyIngester(why: complaint, log: workplace.ingester.log) }
            return try probe.number("SELECT count(DISTINCT seq) FROM readings WHERE seq IN (\(wanted))") == sequences.count
        }
    }

    /// Asks the ingester to end, and wants it to end well.
    func close() async throws {
        try await workplace.terminateIngester()
        broker.stop()
        try await workplace.close()
    }
}

extension ScriptedConnection {
    /// What a good broker does once CONNECT is here: CONNACK, PUBACK for the session's status, SUBACK, these readings at QoS 1, each of which has to be
    /// acknowledged in its turn; and PINGRESP whenever it is asked for.
    func serve(_ sequences: some Sequence<Int>, isSessionPresent: Bool = false) throws {
        answersPings = true
        try accept(isSessionPresent: isSessionPresent)
        try takeStatus()
        try grantSubscription()
        for sequence in sequences { try publish(sequence) }
        for sequence in sequences {
            let acknowledgement = try expect(.publishAcknowledgement)
            guard acknowledgement.packetIdentifier == Self.packetIdentifier(of: sequence) else {
                throw Unexpected(description: "PUBACK \(acknowledgement.packetIdentifier ?? 0) for the reading \(sequence)")
            }
        }
    }

    /// The status message of the session, where its last will says the other half of it, and its PUBACK.
    func takeStatus() throws {
        guard hasWill else { return }
        let status = try expect(.publish)
        guard let identifier = status.packetIdentifier else { throw Unexpected(description: "a status message at QoS 0") }
        try send(Packets.publishAcknowledgement(identifier))
    }

    /// The packet identifier of a reading where no other is named.
    static func packetIdentifier(of sequence: Int) -> UInt16 { UInt16(sequence % 65_535 + 1) }
}
