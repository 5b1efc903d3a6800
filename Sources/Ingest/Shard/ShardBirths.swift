import MQTT
import Mapping
import NIOCore
import Sparkplug
import Store

/// Sparkplug B: birth certificates are stored with their messages, and nodes whose birth is missing are asked for it.
extension Shard {
    /// After a message has been evaluated.
    func noteBirths(_ message: borrowing MessageInput, session: Int) {
        if let birth = evaluator.pointee.birth {
            open.keep(
                StoredBirth(
                    key: StoredBirth.Key(group: birth.group, node: birth.node, device: birth.device),
                    bornMilliseconds: birth.timestampMilliseconds, bdSeq: birth.bdSeq, receivedMicroseconds: birth.receivedMicroseconds,
                    sinceMicroseconds: birth.sinceMicroseconds, digest: birth.digest, payload: Array(message.payload)))
            open.messageBytes += 2 * message.payload.count
        }
        if evaluator.pointee.hasSequenceGap { noteGap(message) }
        guard let command = evaluator.pointee.rebirthCommand(), let topic = try? TopicName(command.topic) else { return }
        let place = "\(command.group)/\(command.node)"
        // The session on which the message came is in the midst of its packets: what it sends leaves after them.
        eventLoop.assumeIsolated().execute { [self] in
            let others = sessions.compactMap { $0 }.filter { $0.number != session }
            let isSent = ([sessions[session]].compactMap { $0 } + others).contains {
                $0.publish(topic: topic, payload: command.payload, qos: .atMostOnce)
            }
            if isSent {
                logger.notice("an edge node is asked for its birth certificates", metadata: ["node": "\(place)"])
            } else {
                logger.warning("an edge node cannot be asked for its birth certificates now", metadata: ["node": "\(place)"])
            }
        }
    }

    /// One line a minute: a network that drops messages drops many.
    private func noteGap(_ message: borrowing MessageInput) {
        statistics.sequenceGaps += 1
        if let gapToldAt, eventLoop.now - gapToldAt < .minutes(1) { return }
        gapToldAt = eventLoop.now
        let topic = String(decoding: message.topic, as: UTF8.self)
        logger.warning(
            "messages of an edge node are missing by their sequence numbers: its aliases are not believed until its next birth certificate",
            metadata: ["topic": "\(topic)", "gaps": "\(statistics.sequenceGaps)"])
    }
}
