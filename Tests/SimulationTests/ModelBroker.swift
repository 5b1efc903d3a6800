import MQTT
import NIOCore

/// An MQTT 3.1.1 server, as far as a subscriber meets it: persistent sessions, QoS 0, 1 and 2, a window, redelivery on resumption. It checks every
/// acknowledgement that it gets.
final class ModelBroker {
    struct InFlight {
        var identifier: UInt16
        var message: Message
        /// QoS 2: PUBREC came, PUBREL went out.
        var isReleased = false
    }

    final class Session {
        let clientIdentifier: String
        var isSubscribed = false
        var queue: [Message] = []
        var inFlight: [InFlight] = []
        var link: Link?

        init(clientIdentifier: String) { self.clientIdentifier = clientIdentifier }

        /// The lowest that is free, so that identifiers are used again at once.
        var unusedIdentifier: UInt16 {
            var identifier: UInt16 = 1
            while inFlight.contains(where: { $0.identifier == identifier }) { identifier += 1 }
            return identifier
        }
    }

    private unowned let world: World
    private(set) var sessions: [String: Session] = [:]
    /// Messages that went with a session that the broker forgot.
    private(set) var forgotten: Set<Int> = []
    /// Deliveries of each message, to whomever.
    private(set) var deliveries: [Int: Int] = [:]
    static let window = 5

    init(world: World) { self.world = world }

    var names: [String] { sessions.keys.sorted() }
    var isDrained: Bool { sessions.values.allSatisfy { $0.queue.isEmpty && $0.inFlight.isEmpty } }

    /// Every session has its subscription, whatever happened on the way: none is taken for granted that is not there.
    var isSubscribedAll: Bool { sessions.values.allSatisfy(\.isSubscribed) }

    // MARK: Messages

    /// Takes a message from a publisher, for one of the sessions of the group; false when nobody has subscribed.
    func publish(_ message: Message) -> Bool {
        guard let name = world.random.pick(names.filter { sessions[$0]?.isSubscribed == true }), let session = sessions[name] else {
            return false
        }
        if message.qos == .atMostOnce {
            // Only who is there gets it.
            if let link = session.link { link.send(publishPacket(message, identifier: nil, isDuplicate: false)) }
        } else {
            session.queue.append(message)
        }
        return true
    }

    /// Sends the next message of a session, if its window allows it.
    func sendNext(_ name: String) {
        guard let session = sessions[name], let link = session.link, session.inFlight.count < Self.window, !session.queue.isEmpty else {
            return
        }
        let entry = InFlight(identifier: session.unusedIdentifier, message: session.queue.removeFirst())
        session.inFlight.append(entry)
        sendAgain(entry, link, isDuplicate: false)
    }

    /// Repeats something that is not answered, on a connection that stands.
    func repeatSomething(_ name: String) {
        // Not at QoS 1, where a second PUBACK could answer the next message of the same identifier.
        guard let session = sessions[name], let link = session.link,
            let entry = world.random.pick(session.inFlight.filter { $0.message.qos == .exactlyOnce })
        else { return }
        sendAgain(entry, link, isDuplicate: true, isExpected: false)
    }

    /// - Parameter isExpected: an answer has to come, in its turn; one to a repeat may be left out.
    private func sendAgain(_ entry: InFlight, _ link: Link, isDuplicate: Bool, isExpected: Bool = true) {
        world.note(
            "broker sends \(entry.identifier) \(entry.isReleased ? "PUBREL" : "message \(entry.message.number) QoS \(entry.message.qos.rawValue)")"
        )
        if entry.isReleased {
            if isExpected { link.expect(.publishComplete, entry.identifier) }
            link.send([0x62, 2, UInt8(entry.identifier >> 8), UInt8(entry.identifier & 0xFF)])
        } else {
            deliveries[entry.message.number, default: 0] += 1
            if isExpected { link.expect(entry.message.qos == .atLeastOnce ? .publish : .publishReceived, entry.identifier) }
            link.send(publishPacket(entry.message, identifier: entry.identifier, isDuplicate: isDuplicate))
        }
    }

    private func publishPacket(_ message: Message, identifier: UInt16?, isDuplicate: Bool) -> [UInt8] {
        var body = [0, UInt8(Message.topic.utf8.count)] + Array(Message.topic.utf8)
        if let identifier { body += [UInt8(identifier >> 8), UInt8(identifier & 0xFF)] }
        body += message.payload
        return [0x30 | (isDuplicate ? 8 : 0) | message.qos.rawValue << 1, UInt8(body.count)] + body
    }

    // MARK: Connections

    /// A session is forgotten, with everything that waited in it.
    func forget(_ name: String) {
        guard let session = sessions.removeValue(forKey: name) else { return }
        for entry in session.inFlight where !entry.isReleased { forgotten.insert(entry.message.number) }
        for message in session.queue { forgotten.insert(message.number) }
        session.link?.breakOff()
    }

    func linkLost(_ link: Link) {
        for session in sessions.values where session.link === link { session.link = nil }
    }

    /// Takes one packet of a client.
    func receive(_ packet: [UInt8], on link: Link) throws(Violation) {
        let type = packet[0] >> 4
        world.note("broker gets \(type) \(packet.dropFirst(2).prefix(2).map { $0 }) from \(link.process.name)")
        if type == 1 { return connect(String(decoding: packet.suffix(from: 14), as: UTF8.self), link) }
        guard let session = sessions.values.first(where: { $0.link === link }) else { return }
        func identifier() -> UInt16 { UInt16(packet[2]) << 8 | UInt16(packet[3]) }
        switch type {
        case 4: try acknowledged(identifier(), session, link)
        case 5: try received(identifier(), session, link)
        case 7: try completed(identifier(), session, link)
        case 8:
            session.isSubscribed = true
            link.send([0x90, 3, packet[2], packet[3], 2])
        case 12:
            if !session.isSubscribed || !session.inFlight.isEmpty { world.confirmations += 1 }
            link.send([0xD0, 0])
        case 14: link.breakOff()
        default: throw Violation("the client sent a packet of type \(type)")
        }
    }

    private func connect(_ name: String, _ link: Link) {
        let isPresent = sessions[name] != nil
        let session = sessions[name] ?? Session(clientIdentifier: name)
        sessions[name] = session
        session.link?.breakOff()
        session.link = link
        world.note("broker: CONNECT of \(name), session \(isPresent ? "present" : "new")")
        let saysPresent = isPresent && !world.bugs.contains(.clearsOnPresentSession)
        link.send([0x20, 2, saysPresent ? 1 : 0, 0])
        for entry in session.inFlight { sendAgain(entry, link, isDuplicate: true) }
    }

    // MARK: Acknowledgements

    private func acknowledged(_ identifier: UInt16, _ session: Session, _ link: Link) throws(Violation) {
        guard let index = session.inFlight.firstIndex(where: { $0.identifier == identifier && $0.message.qos == .atLeastOnce }) else {
            throw Violation("PUBACK \(identifier) of \(session.clientIdentifier) acknowledges nothing")
        }
        try link.answered(.publish, identifier)
        try checkDurable(session.inFlight[index].message, "PUBACK")
        session.inFlight.remove(at: index)
    }

    private func received(_ identifier: UInt16, _ session: Session, _ link: Link) throws(Violation) {
        guard
            let index = session.inFlight.firstIndex(where: {
                $0.identifier == identifier && $0.message.qos == .exactlyOnce && !$0.isReleased
            })
        else {
            // The answer to a repeat that crossed the first one.
            return
        }
        try link.answered(.publishReceived, identifier)
        try checkDurable(session.inFlight[index].message, "PUBREC")
        session.inFlight[index].isReleased = true
        sendAgain(session.inFlight[index], link, isDuplicate: false)
    }

    private func completed(_ identifier: UInt16, _ session: Session, _ link: Link) throws(Violation) {
        guard let index = session.inFlight.firstIndex(where: { $0.identifier == identifier && $0.isReleased }) else { return }
        try link.answered(.publishComplete, identifier)
        if world.database.sessions[session.clientIdentifier]?.holds(identifier) == true {
            throw Violation("PUBCOMP \(identifier) of \(session.clientIdentifier) before the identifier is free in the database")
        }
        session.inFlight.remove(at: index)
    }

    private func checkDurable(_ message: Message, _ answer: String) throws(Violation) {
        if !world.database.isDurable(message.number) { throw Violation("\(answer) for message \(message.number), which is not durable") }
    }
}
